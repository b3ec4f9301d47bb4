//! Proxies: every pair that makes sense, nothing lost where one side is slow, and steering.

use std::thread;

use serverlink::{Error, Message, Proxy, ProxyHandle, ProxyStatistics, SocketType::*};

use crate::{
    over_transports,
    world::{
        World, assert_nothing_waits, connect, eventually, fill, peers, recv, recv_text, send, subscribers,
        text,
    },
};

over_transports! {
    requests_find_a_worker_and_replies_their_asker
    subscriptions_travel_upstream
    a_streamer_loses_nothing_when_its_consumer_is_slow
    one_socket_may_be_both_ends
    neither_direction_starves
    a_capture_sees_both_directions_in_order
    a_capturing_publisher_holds_nothing_up
    a_capturing_pusher_that_is_full_holds_everything_up
    a_message_that_has_to_wait_is_captured_once
    a_reply_to_nobody_does_not_end_it
    what_the_other_end_does_not_have_is_dropped
    groups_go_through
    it_pauses_and_goes_on
    what_it_holds_is_given_back_or_sent_by_the_next_run
    it_obeys_a_socket
    it_ends_with_its_context
    what_has_nothing_to_give_is_refused
}

/// Runs a proxy while `work` does something with its peers, then ends it.
fn beside(mut proxy: Proxy<'_>, work: impl FnOnce(&ProxyHandle)) -> ProxyStatistics {
    let handle = proxy.handle();
    thread::scope(|scope| {
        let running = scope.spawn(|| {
            let ended = proxy.run();
            (ended, proxy.statistics())
        });
        let ending = Ending(&handle);
        work(&handle);
        drop(ending);
        let (ended, statistics) = running.join().expect("a proxy does not panic");
        ended.expect("it ends well");
        statistics
    })
}

/// Also a test that fails has to end its proxy.
struct Ending<'a>(&'a ProxyHandle);

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        self.0.resume();
        self.0.terminate();
    }
}

fn requests_find_a_worker_and_replies_their_asker(world: &World) {
    let ((frontend, front), (backend, back)) = (world.bound(Router), world.bound(Dealer));
    let askers = [(); 2].map(|()| world.connected(Req, &front));
    let workers = [(); 2].map(|()| world.connected(Rep, &back));
    // Else one worker gets both questions.
    peers(&backend, 2);
    let statistics = beside(Proxy::new(&frontend, &backend).expect("a pair"), |_| {
        for round in 0..20 {
            for (name, asker) in askers.iter().enumerate() {
                send(asker, [&format!("question {round} of {name}")]);
            }
            for worker in &workers {
                let question = recv_text(worker).concat();
                send(worker, [&format!("answer to {question}")]);
            }
            for (name, asker) in askers.iter().enumerate() {
                assert_eq!(recv_text(asker), [format!("answer to question {round} of {name}")]);
            }
        }
    });
    assert_eq!((statistics.frontend.received, statistics.backend.sent), (40, 40));
    assert_eq!((statistics.backend.received, statistics.frontend.sent), (40, 40));
    assert_eq!(statistics.frontend.received_bytes, statistics.backend.sent_bytes);
    assert_eq!(statistics.dropped, 0);
}

fn subscriptions_travel_upstream(world: &World) {
    let ((frontend, front), (backend, back)) = (world.bound(Xsub), world.bound(Xpub));
    let publisher = world.connected(Pub, &front);
    let subscriber = world.connected(Sub, &back);
    beside(Proxy::new(&frontend, &backend).expect("a pair"), |_| {
        subscriber.subscribe("weather").expect("subscribing");
        subscribers(&publisher, 1);
        send(&publisher, ["sport: 1:0"]);
        send(&publisher, ["weather: rain", "all day"]);
        assert_eq!(recv_text(&subscriber), ["weather: rain", "all day"]);

        subscriber.unsubscribe("weather").expect("unsubscribing");
        subscriber.subscribe("sport").expect("subscribing");
        eventually("the new topic has come", || {
            send(&publisher, ["weather: sun"]);
            send(&publisher, ["sport: 2:0"]);
            subscriber.try_recv().is_ok_and(|message| text(&message) == ["sport: 2:0"])
        });
    });
}

fn a_streamer_loses_nothing_when_its_consumer_is_slow(world: &World) {
    const MESSAGES: usize = 3000;
    let (frontend, backend) = [Pull, Push].map(|kind| world.socket_with(kind, small)).into();
    let (front, back) = (world.bind(&frontend), world.bind(&backend));
    let producer = world.socket_with(Push, small);
    connect(&producer, &front);
    let statistics = beside(Proxy::new(&frontend, &backend).expect("a pair"), |_| {
        // Nobody takes: sooner or later all queues are full, and the producer feels it.
        let filled = fill(&producer, 1000);
        assert!(filled < 1_000_000, "bounded");
        let consumer = world.socket_with(Pull, small);
        connect(&consumer, &back);
        thread::scope(|scope| {
            scope.spawn(|| (0..MESSAGES).for_each(|number| send(&producer, [&number.to_string()])));
            for _ in 0..filled {
                assert_eq!(recv(&consumer).len_bytes(), 1000);
            }
            for number in 0..MESSAGES {
                assert_eq!(recv_text(&consumer), [number.to_string()]);
            }
        });
        assert_nothing_waits(&consumer);
    });
    assert_eq!(statistics.frontend.received, statistics.backend.sent);
    assert_eq!((statistics.frontend.sent, statistics.backend.received), (0, 0));
}

fn small(options: &mut serverlink::Options) {
    (options.send_hwm, options.recv_hwm) = (10, 10);
}

/// A ROUTER sends each message back to where it came from.
fn one_socket_may_be_both_ends(world: &World) {
    let (router, endpoint) = world.bound(Router);
    let dealers = [(); 2].map(|()| world.connected(Dealer, &endpoint));
    let statistics = beside(Proxy::new(&router, &router).expect("a pair"), |_| {
        for (name, dealer) in dealers.iter().enumerate() {
            send(dealer, ["echo", &name.to_string()]);
        }
        for (name, dealer) in dealers.iter().enumerate() {
            assert_eq!(recv_text(dealer), ["echo".to_owned(), name.to_string()]);
        }
    });
    assert_eq!((statistics.frontend.received, statistics.backend.sent), (2, 2));
}

fn neither_direction_starves(world: &World) {
    let ((frontend, front), (backend, back)) = (world.bound(Pair), world.bound(Pair));
    let (loud, quiet) = (world.connected(Pair, &front), world.connected(Pair, &back));
    beside(Proxy::new(&frontend, &backend).expect("a pair"), |_| {
        thread::scope(|scope| {
            let flood = scope.spawn(|| {
                // Until the answers are here, there is always more.
                let mut answers = 0;
                while answers < 50 {
                    let _ = loud.try_send("flood");
                    answers += usize::from(loud.try_recv().is_ok());
                }
            });
            for _ in 0..50 {
                recv(&quiet);
                send(&quiet, ["answer"]);
            }
            while !flood.is_finished() {
                let _ = quiet.try_recv();
            }
        });
    });
}

fn a_capture_sees_both_directions_in_order(world: &World) {
    let ((frontend, front), (backend, back)) = (world.bound(Pair), world.bound(Pair));
    let (one, other) = (world.connected(Pair, &front), world.connected(Pair, &back));
    let (capture, seen) = world.linked(Pair, Pair);
    let proxy = Proxy::new(&frontend, &backend).and_then(|proxy| proxy.capture(&capture));
    beside(proxy.expect("a pair and a capture"), |_| {
        for round in 0..100 {
            send(&one, ["ping", &round.to_string()]);
            assert_eq!(recv_text(&other), ["ping".to_owned(), round.to_string()]);
            send(&other, ["pong", &round.to_string()]);
            assert_eq!(recv_text(&one), ["pong".to_owned(), round.to_string()]);
        }
    });
    for round in 0..100 {
        for word in ["ping", "pong"] {
            assert_eq!(recv_text(&seen), [word.to_owned(), round.to_string()]);
        }
    }
    assert_nothing_waits(&seen);
}

fn a_capturing_publisher_holds_nothing_up(world: &World) {
    let ((frontend, front), (backend, back)) = (world.bound(Pull), world.bound(Push));
    let (producer, consumer) = (world.connected(Push, &front), world.connected(Pull, &back));
    let capture = world.socket_with(Pub, small);
    let lazy = world.socket_with(Sub, small);
    lazy.subscribe("").expect("subscribing");
    connect(&lazy, &world.bind(&capture));
    subscribers(&capture, 1);
    let proxy = Proxy::new(&frontend, &backend).and_then(|proxy| proxy.capture(&capture));
    beside(proxy.expect("a pair and a capture"), |_| {
        for _ in 0..2000 {
            send(&producer, [&"x".repeat(10_000)]);
            recv(&consumer);
        }
    });
    assert!(capture.stats().dropped_at_high_water_mark > 0, "its subscriber took nothing");
}

fn a_capturing_pusher_that_is_full_holds_everything_up(world: &World) {
    let ((frontend, front), (backend, back)) = (world.bound(Pull), world.bound(Push));
    let (producer, consumer) = (world.connected(Push, &front), world.connected(Pull, &back));
    let (capture, endpoint) = world.bound(Push);
    let proxy = Proxy::new(&frontend, &backend).and_then(|proxy| proxy.capture(&capture));
    beside(proxy.expect("a pair and a capture"), |handle| {
        send(&producer, ["first"]);
        eventually("it was received", || handle.statistics().frontend.received == 1);
        assert_eq!(handle.statistics().backend.sent, 0, "nobody has its copy");
        let seen = world.connected(Pull, &endpoint);
        assert_eq!(recv_text(&consumer), ["first"]);
        assert_eq!(recv_text(&seen), ["first"]);
        assert_nothing_waits(&seen);
    });
}

fn a_message_that_has_to_wait_is_captured_once(world: &World) {
    let ((frontend, front), (backend, back)) = (world.bound(Pull), world.bound(Push));
    let producer = world.connected(Push, &front);
    let (capture, seen) = world.linked(Pair, Pair);
    let proxy = Proxy::new(&frontend, &backend).and_then(|proxy| proxy.capture(&capture));
    beside(proxy.expect("a pair and a capture"), |_| {
        send(&producer, ["first"]);
        assert_eq!(recv_text(&seen), ["first"]);
        let consumer = world.connected(Pull, &back);
        assert_eq!(recv_text(&consumer), ["first"]);
        send(&producer, ["second"]);
        assert_eq!(recv_text(&seen), ["second"]);
        assert_eq!(recv_text(&consumer), ["second"]);
    });
}

fn a_reply_to_nobody_does_not_end_it(world: &World) {
    let frontend = world.socket_with(Router, |options| options.router_mandatory = true);
    let front = world.bind(&frontend);
    let (backend, back) = world.bound(Dealer);
    let worker = world.connected(Dealer, &back);
    let statistics = beside(Proxy::new(&frontend, &backend).expect("a pair"), |handle| {
        send(&worker, ["nobody's name", "reply"]);
        eventually("it was dropped", || handle.statistics().dropped == 1);
        let asker = world.connected(Dealer, &front);
        send(&asker, ["question"]);
        let question = recv(&worker);
        worker.send(question).expect("an echo");
        assert_eq!(recv_text(&asker), ["question"]);
    });
    assert_eq!((statistics.dropped, statistics.frontend.sent), (1, 1));
}

/// A peer chooses how many parts its messages have, and must not end the proxy by that.
fn what_the_other_end_does_not_have_is_dropped(world: &World) {
    let ((frontend, front), (backend, back)) = (world.bound(Pull), world.bound(Scatter));
    let producer = world.connected(Push, &front);
    let consumer = world.connected(Gather, &back);
    let statistics = beside(Proxy::new(&frontend, &backend).expect("a pair"), |_| {
        for round in 0..3 {
            send(&producer, ["two", "parts"]);
            send(&producer, [&round.to_string()]);
            assert_eq!(recv_text(&consumer), [round.to_string()]);
        }
    });
    assert_eq!((statistics.dropped, statistics.backend.sent), (3, 3));
}

fn groups_go_through(world: &World) {
    let ((frontend, front), (backend, back)) = (world.bound(Dish), world.bound(Radio));
    frontend.join("g").expect("a group");
    let radio = world.connected(Radio, &front);
    let dish = world.socket(Dish);
    dish.join("g").expect("a group");
    connect(&dish, &back);
    subscribers(&radio, 1);
    subscribers(&backend, 1);
    beside(Proxy::new(&frontend, &backend).expect("a pair"), |_| {
        send(&radio, ["other", "unheard"]);
        send(&radio, ["g", "heard"]);
        assert_eq!(recv_text(&dish), ["g", "heard"]);
    });
}

fn it_pauses_and_goes_on(world: &World) {
    let ((frontend, front), (backend, back)) = (world.bound(Pull), world.bound(Push));
    let (producer, consumer) = (world.connected(Push, &front), world.connected(Pull, &back));
    let mut proxy = Proxy::new(&frontend, &backend).expect("a pair");
    let handle = proxy.handle();
    handle.pause();
    send(&producer, ["kept"]);
    handle.terminate();
    proxy.run().expect("it was ended before it began");
    assert_eq!(proxy.statistics(), ProxyStatistics::default());
    beside(proxy, |handle| {
        assert_nothing_waits(&consumer);
        handle.resume();
        assert_eq!(recv_text(&consumer), ["kept"]);
        handle.pause();
        handle.resume();
        send(&producer, ["more"]);
        assert_eq!(recv_text(&consumer), ["more"]);
        handle.pause();
        // `Ending` terminates it as it is, too.
    });
}

fn what_it_holds_is_given_back_or_sent_by_the_next_run(world: &World) {
    let ((frontend, front), (backend, back)) = (world.bound(Pull), world.bound(Push));
    let producer = world.connected(Push, &front);
    let mut proxy = Proxy::new(&frontend, &backend).expect("a pair");
    let handle = proxy.handle();
    let run_until_received = |proxy: &mut Proxy<'_>, count| {
        thread::scope(|scope| {
            let running = scope.spawn(|| proxy.run());
            eventually("it was received", || handle.statistics().frontend.received == count);
            handle.terminate();
            running.join().expect("it does not panic").expect("it ends well");
        });
    };
    send(&producer, ["first"]);
    run_until_received(&mut proxy, 1);
    assert_eq!(proxy.take_held(), [Message::from("first")]);
    assert_eq!(proxy.take_held(), []);

    send(&producer, ["second"]);
    run_until_received(&mut proxy, 2);
    let consumer = world.connected(Pull, &back);
    let statistics = beside(proxy, |_| assert_eq!(recv_text(&consumer), ["second"]));
    assert_eq!((statistics.frontend.received, statistics.backend.sent), (2, 1));
}

fn it_obeys_a_socket(world: &World) {
    for (kind, other) in [(Pair, Pair), (Rep, Req)] {
        let ((frontend, front), (backend, back)) = (world.bound(Pull), world.bound(Push));
        let (producer, consumer) = (world.connected(Push, &front), world.connected(Pull, &back));
        let (control, director) = world.linked(kind, other);
        let order = |word| {
            send(&director, [word]);
            if other == Req {
                assert_eq!(recv_text(&director), [""]);
            }
        };
        let proxy = Proxy::new(&frontend, &backend).and_then(|proxy| proxy.control(&control));
        let mut proxy = proxy.expect("a pair and a control");
        thread::scope(|scope| {
            let ending = proxy.handle();
            let ending = Ending(&ending);
            let running = scope.spawn(move || proxy.run());
            send(&producer, ["12345"]);
            assert_eq!(recv_text(&consumer), ["12345"]);
            order("nonsense");
            order("PAUSE");
            send(&director, ["STATISTICS"]);
            let numbers: Vec<u64> = recv(&director)
                .iter()
                .map(|part| u64::from_ne_bytes(part.as_bytes().try_into().expect("eight octets")))
                .collect();
            assert_eq!(numbers, [1, 5, 0, 0, 0, 0, 1, 5]);
            send(&producer, ["kept"]);
            assert_nothing_waits(&consumer);
            order("RESUME");
            assert_eq!(recv_text(&consumer), ["kept"]);
            order("TERMINATE");
            running.join().expect("it does not panic").expect("it ends well");
            drop(ending);
        });
    }
}

fn it_ends_with_its_context(world: &World) {
    let ((frontend, _front), (backend, _back)) = (world.bound(Router), world.bound(Dealer));
    let mut proxy = Proxy::new(&frontend, &backend).expect("a pair");
    thread::scope(|scope| {
        let running = scope.spawn(|| proxy.run());
        world.context.shutdown();
        let ended = running.join().expect("it does not panic");
        assert!(matches!(ended, Err(Error::Terminated)), "{ended:?}");
    });
}

fn what_has_nothing_to_give_is_refused(world: &World) {
    let [push, pull, router, req, rep] = [Push, Pull, Router, Req, Rep].map(|kind| world.socket(kind));
    let refused = |result: Result<Proxy<'_>, Error>| {
        assert!(matches!(result, Err(Error::NotSupported { .. })), "{result:?}");
    };
    refused(Proxy::new(&push, &push));
    refused(Proxy::new(&pull, &pull));
    refused(Proxy::new(&router, &req));
    refused(Proxy::new(&rep, &router));
    refused(Proxy::new(&router, &router).and_then(|proxy| proxy.capture(&pull)));
    refused(Proxy::new(&router, &router).and_then(|proxy| proxy.control(&push)));
}
