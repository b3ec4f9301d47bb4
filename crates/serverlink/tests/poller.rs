//! Descriptors that are not ours, beside sockets, in one poller.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use serverlink::{Context, Error, Interest, Pair, PollEvent, PollEvents, Poller};

const PATIENCE: Duration = Duration::from_secs(30);

fn tcp_pair() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    (client, listener.accept().unwrap().0)
}

fn pairs(context: &Context, name: &str) -> (Pair, Pair) {
    let pair = || context.pair().open().unwrap();
    let (one, other) = (pair(), pair());
    one.bind(&format!("inproc://{name}")).unwrap();
    other.connect(&format!("inproc://{name}")).unwrap();
    (one, other)
}

fn look(poller: &Poller) -> Vec<PollEvent> {
    let mut events = PollEvents::new();
    poller.wait(&mut events, Some(Duration::ZERO)).unwrap();
    events.iter().copied().collect()
}

/// Waits for events, which the deadline must not have been needed for.
fn next(poller: &Poller) -> Vec<PollEvent> {
    let deadline = Instant::now() + PATIENCE;
    let mut events = PollEvents::new();
    poller.wait(&mut events, Some(PATIENCE)).unwrap();
    assert!(Instant::now() < deadline, "nothing but the deadline ended the wait");
    events.iter().copied().collect()
}

#[test]
fn a_descriptor_is_reported_as_long_as_it_is_ready() {
    let (mut here, mut there) = tcp_pair();
    let poller = Poller::new();
    poller.add_foreign(3, &here, Interest::READABLE).unwrap();
    assert_eq!(look(&poller), []);
    there.write_all(b"ab").unwrap();
    for _ in 0..2 {
        let found = next(&poller);
        assert_eq!((found.len(), found[0].key, found[0].readable, found[0].writable), (1, 3, true, false));
        here.read_exact(&mut [0]).unwrap();
    }
    assert_eq!(look(&poller), []);
    poller.modify(3, Interest::BOTH).unwrap();
    let found = next(&poller);
    assert_eq!((found[0].readable, found[0].writable), (false, true));
    poller.remove(3).unwrap();
    assert_eq!(look(&poller), []);
}

#[test]
fn the_end_and_a_hang_up_are_seen() {
    let (here, there) = tcp_pair();
    let poller = Poller::new();
    poller.add_foreign(3, &here, Interest::READABLE).unwrap();
    there.shutdown(Shutdown::Write).unwrap();
    assert!(next(&poller)[0].readable, "the end can be read");
    here.shutdown(Shutdown::Both).unwrap();
    poller.modify(3, Interest::NONE).unwrap();
    if cfg!(target_os = "linux") {
        assert!(next(&poller)[0].error, "also if nothing is waited for");
    }
}

#[test]
fn the_original_may_be_closed_first_and_the_poller_too() {
    let (here, mut there) = tcp_pair();
    let poller = Poller::new();
    poller.add_foreign(3, &here, Interest::READABLE).unwrap();
    drop(here);
    // Its number is used again at once, by what must not be taken for it.
    let (other, _kept) = tcp_pair();
    there.write_all(b"a").unwrap();
    assert_eq!(next(&poller)[0].key, 3);
    poller.remove(3).unwrap();
    assert_eq!(there.read(&mut [0]).unwrap_or(0), 0, "the last duplicate was closed");

    poller.add_foreign(4, &other, Interest::WRITABLE).unwrap();
    drop(poller);
    other.peer_addr().expect("it is as it was");
}

#[test]
fn what_cannot_be_waited_for_is_refused_and_leaves_no_trace() {
    let poller = Poller::new();
    let (stream, _other) = tcp_pair();
    // kqueue waits for files, and on Windows they are none of the types that a poller takes.
    #[cfg(target_os = "linux")]
    {
        let file = std::fs::File::open("Cargo.toml").unwrap();
        let refused = poller.add_foreign(1, &file, Interest::READABLE);
        assert!(matches!(refused, Err(Error::Io { .. })), "{refused:?}");
    }
    poller.add_foreign(1, &stream, Interest::READABLE).unwrap();
    let refused = poller.add_foreign(1, &stream, Interest::READABLE);
    assert!(matches!(refused, Err(Error::InvalidOption { option: "key", .. })), "{refused:?}");
    // Under another key the same descriptor is welcome.
    poller.add_foreign(2, &stream, Interest::WRITABLE).unwrap();
    assert_eq!(next(&poller)[0].key, 2);
}

/// Whatever the waiting thread sleeps in, everything ends its sleep.
#[test]
fn sockets_and_descriptors_end_the_same_wait() {
    let context = Context::new().unwrap();
    let (one, other) = pairs(&context, "mixed");
    let (here, mut there) = tcp_pair();
    let (late, mut late_peer) = tcp_pair();
    let poller = Arc::new(Poller::new());
    poller.add(1, &one, Interest::READABLE).unwrap();
    let wait = || {
        let poller = Arc::clone(&poller);
        thread::spawn(move || next(&poller)[0].key)
    };

    // It sleeps without the system, and has to go on there.
    let waiting = wait();
    poller.add_foreign(2, &here, Interest::READABLE).unwrap();
    there.write_all(b"x").unwrap();
    assert_eq!(waiting.join().unwrap(), 2);
    (&here).read_exact(&mut [0]).unwrap();

    // It sleeps with the system.
    for _ in 0..200 {
        let waiting = wait();
        other.send("x").unwrap();
        assert_eq!(waiting.join().unwrap(), 1);
        one.try_recv().unwrap();
    }
    let waiting = wait();
    poller.add_foreign(3, &late, Interest::READABLE).unwrap();
    late_peer.write_all(b"x").unwrap();
    assert_eq!(waiting.join().unwrap(), 3);
    poller.remove(3).unwrap();

    let woken = {
        let poller = Arc::clone(&poller);
        thread::spawn(move || poller.wait(&mut PollEvents::new(), None).unwrap())
    };
    poller.wake();
    assert_eq!(woken.join().unwrap(), 0);
}

#[test]
fn nobody_starves_where_there_is_room_for_one() {
    let context = Context::new().unwrap();
    let sockets = [pairs(&context, "first"), pairs(&context, "second")];
    let streams = [tcp_pair(), tcp_pair()];
    let poller = Poller::new();
    for (key, (socket, _)) in sockets.iter().enumerate() {
        poller.add(2 * key, socket, Interest::WRITABLE).unwrap();
    }
    for (key, (stream, _)) in streams.iter().enumerate() {
        poller.add_foreign(2 * key + 1, stream, Interest::WRITABLE).unwrap();
    }
    let mut events = PollEvents::with_capacity(1);
    let mut seen = Vec::new();
    for _ in 0..8 {
        assert_eq!(poller.wait(&mut events, Some(PATIENCE)).unwrap(), 1);
        seen.extend(events.iter().map(|event| event.key));
    }
    assert_eq!(seen, [0, 1, 2, 3, 0, 1, 2, 3]);
}

#[test]
fn a_time_out_with_descriptors_is_never_early() {
    let (here, _there) = tcp_pair();
    let poller = Poller::new();
    poller.add_foreign(1, &here, Interest::READABLE).unwrap();
    for timeout in [1, 100, 999, 1_001, 20_000].map(Duration::from_micros) {
        let began = Instant::now();
        assert_eq!(poller.wait(&mut PollEvents::new(), Some(timeout)).unwrap(), 0);
        assert!(began.elapsed() >= timeout, "too early");
    }
}

/// Threads that wait at the same time take turns, and none is forgotten.
#[test]
fn several_threads_may_wait() {
    let context = Context::new().unwrap();
    let (one, other) = pairs(&context, "shared");
    let poller = Poller::new();
    poller.add(1, &one, Interest::READABLE).unwrap();
    thread::scope(|scope| {
        let waiting = [(); 3].map(|()| scope.spawn(|| next(&poller).len()));
        other.send("x").unwrap();
        for thread in waiting {
            assert_eq!(thread.join().unwrap(), 1);
        }
    });
}
