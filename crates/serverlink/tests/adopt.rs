//! Sockets that the application made: those that fit work as any other, the others come back, and nobody else notices.

#[path = "support/raw_peer.rs"]
mod raw_peer;
#[path = "support/sockets.rs"]
mod sockets;

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream, UdpSocket};
#[cfg(unix)]
use std::os::unix::net::{UnixListener, UnixStream};
use std::time::Duration;

use serverlink::sim::{Faults, Simulation};
use serverlink::{
    AdoptError, ConnectionState, Context, Error, EventKind, Monitor, Origin, Pair, RefusalReason, SocketType,
    SystemSocket,
};
use sockets::soon;

const PATIENCE: Duration = Duration::from_secs(30);

fn next(monitor: &Monitor) -> EventKind {
    monitor.next_deadline(soon(30)).expect("an event in time").kind
}

fn tcp_pair() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    (client, listener.accept().unwrap().0)
}

/// Both directions work.
fn assert_talks(one: &Pair, other: &Pair) {
    one.send_deadline("there", soon(30)).unwrap();
    assert_eq!(other.recv_deadline(soon(30)).unwrap(), "there".into());
    other.send_deadline("back", soon(30)).unwrap();
    assert_eq!(one.recv_deadline(soon(30)).unwrap(), "back".into());
}

#[test]
fn two_ends_of_a_connection_become_two_peers() {
    let context = Context::new().unwrap();
    let pair = || context.pair().open().unwrap();
    let (one, other) = (pair(), pair());
    let (near, far) = tcp_pair();
    let address = near.local_addr().unwrap();
    let monitor = one.monitor();
    let endpoint = one.adopt(near).unwrap();
    assert_eq!(endpoint.to_string(), format!("tcp://{address}"));
    other.adopt(far).unwrap();
    assert_talks(&one, &other);
    let accepted = next(&monitor);
    assert!(
        matches!(&accepted, EventKind::Accepted { endpoint: whose, .. } if *whose == endpoint),
        "{accepted:?}"
    );
    let connections = one.connections();
    assert_eq!(connections.len(), 1);
    assert_eq!((connections[0].origin, &connections[0].state), (Origin::Adopted, &ConnectionState::Open));
    assert_eq!(connections[0].endpoint, endpoint);

    let (one, other) = (pair(), pair());
    let (near, far) = tcp_pair();
    one.adopt(SystemSocket::from(near)).unwrap();
    other.adopt(SystemSocket::from(far)).unwrap();
    assert_talks(&one, &other);
}

#[cfg(unix)]
#[test]
fn a_pair_without_names_becomes_two_peers() {
    let context = Context::new().unwrap();
    let (one, other) = (context.pair().open().unwrap(), context.pair().open().unwrap());
    let (near, far) = UnixStream::pair().unwrap();
    assert_eq!(one.adopt(near).unwrap().to_string(), "ipc://");
    other.adopt(far).unwrap();
    assert_talks(&one, &other);
}

#[test]
fn a_listener_that_is_brought_accepts_and_is_unbound() {
    assert_accepts(TcpListener::bind("127.0.0.1:0").unwrap().into());
    #[cfg(unix)]
    {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("server.sock");
        assert_accepts(UnixListener::bind(&path).unwrap().into());
        assert!(path.exists(), "the file is its maker's");
    }
}

fn assert_accepts(listener: SystemSocket) {
    let context = Context::new().unwrap();
    let (server, client) = (context.pair().open().unwrap(), context.pair().open().unwrap());
    let endpoint = server.listen_on(listener).unwrap();
    assert_eq!(server.last_endpoint(), Some(endpoint.clone()));
    client.connect(&endpoint.to_string()).unwrap();
    assert_talks(&server, &client);
    server.unbind(&endpoint.to_string()).unwrap();
    assert!(matches!(server.unbind(&endpoint.to_string()), Err(Error::NoSuchEndpoint { .. })));
}

#[test]
fn peers_that_waited_in_a_listener_before_it_was_brought_are_accepted() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("tcp://{}", listener.local_addr().unwrap());
    let context = Context::new().unwrap();
    let client = context.pair().open().unwrap();
    let connected = client.monitor();
    client.connect(&endpoint).unwrap();
    assert!(matches!(next(&connected), EventKind::Connected { .. }));
    let server = context.pair().open().unwrap();
    server.listen_on(listener).unwrap();
    assert_talks(&server, &client);
}

#[test]
fn what_does_not_fit_is_named_and_comes_back_usable() {
    let context = Context::new().unwrap();
    let router = context.router().open().unwrap();

    let datagrams = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = datagrams.local_addr().unwrap();
    let (datagrams, why) = taken_apart(router.adopt(datagrams));
    assert!(matches!(why, RefusalReason::NotAStream), "{why}");
    datagrams.send_to(b"x", address).unwrap();

    let (listener, why) = taken_apart(router.adopt(TcpListener::bind("127.0.0.1:0").unwrap()));
    assert!(matches!(why, RefusalReason::Listening), "{why}");
    let (near, far) = tcp_pair();
    let (near, why) = taken_apart(router.listen_on(near));
    assert!(matches!(why, RefusalReason::NotListening), "{why}");
    assert_connected(near, far);

    // Each other way round they fit.
    let endpoint = router.listen_on(listener).unwrap();
    let dealer = context.dealer().open().unwrap();
    dealer.connect(&endpoint.to_string()).unwrap();
    router.wait_for_peers(1, PATIENCE).unwrap();
}

/// A type of the system's may hold any handle there.
#[cfg(unix)]
#[test]
fn a_file_comes_back_as_a_file() {
    let context = Context::new().unwrap();
    let pair = context.pair().open().unwrap();
    let file = tempfile::tempfile().unwrap();
    let (file, why) = taken_apart(pair.adopt(SystemSocket::from(file)));
    assert!(matches!(why, RefusalReason::NotASocket), "{why}");
    std::fs::File::from(file).write_all(b"still a file").unwrap();
}

fn taken_apart<S>(outcome: Result<impl Sized, AdoptError<S>>) -> (S, RefusalReason) {
    match outcome {
        Err(refused) => (refused.socket, refused.refusal.reason),
        Ok(_) => panic!("it does not fit"),
    }
}

fn assert_connected(mut near: TcpStream, mut far: TcpStream) {
    near.write_all(b"x").unwrap();
    far.read_exact(&mut [0]).unwrap();
}

/// Selectors' systems forget the peer with the connection. Elsewhere the first read tells.
#[cfg(unix)]
#[test]
fn a_connection_that_was_reset_is_not_connected() {
    let context = Context::new().unwrap();
    let pair = context.pair().open().unwrap();
    let (mut client, server) = tcp_pair();
    // Closing with unread input resets the connection, and reading finds that out.
    client.write_all(b"never read").unwrap();
    drop(server);
    assert!(client.read(&mut [0]).is_err());
    let (client, why) = taken_apart(pair.adopt(client));
    assert!(matches!(why, RefusalReason::NotConnected), "{why}");
    assert!(client.local_addr().is_ok(), "still open");
}

#[test]
fn a_peer_that_is_gone_ends_the_connection_and_nothing_else() {
    let context = Context::new().unwrap();
    let (one, other) = (context.pair().open().unwrap(), context.pair().open().unwrap());
    let monitor = one.monitor();
    let (near, far) = tcp_pair();
    drop(far);
    one.adopt(near).unwrap();
    assert!(matches!(next(&monitor), EventKind::Accepted { .. }));
    assert!(matches!(next(&monitor), EventKind::HandshakeFailed { .. }));
    let (near, far) = tcp_pair();
    one.adopt(near).unwrap();
    other.adopt(far).unwrap();
    assert_talks(&one, &other);
}

#[test]
fn a_duplicate_is_refused_with_the_name_of_its_holder() {
    let context = Context::new().unwrap();
    let (router, dealer) = (context.router().open().unwrap(), context.dealer().open().unwrap());
    let (near, far) = tcp_pair();
    let duplicate = near.try_clone().unwrap();
    let endpoint = router.adopt(near).unwrap();
    dealer.adopt(far).unwrap();
    router.wait_for_peers(1, PATIENCE).unwrap();

    let push = context.push().open().unwrap();
    let refused = push.adopt(duplicate).expect_err("it is registered already");
    let sentence = refused.to_string();
    for word in [
        format!("socket {} (", refused.refusal.handle),
        "ROUTER".into(),
        endpoint.to_string(),
        "close this duplicate".into(),
    ] {
        assert!(sentence.contains(&word), "{sentence}");
    }
    let RefusalReason::Registered { holder: Some(holder), .. } = &refused.refusal.reason else {
        panic!("{refused}")
    };
    assert_eq!((holder.socket_type, &holder.endpoint), (SocketType::Router, &endpoint));
    assert_eq!(Some(holder.registration), router.connections()[0].registration);
    assert_eq!(push.connections(), [], "nothing was made of it");
    assert!(refused.socket.peer_addr().is_ok(), "still open");

    // Its holder is unharmed, also when the duplicate goes.
    drop(refused);
    dealer.send_deadline("hello", soon(30)).unwrap();
    assert_eq!(router.recv_deadline(soon(30)).unwrap()[1], "hello");

    let elsewhere = Context::new().unwrap().pull().open().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let duplicate = listener.try_clone().unwrap();
    router.listen_on(listener).unwrap();
    let (_, why) = taken_apart(elsewhere.listen_on(duplicate));
    assert!(matches!(why, RefusalReason::Registered { holder: None, .. }), "another context has it: {why}");
}

/// Selectors let go of a socket. A completion port never does, and there it is refused for good.
#[cfg(unix)]
#[test]
fn a_duplicate_of_what_was_closed_is_at_its_end() {
    let context = Context::new().unwrap();
    let (near, _far) = UnixStream::pair().unwrap();
    let duplicate = near.try_clone().unwrap();
    let pair = context.pair().open().unwrap();
    pair.adopt(near).unwrap();
    pair.close(Duration::ZERO);
    let pair = context.pair().open().unwrap();
    let monitor = pair.monitor();
    // Nobody holds it any more, and nobody can talk through it.
    pair.adopt(duplicate).unwrap();
    assert!(matches!(next(&monitor), EventKind::Accepted { .. }));
    assert!(matches!(next(&monitor), EventKind::HandshakeFailed { .. }));
}

#[test]
fn a_socket_that_cannot_take_it_gives_it_back() {
    let context = Context::new().unwrap();
    let pair = context.pair().open().unwrap();
    context.shutdown();
    let (near, far) = tcp_pair();
    let (near, why) = taken_apart(pair.adopt(near));
    assert!(matches!(why, RefusalReason::Failed(Error::Terminated)), "{why}");
    assert_connected(near, far);

    let mut machine = Simulation::new(1, Faults::NONE);
    let pair = machine.context().pair().open().unwrap();
    let (near, far) = tcp_pair();
    let (near, why) = taken_apart(pair.adopt(near));
    assert!(matches!(why, RefusalReason::Failed(_)), "{why}");
    assert_connected(near, far);
}

#[test]
fn a_peer_of_bytes_is_held_to_the_protocol() {
    let context = Context::new().unwrap();
    let pull = context.pull().open().unwrap();
    let (near, mut far) = tcp_pair();
    pull.adopt(near).unwrap();
    raw_peer::shake(&mut far, "PUSH", b"", 1);
    far.write_all(&raw_peer::frame(0, b"raw")).unwrap();
    assert_eq!(pull.recv_deadline(soon(30)).unwrap(), "raw".into());
}
