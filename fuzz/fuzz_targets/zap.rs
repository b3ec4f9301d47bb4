//! A handler of ZAP that replies anything, on a simulated machine: whoever is judged is let in by a reply that is one and says 200, and by no other.
#![no_main]

use std::time::Duration;

use libfuzzer_sys::fuzz_target;
use serverlink::sim::{Faults, Simulation};
use serverlink::{Context, Message, Options, Socket, SocketType};
use serverlink_zmtp::Limits;
use serverlink_zmtp::command::Metadata;

/// More than the handshake's deadline.
const LONG: Duration = Duration::from_secs(60);

fuzz_target!(|data: &[u8]| {
    let reply = parts(data);
    let mut simulation = Simulation::new(1, Faults::NONE);
    let context = simulation.context();
    let handler = socket(&context, SocketType::Router, |_| {});
    handler.bind("inproc://zeromq.zap.01").expect("nobody else handles");
    let pull = socket(&context, SocketType::Pull, |options| options.zap_domain = "any".to_owned());
    let endpoint = pull.bind("tcp://10.0.0.1:7000").expect("a free port").to_string();
    let push = socket(&context, SocketType::Push, |options| {
        // It comes once.
        options.reconnect_interval = Duration::from_secs(3600);
        options.reconnect_interval_max = Duration::ZERO;
    });
    push.connect(&endpoint).expect("connecting");
    simulation.run_for(Duration::from_secs(1));
    let question = handler.try_recv().expect("it is asked");
    assert_eq!((question.part_count(), &question[2][..], &question[3][..]), (8, &b"1.0"[..], &b"1"[..]));
    assert_eq!(pull.stats().peers, 0, "nobody is let in unjudged");

    let mut message = Message::from(question[0].clone());
    reply.iter().for_each(|part| message.push_back(&part[..]));
    // An address alone goes nowhere.
    handler.try_send(message).expect("it is still asked");
    simulation.run_for(LONG);
    assert_eq!(pull.stats().peers, u64::from(lets_in(&reply)), "{reply:?}");
});

fn socket(context: &Context, socket_type: SocketType, change: impl FnOnce(&mut Options)) -> Socket {
    let mut options = Options { heartbeat_interval: Duration::ZERO, ..Options::default() };
    change(&mut options);
    context.socket_with(socket_type, options).expect("valid options")
}

/// What RFC 27 calls a reply that lets somebody in.
fn lets_in(reply: &[Vec<u8>]) -> bool {
    let [delimiter, version, request, status, _, _, metadata] = reply else { return false };
    delimiter.is_empty()
        && version == b"1.0"
        && request == b"1"
        && status == b"200"
        && Metadata::parse(metadata, &Limits::default()).is_ok()
}

/// The first octet says how many parts of a good reply are in front; each further part has its length in front, in one octet.
fn parts(data: &[u8]) -> Vec<Vec<u8>> {
    let good: [&[u8]; 6] = [b"", b"1.0", b"1", b"200", b"OK", b"user"];
    let Some((kept, mut rest)) = data.split_first() else { return Vec::new() };
    let mut parts: Vec<Vec<u8>> = good.iter().take(usize::from(kept % 8)).map(|part| part.to_vec()).collect();
    while let Some((len, behind)) = rest.split_first()
        && parts.len() < 20
    {
        let (part, after) = behind.split_at(behind.len().min(usize::from(*len)));
        parts.push(part.to_vec());
        rest = after;
    }
    parts
}
