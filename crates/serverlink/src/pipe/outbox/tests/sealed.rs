//! Peers of CURVE: what is written is sealed for one connection, and what was not written is sealed anew for the next.

use serverlink_message::SocketType;
use serverlink_zmtp::handshake::{Config, Handshake};
use serverlink_zmtp::keys::{KeyPair, SecretKey};
use serverlink_zmtp::mechanism::curve::{Opener, SEALED_OVERHEAD, Sealer};
use serverlink_zmtp::mechanism::{Security, Seed};

use super::wire::{Understood, Wire};
use super::*;

/// The two ends of one direction, with keys that a number chooses.
fn channel(number: u8) -> (Sealer, Opener) {
    let keys = |number| KeyPair::new(SecretKey::from_bytes([number; 32]));
    let (server, seed) = (keys(1), |number| Seed::new([number; Seed::LEN]));
    let client = Security::CurveClient { keys: keys(2), server: server.public, seed: seed(number) };
    let mut client = Handshake::with_security(Config::new(SocketType::Push), client);
    let server = Security::CurveServer { keys: server, seed: seed(number ^ 0x80) };
    let mut server = Handshake::with_security(Config::new(SocketType::Pull), server);
    while !(client.is_done() && server.is_done()) {
        let mut said = Vec::new();
        client.poll_output(&mut said);
        server.handle_input(&said).expect("an honest client");
        if server.question().is_some() {
            server.answer(Ok(())).expect("an honest client");
        }
        said.clear();
        server.poll_output(&mut said);
        client.handle_input(&said).expect("an honest server");
    }
    let (client, server) = (client.take_channel().expect("done"), server.take_channel().expect("done"));
    (client.sealer, server.opener)
}

/// Several lengths of headers, and bodies that go by reference.
fn messages() -> Vec<Parts> {
    let of = |len: usize| vec![len as u8; len];
    vec![
        vec![of(3)],
        vec![of(0), of(221), of(222), of(223), of(256)],
        vec![of(1), of(BY_REFERENCE_BYTES), of(2)],
        vec![of(BY_REFERENCE_BYTES)],
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

/// Connects to a peer whose kernel takes so much.
fn attach(outbox: &mut Outbox, wire: &mut Wire, number: u8, taking: Option<usize>) {
    let (sealer, opener) = channel(number);
    let writer = match taking {
        Some(bytes) => wire.connect_taking(bytes),
        None => wire.connect(),
    };
    wire.open_with(opener);
    outbox.attach(writer);
    outbox.rewrite(Rewrite::Sealed(sealer));
}

fn write_all(outbox: &mut Outbox, pool: &mut ArenaPool, wire: &mut Wire) {
    while let Some(Write { writer, batch }) = outbox.begin_write() {
        outbox.finish_write(writer.write(batch), Instant::now, pool, &mut Vec::new());
        wire.deliver();
    }
}

fn sealed_bytes(messages: &[Parts]) -> usize {
    let sealed = |part: &Vec<u8>| {
        let body = part.len() + SEALED_OVERHEAD;
        body + if body > 255 { 9 } else { 2 }
    };
    messages.iter().flatten().map(sealed).sum()
}

#[test]
fn everything_that_is_written_is_sealed() {
    let (mut outbox, mut pool, mut wire) = (Outbox::new(NO_LIMIT), ArenaPool::default(), Wire::new(0));
    append(&mut outbox, &mut pool);
    attach(&mut outbox, &mut wire, 1, None);
    frame::put_frame(outbox.control(), false, b"control");
    write_all(&mut outbox, &mut pool, &mut wire);
    append(&mut outbox, &mut pool);
    assert!(!outbox.can_lend(usize::MAX), "nothing goes out as it lies in its caller's memory");
    write_all(&mut outbox, &mut pool, &mut wire);
    let expected = [vec![vec![b"control".to_vec()]], messages(), messages()].concat();
    assert!(wire.understood()[0].messages == expected);
    assert_eq!((outbox.queued(), outbox.queued_bytes()), (0, 0));
    let control = sealed_bytes(&[vec![b"control".to_vec()]]);
    assert_eq!(outbox.sent_bytes(), (control + 2 * sealed_bytes(&messages())) as u64);
}

#[test]
fn a_connection_that_breaks_at_any_byte_costs_nothing() {
    let bytes = sealed_bytes(&messages());
    let last = messages().len();
    for cut in (1..bytes).filter(|cut| *cut < 1500 || *cut + 400 > bytes || cut.is_multiple_of(997)) {
        for next_is_sealed in [true, false] {
            let (mut outbox, mut pool, mut wire) =
                (Outbox::new(NO_LIMIT), ArenaPool::default(), Wire::new(0));
            attach(&mut outbox, &mut wire, 1, Some(cut));
            append(&mut outbox, &mut pool);
            let Write { writer, batch } = outbox.begin_write().expect("there is something to write");
            assert_eq!(batch.remaining_bytes(), bytes);
            let Written::Blocked(batch) = writer.write(batch) else { panic!("the kernel takes {cut} bytes") };
            wire.deliver();
            outbox.finish_write(Written::Blocked(batch), Instant::now, &mut pool, &mut Vec::new());
            outbox.detach();
            let whole = wire.understood()[0].messages.len();
            assert_eq!(outbox.queued(), last - whole, "cut at {cut}");
            assert_eq!(outbox.queued_bytes(), super::framed_bytes(&messages()[whole..]), "cut at {cut}");

            if next_is_sealed {
                attach(&mut outbox, &mut wire, 2, None);
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

/// The keys of a connection are needed for as long as something is out that they sealed.
#[test]
fn keys_are_gone_with_their_connection() {
    let (mut outbox, mut pool, mut wire) = (Outbox::new(NO_LIMIT), ArenaPool::default(), Wire::new(0));
    let has_keys = |outbox: &Outbox| outbox.rewrite.is_some() || outbox.orphaned_rewrite.is_some();
    attach(&mut outbox, &mut wire, 1, None);
    append(&mut outbox, &mut pool);
    write_all(&mut outbox, &mut pool, &mut wire);
    outbox.detach();
    assert!(!has_keys(&outbox), "nothing was out");

    attach(&mut outbox, &mut wire, 2, None);
    append(&mut outbox, &mut pool);
    let Write { writer, batch } = outbox.begin_write().expect("there is something to write");
    outbox.detach();
    assert!(has_keys(&outbox), "it may come back unwritten");
    outbox.finish_write(writer.write(batch), Instant::now, &mut pool, &mut Vec::new());
    outbox.detach();
    assert!(!has_keys(&outbox), "all of it was written");

    attach(&mut outbox, &mut wire, 3, None);
    append(&mut outbox, &mut pool);
    let Write { writer, batch } = outbox.begin_write().expect("there is something to write");
    outbox.detach();
    attach(&mut outbox, &mut wire, 4, None);
    outbox.detach();
    assert!(outbox.rewrite.is_none(), "it could write nothing");
    attach(&mut outbox, &mut wire, 5, None);
    outbox.finish_write(writer.write(batch), Instant::now, &mut pool, &mut Vec::new());
    append(&mut outbox, &mut pool);
    write_all(&mut outbox, &mut pool, &mut wire);
    assert!(outbox.orphaned_rewrite.is_none(), "there is another connection");
}

/// Sealing stops at what is no frame, which only a mistake can put there. What comes after that does not go out in clear.
#[test]
fn a_mistake_while_sealing_ends_the_connection() {
    let (mut outbox, mut pool, mut wire) = (Outbox::new(NO_LIMIT), ArenaPool::default(), Wire::new(0));
    attach(&mut outbox, &mut wire, 1, None);
    outbox.control().extend_from_slice(b"\x00");
    let sealing = std::panic::AssertUnwindSafe(|| outbox.begin_write().map(drop));
    std::panic::catch_unwind(sealing).expect_err("it is no frame");
    append(&mut outbox, &mut pool);
    assert!(outbox.begin_write().is_none() && !outbox.is_attached());
}
