//! Through a SOCKS5 proxy: libzmq's connection to ours, and ours to libzmq's.

use serverlink::{Context, EventKind, SocketType};

use crate::ends::{End, Library, PATIENCE, parts};
use crate::ours::wait_for;
use crate::socks_proxy::{Conduct, SocksProxy};
use crate::theirs::Theirs;

/// Of manners that both know: the `zmq` crate cannot set libzmq's user name.
const MANNERS: [(bool, bool); 4] = [(false, false), (true, false), (false, true), (true, true)];

fn proxy((bytewise, replies_name): (bool, bool)) -> SocksProxy {
    SocksProxy::start(Conduct { bytewise, replies_name, ..Conduct::default() })
}

/// The endpoint of this machine under a name that only the proxy knows.
fn renamed(bound: &str) -> String {
    bound.replace("127.0.0.1", "behind.invalid")
}

#[test]
fn theirs_goes_through_it_to_ours() {
    // Where the proxy's reply comes in pieces, libzmq reads on into what the peer says after it, and waits for that for ever.
    for manners in MANNERS.into_iter().filter(|(bytewise, _)| !bytewise) {
        let proxy = proxy(manners);
        let pull = Library::Ours.open(SocketType::Pull);
        let bound = pull.bind("tcp://127.0.0.1:*");
        let push = Theirs::open(SocketType::Push);
        push.socket().set_socks_proxy(Some(&proxy.address())).expect("a valid option");
        push.connect(&renamed(&bound));
        for number in 0..50 {
            push.send(&parts(["through", &number.to_string()]));
            assert_eq!(pull.recv(), parts(["through", &number.to_string()]), "{manners:?}");
        }
        let asked = proxy.asked();
        assert_eq!((asked.by_name, format!("tcp://{}", asked.target)), (true, renamed(&bound)));
    }
}

#[test]
fn ours_goes_through_it_to_theirs() {
    for manners in MANNERS {
        let proxy = proxy(manners);
        let pull = Theirs::open(SocketType::Pull);
        let bound = pull.bind("tcp://127.0.0.1:*");
        let context = Context::new().expect("a context");
        let push =
            context.push().socks_proxy(proxy.address()).send_timeout(PATIENCE).open().expect("a socket");
        push.connect(&renamed(&bound)).expect("connecting");
        for number in 0..50 {
            push.send(number.to_string()).expect("sending");
            assert_eq!(pull.recv(), parts([number.to_string()]), "{manners:?}");
        }
        // It breaks, and comes back. Until that is noticed here, messages may go into the connection that ended.
        let events = push.monitor();
        proxy.cut_all();
        wait_for(&events, |event| matches!(event, EventKind::Disconnected { .. }));
        push.send("again").expect("sending");
        assert_eq!(pull.recv(), parts(["again"]));
        let asked = proxy.asked();
        assert_eq!((asked.by_name, format!("tcp://{}", asked.target)), (true, renamed(&bound)));
    }
}

/// A listener behind a proxy says its greeting by itself, and it may come with the proxy's yes.
#[test]
fn the_greeting_of_theirs_may_come_with_the_yes() {
    let proxy = SocksProxy::start(Conduct { with_peer: true, ..Conduct::default() });
    let rep = Theirs::open(SocketType::Rep);
    let bound = rep.bind("tcp://127.0.0.1:*");
    let context = Context::new().expect("a context");
    let req = context.request().socks_proxy(proxy.address()).recv_timeout(PATIENCE).open().expect("a socket");
    req.connect(&renamed(&bound)).expect("connecting");
    for _ in 0..10 {
        req.send("question").expect("sending");
        assert_eq!(rep.recv(), parts(["question"]));
        rep.send(&parts(["answer"]));
        assert_eq!(req.recv().expect("an answer").first(), "answer");
    }
}
