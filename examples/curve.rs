//! CURVE: nobody on the way reads along, and who may come in is known by a key. Somebody who may take his time decides.
//!
//! `cargo run -p serverlink-examples --example curve`

use std::collections::HashMap;
use std::sync::mpsc::{self, Receiver, SyncSender, TrySendError};
use std::thread;
use std::time::{Duration, Instant};

use serverlink::security::{
    Answer, AuthRequest, Authenticator, Denial, KeyPair, PublicKey, SecretKey, Security, User, generate_keys,
};
use serverlink::{Context, Error, EventKind};

fn main() -> Result<(), Error> {
    for line in run()? {
        println!("{line}");
    }
    Ok(())
}

fn run() -> Result<Vec<String>, Error> {
    let context = Context::new()?;
    let server_keys = generate_keys()?;
    let server_key = server_keys.public;
    // As it may lie in a file of the sensor's; the server knows the public half alone.
    let secret = generate_keys()?.secret.to_z85();
    let sensor_keys = SecretKey::from_z85(&secret).map(KeyPair::new);
    let sensor_keys = sensor_keys.expect("it was written by to_z85");

    let (ask, questions) = mpsc::sync_channel(100);
    let guests = HashMap::from([(sensor_keys.public, "sensor-7")]);
    thread::spawn(move || decide(&guests, &questions));
    let pull = context
        .pull()
        .security(Security::curve_server(server_keys))
        .authenticator(Doorkeeper(ask))
        .recv_timeout(Duration::from_secs(10))
        .open()?;
    let endpoint = pull.bind("tcp://127.0.0.1:*")?.to_string();

    let stranger = context.push().security(Security::curve_client(generate_keys()?, server_key)).open()?;
    let monitor = stranger.monitor();
    stranger.connect(&endpoint)?;
    let sensor = context.push().security(Security::curve_client(sensor_keys, server_key)).open()?;
    sensor.connect(&endpoint)?;
    sensor.send("21.5 degrees")?;

    let (message, peer) = pull.recv_with_peer()?;
    let name = peer.and_then(|peer| peer.user_id.clone()).unwrap_or_default();
    let mut lines =
        vec![format!("{}: {}", String::from_utf8_lossy(&name), String::from_utf8_lossy(message.first()))];
    let in_time = Instant::now() + Duration::from_secs(10);
    while let Some(event) = monitor.next_deadline(in_time) {
        if let EventKind::HandshakeFailed { cause, .. } = event.kind {
            lines.push(format!("the stranger: {cause}"));
            break;
        }
    }
    Ok(lines)
}

/// Asks somebody else, so that no connection waits while he thinks.
struct Doorkeeper(SyncSender<(AuthRequest, Answer)>);

impl Authenticator for Doorkeeper {
    fn judge(&self, request: AuthRequest, answer: Answer) {
        // Strangers may ask faster than anybody decides: then they may come back. An answer that is dropped lets nobody in.
        if let Err(TrySendError::Full((_, answer))) = self.0.try_send((request, answer)) {
            answer.give(Err(Denial::Temporary));
        }
    }
}

fn decide(guests: &HashMap<PublicKey, &str>, questions: &Receiver<(AuthRequest, Answer)>) {
    for (request, answer) in questions {
        let name = request.public_key().and_then(|key| guests.get(key));
        answer.give(name.map(|name| User::named(*name)).ok_or(Denial::Refused));
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_sensor_comes_in_and_the_stranger_does_not() {
        let lines = super::run().expect("it runs");
        assert_eq!(lines, ["sensor-7: 21.5 degrees", "the stranger: denied_by_peer"]);
    }
}
