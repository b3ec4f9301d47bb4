//! The simulated machine: what only it can show.

#[path = "support/bench.rs"]
mod bench;

use std::fmt::Write as _;
use std::io::ErrorKind;
use std::time::Duration;

use bench::{Bench, bytes};
use serverlink_driver::sim::{Faults, World};
use serverlink_driver::{Batch, Event, Events, Interest, Read, Stream, StreamOptions, Written};

/// Reads what there is: the bytes, and how it ended.
fn read_all(stream: &Stream) -> (Vec<u8>, std::io::Result<Read>) {
    let mut all = Vec::new();
    let mut buffer = [0; 7];
    loop {
        match stream.read(&mut buffer) {
            Ok(Read::Bytes(count)) => all.extend_from_slice(&buffer[..count]),
            outcome => return (all, outcome),
        }
    }
}

#[test]
fn a_doomed_connection_carries_exactly_its_bytes() {
    for doom in 0..=20 {
        let mut bench = Bench::new(World::new(doom));
        bench.world.reset_next_connection_at(doom);
        let (client, server) = bench.pair();
        let outcome = client.write(Batch::from(bytes(20)));
        assert_eq!(matches!(outcome, Written::Failed(..)), doom == 0, "{outcome:?}");
        bench.settle();
        let (received, end) = read_all(&server);
        assert_eq!(received, bytes(usize::try_from(doom).expect("a small number")));
        assert_eq!(end.expect_err("it broke").kind(), ErrorKind::ConnectionReset);
        assert_eq!(read_all(&client).1.expect_err("it broke").kind(), ErrorKind::ConnectionReset);

        drop((client, server));
        let (client, server) = bench.pair();
        assert!(matches!(client.write(Batch::from(bytes(20))), Written::Done(_)));
        bench.settle();
        assert_eq!(read_all(&server).0, bytes(20), "the next one is sound");
        drop((client, server));
        bench.settle();
        assert_eq!((bench.world.connection_count(), bench.world.descriptor_count()), (0, 1));
    }
}

/// Sends through a harsh network as an event loop does; returns all that was seen.
fn transfer(seed: u64, faults: Faults) -> (Vec<u8>, String) {
    let mut bench = Bench::new(World::with_faults(seed, faults));
    let mut trace = String::new();
    let client =
        bench.remote.connect(&bench.listener.local_address(), &Default::default()).expect("an attempt");
    let mut server: Option<Stream> = None;
    let mut unsent: Option<Batch> = None;
    let sent = |outcome: Result<(), std::io::Error>, trace: &mut String| match outcome {
        Ok(()) => assert!(client.shutdown_write()),
        Err(error) => writeln!(trace, "{error}").expect("memory"),
    };
    let mut received = Vec::new();
    loop {
        for event in bench.taken() {
            writeln!(trace, "{:?} {event:?}", bench.world.next_due().is_some()).expect("memory");
            match event {
                Event::Connected(_, Ok(())) => unsent = Some(Batch::from(bytes(5000))),
                Event::Acceptable(_) => {
                    while let Some((stream, _)) = bench.listener.accept().expect("descriptors enough") {
                        server = Some(bench.remote.adopt(stream).expect("a first registration"));
                    }
                    bench.listener.rearm();
                }
                Event::Readable(key) => {
                    let Some(stream) = server.as_ref().filter(|stream| stream.key() == key) else { continue };
                    let (more, end) = read_all(stream);
                    received.extend(more);
                    writeln!(trace, "{} {end:?}", received.len()).expect("memory");
                    if matches!(end, Ok(Read::WouldBlock)) {
                        stream.rearm(Interest::Readable);
                    }
                }
                Event::Written(_, _, outcome) => sent(outcome, &mut trace),
                Event::Writable(_)
                | Event::Connected(..)
                | Event::Woken
                | Event::Closed(_)
                | Event::Error(..) => {}
            }
            if let Some(batch) = unsent.take() {
                match client.write(batch) {
                    Written::Done(_) => sent(Ok(()), &mut trace),
                    Written::Blocked(rest) => unsent = Some(rest),
                    Written::Failed(_, error) => sent(Err(error), &mut trace),
                    Written::Pending => {}
                }
                client.rearm(Interest::Writable);
            }
        }
        match bench.world.next_due() {
            Some(due) => bench.world.advance_to(due),
            None if bench.world.is_quiet() => return (received, trace),
            None => {}
        }
    }
}

#[test]
fn a_seed_repeats_everything() {
    let mut traces = std::collections::BTreeSet::new();
    for seed in 0..50 {
        let (_, first) = transfer(seed, Faults::HARSH);
        let (_, second) = transfer(seed, Faults::HARSH);
        assert_eq!(first, second, "seed {seed}");
        traces.insert(first);
    }
    assert!(traces.len() > 40, "seeds differ");
}

#[test]
fn bytes_keep_their_order_whatever_happens() {
    let mut whole = 0;
    for seed in 0..200 {
        let completions = seed % 2 == 0;
        let (received, trace) = transfer(seed, Faults { completions, ..Faults::HARSH });
        assert!(bytes(5000).starts_with(&received), "seed {seed}\n{trace}");
        whole += usize::from(received.len() == 5000);
        let (received, trace) =
            transfer(seed, Faults { completions, refuse: 0.0, reset: 0.0, ..Faults::HARSH });
        assert_eq!(received.len(), 5000, "seed {seed}\n{trace}");
    }
    assert!((50..150).contains(&whole), "{whole} of 200 got through");
}

#[test]
fn nothing_arrives_before_its_time() {
    let mut bench = Bench::new(World::with_faults(
        1,
        Faults {
            min_latency: Duration::from_millis(10),
            max_latency: Duration::from_millis(10),
            ..Faults::NONE
        },
    ));
    let (client, server) = bench.pair();
    let sent_at = bench.world.now();
    assert!(matches!(client.write(Batch::from(bytes(3))), Written::Done(_)));
    bench.world.advance_to(sent_at + Duration::from_millis(9));
    assert_eq!(bench.taken().len(), 0);
    assert!(matches!(read_all(&server), (none, Ok(Read::WouldBlock)) if none.is_empty()));
    bench.world.advance_to(sent_at + Duration::from_millis(10));
    assert!(!bench.world.is_quiet());
    assert!(matches!(bench.taken()[..], [Event::Readable(key)] if key == server.key()));
    bench.world.advance_to(sent_at);
    assert_eq!(bench.world.now(), sent_at + Duration::from_millis(10), "time does not go back");
}

#[test]
fn a_frozen_network_is_silent_and_goes_on() {
    let mut bench = Bench::new(World::new(1));
    let (client, server) = bench.pair();
    bench.world.set_frozen(true);
    assert!(matches!(client.write(Batch::from(bytes(3))), Written::Done(_)));
    let attempt =
        bench.remote.connect(&bench.listener.local_address(), &Default::default()).expect("an attempt");
    assert_eq!(bench.settle().len(), 0);
    bench.world.set_frozen(false);
    let events = bench.settle();
    assert!(
        events.iter().any(|event| matches!(event, Event::Connected(key, Ok(())) if *key == attempt.key()))
    );
    assert_eq!(read_all(&server).0, bytes(3));
}

#[test]
fn a_completion_port_owes_one_event_for_each_rearm() {
    let mut bench = Bench::new(World::with_faults(1, Faults { completions: true, ..Faults::NONE }));
    let (client, server) = bench.pair();
    let send = |count| assert!(matches!(client.write(Batch::from(bytes(count))), Written::Done(_)));
    let readable =
        |events: Vec<Event>| events.iter().filter(|event| matches!(event, Event::Readable(_))).count();
    send(1);
    assert_eq!(readable(bench.settle()), 1);
    send(1);
    assert_eq!(readable(bench.settle()), 0, "nobody asked again");
    server.rearm(Interest::Readable);
    assert_eq!(readable(bench.settle()), 1, "what came meanwhile");
    assert_eq!(read_all(&server).0.len(), 2);
    server.rearm(Interest::Readable);
    assert_eq!(readable(bench.settle()), 0);
    send(1);
    assert_eq!(readable(bench.settle()), 1);

    let key = server.key();
    server.close();
    let closed = |events: Vec<Event>| {
        events.iter().filter(|event| matches!(event, Event::Closed(of) if *of == key)).count()
    };
    assert_eq!(closed(bench.taken()), 0, "its operations are still under way");
    assert_eq!(closed(bench.settle()), 1);
}

#[test]
fn a_refused_registration_changes_nothing() {
    let mut bench = Bench::new(World::new(1));
    let (client, accepted) = bench.connect(&StreamOptions::default());
    bench.world.fail_registrations(1);
    let failure = bench.remote.adopt(accepted).expect_err("it was told to fail");
    assert_eq!(failure.error.kind(), ErrorKind::InvalidInput);
    let server = bench.remote.adopt(failure.object).expect("a first registration");
    assert!(matches!(client.write(Batch::from(bytes(3))), Written::Done(_)));
    bench.settle();
    assert_eq!(read_all(&server).0, bytes(3));
}

#[test]
fn drivers_of_one_world_meet() {
    let mut bench = Bench::new(World::new(1));
    let mut other = bench.world.driver();
    let client =
        other.remote().connect(&bench.listener.local_address(), &Default::default()).expect("an attempt");
    let here = bench.settle();
    assert!(matches!(here[..], [Event::Acceptable(_)]), "{here:?}");
    let mut events = Events::new();
    other.wait(&mut events, None).expect("it cannot fail");
    assert!(matches!(events.next(), Some(Event::Connected(key, Ok(()))) if key == client.key()));
    bench.world.reset_connections();
    assert_eq!(read_all(&client).1.expect_err("it broke").kind(), ErrorKind::ConnectionReset);
}
