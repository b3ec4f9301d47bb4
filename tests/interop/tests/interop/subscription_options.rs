//! Options of publishers and subscribers that the other end can see.

use serverlink::SocketType::{Pub, Sub, Xpub, Xsub};

use crate::{
    ends::{End, PATIENCE, parts},
    links::Wire,
    ours::Ours,
    over_wires,
    subscriptions::next_notice,
    theirs::Theirs,
};

over_wires! {
    /// Each subscription of two libzmq peers is told.
    our_verbose_xpub => our_verbose_xpub;
    /// Each of ours is told by theirs: an XSUB passes on what it has already.
    their_verbose_xpub => their_verbose_xpub;
    /// The application decides what a libzmq SUB gets.
    our_manual_xpub => our_manual_xpub;
    a_last_value_for_their_newcomer => a_last_value_for_their_newcomer;
    our_welcome => our_welcome;
    their_welcome => their_welcome;
    /// All of it arrives, however slow the libzmq SUB is.
    our_publisher_without_drops => our_publisher_without_drops;
    their_inverted_subscriber_is_none => inverted;
    /// Both ways: each part of a message that begins with 0 or 1.
    subscriptions_among_parts => subscriptions_among_parts;
    /// libzmq tells each subscription and only the last cancellation; whoever counts, as the RFC wants, keeps one.
    a_libzmq_peer_that_subscribes_twice => subscribed_twice;
    too_many_subscriptions => too_many_subscriptions;
}

/// Our publisher, bound.
fn publisher(
    wire: Wire,
    socket_type: serverlink::SocketType,
    change: impl FnOnce(&mut serverlink::Options),
) -> (Ours, String, Option<tempfile::TempDir>) {
    let publisher = Ours::open_with(socket_type, change);
    let (fresh, directory) = wire.fresh_endpoint();
    let endpoint = publisher.bind(&fresh);
    (publisher, endpoint, directory)
}

fn their_subscriber(endpoint: &str, topic: &[u8]) -> Theirs {
    let subscriber = Theirs::open(Sub);
    subscriber.connect(endpoint);
    subscriber.subscribe(topic);
    subscriber
}

fn our_verbose_xpub(wire: Wire) {
    let (publisher, endpoint, _directory) = publisher(wire, Xpub, |options| options.xpub_verbose = true);
    let all: Vec<_> = (0..2)
        .map(|_| {
            let subscriber = their_subscriber(&endpoint, b"t");
            assert_eq!(publisher.recv(), parts([b"\x01t"]));
            subscriber
        })
        .collect();
    publisher.send(&parts(["t"]));
    all.iter().for_each(|subscriber| assert_eq!(subscriber.recv(), parts(["t"])));
}

fn their_verbose_xpub(wire: Wire) {
    let publisher = Theirs::open(Xpub);
    publisher.socket().set_xpub_verbose(true).expect("a valid option");
    let (fresh, _directory) = wire.fresh_endpoint();
    let endpoint = publisher.bind(&fresh);
    for socket_type in [Xsub, Sub] {
        let subscriber = Ours::open(socket_type);
        subscriber.connect(&endpoint);
        subscriber.wait_for_peer();
        for _ in 0..2 {
            subscriber.subscribe(b"t");
            assert_eq!(publisher.recv(), parts([b"\x01t"]));
        }
        subscriber.unsubscribe(b"t");
        publisher.send(&parts(["t"]));
        assert_eq!(subscriber.recv(), parts(["t"]));
        subscriber.unsubscribe(b"t");
        assert_eq!(publisher.recv(), parts([b"\x00t"]));
    }
}

fn our_manual_xpub(wire: Wire) {
    let (publisher, endpoint, _directory) = publisher(wire, Xpub, |options| options.xpub_manual = true);
    let subscriber = their_subscriber(&endpoint, b"A");
    subscriber.subscribe(b"B");
    assert_eq!((publisher.recv(), publisher.recv()), (parts([b"\x01A"]), parts([b"\x01B"])));
    assert_eq!(publisher.socket().subscribe_last("B").ok(), Some(true));
    publisher.send(&parts(["A"]));
    publisher.send(&parts(["B"]));
    assert_eq!(subscriber.recv(), parts(["B"]));
    drop(subscriber);
    let mut told = [publisher.recv(), publisher.recv()];
    told.sort();
    assert_eq!(told, [parts([b"\x00A"]), parts([b"\x00B"])]);
}

fn a_last_value_for_their_newcomer(wire: Wire) {
    let (publisher, endpoint, _directory) =
        publisher(wire, Xpub, |options| options.xpub_manual_last_value = true);
    let all: Vec<_> = (0..2)
        .map(|_| {
            let subscriber = their_subscriber(&endpoint, b"t");
            assert_eq!(publisher.recv(), parts([b"\x01t"]));
            assert_eq!(publisher.socket().subscribe_last("t").ok(), Some(true));
            publisher.send(&parts(["t", "last"]));
            assert_eq!(subscriber.recv(), parts(["t", "last"]));
            subscriber
        })
        .collect();
    publisher.send(&parts(["t", "next"]));
    all.iter().for_each(|subscriber| assert_eq!(subscriber.recv(), parts(["t", "next"])));
}

fn our_welcome(wire: Wire) {
    let (publisher, endpoint, _directory) =
        publisher(wire, Pub, |options| options.welcome_message = b"W".to_vec());
    let subscriber = their_subscriber(&endpoint, b"");
    publisher.socket().wait_for_subscribers(1, PATIENCE).expect("it subscribes");
    publisher.send(&parts(["first"]));
    assert_eq!((subscriber.recv(), subscriber.recv()), (parts(["W"]), parts(["first"])));
}

fn their_welcome(wire: Wire) {
    let publisher = Theirs::open(Xpub);
    publisher.socket().set_xpub_welcome_msg(Some("W")).expect("a valid option");
    let (fresh, _directory) = wire.fresh_endpoint();
    let subscriber = Ours::open(Sub);
    subscriber.subscribe(b"W");
    subscriber.connect(&publisher.bind(&fresh));
    assert_eq!(publisher.recv(), parts([b"\x01W"]));
    assert_eq!(subscriber.recv(), parts(["W"]));
}

fn our_publisher_without_drops(wire: Wire) {
    let (publisher, endpoint, _directory) = publisher(wire, Pub, |options| {
        options.xpub_no_drop = true;
        options.send_hwm = 10;
    });
    let subscriber = Theirs::open(Sub);
    subscriber.socket().set_rcvhwm(10).expect("a valid option");
    subscriber.connect(&endpoint);
    subscriber.subscribe(b"");
    publisher.socket().wait_for_subscribers(1, PATIENCE).expect("it subscribes");
    let body = vec![b'x'; 10_000];
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for number in 0..2000 {
                publisher.send(&vec![u32::to_be_bytes(number).to_vec(), body.clone()]);
            }
        });
        for number in 0..2000 {
            assert_eq!(subscriber.recv()[0], u32::to_be_bytes(number));
        }
    });
    assert_eq!(publisher.socket().stats().dropped_at_high_water_mark, 0);
}

/// Their publisher is inverted and ours is not told to be: nothing but what libzmq sends for it may come.
fn inverted(wire: Wire) {
    let (publisher, endpoint, _directory) = publisher(wire, Xpub, |options| options.invert_matching = true);
    // An XSUB of libzmq passes on whatever comes.
    let subscriber = Theirs::open(Xsub);
    subscriber.connect(&endpoint);
    subscriber.subscribe(b"not this");
    assert_eq!(publisher.recv(), parts([b"\x01not this"]));
    publisher.send(&parts(["not this one"]));
    publisher.send(&parts(["but this"]));
    assert_eq!(subscriber.recv(), parts(["but this"]));
}

fn subscriptions_among_parts(wire: Wire) {
    for link in wire.links(Xpub, Xsub) {
        println!("{}", link.name);
        let (publisher, subscriber) = (&*link.one, &*link.other);
        subscriber.subscribe(b"marker");
        assert_eq!(next_notice(publisher, subscriber), b"\x01marker");
        subscriber.send(&parts([b"\x01a", b"\x01b"]));
        let mut told = [publisher.recv(), publisher.recv()];
        told.sort();
        assert_eq!(told, [parts([b"\x01a"]), parts([b"\x01b"])]);
        publisher.send(&parts(["b", "body"]));
        assert_eq!(subscriber.recv(), parts(["b", "body"]));
    }
}

fn subscribed_twice(wire: Wire) {
    let (publisher, endpoint, _directory) = publisher(wire, Xpub, |_| {});
    let subscriber = their_subscriber(&endpoint, b"t");
    subscriber.subscribe(b"t");
    assert_eq!(publisher.recv(), parts([b"\x01t"]));
    subscriber.unsubscribe(b"t");
    subscriber.unsubscribe(b"t");
    subscriber.subscribe(b"marker");
    assert_eq!(publisher.recv(), parts([b"\x01marker"]));
    for sent in ["t", "marker"] {
        publisher.send(&parts([sent]));
    }
    assert_eq!(subscriber.recv(), parts(["marker"]), "its own filter drops the other");
    drop(subscriber);
    let mut told = [publisher.recv(), publisher.recv()];
    told.sort();
    assert_eq!(told, [parts([b"\x00marker"]), parts([b"\x00t"])]);
}

fn too_many_subscriptions(wire: Wire) {
    let (publisher, endpoint, _directory) = publisher(wire, Pub, |options| options.max_subscriptions = 3);
    let good = their_subscriber(&endpoint, b"good");
    publisher.socket().wait_for_subscribers(1, PATIENCE).expect("it subscribes");
    let greedy = Theirs::open(Sub);
    greedy.socket().set_reconnect_ivl(-1).expect("a valid option");
    for topic in [b"1", b"2", b"3", b"4"] {
        greedy.subscribe(topic);
    }
    greedy.connect(&endpoint);
    greedy.wait_until_alone();
    publisher.send(&parts(["good"]));
    assert_eq!(good.recv(), parts(["good"]));
}
