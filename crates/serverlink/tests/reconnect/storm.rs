//! Everybody at once.

use std::time::Duration;

use serverlink::{Context, SocketType};

use crate::place::{PATIENCE, Place, brisk, in_time, over_wires};

over_wires! {
    three_hundred_dialers_meet_a_listener_that_opens_and_closes
}

const DIALERS: usize = 300;
const OPENINGS: usize = 30;

/// A system may forget a connection in a queue that is full, or closes, without telling the dialer.
const OVERLOOKED: Duration = Duration::from_millis(500);

/// No message leaves a dialer before its handshake is done, so however often the listener throws the waiting ones out, every message
/// arrives, and arrives once.
fn three_hundred_dialers_meet_a_listener_that_opens_and_closes(place: &Place) {
    let context = Context::builder().io_threads(2).build().expect("a context");
    let pull = brisk(&context, SocketType::Pull, |options| options.backlog = 16);
    let endpoint = pull.bind(&place.endpoint()).expect("a free endpoint").to_string();
    let dialers: Vec<_> = (0..DIALERS)
        .map(|number| {
            let push = brisk(&context, SocketType::Push, |options| options.handshake_timeout = OVERLOOKED);
            push.connect(&endpoint).expect("connecting");
            push.send_deadline(number.to_string(), in_time()).expect("room");
            push
        })
        .collect();
    for _ in 0..OPENINGS {
        pull.unbind(&endpoint).expect("it was bound");
        pull.bind(&endpoint).expect("the endpoint is free when `unbind` returned");
    }
    pull.wait_for_peers(DIALERS, PATIENCE).expect("everybody gets in");
    let mut seen = vec![false; DIALERS];
    for _ in 0..DIALERS {
        let message = pull.recv_deadline(in_time()).expect("every message");
        let number: usize =
            std::str::from_utf8(message.first()).ok().and_then(|text| text.parse().ok()).expect("a number");
        assert!(!std::mem::replace(&mut seen[number], true), "{number} came twice");
    }
    drop(dialers);
}
