//! What holds on every driver and every kind of address: the same test code on all of them.

#[path = "support/machine.rs"]
mod machine;

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::time::Duration;

use machine::{Machine, Network};
use serverlink_driver::sim::{Faults, World};
use serverlink_driver::{
    Address, Batch, Buffer, Event, Events, Interest, Kind, ListenOptions, Read, Stream, StreamOptions,
    Written,
};

const COMPLETIONS: Faults = Faults { completions: true, ..Faults::NONE };
const CHOPPED: Faults =
    Faults { split_delivery: 0.9, short_read: 0.9, short_write: 0.9, spurious: 0.5, ..Faults::NONE };
/// Bytes in pieces, and completions in any order.
const SHUFFLED: Faults = Faults { completions: true, reorder: 0.9, ..CHOPPED };

/// Every test on every machine.
macro_rules! on_every_machine {
    ($($test:ident),* $(,)?) => {
        on_every_machine!(@machine epoll_v4, Machine::real(Kind::Epoll, Network::V4), [$($test),*], target_os = "linux");
        on_every_machine!(@machine epoll_v6, Machine::real(Kind::Epoll, Network::V6), [$($test),*], target_os = "linux");
        on_every_machine!(@machine epoll_ipc, Machine::real(Kind::Epoll, Network::Ipc), [$($test),*], target_os = "linux");
        on_every_machine!(@machine polling_v4, Machine::real(Kind::Polling, Network::V4), [$($test),*], any(unix, windows));
        on_every_machine!(@machine polling_v6, Machine::real(Kind::Polling, Network::V6), [$($test),*], any(unix, windows));
        on_every_machine!(@machine polling_ipc, Machine::real(Kind::Polling, Network::Ipc), [$($test),*], unix);
        on_every_machine!(@machine iocp_v4, Machine::real(Kind::Iocp, Network::V4), [$($test),*], windows);
        on_every_machine!(@machine iocp_v6, Machine::real(Kind::Iocp, Network::V6), [$($test),*], windows);
        on_every_machine!(@machine iocp_ipc, Machine::real(Kind::Iocp, Network::Ipc), [$($test),*], windows);
        on_every_machine!(@machine simulated_v4, Machine::simulated(Faults::NONE, Network::V4), [$($test),*], all());
        on_every_machine!(@machine simulated_ipc, Machine::simulated(Faults::NONE, Network::Ipc), [$($test),*], all());
        on_every_machine!(@machine simulated_chopped, Machine::simulated(CHOPPED, Network::V4), [$($test),*], all());
        on_every_machine!(@machine simulated_completions, Machine::simulated(COMPLETIONS, Network::V6), [$($test),*], all());
        on_every_machine!(@machine simulated_shuffled, Machine::simulated(SHUFFLED, Network::V4), [$($test),*], all());
        on_every_machine!(@machine simulated_shuffled_ipc, Machine::simulated(SHUFFLED, Network::Ipc), [$($test),*], all());
    };
    (@machine $machine:ident, $open:expr, [$($test:ident),*], $condition:meta) => {
        #[cfg($condition)]
        mod $machine {
            use super::*;
            $(#[test] fn $test() { super::$test(&mut $open); })*
        }
    };
}

on_every_machine! {
    connection_has_two_ends, attempt_is_refused_once, closed_listener_refuses, closed_attempt_reports_nothing, address_in_use,
    every_split_of_reads, gathers_many_buffers, blocked_writer_hears_of_room, writable_only_after_blocked, written_before_close_arrives,
    half_close_leaves_the_other_half, end_is_found_without_a_second_event, adopted_stream_reports_what_waits, writers_end_with_their_stream,
    writing_to_the_dead_fails, wake_ends_a_wait, stale_events_name_nobody, foreign_registration_gives_back, empty_calls_do_nothing,
    reset_after_unread_input, closing_gives_a_kept_batch_back, a_reset_gives_a_kept_batch_back, nothing_follows_the_last_event,
    what_a_thread_left_behind_is_written_once, a_stream_connects_from_its_source, a_wrong_source_is_told_by_name,
    an_ipc_peer_is_known_by_its_process, a_path_of_the_systems_choice, borrowed_bytes_are_written_and_not_kept,
    writing_borrowed_bytes_to_the_dead_fails,
}

fn a_stream_connects_from_its_source(machine: &mut Machine) {
    let listener = machine.listener();
    let Address::Tcp(target) = listener.local_address() else { return };
    // A port that was free a moment ago.
    let Address::Tcp(source) = machine.listener().local_address() else { panic!("it is tcp") };
    for source in [source, SocketAddr::new(target.ip(), 0)] {
        let options = StreamOptions { source: Some(source), ..StreamOptions::default() };
        let client = machine.remote.connect(&Address::Tcp(target), &options).expect("an attempt");
        machine.expect_connected(&client);
        let server = machine.accept(&listener);
        let server = machine.remote.adopt(server).expect("a first registration");
        assert_eq!(server.peer_address(), client.local_address());
        let Some(Address::Tcp(local)) = client.local_address() else { panic!("it is connected") };
        assert_eq!(local.ip(), source.ip());
        assert!(source.port() == 0 || local.port() == source.port(), "{local} instead of {source}");
    }
}

fn a_wrong_source_is_told_by_name(machine: &mut Machine) {
    let target = machine.listener().local_address();
    let Address::Tcp(to) = &target else { return };
    let source = if to.is_ipv4() { "[::1]:0" } else { "127.0.0.1:0" };
    let source = source.parse().expect("an address");
    let options = StreamOptions { source: Some(source), ..StreamOptions::default() };
    let error = machine.remote.connect(&target, &options).expect_err("it is of the other family");
    assert!(error.to_string().contains(&source.to_string()), "{error}");
}

fn an_ipc_peer_is_known_by_its_process(machine: &mut Machine) {
    let (client, server) = machine.pair();
    let (known, told) = (server.credentials(), client.credentials());
    if machine.is_tcp() {
        return assert_eq!((known, told), (None, None));
    }
    assert_eq!(known, told, "both are this process");
    let known = known.expect("the system tells");
    let process = if machine.is_simulated() { 1 } else { std::process::id() };
    if cfg!(any(target_os = "linux", windows)) {
        assert_eq!(known.process, Some(process));
    }
    assert_eq!(known.user.is_some(), machine.is_simulated() || cfg!(unix));
}

fn a_path_of_the_systems_choice(machine: &mut Machine) {
    if machine.is_tcp() {
        return;
    }
    let any = Address::Ipc("*".into());
    let listener = machine.remote.bind(&any, &ListenOptions::default()).expect("a place for files");
    let listener = machine.remote.listen(listener).expect("a first registration");
    assert_ne!(listener.local_address(), any);
    machine.connected(&listener);
}

fn pattern(length: usize) -> Vec<u8> {
    (0..length).map(|i| (i % 251) as u8).collect()
}

fn connection_has_two_ends(machine: &mut Machine) {
    let listener = machine.listener();
    let address = listener.local_address();
    let client = machine.connect(&address);
    machine.expect_connected(&client);
    machine.expect(
        "a connection to accept",
        |event| matches!(event, Event::Acceptable(key) if *key == listener.key()),
    );
    let (accepted, peer) = listener.accept().expect("descriptors enough").expect("it was announced");
    assert!(listener.accept().expect("descriptors enough").is_none());
    let server = machine.remote.adopt(accepted).expect("a first registration");
    assert_eq!(client.peer_address(), Some(address.clone()));
    assert_eq!(server.local_address(), Some(address));
    assert_eq!(server.peer_address(), peer);
    if machine.is_tcp() {
        assert_eq!(peer, client.local_address());
    }
    machine.write_all(&client, b"to the server".to_vec());
    machine.write_all(&server, b"to the client".to_vec());
    assert_eq!(machine.read_exactly(&server, 13), b"to the server");
    assert_eq!(machine.read_exactly(&client, 13), b"to the client");
    assert!(!machine.settle().iter().any(|event| matches!(event, Event::Connected(..))), "reported twice");
}

fn attempt_is_refused_once(machine: &mut Machine) {
    let listener = machine.listener();
    let address = listener.local_address();
    listener.close();
    for _ in 0..3 {
        let client = machine.connect(&address);
        let key = client.key();
        match machine.expect("a refusal", |event| matches!(event, Event::Connected(of, _) if *of == key)) {
            Event::Connected(_, Err(error)) => {
                assert!(
                    matches!(error.kind(), ErrorKind::ConnectionRefused | ErrorKind::NotFound),
                    "{error}"
                );
            }
            event => panic!("connected to nobody: {event:?}"),
        }
        client.close();
        assert!(
            !machine.settle().iter().any(|event| matches!(event, Event::Connected(..))),
            "reported twice"
        );
    }
}

fn closed_listener_refuses(machine: &mut Machine) {
    let listener = machine.listener();
    let address = listener.local_address();
    let (client, waiting) = machine.connected(&listener);
    listener.close();
    // What was accepted is no business of the listener any more.
    let server = machine.remote.adopt(waiting).expect("a first registration");
    machine.write_all(&client, vec![1]);
    assert_eq!(machine.read_exactly(&server, 1), [1]);
    machine.remote.bind(&address, &ListenOptions::default()).expect("the address is free again, at once");
}

fn closed_attempt_reports_nothing(machine: &mut Machine) {
    let listener = machine.listener();
    let client = machine.connect(&listener.local_address());
    let key = client.key();
    client.close();
    assert!(!machine.settle().iter().any(|event| matches!(event, Event::Connected(of, _) if *of == key)));
}

fn address_in_use(machine: &mut Machine) {
    let listener = machine.listener();
    let error = machine
        .remote
        .bind(&listener.local_address(), &ListenOptions::default())
        .expect_err("somebody listens there");
    assert_eq!(error.kind(), ErrorKind::AddrInUse);
    let (client, accepted) = machine.connected(&listener);
    let server = machine.remote.adopt(accepted).expect("a first registration");
    machine.write_all(&client, vec![1]);
    assert_eq!(machine.read_exactly(&server, 1), [1], "the first listener goes on");
}

fn every_split_of_reads(machine: &mut Machine) {
    let (client, server) = machine.pair();
    let sent = pattern(200);
    for room in 1..=17 {
        machine.write_all(&client, sent.clone());
        let mut received = Vec::new();
        while received.len() < sent.len() {
            let part = room.min(sent.len() - received.len());
            received.extend(machine.read_exactly(&server, part));
        }
        assert_eq!(received, sent, "read {room} bytes at a time");
    }
}

fn gathers_many_buffers(machine: &mut Machine) {
    let (client, server) = machine.pair();
    let mut batch = Batch::new();
    let mut sent = Vec::new();
    for i in 0..300 {
        let bytes = pattern(i % 7);
        sent.extend_from_slice(&bytes);
        if i % 2 == 0 { batch.push(bytes) } else { batch.push(Buffer::Shared(std::sync::Arc::new(bytes))) }
    }
    machine.write_all(&client, batch);
    assert_eq!(machine.read_exactly(&server, sent.len()), sent);
}

/// Header and body arrive in order however often the kernel is full. What it did not take is the caller's to write again, or to give away
/// in a batch that the driver may keep.
fn borrowed_bytes_are_written_and_not_kept(machine: &mut Machine) {
    let (client, server) = machine.pair();
    let writer = client.writer();
    let all = pattern(3 * 251 * 1000);
    let (header, body) = all.split_at(251);
    for _ in 0..2 {
        let (mut batch, mut rest) = (Batch::from(header.to_vec()), body);
        let mut received = Vec::new();
        loop {
            let before = batch.written_bytes() + body.len() - rest.len();
            writer.write_borrowed(&mut batch, &mut rest).expect("a connection that takes bytes");
            assert!(rest.len() == body.len() || batch.remaining_bytes() == 0, "the batch goes first");
            let taken = batch.written_bytes() + body.len() - rest.len();
            received.extend(machine.read_exactly(&server, taken - before));
            if taken == all.len() || !writer.reports_writable() {
                break;
            }
            client.rearm(Interest::Writable);
            machine.expect_writable(&client);
        }
        if received.len() < all.len() {
            batch.push(body.to_vec());
            batch.advance(body.len() - rest.len());
            let left = batch.remaining_bytes();
            let written = client.write(batch);
            received.extend(machine.read_exactly(&server, left));
            match written {
                Written::Done(_) => {}
                Written::Pending => assert_eq!(machine.expect_written(&client).remaining_bytes(), 0),
                other => panic!("writing ended with {other:?}"),
            }
        }
        assert!(received == all, "bytes were lost or moved");
        machine.settle().clear();
    }
}

fn writing_borrowed_bytes_to_the_dead_fails(machine: &mut Machine) {
    let (client, server) = machine.pair();
    let writer = client.writer();
    drop(server);
    client.close();
    let mut batch = Batch::from(vec![1, 2]);
    let mut rest = &[3u8][..];
    let error = writer.write_borrowed(&mut batch, &mut rest).expect_err("it is closed");
    assert_eq!((batch.remaining_bytes(), rest.len(), error.kind()), (2, 1, ErrorKind::NotConnected));
    assert!(!writer.wait_writable(Duration::from_secs(60)), "nobody waits for a closed stream");
}

/// What is left when the kernel takes no more.
enum Rest {
    /// After `Writable` it takes more of this.
    Blocked(Batch),
    /// The driver has it.
    Pending,
}

/// Writes until the kernel takes no more: what is left, and how much is to be read without any further write.
fn fill(stream: &Stream) -> (Rest, usize) {
    const PIECE: usize = 251 * 1000;
    let mut taken = 0;
    loop {
        match stream.write(Batch::from(pattern(PIECE))) {
            Written::Done(batch) => taken += batch.written_bytes(),
            Written::Blocked(batch) => {
                taken += batch.written_bytes();
                return (Rest::Blocked(batch), taken);
            }
            Written::Pending => return (Rest::Pending, taken + PIECE),
            Written::Failed(_, error) => panic!("writing ended with {error}"),
        }
    }
}

fn blocked_writer_hears_of_room(machine: &mut Machine) {
    let (client, server) = machine.pair();
    for _ in 0..3 {
        let (rest, taken) = fill(&client);
        let mut received = machine.read_exactly(&server, taken);
        match rest {
            Rest::Pending => assert_eq!(machine.expect_written(&client).remaining_bytes(), 0),
            Rest::Blocked(mut rest) => {
                while rest.remaining_bytes() > 0 {
                    client.rearm(Interest::Writable);
                    machine.expect_writable(&client);
                    let before = rest.written_bytes();
                    rest = match client.write(rest) {
                        Written::Done(batch) | Written::Blocked(batch) => batch,
                        other => panic!("writing ended with {other:?}"),
                    };
                    received.extend(machine.read_exactly(&server, rest.written_bytes() - before));
                }
            }
        }
        assert!(in_order(&received), "bytes were lost or moved");
    }
}

fn in_order(received: &[u8]) -> bool {
    received.chunks(251).all(|chunk| chunk == pattern(251))
}

fn writable_only_after_blocked(machine: &mut Machine) {
    let (client, server) = machine.pair();
    for _ in 0..5 {
        match client.write(Batch::from(vec![1])) {
            Written::Done(_) => {}
            other => panic!("one byte did not fit: {other:?}"),
        }
        machine.read_exactly(&server, 1);
        assert!(!machine.settle().iter().any(|event| matches!(event, Event::Writable(_))));
    }
}

fn written_before_close_arrives(machine: &mut Machine) {
    let (client, server) = machine.pair();
    let sent = pattern(40_000);
    machine.write_all(&client, sent.clone());
    client.close();
    assert_eq!(machine.read_to_end(&server), sent);
    assert_eq!(server.read(&mut [0; 8]).expect("an end is no error"), Read::End, "the end stays");
}

fn half_close_leaves_the_other_half(machine: &mut Machine) {
    if cfg!(windows) && machine.world.is_none() && !machine.is_tcp() {
        // Pipes have no half of a close.
        return;
    }
    let (client, server) = machine.pair();
    machine.write_all(&client, pattern(10));
    client.shutdown_write();
    assert_eq!(machine.read_to_end(&server), pattern(10));
    machine.write_all(&server, pattern(20));
    assert_eq!(machine.read_exactly(&client, 20), pattern(20));
    match client.write(Batch::from(vec![1])) {
        Written::Failed(batch, _) => assert_eq!(batch.remaining_bytes(), 1),
        other => panic!("wrote after the end: {other:?}"),
    }
}

/// Whoever trusts `is_drained_by` must not miss the end that came together with the last bytes.
fn end_is_found_without_a_second_event(machine: &mut Machine) {
    for length in [1, 100] {
        let (client, server) = machine.pair();
        machine.write_all(&client, pattern(length));
        client.close();
        let mut received = Vec::new();
        let mut buffer = [0; 64];
        machine.settle();
        machine.expect_readable(&server);
        loop {
            let drained = match server.read(&mut buffer).expect("a connection that ends well") {
                Read::Bytes(count) => {
                    received.extend_from_slice(&buffer[..count]);
                    server.is_drained_by(count, buffer.len())
                }
                Read::WouldBlock => true,
                Read::End => break,
            };
            if drained {
                machine.wait_readable(&server);
            }
        }
        assert_eq!(received, pattern(length));
    }
}

fn adopted_stream_reports_what_waits(machine: &mut Machine) {
    let listener = machine.listener();
    let (client, accepted) = machine.connected(&listener);
    machine.write_all(&client, pattern(5));
    machine.settle();
    let server = machine.remote.adopt(accepted).expect("a first registration");
    machine.expect_readable(&server);
    assert_eq!(machine.read_exactly(&server, 5), pattern(5));
}

fn writers_end_with_their_stream(machine: &mut Machine) {
    let (client, server) = machine.pair();
    let (key, writer) = (client.key(), client.writer());
    machine.settle().clear();
    client.close();
    let heard = std::mem::take(machine.settle());
    let about = |event: &Event| event.key() == Some(key) && !matches!(event, Event::Closed(_));
    assert!(machine.spurious || !heard.iter().any(about), "{heard:?}");
    machine.seen_again(heard);
    match writer.write(Batch::from(vec![1, 2])) {
        Written::Failed(batch, error) => {
            assert_eq!((batch.remaining_bytes(), error.kind()), (2, ErrorKind::NotConnected));
        }
        other => panic!("wrote to a closed stream: {other:?}"),
    }
    assert_eq!(machine.read_to_end(&server), [], "the peer sees the end although a writer is alive");
}

fn writing_to_the_dead_fails(machine: &mut Machine) {
    let (client, server) = machine.pair();
    drop(server);
    // The first bytes may still be taken; the answer to them ends it. A signal would end the test.
    let error = loop {
        match client.write(Batch::from(vec![0; 64])) {
            Written::Done(_) | Written::Blocked(_) => drop(machine.settle()),
            Written::Failed(_, error) => break error,
            Written::Pending => match machine.expect_returned(client.key()) {
                (_, Ok(())) => {}
                (_, Err(error)) => break error,
            },
        }
    };
    assert!(matches!(error.kind(), ErrorKind::BrokenPipe | ErrorKind::ConnectionReset), "{error}");
}

fn wake_ends_a_wait(machine: &mut Machine) {
    for _ in 0..3 {
        let remote = machine.remote.clone();
        let waker = std::thread::spawn(move || remote.wake());
        if machine.world.is_some() {
            // A virtual wait does not wait.
            while !waker.is_finished() {
                std::thread::yield_now();
            }
        }
        machine.expect("a wake", |event| matches!(event, Event::Woken));
        waker.join().expect("no panic").expect("a driver that works");
    }
    assert!(!machine.settle().iter().any(|event| matches!(event, Event::Woken)));
}

fn stale_events_name_nobody(machine: &mut Machine) {
    let mut keys = std::collections::BTreeSet::new();
    for taken_before_close in [true, false, true, false] {
        let (client, server) = machine.pair();
        let old = server.key();
        machine.write_all(&client, pattern(3));
        if taken_before_close {
            machine.settle();
        } else if let Some(world) = &machine.world {
            world.next_due().into_iter().for_each(|due| world.advance_to(due));
        }
        drop(server);
        let (_other_end, newer) = machine.pair();
        let events = std::mem::take(machine.settle());
        let about_newer = events.iter().any(|event| event.key() == Some(newer.key()));
        assert!(machine.spurious || !about_newer, "heard of another's bytes: {events:?}");
        assert_eq!(newer.read(&mut [0; 8]).expect("a connection that lives"), Read::WouldBlock);
        assert!(keys.insert(old), "a key was used twice");
        assert_ne!(old, newer.key());
    }
}

fn foreign_registration_gives_back(machine: &mut Machine) {
    let listener = machine.listener();
    let (client, accepted) = machine.connected(&listener);
    let stranger = match &machine.world {
        None => World::new(1).driver(),
        Some(_) => serverlink_driver::Driver::open(Kind::native()).expect("the native driver"),
    };
    let failure = stranger.remote().adopt(accepted).expect_err("they have nothing in common");
    assert_eq!(failure.error.kind(), ErrorKind::InvalidInput);
    let server = machine.remote.adopt(failure.object).expect("it is as good as new");
    machine.write_all(&client, vec![7]);
    assert_eq!(machine.read_exactly(&server, 1), [7]);

    let address = machine.free_address();
    let unregistered = machine.remote.bind(&address, &ListenOptions::default()).expect("a free address");
    let failure = stranger.remote().listen(unregistered).expect_err("they have nothing in common");
    machine.remote.listen(failure.object).expect("it is as good as new");
}

fn empty_calls_do_nothing(machine: &mut Machine) {
    let (client, server) = machine.pair();
    machine.settle().clear();
    assert_eq!(client.read(&mut []).expect("nothing to fail"), Read::Bytes(0));
    assert!(matches!(client.write(Batch::new()), Written::Done(_)));
    assert!(matches!(client.write(Batch::from(Vec::<u8>::new())), Written::Done(_)));
    assert_eq!(server.read(&mut [0; 4]).expect("a connection that lives"), Read::WouldBlock);
    let mut events = Events::new();
    machine.driver.wait(&mut events, Some(Duration::ZERO)).expect("a driver that works");
    assert!(events.is_empty() && !events.interrupted());
}

/// Closing with input unread destroys what was written before: why closing means reading to the end first.
fn reset_after_unread_input(machine: &mut Machine) {
    let (client, server) = machine.pair();
    machine.write_all(&client, pattern(10));
    machine.expect_readable(&server);
    server.close();
    machine.settle();
    let mut buffer = [0; 8];
    let outcome = loop {
        match client.read(&mut buffer) {
            Ok(Read::WouldBlock) => machine.wait_readable(&client),
            outcome => break outcome,
        }
    };
    match outcome {
        Err(error) => assert_eq!(error.kind(), ErrorKind::ConnectionReset),
        // Shutting down goes ahead of the reset.
        Ok(read) => assert_eq!(read, Read::End),
    }
}

/// Whatever the driver still had to write is the caller's again, and said to be unwritten.
fn closing_gives_a_kept_batch_back(machine: &mut Machine) {
    let (client, _server) = machine.pair();
    let (rest, _) = fill(&client);
    let key = client.key();
    client.close();
    if let Rest::Pending = rest {
        let (batch, outcome) = machine.expect_returned(key);
        outcome.expect_err("nobody read it");
        assert!(batch.remaining_bytes() > 0);
        assert_eq!(batch.remaining_bytes() + batch.written_bytes(), 251_000);
    }
    machine.expect_closed(key);
}

fn a_reset_gives_a_kept_batch_back(machine: &mut Machine) {
    let (client, server) = machine.pair();
    let (rest, _) = fill(&client);
    machine.expect_readable(&server);
    // With so much unread, the client learns that nobody will read it.
    server.close();
    if let Rest::Pending = rest {
        let (batch, outcome) = machine.expect_returned(client.key());
        let error = outcome.expect_err("nobody reads it");
        assert!(
            matches!(error.kind(), ErrorKind::BrokenPipe | ErrorKind::ConnectionReset),
            "{error} after {} bytes",
            batch.written_bytes()
        );
        assert!(batch.remaining_bytes() > 0);
    }
}

/// Sources are closed with everything in flight that can be.
fn nothing_follows_the_last_event(machine: &mut Machine) {
    let registered = machine.remote.registration_count();
    let listener = machine.listener();
    let (client, accepted) = machine.connected(&listener);
    let server = machine.remote.adopt(accepted).expect("a first registration");
    let (_rest, _) = fill(&client);
    server.rearm(Interest::Readable);
    let attempt = machine.connect(&listener.local_address());
    let keys = [client.key(), server.key(), attempt.key(), listener.key()];
    client.close();
    server.close();
    attempt.close();
    listener.close();
    keys.into_iter().for_each(|key| machine.expect_closed(key));
    assert_eq!(machine.remote.registration_count(), registered);
    let spurious = machine.spurious;
    // Whatever was on its way came before this.
    let _newer = machine.pair();
    let heard = machine.settle();
    let late = |event: &&Event| event.key().is_some_and(|key| keys.contains(&key));
    assert!(spurious || heard.iter().find(late).is_none(), "behind the last event: {heard:?}");
}

/// A write may end after the thread that began it.
fn what_a_thread_left_behind_is_written_once(machine: &mut Machine) {
    let (client, server) = machine.pair();
    let (client, rest, taken) = std::thread::spawn(move || {
        let (rest, taken) = fill(&client);
        (client, rest, taken)
    })
    .join()
    .expect("no panic");
    let mut received = Vec::new();
    let mut buffer = [0; 4096];
    // A driver may give the connection up, and then says so; but it writes nothing twice.
    while received.len() < taken {
        match server.read(&mut buffer) {
            Ok(Read::Bytes(count)) => received.extend_from_slice(&buffer[..count]),
            Ok(Read::WouldBlock) => machine.wait_readable(&server),
            Ok(Read::End) | Err(_) => break,
        }
    }
    assert!(received.chunks(251).all(|chunk| pattern(251).starts_with(chunk)), "bytes were lost or moved");
    if let Rest::Pending = rest {
        let (batch, outcome) = machine.expect_returned(client.key());
        assert!(outcome.is_err() || (batch.remaining_bytes() == 0 && received.len() == taken));
    }
}
