//! Threads that share a port over a well that the tests fill.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Condvar as StdCondvar, Mutex as StdMutex};
use std::thread;

use slotmap::SlotMap;

use super::*;
use crate::{Events, Key};

const NOW: Option<Duration> = Some(Duration::ZERO);
/// Only a failing test waits so long.
const PATIENCE: Option<Duration> = Some(Duration::from_secs(30));

/// A system's port made of a queue.
#[derive(Debug, Default)]
struct Queue {
    packets: StdMutex<VecDeque<Option<(MemberId, Event)>>>,
    bell: StdCondvar,
    inside: AtomicUsize,
    broken: AtomicBool,
}

impl Queue {
    fn post(&self, packet: Option<(MemberId, Event)>) {
        self.packets.lock().expect("no panic").push_back(packet);
        self.bell.notify_all();
    }
}

impl Well for Queue {
    fn take(&self, taken: &mut Vec<(MemberId, Event)>, timeout: Option<Duration>) -> io::Result<()> {
        assert_eq!(self.inside.fetch_add(1, Ordering::SeqCst), 0, "two threads are in the port");
        let packets = self.packets.lock().expect("no panic");
        let broken = self.broken.load(Ordering::SeqCst);
        let timeout = if broken { Duration::ZERO } else { timeout.unwrap_or(Duration::from_secs(60)) };
        let (mut packets, _) =
            self.bell.wait_timeout_while(packets, timeout, |packets| packets.is_empty()).expect("no panic");
        taken.extend(packets.drain(..).flatten());
        self.inside.fetch_sub(1, Ordering::SeqCst);
        if broken { Err(io::ErrorKind::Other.into()) } else { Ok(()) }
    }

    fn interrupt(&self) -> io::Result<()> {
        self.post(None);
        Ok(())
    }
}

fn key() -> Key {
    SlotMap::<Key, ()>::with_key().insert(())
}

fn send(port: &Port<Queue>, to: &Remote<Queue>) {
    port.well().post(Some((to.member(), Event::Readable(key()))));
}

/// Waits until there is an event, and counts them.
fn receive(driver: &mut Driver<Queue>) -> usize {
    let mut events = Events::new();
    while events.is_empty() {
        driver.wait(&mut events, PATIENCE).expect("a port that works");
    }
    events.count()
}

#[test]
fn everybody_gets_what_is_his_own() {
    let port = Port::new(Queue::default());
    let mut drivers: Vec<_> = (0..3).map(|_| Driver::open(&port)).collect();
    for driver in &drivers {
        send(&port, &driver.remote());
    }
    let mut events = Events::new();
    drivers[1].wait(&mut events, NOW).expect("a port that works");
    assert_eq!(events.by_ref().count(), 1, "its own");
    for driver in [0, 2] {
        drivers[driver].wait(&mut events, NOW).expect("a port that works");
        assert_eq!(events.by_ref().count(), 1, "taken for it by another");
    }
    drivers.iter_mut().for_each(|driver| driver.wait(&mut events, NOW).expect("a port that works"));
    assert!(events.is_empty());
}

#[test]
fn followers_sleep_until_they_are_meant() {
    let port = Port::new(Queue::default());
    let drivers: Vec<_> = (0..4).map(|_| Driver::open(&port)).collect();
    let remotes: Vec<_> = drivers.iter().map(Driver::remote).collect();
    let threads: Vec<_> =
        drivers.into_iter().map(|mut driver| thread::spawn(move || receive(&mut driver))).collect();
    // In every order: whoever leads leaves, and another has to lead for those who are left.
    for remote in remotes.iter().rev() {
        send(&port, remote);
    }
    for thread in threads {
        assert_eq!(thread.join().expect("no panic"), 1);
    }
}

#[test]
fn a_wake_reaches_leaders_and_followers() {
    let port = Port::new(Queue::default());
    for _ in 0..200 {
        let drivers: Vec<_> = (0..3).map(|_| Driver::open(&port)).collect();
        let remotes: Vec<_> = drivers.iter().map(Driver::remote).collect();
        let threads: Vec<_> =
            drivers.into_iter().map(|mut driver| thread::spawn(move || receive(&mut driver))).collect();
        for remote in &remotes {
            remote.wake().expect("a port that works");
        }
        for thread in threads {
            assert_eq!(thread.join().expect("no panic"), 1);
        }
    }
}

#[test]
fn the_outer_poller_watches_who_is_not_masked() {
    let port = Port::new(Queue::default());
    let (mut mine, mut other) = (Driver::open(&port), Driver::open(&port));
    let mut outer = Outer::new(Arc::clone(&port));
    let waker = outer.waker();
    waker.add(&mine.remote(), 1).expect("a new member");
    waker.add(&other.remote(), 2).expect("a new member");
    waker.set_masked(1, true).expect("it is there");
    send(&port, &mine.remote());
    send(&port, &other.remote());
    let mut ready = Vec::new();
    while ready.is_empty() {
        outer.wait(&mut ready, PATIENCE).expect("a port that works");
    }
    assert_eq!(ready, [2]);
    assert_eq!((receive(&mut mine), receive(&mut other)), (1, 1));
    ready.clear();
    outer.wait(&mut ready, NOW).expect("a port that works");
    assert!(ready.is_empty(), "they were asked");
    send(&port, &mine.remote());
    mine.wait(&mut Events::new(), NOW).expect("a port that works");
    send(&port, &mine.remote());
    other.wait(&mut Events::new(), NOW).expect("a port that works");
    waker.set_masked(1, false).expect("it is there");
    outer.wait(&mut ready, NOW).expect("a port that works");
    assert_eq!(ready, [1], "what came while it was masked");
}

/// One caller drives in a loop as a request loop does, the I/O thread serves the rest, and nothing waits for a deadline.
#[test]
fn a_caller_and_the_io_thread_share_the_port() {
    const ROUNDS: usize = 2000;
    let port = Port::new(Queue::default());
    let (mut callers, served) = (Driver::open(&port), Driver::open(&port));
    let mut outer = Outer::new(Arc::clone(&port));
    let waker = outer.waker();
    waker.add(&callers.remote(), 1).expect("a new member");
    waker.add(&served.remote(), 2).expect("a new member");
    let (calls, serves) = (callers.remote(), served.remote());
    let stop = AtomicBool::new(false);
    let count = AtomicUsize::new(0);
    thread::scope(|scope| {
        scope.spawn(|| {
            let mut served = served;
            while !stop.load(Ordering::SeqCst) {
                let (mut ready, mut events) = (Vec::new(), Events::new());
                outer.wait(&mut ready, None).expect("a port that works");
                if ready.contains(&2) {
                    served.wait(&mut events, NOW).expect("a port that works");
                    count.fetch_add(events.by_ref().count(), Ordering::SeqCst);
                }
            }
        });
        waker.set_masked(1, true).expect("it is there");
        for round in 0..ROUNDS {
            send(&port, &serves);
            send(&port, &calls);
            if round % 3 == 0 {
                callers.wait(&mut Events::new(), NOW).expect("a port that works");
                send(&port, &calls);
            }
            receive(&mut callers);
            waker.rest().expect("a port that works");
            while round % 7 == 0 && count.load(Ordering::SeqCst) <= round {
                thread::yield_now();
            }
        }
        while count.load(Ordering::SeqCst) < ROUNDS {
            thread::yield_now();
        }
        stop.store(true, Ordering::SeqCst);
        waker.wake().expect("a port that works");
    });
}

#[test]
fn wakes_and_timers_end_the_wait_of_the_outer_poller() {
    let port = Port::new(Queue::default());
    let mut outer = Outer::new(Arc::clone(&port));
    let waker = outer.waker();
    let watched = waker.open_driver();
    for leads in [false, true] {
        if leads {
            waker.add(&watched.remote(), 1).expect("a new member");
        }
        let mut ready = Vec::new();
        waker.wake().expect("a port that works");
        outer.wait(&mut ready, None).expect("a port that works");
        waker.arm(Some(Duration::from_secs(3600))).expect("a port that works");
        waker.arm(Some(Duration::from_millis(1))).expect("a port that works");
        outer.wait(&mut ready, None).expect("a port that works");
        let sleeper = thread::spawn(move || outer.wait(&mut Vec::new(), None).map(|()| outer));
        waker.arm(Some(Duration::from_millis(1))).expect("a port that works");
        outer = sleeper.join().expect("no panic").expect("a port that works");
        waker.arm(Some(Duration::from_nanos(1))).expect("a port that works");
        waker.arm(None).expect("a port that works");
        outer.wait(&mut ready, NOW).expect("a port that works");
        assert!(ready.is_empty());
    }
    waker.remove(1).expect("it is there");
    assert_eq!(waker.remove(1).expect_err("it is gone").kind(), io::ErrorKind::NotFound);
    waker.wake().expect("a port that works");
    outer.wait(&mut Vec::new(), None).expect("a port that works");
}

#[test]
fn who_dies_at_the_port_hands_the_lead_on() {
    let port = Port::new(Queue::default());
    let (mut first, mut second) = (Driver::open(&port), Driver::open(&port));
    assert!(port.desk().lead_as(first.remote().member()), "as if its thread had died inside the port");
    let remote = second.remote();
    let follower = thread::spawn(move || receive(&mut second));
    first.remote().wake().expect("a port that works");
    first.wait(&mut Events::new(), NOW).expect("a port that works");
    drop(first);
    send(&port, &remote);
    assert_eq!(follower.join().expect("no panic"), 1);
}

/// The outer poller gave its lead to a caller, whose member was removed before he stopped: a socket that is closed in its own turn.
#[test]
fn who_leaves_a_member_that_is_gone_gives_the_lead_back() {
    type Leave = fn(&OuterWaker<Queue>, Driver<Queue>);
    let leaves: [Leave; 3] = [
        |waker, _| waker.rest().expect("a port that works"),
        |waker, _| {
            let error = waker.set_masked(1, false).expect_err("it is gone");
            assert_eq!(error.kind(), io::ErrorKind::NotFound);
        },
        |_, driver| drop(driver),
    ];
    for leave in leaves {
        let port = Port::new(Queue::default());
        let (callers, served) = (Driver::open(&port), Driver::open(&port));
        let mut outer = Outer::new(Arc::clone(&port));
        let waker = outer.waker();
        waker.add(&callers.remote(), 1).expect("a new member");
        waker.add(&served.remote(), 2).expect("a new member");
        assert!(port.desk().lead_as_outer(), "as its thread does in a wait");
        waker.set_masked(1, true).expect("it is there");
        assert!(matches!(port.desk().ask_for_lead(), Some(Call::Interrupt)), "as the caller does in his");
        port.desk().leave_as_outer();
        waker.remove(1).expect("it is there");
        leave(&waker, callers);
        send(&port, &served.remote());
        let mut ready = Vec::new();
        outer.wait(&mut ready, NOW).expect("a port that works");
        assert_eq!(ready, [2]);
    }
}

#[test]
fn a_broken_port_is_reported_and_nobody_hangs() {
    let port = Port::new(Queue::default());
    port.well().broken.store(true, Ordering::SeqCst);
    let (mut first, mut second) = (Driver::open(&port), Driver::open(&port));
    let events = &mut Events::new();
    send(&port, &second.remote());
    first.wait(events, PATIENCE).expect_err("it is broken");
    second.wait(events, PATIENCE).expect("what was taken before is good");
    assert_eq!(events.by_ref().count(), 1);
    second.wait(events, PATIENCE).expect_err("it is broken");
}

#[test]
fn events_of_the_dead_go_nowhere() {
    let port = Port::new(Queue::default());
    let (first, mut second) = (Driver::open(&port), Driver::open(&port));
    let gone = first.remote();
    drop(first);
    send(&port, &gone);
    gone.wake().expect("a port that works");
    port.report(gone.member(), Event::Woken);
    second.wait(&mut Events::new(), NOW).expect("a port that works");
}
