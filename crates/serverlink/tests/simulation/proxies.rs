//! Through a SOCKS5 proxy on a harsh network: the way to it and the way from it break anywhere. Each stream is registered once all the same.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serverlink::sim::{Faults, Simulation};
use serverlink::{Context, Message, Part, ReconnectStop, Stream};

use crate::ending::assert_nothing_is_left;
use crate::seeds::for_a_share_of_seeds;

const PATIENCE: Duration = Duration::from_secs(120);
const PEER: &str = "tcp://10.0.0.1:5555";
const PROXY: &str = "10.0.0.2:1080";
/// Each seed has many connections.
const SHARE: u64 = 2;

#[test]
fn what_goes_through_a_proxy_comes_whole_and_once() {
    for_a_share_of_seeds(SHARE, "what_goes_through_a_proxy_comes_whole_and_once", |seed| {
        let mut machine = Simulation::new(seed, Faults::HARSH.under_laws_of(seed));
        let (here, between, there) = (machine.context(), machine.context(), machine.context());
        let pull = there.pull().open().unwrap();
        pull.bind(PEER).unwrap();
        let mut proxy = Proxy::open(&between);
        let push = here.push().socks_proxy(PROXY).socks_username("me").socks_password("swordfish");
        let push = push.handshake_timeout(Duration::from_secs(3)).open().unwrap();
        push.connect(PEER).unwrap();

        let mut came = BTreeSet::new();
        for sent in 0..60 {
            machine.run(push.send_async(body(sent)), PATIENCE).expect("room comes").unwrap();
            for _ in 0..sent % 8 {
                machine.run_for(Duration::from_millis(3));
                proxy.serve();
            }
            while let Ok(message) = pull.try_recv() {
                note(&mut came, &message);
            }
        }
        // Whatever was lost with a connection is lost, but the path must heal by itself.
        machine.world().set_faults(Faults::NONE);
        // What a proxy took and could not pass on is gone with it, so more is said until something comes.
        let deadline = machine.world().now() + PATIENCE;
        for marker in 1000.. {
            if came.last() >= Some(&1000) {
                break;
            }
            assert!(machine.world().now() < deadline, "the path does not heal");
            if marker % 100 == 0 {
                machine.run(push.send_async(body(marker)), PATIENCE).expect("room comes").unwrap();
            }
            machine.run_for(Duration::from_millis(2));
            proxy.serve();
            while let Ok(message) = pull.try_recv() {
                note(&mut came, &message);
            }
        }
        assert!(proxy.yeses > 0);
        drop((push, proxy, pull));
        machine.run_for(Duration::from_secs(60));
        assert_nothing_is_left(&machine);
    });
}

/// A body of a length that varies, so that connections are lost at any byte.
fn body(number: u64) -> String {
    format!("{number} {}", "x".repeat((number as usize * 37) % 700))
}

/// In any order: what a connection left in the proxy may come behind what the next one brought.
fn note(came: &mut BTreeSet<u64>, message: &Message) {
    let text = std::str::from_utf8(message.first()).expect("numbers were sent");
    let number = text.split(' ').next().and_then(|number| number.parse().ok()).expect("numbers were sent");
    assert_eq!(text, body(number), "no byte of another message, or of the proxy, is in it");
    assert!(came.insert(number), "{number} came twice");
}

/// Two STREAMs: one that is come to, and one that goes on.
struct Proxy {
    front: Stream,
    back: Stream,
    /// Under what they are called in front.
    clients: BTreeMap<Vec<u8>, Client>,
    yeses: u64,
}

#[derive(Default)]
struct Client {
    said: Vec<u8>,
    step: Step,
    /// What its peer is called behind, since it was asked for.
    peer: Option<Part>,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Step {
    #[default]
    Methods,
    Introduction,
    Request,
    Connecting,
    Connected,
}

impl Proxy {
    fn open(context: &Context) -> Proxy {
        let front = context.stream().send_hwm(0).open().unwrap();
        front.bind(&format!("tcp://{PROXY}")).unwrap();
        // Each of its connections is another conversation, so none is made again.
        let once =
            serverlink::Options { reconnect_stop: ReconnectStop::ALWAYS, send_hwm: 0, ..Default::default() };
        let back = context.stream().options(once).open().unwrap();
        Proxy { front, back, clients: BTreeMap::new(), yeses: 0 }
    }

    fn serve(&mut self) {
        while let Ok((from, message)) = self.front.try_recv_from() {
            let octets = message.first();
            match (octets.is_empty(), self.clients.remove(&from[..])) {
                (true, None) => drop(self.clients.insert(from.to_vec(), Client::default())),
                (true, Some(gone)) => gone.peer.into_iter().for_each(|peer| drop(self.back.hang_up(&peer))),
                (false, Some(mut client)) => {
                    client.said.extend_from_slice(octets);
                    self.go_on(&from, &mut client);
                    self.clients.insert(from.to_vec(), client);
                }
                (false, None) => {}
            }
        }
        while let Ok((from, message)) = self.back.try_recv_from() {
            let octets = message.first();
            let of_it = |client: &Client| client.peer.as_ref().is_some_and(|peer| peer[..] == from[..]);
            let Some((name, client)) = self.clients.iter_mut().find(|(_, client)| of_it(client)) else {
                continue;
            };
            match (octets.is_empty(), client.step) {
                (true, Step::Connecting) => {
                    client.step = Step::Connected;
                    self.yeses += 1;
                    let _ = self.front.send_to(name, &b"\x05\x00\x00\x03\x07by-name\x15\xb3"[..]);
                }
                (true, _) => drop(self.front.hang_up(name)),
                (false, _) => drop(self.front.send_to(name, octets.to_vec())),
            }
        }
    }

    /// With what a client has said so far.
    fn go_on(&mut self, name: &[u8], client: &mut Client) {
        loop {
            let said = std::mem::take(&mut client.said);
            let (next, answer): (_, &[u8]) = match client.step {
                Step::Methods if said.starts_with(b"\x05\x02\x00\x02") => (Step::Introduction, b"\x05\x02"),
                Step::Introduction if said.starts_with(b"\x01\x02me\x09swordfish") => {
                    (Step::Request, b"\x01\x00")
                }
                Step::Request if said.starts_with(b"\x05\x01\x00\x01\x0a\x00\x00\x01\x15\xb3") => {
                    client.peer = self.back.connect_peer(PEER).ok();
                    (Step::Connecting, b"")
                }
                Step::Connected => {
                    if let Some(peer) = &client.peer {
                        let _ = self.back.send_to(peer, said);
                    }
                    return;
                }
                // The rest is not here yet.
                _ => {
                    assert!(said.len() < 14, "it says {said:?} too early");
                    client.said = said;
                    return;
                }
            };
            let len = [4, 14, 10][client.step as usize];
            client.said = said[len..].to_vec();
            client.step = next;
            if !answer.is_empty() {
                let _ = self.front.send_to(name, answer);
            }
        }
    }
}
