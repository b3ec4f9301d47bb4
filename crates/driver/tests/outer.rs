//! Drivers under an outer poller, on every back end.

#[path = "support/machine.rs"]
mod machine;

use std::io::ErrorKind;
use std::time::{Duration, Instant};

use machine::{Machine, Network};
use serverlink_driver::sim::Faults;
use serverlink_driver::{Kind, Outer};

const NOW: Option<Duration> = Some(Duration::ZERO);

fn with_each(test: impl Fn(&mut Machine, Outer)) {
    for (kind, is_here) in [
        (Kind::Epoll, cfg!(target_os = "linux")),
        (Kind::Polling, cfg!(any(unix, windows))),
        (Kind::Iocp, cfg!(windows)),
    ] {
        if is_here {
            let outer = Outer::open(kind).expect("the system has this back end");
            test(&mut Machine::under(&outer, Network::V4), outer);
        }
    }
    for completions in [false, true] {
        let mut simulated = Machine::simulated(Faults { completions, ..Faults::NONE }, Network::V4);
        let outer = simulated.world.as_ref().expect("it is simulated").outer();
        test(&mut simulated, outer);
    }
}

fn ready(outer: &mut Outer) -> Vec<u64> {
    let mut ready = Vec::new();
    outer.wait(&mut ready, NOW).expect("a poller that works");
    ready
}

#[test]
fn it_names_drivers_until_they_are_asked() {
    with_each(|machine, mut outer| {
        let waker = outer.waker();
        waker.add(&machine.remote, 7).expect("a new driver");
        machine.settle();
        assert_eq!(ready(&mut outer), []);
        machine.remote.wake().expect("a driver that works");
        assert_eq!(ready(&mut outer), [7]);
        assert_eq!(ready(&mut outer), [7], "only looking takes nothing");
        machine.settle();
        assert_eq!(ready(&mut outer), []);
    });
}

#[test]
fn a_masked_driver_is_not_named() {
    with_each(|machine, mut outer| {
        let waker = outer.waker();
        waker.add(&machine.remote, 7).expect("a new driver");
        waker.mask(7).expect("it is there");
        waker.mask(7).expect("masking twice is masking once");
        machine.remote.wake().expect("a driver that works");
        assert_eq!(ready(&mut outer), []);
        waker.unmask(7).expect("it is there");
        assert_eq!(ready(&mut outer), [7], "what came while it was masked");
        waker.remove(7).expect("it is there");
        assert_eq!(ready(&mut outer), []);
    });
}

#[test]
fn connections_reach_through() {
    with_each(|machine, mut outer| {
        let (client, server) = machine.pair();
        machine.settle();
        outer.waker().add(&machine.remote, 1).expect("a new driver");
        // Some back ends stir once when they are added.
        machine.settle();
        machine.write_all(&client, vec![1, 2, 3]);
        if let Some(world) = &machine.world {
            world.advance_to(world.next_due().expect("bytes are on their way"));
        }
        let mut ready = Vec::new();
        while ready.is_empty() {
            outer.wait(&mut ready, Some(Duration::from_secs(30))).expect("a poller that works");
        }
        assert_eq!(ready, [1]);
        assert_eq!(machine.read_exactly(&server, 3), [1, 2, 3]);
    });
}

#[test]
fn wakes_and_timers_end_a_wait() {
    with_each(|machine, mut outer| {
        if machine.world.is_some() {
            return;
        }
        let waker = outer.waker();
        let mut ready = Vec::new();
        waker.wake().expect("a poller that works");
        outer.wait(&mut ready, None).expect("a poller that works");

        let start = Instant::now();
        waker.arm(Duration::from_secs(3600)).expect("a timer that works");
        waker.arm(Duration::from_micros(300)).expect("a timer that works");
        while start.elapsed() < Duration::from_micros(300) {
            outer.wait(&mut ready, None).expect("a poller that works");
        }

        // Armed while somebody sleeps.
        let sleeper = std::thread::spawn(move || outer.wait(&mut Vec::new(), None).map(|()| outer));
        waker.arm(Duration::from_millis(1)).expect("a timer that works");
        let mut outer = sleeper.join().expect("no panic").expect("a poller that works");

        waker.arm(Duration::from_nanos(1)).expect("a timer that works");
        waker.disarm().expect("a timer that works");
        assert_eq!(self::ready(&mut outer), []);
        assert_eq!(ready, []);
    });
}

#[test]
fn a_virtual_timer_is_due() {
    let machine = Machine::simulated(Faults::NONE, Network::V4);
    let world = machine.world.as_ref().expect("it is simulated");
    let outer = world.outer();
    let start = world.now();
    outer.waker().arm(Duration::from_secs(5)).expect("it cannot fail");
    outer.waker().arm(Duration::from_secs(2)).expect("it cannot fail");
    assert_eq!(world.next_due(), Some(start + Duration::from_secs(2)));
    world.advance_to(start + Duration::from_secs(3));
    assert!(!world.is_quiet(), "somebody should look");
    assert_eq!(world.next_due(), None);
}

#[test]
fn wrong_tokens_are_refused() {
    with_each(|machine, outer| {
        let waker = outer.waker();
        waker.add(&machine.remote, 1).expect("a new driver");
        let kind = |outcome: std::io::Result<()>| outcome.expect_err("it must be refused").kind();
        assert_eq!(kind(waker.add(&machine.remote, 1)), ErrorKind::AlreadyExists);
        assert_eq!(kind(waker.add(&machine.remote, 2)), ErrorKind::AlreadyExists);
        assert_eq!(kind(waker.add(&machine.remote, u64::MAX)), ErrorKind::InvalidInput);
        assert_eq!(kind(waker.mask(9)), ErrorKind::NotFound);
        assert_eq!(kind(waker.unmask(9)), ErrorKind::NotFound);
        assert_eq!(kind(waker.remove(9)), ErrorKind::NotFound);
    });
}
