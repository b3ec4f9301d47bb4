//! The laws of completion ports, one by one, as the simulated machine keeps them.

#[path = "support/bench.rs"]
mod bench;

use std::io::ErrorKind;
use std::sync::Arc;
use std::time::Duration;

use bench::{Bench, bytes};
use serverlink_driver::sim::{Association, Faults, World};
use serverlink_driver::{
    Address, Batch, Buffer, Event, Events, Interest, ListenOptions, Read, Stream, StreamOptions, Written,
};

const COMPLETIONS: Faults = Faults { completions: true, ..Faults::NONE };
/// Everything has its own delay, and comes in any order.
const SHUFFLED: Faults = Faults {
    min_latency: Duration::ZERO,
    max_latency: Duration::from_millis(5),
    reorder: 0.8,
    ..COMPLETIONS
};

/// Closes the listener: nothing may be left of the machine when all streams are closed.
fn end(bench: Bench) {
    let Bench { world, mut driver, listener, .. } = bench;
    listener.close();
    while world.registration_count() > 0 {
        world.next_due().into_iter().for_each(|due| world.advance_to(due));
        driver.wait(&mut Events::new(), None).expect("it cannot fail");
    }
    assert_eq!(left_open(&world), [0; 6]);
    assert!(world.associations().iter().all(once), "{:?}", world.associations());
}

fn once(entry: &Association) -> bool {
    (entry.associated, entry.refused) == (1, 0)
}

fn left_open(world: &World) -> [usize; 6] {
    [
        world.descriptor_count(),
        world.associated_count(),
        world.registration_count(),
        world.operation_count(),
        world.connection_count(),
        world.bound_count(),
    ]
}

/// A batch, and what tells whether somebody still holds its memory.
fn watched(length: usize) -> (Batch, std::sync::Weak<Vec<u8>>) {
    let memory = Arc::new(bytes(length));
    let watch = Arc::downgrade(&memory);
    (Batch::from(vec![Buffer::Shared(memory)]), watch)
}

// ---- one association for life

#[test]
fn a_second_association_is_refused_with_87() {
    for faults in [COMPLETIONS, SHUFFLED] {
        let world = World::with_faults(1, faults);
        let (first, other) = (world.raw_port(), world.raw_port());
        let socket = world.raw_socket().expect("descriptors enough");
        socket.associate(&first).expect("the first time");
        let refused = |outcome: std::io::Result<()>, why: &str| {
            assert_eq!(outcome.expect_err(why).raw_os_error(), Some(87), "{why}");
        };
        refused(socket.associate(&first), "the same port has it");
        refused(socket.associate(&other), "another port has it");
        let duplicate = socket.duplicate().expect("descriptors enough");
        assert_ne!(duplicate.value(), socket.value());
        refused(duplicate.associate(&other), "a duplicated handle is the same socket");
        drop(first);
        refused(socket.associate(&other), "the port that had it is closed, and that changes nothing");
        assert_eq!(socket.forget(&other).expect_err("there is no such call").kind(), ErrorKind::Unsupported);

        let entry = Association { socket: 1, handle: socket.value(), associated: 1, refused: 4 };
        assert_eq!(world.associations(), [entry]);
        assert_eq!(world.refused_associations(), 4);
        // A new socket is a new life, also where it gets the old one's value.
        let value = socket.value();
        socket.close().expect("it is open");
        duplicate.close().expect("it is open");
        let newer = world.raw_socket().expect("descriptors enough");
        assert_eq!(newer.value(), value);
        newer.associate(&other).expect("the first time");
        newer.close().expect("it is open");
        assert_eq!(newer.close().expect_err("it is closed").raw_os_error(), Some(6));
        while let Some(due) = world.next_due() {
            world.advance_to(due);
        }
        assert_eq!(left_open(&world), [0; 6]);
    }
}

/// What the other machine allows: that is why the design of the connecter in `wrong_connecter.rs` passed for years.
#[test]
fn epoll_refuses_only_what_it_watches() {
    let world = World::new(1);
    let (first, other) = (world.raw_port(), world.raw_port());
    let socket = world.raw_socket().expect("descriptors enough");
    socket.associate(&first).expect("the first time");
    assert_eq!(socket.associate(&first).expect_err("it is there").raw_os_error(), Some(17));
    socket.associate(&other).expect("another epoll");
    socket.duplicate().expect("descriptors enough").associate(&first).expect("another descriptor");
    socket.forget(&first).expect("it can be undone");
    socket.associate(&first).expect("as if it were new");
    assert_eq!(world.associations().iter().map(|entry| entry.associated).collect::<Vec<_>>(), [4]);
}

#[test]
fn drivers_associate_each_socket_once() {
    for seed in 0..50 {
        let mut bench = Bench::new(World::with_faults(seed, SHUFFLED.under_laws_of(seed)));
        for round in 0..5 {
            let (client, accepted) = bench.connect(&StreamOptions::default());
            let other = bench.world.driver();
            let remote = if round % 2 == 0 { other.remote() } else { bench.remote.clone() };
            bench.world.fail_registrations(1);
            let failure = remote.adopt(accepted).expect_err("it was told to fail");
            let server = remote.adopt(failure.object).expect("a first registration");
            client.close();
            server.close();
            bench.settle();
        }
        let ledger = bench.world.associations();
        assert_eq!(ledger.len(), 1 + 2 * 5, "a listener, and both ends of each connection");
        assert!(ledger.iter().all(once), "{ledger:?}");
        end(bench);
    }
}

#[test]
fn a_registration_that_fails_leaves_nothing() {
    let mut bench = Bench::new(World::with_faults(1, COMPLETIONS));
    let before = left_open(&bench.world);
    bench.world.fail_registrations(1);
    let target = bench.listener.local_address();
    let error = bench.remote.connect(&target, &StreamOptions::default()).expect_err("it was told to fail");
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    assert_eq!(left_open(&bench.world), before);
    assert_eq!(bench.settle().len(), 0, "no event comes for it");
    end(bench);
}

#[test]
fn drivers_of_an_outer_poller_share_its_port_and_no_source() {
    let world = World::with_faults(1, COMPLETIONS);
    let outer = world.outer();
    let mut drivers = [outer.waker().open_driver(), outer.waker().open_driver()].map(Result::unwrap);
    let address = Address::Tcp("127.0.0.1:0".parse().expect("an address"));
    let remote = drivers[0].remote();
    let listener = remote.bind(&address, &ListenOptions::default()).expect("a free address");
    let listener = remote.listen(listener).expect("a first registration");
    let client =
        drivers[1].remote().connect(&listener.local_address(), &Default::default()).expect("an attempt");
    world.advance_to(world.next_due().expect("the attempt"));
    let heard = drivers.each_mut().map(|driver| {
        let mut events = Events::new();
        driver.wait(&mut events, None).expect("it cannot fail");
        events.collect::<Vec<_>>()
    });
    assert!(matches!(heard[0][..], [Event::Acceptable(_)]), "{heard:?}");
    assert!(matches!(heard[1][..], [Event::Connected(key, Ok(()))] if key == client.key()), "{heard:?}");
}

#[test]
fn a_machine_keeps_its_laws() {
    for completions in [false, true] {
        let world = World::with_faults(1, Faults { completions, ..Faults::NONE });
        let remote = world.driver().remote();
        world.set_faults(Faults { completions: !completions, ..Faults::HARSH });
        assert_eq!((world.has_completions(), remote.reports_closed()), (completions, completions));
    }
}

// ---- writes

#[test]
fn a_write_that_does_not_fit_is_pending_and_goes_on_by_itself() {
    for (seed, short_write) in [(1, 0.0), (2, 0.9)] {
        let mut bench = Bench::new(World::with_faults(seed, Faults { short_write, ..SHUFFLED }));
        let (client, server) = bench.narrow_pair(100);
        let (batch, memory) = watched(1000);
        assert!(matches!(client.write(batch), Written::Pending));
        assert!(memory.upgrade().is_some(), "the driver has it");
        client.shutdown_write();
        let (mut received, mut written) = (Vec::new(), 0);
        loop {
            for event in bench.settle() {
                match event {
                    Event::Written(key, batch, outcome) => {
                        assert_eq!((key, batch.remaining_bytes()), (client.key(), 0));
                        outcome.expect("a connection that lives");
                        written += 1;
                    }
                    Event::Writable(_) => panic!("nobody waits for room"),
                    _ => {}
                }
            }
            let mut buffer = [0; 64];
            match server.read(&mut buffer).expect("a connection that lives") {
                Read::Bytes(count) => received.extend_from_slice(&buffer[..count]),
                Read::WouldBlock => server.rearm(Interest::Readable),
                Read::End => break,
            }
        }
        assert_eq!((received, written), (bytes(1000), 1), "the end comes after the rest");
        assert!(memory.upgrade().is_none(), "the batch came back and was dropped");
        drop((client, server));
        end(bench);
    }
}

#[test]
fn a_cancelled_write_keeps_its_memory_until_it_comes_home() {
    let mut bench = Bench::new(World::with_faults(1, COMPLETIONS));
    let (client, server) = bench.narrow_pair(100);
    let (batch, memory) = watched(1000);
    assert!(matches!(client.write(batch), Written::Pending));
    bench.taken();
    let key = client.key();
    client.close();
    assert_eq!(bench.taken().len(), 0, "its operations are under way");
    assert!(memory.upgrade().is_some(), "and the system may still read its memory");

    let mut about = bench.settle();
    about.retain(|event| event.key() == Some(key));
    match &about[..] {
        [Event::Written(_, batch, Err(error)), Event::Closed(_)] => {
            assert_eq!(error.kind(), ErrorKind::ConnectionAborted);
            assert_eq!(batch.written_bytes(), 100, "what was taken before");
        }
        other => panic!("expected the batch and the end, got {other:?}"),
    }
    assert!(memory.upgrade().is_some(), "the event has it");
    drop(about);
    assert!(memory.upgrade().is_none());
    drop(server);
    end(bench);
}

#[test]
fn a_reset_gives_a_pending_batch_back() {
    let mut bench = Bench::new(World::with_faults(1, COMPLETIONS));
    let (client, server) = bench.narrow_pair(100);
    assert!(matches!(client.write(Batch::from(bytes(1000))), Written::Pending));
    bench.world.reset_connections();
    let outcomes: Vec<ErrorKind> = bench
        .settle()
        .into_iter()
        .filter_map(|event| match event {
            Event::Written(key, _, Err(error)) if key == client.key() => Some(error.kind()),
            _ => None,
        })
        .collect();
    assert_eq!(outcomes, [ErrorKind::ConnectionReset]);
    assert!(matches!(client.write(Batch::from(bytes(1))), Written::Failed(..)));
    drop((client, server));
    end(bench);
}

#[test]
#[should_panic(expected = "written before Event::Written brought its pending batch back")]
fn a_second_write_while_one_is_pending_is_found() {
    let mut bench = Bench::new(World::with_faults(1, COMPLETIONS));
    let (client, _server) = bench.narrow_pair(100);
    assert!(matches!(client.write(Batch::from(bytes(1000))), Written::Pending));
    let _ = client.write(Batch::from(bytes(1)));
}

/// A port that nobody waits on any more still owns the memory of its operations, and nobody hears of them.
#[test]
fn a_driver_that_is_gone_hears_nothing() {
    let mut bench = Bench::new(World::with_faults(1, COMPLETIONS));
    let mut other = bench.world.driver();
    let options = StreamOptions { send_buffer: Some(100), ..StreamOptions::default() };
    let client = other.remote().connect(&bench.listener.local_address(), &options).expect("an attempt");
    bench.settle();
    other.wait(&mut Events::new(), None).expect("it cannot fail");
    let (batch, memory) = watched(1000);
    assert!(matches!(client.write(batch), Written::Pending));
    drop(other);
    drop(client);
    assert!(memory.upgrade().is_some());
    bench.settle();
    assert!(memory.upgrade().is_none());
    assert!(bench.world.is_quiet());
    end(bench);
}

// ---- closing

#[test]
fn closed_is_the_last_event_of_a_key_and_comes_once() {
    let mut orders = std::collections::BTreeSet::new();
    for seed in 0..200 {
        let mut bench = Bench::new(World::with_faults(seed, Faults { spurious: 0.4, ..SHUFFLED }));
        let (client, server) = bench.narrow_pair(100);
        let keys = [client.key(), server.key()];
        let pending = matches!(client.write(Batch::from(bytes(1000))), Written::Pending);
        assert!(pending);
        client.close();
        server.close();
        let heard = bench.settle();
        for key in keys {
            let about: Vec<&Event> = heard.iter().filter(|event| event.key() == Some(key)).collect();
            let closed = about.iter().filter(|event| matches!(event, Event::Closed(_))).count();
            assert!(closed == 1 && matches!(about.last(), Some(Event::Closed(_))), "seed {seed}: {about:?}");
        }
        orders.insert(format!("{heard:?}"));
        end(bench);
    }
    assert!(orders.len() > 20, "seeds differ, and so do the orders: {}", orders.len());
}

#[test]
fn an_outcome_is_the_first_event_of_its_key() {
    let mut overtaken = 0;
    for seed in 0..200 {
        let mut bench = Bench::new(World::with_faults(seed, Faults { spurious: 0.4, ..SHUFFLED }));
        let target = bench.listener.local_address();
        let attempts: Vec<Stream> =
            (0..4).map(|_| bench.remote.connect(&target, &Default::default()).expect("an attempt")).collect();
        let heard = bench.settle();
        let mut outcomes = Vec::new();
        for event in &heard {
            match event {
                Event::Connected(key, Ok(())) => outcomes.push(*key),
                Event::Acceptable(_) => {}
                event => {
                    assert!(event.key().is_some_and(|key| outcomes.contains(&key)), "{event:?} in {heard:?}")
                }
            }
        }
        assert_eq!(outcomes.len(), 4);
        let started: Vec<_> = attempts.iter().map(Stream::key).collect();
        overtaken += usize::from(outcomes != started);
        drop(attempts);
        end(bench);
    }
    assert!(overtaken > 50, "attempts end in any order: {overtaken} of 200");
}

#[test]
fn an_address_is_free_when_its_listener_came_to_its_end() {
    let world = World::with_faults(1, COMPLETIONS);
    let mut driver = world.driver();
    let remote = driver.remote();
    let bind = || remote.bind(&Address::Tcp(([127, 0, 0, 1], 4000).into()), &ListenOptions::default());
    let listener = remote.listen(bind().expect("a free address")).expect("it registers");
    let key = listener.key();
    listener.close();
    assert_eq!(bind().expect_err("operations of the listener hold it").kind(), ErrorKind::AddrInUse);
    let mut events = Events::new();
    driver.wait(&mut events, None).expect("it cannot fail");
    assert!(events.any(|event| matches!(event, Event::Closed(closed) if closed == key)));
    bind().expect("it is free");
}

#[test]
fn values_are_used_again_while_the_old_source_is_still_closing() {
    let mut bench = Bench::new(World::with_faults(1, COMPLETIONS));
    let (client, _server) = bench.narrow_pair(100);
    let values = |world: &World| world.associations().iter().map(|entry| entry.handle).collect::<Vec<_>>();
    assert_eq!(values(&bench.world), [1, 2, 3]);
    let writer = client.writer();
    client.close();
    let _next =
        bench.remote.connect(&bench.listener.local_address(), &Default::default()).expect("an attempt");
    assert_eq!(values(&bench.world), [1, 2, 3, 2], "its value is another socket's");
    match writer.write(Batch::from(bytes(1))) {
        Written::Failed(_, error) => assert_eq!(error.kind(), ErrorKind::NotConnected),
        other => panic!("wrote to a stranger: {other:?}"),
    }
    assert_eq!(bench.remote.registration_count(), 4, "and its key is not forgotten yet");
    drop(writer);
    assert_eq!(bench.world.descriptor_count(), 3, "dropping the writer closes no stranger's handle");
    bench.settle();
    assert_eq!(bench.remote.registration_count(), 3);
}

#[test]
fn an_aborted_receive_is_a_reason_to_look_and_no_more() {
    let mut bench = Bench::new(World::with_faults(1, Faults { spurious: 1.0, ..COMPLETIONS }));
    let (client, server) = bench.narrow_pair(100);
    for _ in 0..5 {
        let heard = bench.settle();
        assert!(heard.iter().any(|event| matches!(event, Event::Readable(key) if *key == server.key())));
        assert_eq!(server.read(&mut [0; 8]).expect("a connection that lives"), Read::WouldBlock);
        server.rearm(Interest::Readable);
    }
    assert!(matches!(client.write(Batch::from(bytes(3))), Written::Done(_)));
    bench.settle();
    assert_eq!(server.read(&mut [0; 8]).expect("a connection that lives"), Read::Bytes(3));
}
