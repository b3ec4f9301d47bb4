//! Handover upon handover.

use std::sync::Arc;

use serverlink::{Context, Socket};

use crate::place::{Place, eventually, in_time, over_wires};
use crate::{recv, router, send, twin};

over_wires! {
    a_thousand_owners_in_a_row
}

const OWNERS: usize = 1_000;
const MESSAGES: usize = 3;

/// Every owner talks while it has the name and goes on when the next one comes. Nothing of the newest is lost, and nothing of an older
/// one comes behind the first message of a newer one.
fn a_thousand_owners_in_a_row(place: &Place) {
    let context = Context::builder().io_threads(2).build().expect("a context");
    let (router, endpoint) = router(&context, place, |_| {});
    let router = Arc::new(router);
    let mut previous: Option<Socket> = None;
    let mut late = 0;
    for owner in 0..OWNERS {
        if let Some(previous) = &previous {
            for _ in 0..MESSAGES {
                send(previous, &[&(owner - 1).to_string(), "late"]);
            }
        }
        let newest = twin(&context);
        newest.connect(&endpoint).expect("connecting");
        for number in 0..MESSAGES {
            send(&newest, &[&owner.to_string(), &number.to_string()]);
        }
        late += read_all_of(&router, owner);
        send(&router, &["twin", &owner.to_string()]);
        assert_eq!(recv(&newest), [owner.to_string()]);
        previous = Some(newest);
    }
    eventually("the newest alone is left", || router.stats().peers == 1);
    let stats = router.stats();
    let sent = (OWNERS - 1) * MESSAGES;
    assert!(late + stats.discarded_at_handover as usize <= sent, "{late} of {sent} came late, and {stats:?}");
    assert_eq!(stats.received as usize, OWNERS * MESSAGES + late);
}

/// Receives up to the last message of this owner; gives how many of the one before came in front of them.
fn read_all_of(router: &Socket, owner: usize) -> usize {
    let (mut late, mut next) = (0, 0);
    while next < MESSAGES {
        let message = router.recv_deadline(in_time()).expect("every message of the newest owner");
        let text = |part: usize| std::str::from_utf8(&message[part]).expect("text was sent");
        let (from, what) = (text(1).parse::<usize>().expect("an owner's number"), text(2));
        if what == "late" {
            assert_eq!((from + 1, next), (owner, 0), "of an older owner behind the first of a newer one");
            late += 1;
        } else {
            assert_eq!((from, what), (owner, next.to_string().as_str()), "every message, in order");
            next += 1;
        }
    }
    late
}
