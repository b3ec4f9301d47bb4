//! Waiting for several sockets at once: what is reported holds, what holds is reported, and nobody is passed over.

use std::{
    collections::BTreeSet,
    sync::{Arc, mpsc},
    thread,
    time::{Duration, Instant},
};

use serverlink::{Error, Interest, PollEvent, PollEvents, Poller, Socket, SocketType::*};

use crate::{
    everywhere, over_transports,
    world::{
        MOMENT, PATIENCE, World, connect, eventually, fill, promptly, recv, recv_text, send, subscribers,
    },
};

everywhere! {
    readable_as_long_as_a_message_waits
    writable_means_that_a_send_finds_room
    nobody_is_passed_over_where_there_is_room_for_one
    a_socket_that_is_gone_is_an_error
    subscriptions_and_publications_are_seen
}

over_transports! {
    a_message_ends_a_wait
    room_ends_a_wait
    a_time_out_is_never_early
    another_thread_may_change_what_is_waited_for
    closing_and_shutting_down_end_a_wait
    a_reply_by_another_thread_makes_the_next_request_readable
    a_request_taken_by_another_thread_makes_a_reply_writable
    a_poller_takes_no_wake_up_from_others
    many_sockets_and_no_lost_wake_up
}

/// What is there now.
fn look(poller: &Poller) -> Vec<PollEvent> {
    let mut events = PollEvents::new();
    poller.wait(&mut events, Some(Duration::ZERO)).expect("looking");
    events.iter().copied().collect()
}

fn of(poller: &Poller, key: usize) -> Option<PollEvent> {
    look(poller).into_iter().find(|event| event.key == key)
}

/// Waits for one event, which the deadline must not have been needed for.
fn next(poller: &Poller) -> PollEvent {
    let deadline = Instant::now() + PATIENCE;
    let mut events = PollEvents::with_capacity(1);
    poller.wait(&mut events, Some(PATIENCE)).expect("waiting");
    assert!(Instant::now() < deadline, "nothing but the deadline ended the wait");
    *events.iter().next().expect("it returned in time, so there is one")
}

fn watching(socket: &Socket, interest: Interest) -> Poller {
    let poller = Poller::new();
    poller.add(7, socket, interest).expect("a first registration");
    poller
}

fn readable_as_long_as_a_message_waits(world: &World) {
    let (pull, push) = world.linked(Pull, Push);
    let poller = watching(&pull, Interest::BOTH);
    assert_eq!(look(&poller), []);
    send(&push, ["one"]);
    send(&push, ["two"]);
    for left in ["one", "two"] {
        eventually("it is readable", || of(&poller, 7).is_some_and(|event| event.readable));
        let again = of(&poller, 7).expect("it still is");
        assert_eq!((again.readable, again.writable, again.error), (true, false, false));
        assert_eq!(recv_text(&pull), [left]);
    }
    assert_eq!(look(&poller), []);
    send(&push, ["three"]);
    eventually("it is readable once more", || of(&poller, 7).is_some());
    poller.modify(7, Interest::NONE).expect("it is registered");
    assert_eq!(look(&poller), []);
    poller.modify(7, Interest::READABLE).expect("it is registered");
    assert!(of(&poller, 7).is_some());
    poller.remove(7).expect("it is registered");
    assert_eq!(look(&poller), []);
    assert!(matches!(poller.remove(7), Err(Error::InvalidOption { option: "key", .. })));
    assert!(matches!(poller.modify(7, Interest::NONE), Err(Error::InvalidOption { option: "key", .. })));
}

fn writable_means_that_a_send_finds_room(world: &World) {
    let (pull, push) = world.linked_with(Pull, Push, |options| {
        (options.send_hwm, options.recv_hwm) = (2, 2);
    });
    let poller = watching(&push, Interest::WRITABLE);
    let mut sent = 0;
    // Exactly as long as it says so: the system takes some of it meanwhile, and then there is room again.
    while let Some(event) = of(&poller, 7) {
        assert!(event.writable && !event.readable && !event.error);
        push.try_send(vec![b'x'; 100_000]).expect("it said that there is room");
        sent += 1;
        assert!(sent < 10_000, "it has a high-water mark");
    }
    for _ in 0..sent {
        assert_eq!(recv(&pull).len_bytes(), 100_000);
    }
    eventually("there is room again", || of(&poller, 7).is_some());
}

fn nobody_is_passed_over_where_there_is_room_for_one(world: &World) {
    let pairs: Vec<_> = (0..5).map(|_| world.linked(Pull, Push)).collect();
    let poller = Poller::new();
    for (key, (pull, push)) in pairs.iter().enumerate() {
        poller.add(key, pull, Interest::READABLE).expect("a first registration");
        send(push, ["x"]);
    }
    eventually("all are readable", || look(&poller).len() == pairs.len());
    let mut events = PollEvents::with_capacity(1);
    for _ in 0..3 {
        let mut seen = BTreeSet::new();
        for _ in &pairs {
            assert_eq!(poller.wait(&mut events, Some(Duration::ZERO)).expect("looking"), 1);
            seen.extend(events.iter().map(|event| event.key));
        }
        assert_eq!(seen.len(), pairs.len());
    }
}

fn a_socket_that_is_gone_is_an_error(world: &World) {
    let (pull, push) = world.linked(Pull, Push);
    let poller = watching(&pull, Interest::READABLE);
    poller.add(8, &push, Interest::NONE).expect("a first registration");
    assert!(matches!(poller.add(8, &push, Interest::NONE), Err(Error::InvalidOption { .. })));
    assert_eq!(look(&poller), []);
    drop(pull);
    for _ in 0..2 {
        let event = of(&poller, 7).expect("each wait says so");
        assert!(event.error && !event.readable && !event.writable);
    }
    drop(poller);
    push.close(Duration::ZERO);
}

fn subscriptions_and_publications_are_seen(world: &World) {
    let (xpub, endpoint) = world.bound(Xpub);
    let poller = watching(&xpub, Interest::READABLE);
    let sub = world.connected(Sub, &endpoint);
    poller.add(8, &sub, Interest::BOTH).expect("a first registration");
    assert_eq!(look(&poller), []);
    sub.subscribe("a").expect("subscribing");
    subscribers(&xpub, 1);
    eventually("the subscription is seen", || of(&poller, 7).is_some_and(|event| event.readable));
    assert!(of(&poller, 8).is_none());
    send(&xpub, ["a1"]);
    eventually("the publication is seen", || of(&poller, 8).is_some_and(|event| event.readable));
}

fn a_message_ends_a_wait(world: &World) {
    let (pull, push) = world.linked(Pull, Push);
    promptly("a woken poller", move || {
        let waiting = thread::spawn(move || {
            let poller = watching(&pull, Interest::READABLE);
            for round in 0..200 {
                assert!(next(&poller).readable);
                assert_eq!(pull.try_recv().expect("it is readable"), round.to_string().into());
            }
        });
        for round in 0..200 {
            send(&push, [&round.to_string()]);
            thread::yield_now();
        }
        waiting.join().expect("everything came");
    });
}

fn room_ends_a_wait(world: &World) {
    let (pull, push) = world.linked_with(Pull, Push, |options| {
        (options.send_hwm, options.recv_hwm) = (4, 4);
    });
    let filled = fill(&push, 100_000);
    promptly("a woken poller", move || {
        let waiting = thread::spawn(move || {
            let poller = watching(&push, Interest::WRITABLE);
            for _ in 0..100 {
                assert!(next(&poller).writable);
                push.try_send(vec![b'x'; 100_000]).expect("it said that there is room");
            }
            push
        });
        for _ in 0..filled + 100 {
            recv(&pull);
        }
        waiting.join().expect("there was room");
    });
}

fn a_time_out_is_never_early(world: &World) {
    let (pull, _push) = world.linked(Pull, Push);
    let poller = watching(&pull, Interest::READABLE);
    let mut events = PollEvents::new();
    for timeout in [Duration::from_micros(1), Duration::from_micros(999), MOMENT] {
        let began = Instant::now();
        assert_eq!(poller.wait(&mut events, Some(timeout)).expect("waiting"), 0);
        assert!(began.elapsed() >= timeout, "too early");
    }
}

fn another_thread_may_change_what_is_waited_for(world: &World) {
    let (pull, push) = world.linked(Pull, Push);
    send(&push, ["here all the time"]);
    promptly("a poller that is told", move || {
        let poller = Arc::new(Poller::new());
        let wait = || {
            let poller = Arc::clone(&poller);
            thread::spawn(move || {
                let mut events = PollEvents::new();
                poller.wait(&mut events, None).expect("waiting");
                events.iter().copied().collect::<Vec<_>>()
            })
        };
        let waiting = wait();
        poller.add(1, &pull, Interest::READABLE).expect("a first registration");
        assert_eq!(waiting.join().expect("it ended")[0].key, 1);

        poller.modify(1, Interest::NONE).expect("it is registered");
        let waiting = wait();
        poller.modify(1, Interest::READABLE).expect("it is registered");
        assert_eq!(waiting.join().expect("it ended")[0].key, 1);

        poller.remove(1).expect("it is registered");
        let waiting = wait();
        poller.wake();
        assert_eq!(waiting.join().expect("it ended"), []);

        // Before the wait it counts as well, once.
        poller.wake();
        assert_eq!(wait().join().expect("it ended"), []);
        assert_eq!(look(&poller), []);
    });
}

fn closing_and_shutting_down_end_a_wait(world: &World) {
    let (pull, push) = world.linked(Pull, Push);
    let context = world.context.clone();
    promptly("a poller that is told", move || {
        let poller = Arc::new(watching(&pull, Interest::READABLE));
        let wait = || {
            let poller = Arc::clone(&poller);
            thread::spawn(move || next(&poller))
        };
        let waiting = wait();
        drop(pull);
        assert!(waiting.join().expect("it ended").error);
        poller.remove(7).expect("it is registered");

        poller.add(8, &push, Interest::READABLE).expect("a first registration");
        let waiting = wait();
        context.shutdown();
        assert!(waiting.join().expect("it ended").error);
    });
}

/// Two requests are here; the second can be taken as soon as the first was answered, which no peer tells of.
fn a_reply_by_another_thread_makes_the_next_request_readable(world: &World) {
    let (rep, endpoint) = world.bound(Rep);
    let askers = [(); 2].map(|()| world.connected(Req, &endpoint));
    for asker in &askers {
        send(asker, ["?"]);
    }
    let rep = Arc::new(rep);
    promptly("a poller that sees the second request", move || {
        let poller = watching(&rep, Interest::READABLE);
        assert!(next(&poller).readable);
        rep.recv().expect("it is readable");
        assert_eq!(look(&poller), [], "not before it is answered");
        let waiting = thread::spawn(move || next(&poller));
        rep.send("!").expect("an answer");
        assert!(waiting.join().expect("it ended").readable);
    });
}

fn a_request_taken_by_another_thread_makes_a_reply_writable(world: &World) {
    let (rep, req) = world.linked(Rep, Req);
    send(&req, ["?"]);
    let rep = Arc::new(rep);
    promptly("a poller that sees its chance", move || {
        let poller = watching(&rep, Interest::WRITABLE);
        assert_eq!(look(&poller), []);
        let waiting = thread::spawn(move || next(&poller));
        recv(&rep);
        assert!(waiting.join().expect("it ended").writable);
    });
}

/// Pollers in which nobody waits stand in the socket's list before a receiver who does.
fn a_poller_takes_no_wake_up_from_others(world: &World) {
    let (pull, push) = world.linked(Pull, Push);
    let pull = Arc::new(pull);
    promptly("a receiver beside pollers", move || {
        let pollers = [(); 2].map(|()| watching(&pull, Interest::READABLE));
        let (go, gone) = mpsc::channel();
        let (tell, told) = mpsc::channel();
        let receiver = {
            let pull = Arc::clone(&pull);
            thread::spawn(move || {
                while gone.recv().is_ok() {
                    tell.send(recv(&pull)).expect("the test goes on");
                }
            })
        };
        for _ in 0..100 {
            pollers.iter().for_each(|poller| drop(look(poller)));
            go.send(()).expect("the receiver is there");
            // Most of the time it sleeps by then.
            (0..100).for_each(|_| thread::yield_now());
            send(&push, ["x"]);
            told.recv_timeout(PATIENCE).expect("the receiver gets it");
        }
        drop(go);
        receiver.join().expect("everything came");
    });
}

/// Messages go to and fro between two threads that wait in pollers, over many sockets.
fn many_sockets_and_no_lost_wake_up(world: &World) {
    const SOCKETS: usize = 20;
    const ROUNDS: usize = 1000;
    let (mut here, mut there) = (Vec::new(), Vec::new());
    for _ in 0..SOCKETS {
        let (one, endpoint) = world.bound(Pair);
        let other = world.socket(Pair);
        connect(&other, &endpoint);
        here.push(one);
        there.push(other);
    }
    let echo = |sockets: Vec<Socket>, begins: bool| {
        move || {
            let poller = Poller::new();
            for (key, socket) in sockets.iter().enumerate() {
                poller.add(key, socket, Interest::READABLE).expect("a first registration");
            }
            let mut key = 0;
            for round in 0..ROUNDS {
                if begins || round > 0 {
                    key = (key * 7 + round) % SOCKETS;
                    send(&sockets[if begins { key } else { (key + 1) % SOCKETS }], ["ball"]);
                }
                key = next(&poller).key;
                sockets[key].try_recv().expect("it is readable");
            }
            // What the other side still waits for.
            send(&sockets[0], ["ball"]);
            sockets
        }
    };
    promptly("a game over many sockets", move || {
        let other = thread::spawn(echo(there, false));
        let _here = echo(here, true)();
        other.join().expect("it ended");
    });
}
