//! What our sockets say and hear of their own accord, with libzmq at the other end, and what it gets to see of our properties.

use serverlink::{Context, Dealer, Router, SocketBuilder};

use crate::{ends::PATIENCE, links::Wire, over_wires};

over_wires! {
    a_hello_reaches_libzmq_first => a_hello_reaches_libzmq_first;
    a_libzmq_peer_is_told_of_when_it_is_gone => a_libzmq_peer_is_told_of_when_it_is_gone;
    a_libzmq_server_that_goes_away_is_a_hiccup => a_libzmq_server_that_goes_away_is_a_hiccup;
    libzmq_reads_our_properties => libzmq_reads_our_properties;
}

fn dealer() -> SocketBuilder<Dealer> {
    Context::new().expect("a context").dealer().routing_id("ours").recv_timeout(PATIENCE)
}

fn router() -> SocketBuilder<Router> {
    Context::new().expect("a context").router().recv_timeout(PATIENCE)
}

fn theirs(kind: zmq::SocketType) -> zmq::Socket {
    let socket = zmq::Context::new().socket(kind).expect("a libzmq socket");
    socket.set_linger(0).expect("a valid option");
    socket.set_rcvtimeo(PATIENCE.as_millis() as i32).expect("a valid option");
    socket.set_identity(b"theirs").expect("a valid option");
    socket
}

fn bound(socket: &zmq::Socket, endpoint: &str) -> String {
    socket.bind(endpoint).expect("libzmq binding");
    socket.get_last_endpoint().expect("bound").expect("endpoints are text")
}

fn a_hello_reaches_libzmq_first(wire: Wire) {
    let (endpoint, _directory) = wire.fresh_endpoint();
    let there = theirs(zmq::ROUTER);
    let endpoint = bound(&there, &endpoint);
    let here = dealer().hello_message("hello").open().expect("a socket");
    here.connect(&endpoint).expect("connecting");
    here.send("and on").expect("sending");
    for expected in [&b"hello"[..], b"and on"] {
        assert_eq!(there.recv_multipart(0).expect("libzmq receiving"), [b"ours", expected]);
    }
}

fn a_libzmq_peer_is_told_of_when_it_is_gone(wire: Wire) {
    let (endpoint, _directory) = wire.fresh_endpoint();
    let here = router().hello_message("hello").disconnect_message("gone").open().expect("a socket");
    let endpoint = here.bind(&endpoint).expect("binding").to_string();
    let there = theirs(zmq::DEALER);
    there.set_linger(-1).expect("a valid option");
    there.connect(&endpoint).expect("libzmq connecting");
    assert_eq!(there.recv_multipart(0).expect("libzmq receiving"), [b"hello"]);
    there.send("the last", 0).expect("libzmq sending");
    drop(there);
    for expected in ["the last", "gone"] {
        let (name, message) = here.recv_from().expect("receiving");
        assert_eq!((&name[..], message.first()), (&b"theirs"[..], &expected.into()));
    }
}

fn a_libzmq_server_that_goes_away_is_a_hiccup(wire: Wire) {
    let (endpoint, _directory) = wire.fresh_endpoint();
    let there = theirs(zmq::ROUTER);
    let endpoint = bound(&there, &endpoint);
    let here = dealer().hiccup_message("hiccup").open().expect("a socket");
    here.connect(&endpoint).expect("connecting");
    here.send("hello").expect("sending");
    there.recv_multipart(0).expect("libzmq receiving");
    there.send_multipart([&b"ours"[..], b"the last"], 0).expect("libzmq sending");
    assert_eq!(here.recv().expect("receiving").first(), "the last");
    drop(there);
    assert_eq!(here.recv().expect("receiving").first(), "hiccup");
}

fn libzmq_reads_our_properties(wire: Wire) {
    let (endpoint, _directory) = wire.fresh_endpoint();
    let there = theirs(zmq::ROUTER);
    let endpoint = bound(&there, &endpoint);
    let here = dealer().metadata("X-Zone", "north").open().expect("a socket");
    here.connect(&endpoint).expect("connecting");
    here.send("hello").expect("sending");
    let mut message = there.recv_msg(0).expect("libzmq receiving");
    assert_eq!(message.gets("X-Zone"), Some("north"));
    assert_eq!(message.gets("Socket-Type"), Some("DEALER"));
    let peer = here.peers();
    assert_eq!(peer[0].property("Identity"), Some(&b"theirs"[..]));
}
