//! Every competitor plays every role for a few messages, or says in one sentence why it does not.
//!
//! This is the child's side of the benchmark as `serverlink-bench` uses it: two processes of the program,
//! told by arguments and lines.

mod process;

use process::Process;
use serverlink_bench::Transport::{self, Inproc, Ipc, Tcp};

/// More than a turn of any sender, and more than the high-water mark.
const MESSAGES: u64 = 3000;
/// What a subscriber may miss before it is there: a minute's worth.
const HELLOS: usize = 1200;

const OMQ_BLOCKING: &str = "omq-blocking";
const OMQ_CURRENT_THREAD: &str = "omq-ct";
const OMQ_EXCLUSIVE: &str = "omq-exclusive";
const MONOCOQUE: &str = "monocoque";
const ZEROMQ: &str = "zeromq";
const RZMQ: &str = "rzmq";

const STREAMS: [Transport; 2] = [Tcp, Ipc];

#[test]
fn push_to_pull() {
    for peer in [OMQ_BLOCKING, OMQ_CURRENT_THREAD, MONOCOQUE, ZEROMQ, RZMQ] {
        for transport in STREAMS {
            one_way(peer, transport, "push", "pull", 64);
        }
    }
}

#[test]
fn push_to_pull_of_large_messages() {
    for peer in [OMQ_BLOCKING, OMQ_CURRENT_THREAD, MONOCOQUE, ZEROMQ, RZMQ] {
        one_way(peer, Tcp, "push", "pull", 70_000);
    }
}

#[test]
fn dealer_to_router() {
    for peer in [OMQ_BLOCKING, OMQ_CURRENT_THREAD, MONOCOQUE, ZEROMQ, RZMQ] {
        for transport in STREAMS {
            one_way(peer, transport, "dealer", "router", 64);
        }
    }
    one_way(OMQ_EXCLUSIVE, Tcp, "dealer", "router", 64);
}

#[test]
fn questions_and_answers() {
    for peer in [OMQ_BLOCKING, OMQ_CURRENT_THREAD, MONOCOQUE, ZEROMQ, RZMQ] {
        for transport in STREAMS {
            round_trips(peer, transport, 1);
        }
    }
    round_trips(OMQ_EXCLUSIVE, Tcp, 1);
}

#[test]
fn several_callers() {
    for peer in [OMQ_BLOCKING, OMQ_CURRENT_THREAD, OMQ_EXCLUSIVE, MONOCOQUE, ZEROMQ, RZMQ] {
        round_trips(peer, Tcp, 3);
    }
}

#[test]
fn publications_reach_every_subscriber() {
    for peer in [OMQ_BLOCKING, OMQ_CURRENT_THREAD, MONOCOQUE, ZEROMQ, RZMQ] {
        publications(peer, false);
        publications(peer, true);
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_router_echoes_to_many() {
    for peer in [OMQ_BLOCKING, OMQ_CURRENT_THREAD, MONOCOQUE, ZEROMQ, RZMQ] {
        echoes(peer, 20);
    }
    echoes(OMQ_EXCLUSIVE, 1);
}

#[test]
fn a_publisher_gets_on_between_two_loops() {
    for peer in [OMQ_BLOCKING, OMQ_CURRENT_THREAD, MONOCOQUE, ZEROMQ, RZMQ] {
        let mut publisher =
            Process::play("publish", peer, "bytes=64 transport=tcp held=true count=100 connections=1");
        let subscriber = Process::play_to("subscribe", peer, "bytes=64 announce=1", &publisher.endpoints());
        subscriber.expect("ready");
        let reached = (0..HELLOS).any(|_| {
            publisher.say("hello");
            subscriber.says_soon("reached")
        });
        assert!(reached, "{peer}'s subscriber heard none of {HELLOS} hellos");
    }
}

#[test]
fn threads_share_a_socket() {
    for peer in [OMQ_BLOCKING, RZMQ] {
        let receiver = Process::play("receive", peer, &to("pull", Tcp, 4 * MESSAGES));
        let arguments = format!("bytes=64 kind=push threads=4 count={MESSAGES}");
        let _sender = Process::play_to("send", peer, &arguments, &receiver.endpoints());
        receiver.expect("reached");
    }
}

#[test]
fn inside_one_process() {
    for peer in [OMQ_BLOCKING, OMQ_CURRENT_THREAD, RZMQ] {
        for (from, to) in [("push", "pull"), ("dealer", "router")] {
            let arguments = format!("bytes=64 from={from} to={to} count={MESSAGES} announce={MESSAGES}");
            let both = Process::play("stream-inproc", peer, &arguments);
            both.endpoints();
            both.expect("reached");
        }
        let subscribers = Process::play("pub-sub-inproc", peer, "bytes=64 sockets=2 connections=2");
        subscribers.endpoints();
        subscribers.expect("reached");
    }
}

#[test]
fn what_is_not_there_is_absent_with_its_reason() {
    let absent = |role: &str, peer: &str, arguments: &str, why: &str| {
        let process = Process::play(role, peer, arguments);
        assert_eq!(process.expect("absent"), why, "{peer} as {role} {arguments}");
    };
    let inproc = to("pull", Inproc, 1);
    absent("receive", ZEROMQ, &inproc, "it has no inproc transport");
    absent("receive", MONOCOQUE, &inproc, "its inproc channels are not sockets of these types");
    absent(
        "receive",
        OMQ_EXCLUSIVE,
        &to("pull", Tcp, 1),
        "its exclusive sockets are DEALER, ROUTER, REQ and REP",
    );
    absent("receive", OMQ_EXCLUSIVE, &to("router", Ipc, 1), "its exclusive sockets have tcp alone");
    absent("publish", MONOCOQUE, "bytes=64 transport=ipc", "its PUB has tcp alone");
    absent("echo", OMQ_EXCLUSIVE, "connections=2", "its exclusive sockets have one connection each");
    let crowd = "its listener stops when more than some hundred peers connect at once";
    absent("echo", RZMQ, "connections=1000", crowd);
    let threads = "kind=push threads=2 endpoint=tcp://127.0.0.1:1";
    for peer in [OMQ_CURRENT_THREAD, MONOCOQUE, ZEROMQ] {
        absent("send", peer, threads, "its sockets are used in the one thread of their runtime");
    }
}

fn one_way(peer: &str, transport: Transport, from: &str, kind: &str, bytes: usize) {
    let messages = if bytes > 64 { MESSAGES / 10 } else { MESSAGES };
    let receiver =
        Process::play("receive", peer, &format!("{} bytes={bytes}", to(kind, transport, messages)));
    let arguments = format!("bytes={bytes} kind={from} count={messages}");
    let _sender = Process::play_to("send", peer, &arguments, &receiver.endpoints());
    receiver.expect("reached");
}

fn to(kind: &str, transport: Transport, messages: u64) -> String {
    format!("kind={kind} transport={} announce={messages}", transport.as_str())
}

fn round_trips(peer: &str, transport: Transport, callers: usize) {
    let setup = format!("bytes=64 callers={callers} connections={callers}");
    // One that answers every caller hears more, one of several hears its own.
    let server =
        Process::play("answer", peer, &format!("{setup} transport={} announce=100", transport.as_str()));
    let arguments = format!("{setup} count=100");
    let _clients = Process::play_to("ask", peer, &arguments, &server.endpoints());
    server.expect("reached");
}

fn publications(peer: &str, filtered: bool) {
    let setup = format!("bytes=64 connections=3 filtered={filtered}");
    let publisher = Process::play("publish", peer, &format!("{setup} transport=tcp"));
    let arguments = format!("{setup} sockets=3 others=5 announce=100");
    let subscribers = Process::play_to("subscribe", peer, &arguments, &publisher.endpoints());
    subscribers.expect("ready");
    subscribers.expect("reached");
}

/// Clients that speak ZMTP themselves: ten questions each.
#[cfg(target_os = "linux")]
fn echoes(peer: &str, connections: usize) {
    let setup = format!("bytes=64 connections={connections}");
    let server = Process::play("echo", peer, &setup);
    let mut clients =
        Process::play_to("clients", peer, &format!("{setup} purpose=idle"), &server.endpoints());
    clients.expect("ready");
    clients.expect("reached");
    clients.say("go");
    clients.expect("reached");
}
