//! The draft types of libzmq against ours, over tcp and ipc, in both directions. Distributions build libzmq without them, so the library is named by the
//! variable `SERVERLINK_LIBZMQ_DRAFTS`; `ci/drafts` builds one. Without it nothing is tested, and that is said.

mod datagrams;
mod theirs;

use std::time::{Duration, Instant};

use serverlink::{Context, Error, Message, Options, Part, Socket, SocketType};
use tempfile::TempDir;

use theirs::{Theirs, is_there};

const PATIENCE: Duration = Duration::from_secs(20);

/// Runs a case with each of both bound, over both wires.
fn each_link(ours: SocketType, theirs: SocketType, talk: impl Fn(&Socket, &Theirs)) {
    if !is_there() {
        println!("skipped: SERVERLINK_LIBZMQ_DRAFTS names no libzmq with drafts; see ci/drafts");
        return;
    }
    let directory = TempDir::new().expect("a temporary directory");
    let wires = ["tcp://127.0.0.1:*".to_owned(), format!("ipc://{}", directory.path().join("end").display())];
    for wire in wires {
        for we_bind in [true, false] {
            println!("{ours} over {wire}, bound by {}", if we_bind { "us" } else { "them" });
            let context = Context::new().expect("a context");
            let (socket, end) = (open(&context, ours), Theirs::open(theirs));
            if ours == SocketType::Dish {
                socket.join("g").expect("a group");
            } else if theirs == SocketType::Dish {
                end.join("g");
            }
            if we_bind {
                end.connect(&socket.bind(&wire).expect("binding").to_string());
            } else {
                socket.connect(&end.bind(&wire)).expect("connecting");
            }
            talk(&socket, &end);
            socket.close(Duration::ZERO);
        }
    }
}

fn open(context: &Context, kind: SocketType) -> Socket {
    let options = Options { heartbeat_interval: Duration::from_millis(20), ..Options::default() };
    context.socket_with(kind, options).expect("a socket")
}

fn send<const N: usize>(socket: &Socket, parts: [&[u8]; N]) {
    let message = Message::from_parts(parts.map(Part::copy_from));
    socket.send_deadline(message, Instant::now() + PATIENCE).expect("sending to libzmq");
}

fn recv(socket: &Socket) -> Vec<Vec<u8>> {
    let message = socket.recv_deadline(Instant::now() + PATIENCE).expect("receiving from libzmq");
    message.iter().map(|part| part.to_vec()).collect()
}

/// PINGs that it does not understand must not end the connection.
fn live_through_heartbeats(socket: &Socket) {
    let until = Instant::now() + Duration::from_millis(150);
    assert!(matches!(socket.wait_for_peers(usize::MAX, Duration::from_millis(150)), Err(Error::TimedOut)));
    assert!(Instant::now() >= until);
    assert_eq!(socket.stats().peers, 1);
}

#[test]
fn client_to_server() {
    each_link(SocketType::Client, SocketType::Server, |client, server| {
        for question in [&b"question"[..], b"", &[b'q'; 100_000]] {
            send(client, [question]);
            let asked = server.recv();
            assert_eq!(asked.body, question);
            assert_ne!(asked.routing_id, 0);
            server.send_to(asked.routing_id, b"answer");
            assert_eq!(recv(client), [b"answer"]);
        }
        live_through_heartbeats(client);
    });
}

#[test]
fn server_to_client() {
    each_link(SocketType::Server, SocketType::Client, |server, client| {
        for _ in 0..3 {
            client.send(b"question");
            let asked = recv(server);
            assert_eq!(asked[1], b"question");
            send(server, [&asked[0], b"answer"]);
            assert_eq!(client.recv().body, b"answer");
        }
        live_through_heartbeats(server);
    });
}

#[test]
fn scatter_to_gather() {
    each_link(SocketType::Scatter, SocketType::Gather, |scatter, gather| {
        send(scatter, [b"one"]);
        send(scatter, [b""]);
        assert_eq!((gather.recv().body, gather.recv().body), (b"one".to_vec(), Vec::new()));
    });
}

#[test]
fn gather_from_scatter() {
    each_link(SocketType::Gather, SocketType::Scatter, |gather, scatter| {
        scatter.send(b"one");
        scatter.send(b"");
        assert_eq!((recv(gather), recv(gather)), (vec![b"one".to_vec()], vec![Vec::new()]));
    });
}

#[test]
fn channel_to_channel() {
    each_link(SocketType::Channel, SocketType::Channel, |ours, theirs| {
        for _ in 0..3 {
            send(ours, [b"there"]);
            assert_eq!(theirs.recv().body, b"there");
            theirs.send(b"back");
            assert_eq!(recv(ours), [b"back"]);
        }
    });
}

#[test]
fn peer_to_peer() {
    each_link(SocketType::Peer, SocketType::Peer, |_, _| {});
    if !is_there() {
        return;
    }
    let context = Context::new().expect("a context");
    let (ours, theirs) = (open(&context, SocketType::Peer), Theirs::open(SocketType::Peer));
    let number = ours.connect_peer(&theirs.bind("tcp://127.0.0.1:*")).expect("connecting");
    send(&ours, [number.as_bytes(), b"hello"]);
    let hello = theirs.recv();
    assert_eq!(hello.body, b"hello");
    theirs.send_to(hello.routing_id, b"hello yourself");
    assert_eq!(recv(&ours), [number.as_bytes(), b"hello yourself"]);

    let ours = open(&context, SocketType::Peer);
    let theirs = Theirs::open(SocketType::Peer);
    let number = theirs.connect_peer(&ours.bind("tcp://127.0.0.1:*").expect("binding").to_string());
    theirs.send_to(number, b"hello");
    let hello = recv(&ours);
    assert_eq!(hello[1], b"hello");
    send(&ours, [&hello[0], b"hello yourself"]);
    assert_eq!(theirs.recv().body, b"hello yourself");
}

#[test]
fn radio_to_dish() {
    each_link(SocketType::Radio, SocketType::Dish, |radio, dish| {
        // One that is bound tells its groups to a newcomer only while it is used.
        let deadline = Instant::now() + PATIENCE;
        while radio.wait_for_subscribers(1, Duration::from_millis(5)).is_err() {
            assert!(Instant::now() < deadline, "the group of libzmq's DISH does not come");
            dish.nudge();
        }
        for (group, body) in
            [(&b"other"[..], &b"unheard"[..]), (b"g", b"one"), (b"ga", b"unheard"), (b"g", b"")]
        {
            send(radio, [group, body]);
        }
        for expected in [&b"one"[..], b""] {
            let heard = dish.recv();
            assert_eq!((&heard.group[..], &heard.body[..]), ("g", expected));
        }
        dish.join("later");
        while radio.topics_count().expect("groups") < 2 {
            std::thread::yield_now();
        }
        send(radio, [b"later", b"two"]);
        assert_eq!(dish.recv().group, "later");
        dish.leave("later");
        while radio.topics_count().expect("groups") > 1 {
            std::thread::yield_now();
        }
        live_through_heartbeats(radio);
        send(radio, [b"g", b"still here"]);
        assert_eq!(dish.recv().body, b"still here");
    });
}

#[test]
fn dish_to_radio() {
    each_link(SocketType::Dish, SocketType::Radio, |dish, radio| {
        dish.wait_for_peers(1, PATIENCE).expect("libzmq's RADIO");
        // It cannot be asked whether it knows of the group: what it sends before is lost.
        let deadline = Instant::now() + PATIENCE;
        let heard = loop {
            radio.send_in("other", b"unheard");
            radio.send_in("g", b"one");
            match dish.recv_deadline(Instant::now() + Duration::from_millis(5)) {
                Ok(heard) => break heard,
                Err(Error::TimedOut) => assert!(Instant::now() < deadline, "nothing is heard"),
                Err(error) => panic!("receiving: {error}"),
            }
        };
        assert_eq!(heard, Message::from_parts(["g", "one"]));
        live_through_heartbeats(dish);
        radio.send_in("g", b"last");
        while recv(dish)[1] != b"last" {}
    });
}
