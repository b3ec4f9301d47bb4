//! Peers of ZMTP 1.0: the same messages in another form, which only what is being written has.

use serverlink_zmtp::v1;

use super::wire::{Understood, Wire};
use super::*;

pub(super) fn framed(message: &[Vec<u8>]) -> Vec<u8> {
    let mut frames = Vec::new();
    for (index, part) in message.iter().enumerate() {
        v1::put_frame(&mut frames, index + 1 < message.len(), part);
    }
    frames
}

/// Lengths at which the two forms have headers of other lengths, and one that goes by reference.
fn messages() -> Vec<Parts> {
    let of = |len: usize| vec![len as u8; len];
    vec![
        vec![of(3)],
        vec![of(0), of(253), of(254), of(255), of(256)],
        vec![of(1), of(BY_REFERENCE_BYTES), of(2)],
        vec![of(254)],
    ]
}

fn append(outbox: &mut Outbox, pool: &mut ArenaPool) {
    for message in messages() {
        for (index, part) in message.iter().enumerate() {
            outbox.append_part(Part::from(part.clone()), index + 1 < message.len(), pool);
        }
    }
}

/// A subscription, which goes with its connection.
fn put_control(outbox: &mut Outbox) -> Parts {
    let body = vec![1; 254];
    frame::put_frame(outbox.control(), false, &body);
    vec![body]
}

fn write_all(outbox: &mut Outbox, pool: &mut ArenaPool, wire: &mut Wire) {
    while let Some(Write { writer, batch }) = outbox.begin_write() {
        outbox.finish_write(writer.write(batch), Instant::now, pool, &mut Vec::new());
        wire.deliver();
    }
}

#[test]
fn what_was_queued_before_the_peer_is_known_comes_in_its_form() {
    let (mut outbox, mut pool, mut wire) = (Outbox::new(NO_LIMIT), ArenaPool::default(), Wire::new(0));
    append(&mut outbox, &mut pool);
    outbox.attach(wire.connect_old());
    outbox.rewrite(Rewrite::V1);
    let control = put_control(&mut outbox);
    write_all(&mut outbox, &mut pool, &mut wire);
    append(&mut outbox, &mut pool);
    write_all(&mut outbox, &mut pool, &mut wire);
    let expected = [vec![control], messages(), messages()].concat();
    assert!(wire.understood()[0].messages == expected);
    assert_eq!((outbox.queued(), outbox.queued_bytes()), (0, 0));
}

#[test]
fn a_connection_that_breaks_at_any_byte_costs_nothing() {
    let bytes: usize = 264 + messages().iter().map(|message| framed(message).len()).sum::<usize>();
    let last = messages().len();
    for cut in (1..bytes).filter(|cut| *cut < 1200 || *cut + 300 > bytes || cut.is_multiple_of(997)) {
        for next_is_old in [true, false] {
            let (mut outbox, mut pool, mut wire) =
                (Outbox::new(NO_LIMIT), ArenaPool::default(), Wire::new(0));
            outbox.attach(wire.connect_old_taking(cut));
            outbox.rewrite(Rewrite::V1);
            append(&mut outbox, &mut pool);
            put_control(&mut outbox);
            let Write { writer, batch } = outbox.begin_write().expect("there is something to write");
            assert_eq!(batch.remaining_bytes(), bytes);
            let Written::Blocked(batch) = writer.write(batch) else { panic!("the kernel takes {cut} bytes") };
            wire.deliver();
            outbox.finish_write(Written::Blocked(batch), Instant::now, &mut pool, &mut Vec::new());
            outbox.detach();
            let whole = wire.understood()[0].messages.len().saturating_sub(1);
            assert_eq!(outbox.queued(), last - whole, "cut at {cut}");
            let left = super::framed_bytes(&messages()[whole..]);
            assert_eq!(outbox.queued_bytes(), left, "cut at {cut}");

            if next_is_old {
                outbox.attach(wire.connect_old());
                outbox.rewrite(Rewrite::V1);
            } else {
                outbox.attach(wire.connect());
            }
            write_all(&mut outbox, &mut pool, &mut wire);
            let left = Understood { messages: messages()[whole..].to_vec(), commands: Vec::new() };
            assert!(wire.understood()[1] == left, "cut at {cut}");
            assert_eq!((outbox.queued(), outbox.queued_bytes()), (0, 0));
        }
    }
}
