//! Peers within the process: blocked producers, foreign code in owners and wakers, closing from either side.

use std::future::Future;
use std::pin::pin;
use std::sync::{Arc, mpsc};
use std::task::{Context as TaskContext, Wake, Waker};
use std::time::{Duration, Instant};

use serverlink::{Context, Error, Message, Options, Part, Socket, SocketType};

/// Runs `body` on a thread of its own and fails if it does not end in time.
fn within<T: Send + 'static>(limit: Duration, what: &str, body: impl FnOnce() -> T + Send + 'static) -> T {
    let (tell, told) = mpsc::channel();
    std::thread::spawn(move || {
        let _ = tell.send(body());
    });
    told.recv_timeout(limit).unwrap_or_else(|_| panic!("did not end: {what}"))
}

fn soon() -> Instant {
    Instant::now() + Duration::from_secs(2)
}

fn socket(context: &Context, kind: SocketType, change: impl FnOnce(&mut Options)) -> Socket {
    let mut options = Options::default();
    change(&mut options);
    context.socket_with(kind, options).unwrap()
}

#[test]
fn a_nameless_inproc_peer_does_not_hang_the_router() {
    within(Duration::from_secs(5), "ROUTER.recv with a nameless inproc peer that has sent", || {
        let context = Context::new().unwrap();
        let router = context.socket(SocketType::Router).unwrap();
        router.bind("inproc://r").unwrap();
        let first = socket(&context, SocketType::Dealer, |o| o.routing_id = b"A".to_vec());
        let second = socket(&context, SocketType::Dealer, |o| o.routing_id = b"A".to_vec());
        first.connect("inproc://r").unwrap();
        second.connect("inproc://r").unwrap();
        second.try_send("nobody reads this").unwrap();
        assert!(matches!(router.try_recv(), Err(Error::WouldBlock)));
        first.try_send("hello").unwrap();
        assert_eq!(router.recv_deadline(soon()).unwrap()[1], "hello");
    });
}

#[test]
fn a_pair_that_connected_twice_does_not_hang() {
    within(Duration::from_secs(5), "PAIR.try_recv", || {
        let context = Context::new().unwrap();
        let (one, two) =
            (context.socket(SocketType::Pair).unwrap(), context.socket(SocketType::Pair).unwrap());
        one.bind("inproc://one").unwrap();
        two.bind("inproc://two").unwrap();
        let pair = context.socket(SocketType::Pair).unwrap();
        pair.connect("inproc://one").unwrap();
        pair.connect("inproc://two").unwrap();
        let _ = two.try_send("to one that has a peer already");
        assert!(matches!(pair.try_recv(), Err(Error::WouldBlock)));
    });
}

#[test]
fn rings_take_turns() {
    let context = Context::new().unwrap();
    let pull = context.socket(SocketType::Pull).unwrap();
    pull.bind("inproc://p").unwrap();
    let (busy, other) =
        (context.socket(SocketType::Push).unwrap(), context.socket(SocketType::Push).unwrap());
    busy.connect("inproc://p").unwrap();
    other.connect("inproc://p").unwrap();
    for _ in 0..5 {
        busy.try_send("busy").unwrap();
    }
    assert_eq!(pull.try_recv().unwrap(), "busy".into());
    other.try_send("other").unwrap();
    for _ in 0..500 {
        busy.try_send("busy").unwrap();
        if pull.try_recv().unwrap() == "other".into() {
            return;
        }
    }
    panic!("one producer that keeps up starves the other: fair queueing is broken over inproc");
}

#[test]
fn every_blocked_producer_is_woken() {
    within(Duration::from_secs(10), "eight threads that send one message each on one PUSH", || {
        let context = Context::new().unwrap();
        let small = |o: &mut Options| (o.send_hwm, o.recv_hwm) = (5, 5);
        let pull = socket(&context, SocketType::Pull, small);
        pull.bind("inproc://p").unwrap();
        let push = Arc::new(socket(&context, SocketType::Push, small));
        push.connect("inproc://p").unwrap();
        let mut sent = 0;
        while push.try_send("x").is_ok() {
            sent += 1;
        }
        let (tell, told) = mpsc::channel();
        let threads = 8;
        for _ in 0..threads {
            let (push, tell) = (Arc::clone(&push), tell.clone());
            std::thread::spawn(move || {
                let _ = tell.send(());
                push.send("from a blocked thread").unwrap();
            });
        }
        for _ in 0..threads {
            told.recv().unwrap();
        }
        // Let them reach their sleep: wait on something that never comes.
        let idle = context.socket(SocketType::Pull).unwrap();
        let _ = idle.recv_deadline(Instant::now() + Duration::from_millis(300));
        for got in 0..sent + threads {
            pull.recv_deadline(soon()).unwrap_or_else(|e| {
                panic!("{e}: got {got} of {}; producers sleep beside an empty ring", sent + threads)
            });
        }
    });
}

#[test]
fn handover_over_inproc_drops_what_was_unread() {
    let context = Context::new().unwrap();
    let router = socket(&context, SocketType::Router, |o| o.router_handover = true);
    router.bind("inproc://r").unwrap();
    let name = |o: &mut Options| o.routing_id = b"A".to_vec();
    let old = socket(&context, SocketType::Dealer, name);
    old.connect("inproc://r").unwrap();
    for text in ["old 1", "old 2", "old 3"] {
        old.try_send(text).unwrap();
    }
    let new = socket(&context, SocketType::Dealer, name);
    new.connect("inproc://r").unwrap();
    new.try_send("new").unwrap();
    let mut got = Vec::new();
    while let Ok(message) = router.try_recv() {
        got.push(String::from_utf8_lossy(&message[1]).into_owned());
    }
    let first_new = got.iter().position(|text| text == "new").expect("the new peer is heard");
    assert_eq!(first_new, got.len() - 1, "old messages after the new peer's first: {got:?}");
    assert_eq!(old.stats().peers, 0, "the old peer's connection is closed");
}

struct Asks(Arc<Socket>);

impl Wake for Asks {
    fn wake(self: Arc<Self>) {
        while self.0.try_recv().is_ok() {}
        let _ = self.0.readiness();
    }
}

#[test]
fn a_waker_may_call_the_library() {
    let (tell, told) = mpsc::channel();
    std::thread::spawn(move || {
        let context = Context::new().unwrap();
        let pull = Arc::new(context.socket(SocketType::Pull).unwrap());
        let endpoint = pull.bind("tcp://127.0.0.1:*").unwrap().to_string();
        let push = context.socket(SocketType::Push).unwrap();
        push.connect(&endpoint).unwrap();
        pull.wait_for_peers(1, Duration::from_secs(2)).unwrap();
        let waker = Waker::from(Arc::new(Asks(Arc::clone(&pull))));
        let mut future = pin!(pull.recv_async());
        assert!(future.as_mut().poll(&mut TaskContext::from_waker(&waker)).is_pending());
        push.send("one").unwrap();
        // A second socket of this context must still be served by the I/O thread.
        let (a, b) = (context.socket(SocketType::Pull).unwrap(), context.socket(SocketType::Push).unwrap());
        let there = a.bind("tcp://127.0.0.1:*").unwrap().to_string();
        let _ = a.recv_deadline(Instant::now() + Duration::from_millis(300));
        b.connect(&there).unwrap();
        let outcome = b.wait_for_peers(1, Duration::from_secs(3)).map_err(|e| e.to_string());
        let _ = tell.send(outcome);
        std::mem::forget((a, b, push, context));
    });
    let outcome = told.recv_timeout(Duration::from_secs(12)).expect("the I/O thread hangs");
    outcome.expect("the I/O thread serves the others");
}

struct Calls(Arc<Socket>, Vec<u8>);

impl AsRef<[u8]> for Calls {
    fn as_ref(&self) -> &[u8] {
        &self.1
    }
}

impl Drop for Calls {
    fn drop(&mut self) {
        let _ = self.0.stats();
    }
}

#[test]
fn the_owner_of_a_part_may_call_the_library_when_dropped() {
    for size in [100, 100_000] {
        within(Duration::from_secs(5), "dropping a part's owner under the send lock", move || {
            let context = Context::new().unwrap();
            let pull = context.socket(SocketType::Pull).unwrap();
            let endpoint = pull.bind("tcp://127.0.0.1:*").unwrap().to_string();
            let push = Arc::new(context.socket(SocketType::Push).unwrap());
            push.connect(&endpoint).unwrap();
            let part = Part::from_owner(Calls(Arc::clone(&push), vec![7; size]));
            push.send(Message::from(part)).map_err(|e| e.error).unwrap();
            assert_eq!(pull.recv_deadline(soon()).unwrap().first().len(), size);
        });
    }
}

#[test]
fn connect_races_with_the_close_of_the_binder() {
    for round in 0..3000 {
        let context = Context::new().unwrap();
        let _ = round;
        let bound = context.socket(SocketType::Pull).unwrap();
        bound.bind("inproc://p").unwrap();
        let push = Arc::new(context.socket(SocketType::Push).unwrap());
        let other = Arc::clone(&push);
        let barrier = Arc::new(std::sync::Barrier::new(2));
        let meet = Arc::clone(&barrier);
        let thread = std::thread::spawn(move || {
            meet.wait();
            other.connect("inproc://p").unwrap();
        });
        barrier.wait();
        bound.close(Duration::ZERO);
        thread.join().unwrap();
        assert_eq!(push.stats().peers, 0, "round {round}: the peer is a socket that was closed");
        if round % 100 == 99 {
            drop(context);
        }
    }
}
