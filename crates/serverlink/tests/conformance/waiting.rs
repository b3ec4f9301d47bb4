//! Deadlines, timeouts, readiness; several threads on one socket.

use std::{
    collections::BTreeSet,
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use serverlink::{Error, SocketType::*};

use crate::{
    over_transports,
    world::{MOMENT, PATIENCE, World, eventually, peers, promptly, recv, recv_text, send},
};

over_transports! {
    receiving_ends_at_the_deadline
    sending_ends_at_the_deadline
    options_set_timeouts
    a_past_deadline_is_a_try
    waiting_for_peers_ends_at_the_deadline
    readiness_follows_messages_and_peers
    a_blocked_receiver_is_woken
    many_threads_share_a_socket
    stats_count
}

fn timed_out<T: std::fmt::Debug>(result: Result<T, Error>) {
    assert!(matches!(result, Err(Error::TimedOut)), "{result:?}");
}

fn receiving_ends_at_the_deadline(world: &World) {
    let (pull, push) = world.linked(Pull, Push);
    let deadline = Instant::now() + MOMENT;
    timed_out(pull.recv_deadline(deadline));
    assert!(Instant::now() >= deadline, "too early");
    send(&push, ["after the timeout"]);
    assert_eq!(recv_text(&pull), ["after the timeout"]);
}

fn sending_ends_at_the_deadline(world: &World) {
    let (push, _endpoint) = world.bound(Push);
    let deadline = Instant::now() + MOMENT;
    let failed = push.send_deadline(vec![7; 100], deadline).expect_err("nobody takes it");
    assert!(Instant::now() >= deadline, "too early");
    assert_eq!(failed.message, [7; 100]);
    timed_out(Err::<(), _>(failed.error));
}

fn options_set_timeouts(world: &World) {
    let pull = world.socket_with(Pull, |options| options.recv_timeout = Some(MOMENT));
    timed_out(pull.recv());
    let push = world.socket_with(Push, |options| options.send_timeout = Some(MOMENT));
    timed_out(push.send("nobody takes it").map_err(|failed| failed.error));
}

fn a_past_deadline_is_a_try(world: &World) {
    let (pull, push) = world.linked(Pull, Push);
    let past = Instant::now();
    timed_out(pull.recv_deadline(past));
    push.send_deadline("there is room", past).expect("no waiting was needed");
    assert_eq!(recv_text(&pull), ["there is room"]);
}

fn waiting_for_peers_ends_at_the_deadline(world: &World) {
    let (pull, endpoint) = world.bound(Pull);
    timed_out(pull.wait_for_peers(1, MOMENT));
    let _push = world.connected(Push, &endpoint);
    assert_eq!(pull.wait_for_peers(1, PATIENCE).expect("one is there"), 1);
    timed_out(pull.wait_for_peers(2, MOMENT));
}

fn readiness_follows_messages_and_peers(world: &World) {
    let (one, endpoint) = world.bound(Pair);
    assert!(!one.readiness().writable, "nobody is there");
    let other = world.connected(Pair, &endpoint);
    peers(&one, 1);
    assert!(one.readiness().writable);
    assert!(!one.readiness().readable);
    send(&other, ["message"]);
    eventually("the message is there", || one.readiness().readable);
    one.try_recv().expect("readable means that it can be taken");
    assert!(!one.readiness().readable);
}

fn a_blocked_receiver_is_woken(world: &World) {
    let (pull, push) = world.linked(Pull, Push);
    promptly("a woken receiver", move || {
        let receiver = thread::spawn(move || {
            for round in 0..200 {
                assert_eq!(text(&pull), round.to_string());
            }
        });
        for round in 0..200 {
            send(&push, [&round.to_string()]);
            thread::yield_now();
        }
        receiver.join().expect("everything came");
    });
}

fn text(socket: &serverlink::Socket) -> String {
    crate::world::text(&socket.recv().expect("a blocking receive waits")).concat()
}

fn many_threads_share_a_socket(world: &World) {
    const THREADS: u32 = 4;
    const EACH: u32 = 500;
    let (pull, push) = world.linked(Pull, Push);
    let (pull, push) = (Arc::new(pull), Arc::new(push));
    let senders: Vec<_> = (0..THREADS)
        .map(|name| {
            let push = Arc::clone(&push);
            thread::spawn(move || {
                (0..EACH).for_each(|number| send(&push, [&(name * EACH + number).to_string()]));
            })
        })
        .collect();
    let receivers: Vec<_> = (0..THREADS)
        .map(|_| {
            let pull = Arc::clone(&pull);
            thread::spawn(move || (0..EACH).map(|_| recv(&pull).first().to_vec()).collect::<Vec<_>>())
        })
        .collect();
    let mut seen = BTreeSet::new();
    for receiver in receivers {
        for number in receiver.join().expect("received its share") {
            assert!(seen.insert(number), "received twice");
        }
    }
    assert_eq!(seen.len() as u32, THREADS * EACH);
    senders.into_iter().for_each(|sender| sender.join().expect("sent its share"));
}

fn stats_count(world: &World) {
    let (pull, push) = world.linked(Pull, Push);
    for _ in 0..25 {
        send(&push, ["counted"]);
        recv(&pull);
    }
    assert_eq!((push.stats().sent, push.stats().received, push.stats().peers), (25, 0, 1));
    assert_eq!((pull.stats().sent, pull.stats().received, pull.stats().peers), (0, 25, 1));
    push.close(Duration::ZERO);
    crate::world::until_peers_left(&pull, 0);
}
