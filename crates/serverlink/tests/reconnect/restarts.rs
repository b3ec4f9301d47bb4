//! Listeners that stop and start at the same endpoint while messages flow.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use serverlink::{Context, Message, Options, Socket, SocketType};

use crate::place::{PATIENCE, Place, brisk, in_time, over_wires};
use crate::send;

over_wires! {
    a_listener_restarts_and_its_connections_notice_nothing
    a_listener_that_closes_at_once_leaves_its_endpoint_free
    a_server_restarts_and_its_dialers_come_back
    a_server_restarts_and_dialers_that_queue_nothing_come_back
}

const RESTARTS: usize = 50;
const SENDERS: usize = 3;
/// In a sender's place.
const GUEST: usize = SENDERS;

/// `unbind` and `bind`: whoever is connected stays connected, and nothing is lost, doubled or out of order.
fn a_listener_restarts_and_its_connections_notice_nothing(place: &Place) {
    let context = Context::builder().io_threads(2).build().expect("a context");
    let pull = brisk(&context, SocketType::Pull, |_| {});
    let endpoint = pull.bind(&place.endpoint()).expect("a free endpoint").to_string();
    let stop = Arc::new(AtomicBool::new(false));
    let senders: Vec<_> =
        (0..SENDERS).map(|sender| start_sender(&context, &endpoint, sender, &stop, |_| {})).collect();
    pull.wait_for_peers(SENDERS, PATIENCE).expect("the senders");

    let mut next = [0; SENDERS];
    let mut guests = Vec::new();
    for round in 0..RESTARTS {
        pull.unbind(&endpoint).expect("it was bound");
        let guest = brisk(&context, SocketType::Push, |_| {});
        guest.connect(&endpoint).expect("connecting");
        send(&guest, &[&GUEST.to_string(), &round.to_string()]);
        guests.push(guest);
        pull.bind(&endpoint).expect("the endpoint is free when `unbind` returned");
        let mut arrived = false;
        while !arrived {
            match parse(&pull.recv_deadline(in_time()).expect("every message")) {
                (GUEST, number) => {
                    assert_eq!(number, round);
                    arrived = true;
                }
                (sender, number) => follow(&mut next, sender, number),
            }
        }
    }
    stop.store(true, Ordering::Relaxed);
    // A sender may wait for room until somebody reads.
    while !senders.iter().all(thread::JoinHandle::is_finished) {
        if let Ok(message) = pull.try_recv() {
            let (sender, number) = parse(&message);
            follow(&mut next, sender, number);
        }
    }
    let sent: Vec<_> =
        senders.into_iter().map(|sender| sender.join().expect("every send finds room")).collect();
    while next.iter().zip(&sent).any(|(next, (_, sent))| next < sent) {
        let (sender, number) = parse(&pull.recv_deadline(in_time()).expect("every message"));
        follow(&mut next, sender, number);
    }
}

/// Before anybody has driven: the reactor has not even heard of the listener.
fn a_listener_that_closes_at_once_leaves_its_endpoint_free(place: &Place) {
    let context = Context::new().expect("a context");
    let endpoint = place.endpoint();
    for _ in 0..RESTARTS {
        let pull = brisk(&context, SocketType::Pull, |_| {});
        pull.bind(&endpoint).expect("the endpoint is free when `close` returned");
        pull.close(Duration::ZERO);
    }
}

fn start_sender(
    context: &Context,
    endpoint: &str,
    sender: usize,
    stop: &Arc<AtomicBool>,
    change: impl FnOnce(&mut Options),
) -> thread::JoinHandle<(Socket, usize)> {
    let push = brisk(context, SocketType::Push, |options| {
        options.send_hwm = 100;
        change(options);
    });
    push.connect(endpoint).expect("connecting");
    let stop = Arc::clone(stop);
    thread::spawn(move || {
        let mut sent = 0;
        while !stop.load(Ordering::Relaxed) {
            send(&push, &[&sender.to_string(), &sent.to_string()]);
            sent += 1;
        }
        (push, sent)
    })
}

fn follow(next: &mut [usize; SENDERS], sender: usize, number: usize) {
    assert_eq!(number, next[sender], "of sender {sender}");
    next[sender] += 1;
}

/// The whole server goes and comes. What was with the system is lost with it; the rest comes once and in order, and the path heals
/// every time.
fn a_server_restarts_and_its_dialers_come_back(place: &Place) {
    restart_the_server(place, |_| {});
}

/// `immediate`: a send waits while nobody is connected.
fn a_server_restarts_and_dialers_that_queue_nothing_come_back(place: &Place) {
    restart_the_server(place, |options| options.immediate = true);
}

fn restart_the_server(place: &Place, change: impl Fn(&mut Options)) {
    let context = Context::builder().io_threads(2).build().expect("a context");
    let endpoint = place.endpoint();
    let stop = Arc::new(AtomicBool::new(false));
    let senders: Vec<_> =
        (0..SENDERS).map(|sender| start_sender(&context, &endpoint, sender, &stop, &change)).collect();
    let mut last = [None; SENDERS];
    for _ in 0..RESTARTS {
        let pull = brisk(&context, SocketType::Pull, |_| {});
        pull.bind(&endpoint).expect("the endpoint is free when `close` returned");
        let mut heard = [false; SENDERS];
        while heard.contains(&false) {
            let (sender, number) = parse(&pull.recv_deadline(in_time()).expect("every dialer comes back"));
            assert!(
                last[sender].is_none_or(|last| number > last),
                "{number} of sender {sender} after {last:?}"
            );
            last[sender] = Some(number);
            heard[sender] = true;
        }
        pull.close(Duration::ZERO);
    }
    stop.store(true, Ordering::Relaxed);
    // Senders that wait for room find it with the last server.
    let pull = brisk(&context, SocketType::Pull, |_| {});
    pull.bind(&endpoint).expect("the endpoint is free when `close` returned");
    for handle in senders {
        while !handle.is_finished() {
            let _ = pull.try_recv();
        }
        handle.join().expect("every send finds room");
    }
}

fn parse(message: &Message) -> (usize, usize) {
    let number = |part: usize| {
        std::str::from_utf8(&message[part])
            .ok()
            .and_then(|text| text.parse().ok())
            .expect("numbers were sent")
    };
    (number(0), number(1))
}
