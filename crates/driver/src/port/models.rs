//! Every order in which threads meet at a port. Run them as `.ci/run` does: `--cfg loom`, optimised.

use std::collections::VecDeque;

use loom::sync::{Condvar, Mutex};
use loom::thread;
use slotmap::SlotMap;

use super::*;
use crate::{Events, Key};

const NOW: Option<Duration> = Some(Duration::ZERO);

/// A system's port made of a queue.
#[derive(Debug)]
struct Queue {
    packets: Mutex<VecDeque<Option<(MemberId, Event)>>>,
    bell: Condvar,
}

impl Queue {
    fn port() -> Arc<Port<Queue>> {
        Port::new(Queue { packets: Mutex::new(VecDeque::new()), bell: Condvar::new() })
    }

    fn post(&self, packet: Option<(MemberId, Event)>) {
        self.packets.lock().unwrap().push_back(packet);
        self.bell.notify_one();
    }

    fn send(&self, to: &Remote<Queue>) {
        let key = SlotMap::<Key, ()>::with_key().insert(());
        self.post(Some((to.member(), Event::Readable(key))));
    }
}

impl Well for Queue {
    fn take(&self, taken: &mut Vec<(MemberId, Event)>, timeout: Option<Duration>) -> io::Result<()> {
        let mut packets = self.packets.lock().unwrap();
        while packets.is_empty() && timeout.is_none() {
            packets = self.bell.wait(packets).unwrap();
        }
        taken.extend(packets.drain(..).flatten());
        Ok(())
    }

    fn interrupt(&self) -> io::Result<()> {
        self.post(None);
        Ok(())
    }
}

/// Without a deadline: where a call is lost, this never ends, and the model says so.
fn receive(driver: &mut Driver<Queue>) {
    let mut events = Events::new();
    while events.is_empty() {
        driver.wait(&mut events, None).unwrap();
    }
    assert_eq!(events.count(), 1);
}

/// Every order with up to three switches that no thread asked for.
fn bounded(run: impl Fn() + Send + Sync + 'static) {
    let mut model = loom::model::Builder::new();
    model.preemption_bound = Some(3);
    model.check(run);
}

#[test]
fn a_leader_who_leaves_hands_the_lead_on() {
    loom::model(|| {
        let port = Queue::port();
        let (mut one, mut other) = (Driver::open(&port), Driver::open(&port));
        port.well().send(&one.remote());
        let late = other.remote();
        let follower = thread::spawn(move || receive(&mut other));
        receive(&mut one);
        port.well().send(&late);
        follower.join().unwrap();
    });
}

#[test]
fn a_wake_reaches_whoever_waits() {
    bounded(|| {
        let port = Queue::port();
        let (mut one, mut other) = (Driver::open(&port), Driver::open(&port));
        let (first, second) = (one.remote(), other.remote());
        let thread = thread::spawn(move || receive(&mut other));
        let waker = thread::spawn(move || {
            second.wake().unwrap();
            first.wake().unwrap();
        });
        receive(&mut one);
        thread.join().unwrap();
        waker.join().unwrap();
    });
}

/// The I/O thread serves one member while a caller drives another, comes back, and rests.
#[test]
fn the_io_thread_and_a_caller_miss_nothing() {
    bounded(|| {
        let port = Queue::port();
        let (mut callers, mut served) = (Driver::open(&port), Driver::open(&port));
        let mut outer = Outer::new(Arc::clone(&port));
        let waker = outer.waker();
        waker.add(&callers.remote(), 1).unwrap();
        waker.add(&served.remote(), 2).unwrap();
        waker.set_masked(1, true).unwrap();
        let (calls, serves) = (callers.remote(), served.remote());
        let io_thread = thread::spawn(move || {
            let mut events = Events::new();
            while events.is_empty() {
                let mut ready = Vec::new();
                outer.wait(&mut ready, None).unwrap();
                assert!(ready.is_empty() || ready == [2]);
                served.wait(&mut events, NOW).unwrap();
            }
        });
        callers.wait(&mut Events::new(), NOW).unwrap();
        port.well().send(&calls);
        receive(&mut callers);
        waker.rest().unwrap();
        port.well().send(&serves);
        io_thread.join().unwrap();
    });
}

/// As above, and the caller's socket closes in the turn he drives: he leaves a member that is gone.
#[test]
fn a_caller_whose_member_goes_gives_the_lead_back() {
    bounded(|| {
        let port = Queue::port();
        let (mut callers, mut served) = (Driver::open(&port), Driver::open(&port));
        let mut outer = Outer::new(Arc::clone(&port));
        let waker = outer.waker();
        waker.add(&callers.remote(), 1).unwrap();
        waker.add(&served.remote(), 2).unwrap();
        let serves = served.remote();
        let io_thread = thread::spawn(move || {
            let mut events = Events::new();
            while events.is_empty() {
                outer.wait(&mut Vec::new(), None).unwrap();
                served.wait(&mut events, NOW).unwrap();
            }
        });
        waker.set_masked(1, true).unwrap();
        callers.wait(&mut Events::new(), NOW).unwrap();
        waker.remove(1).unwrap();
        callers.wait(&mut Events::new(), NOW).unwrap();
        waker.set_masked(1, false).unwrap_err();
        port.well().send(&serves);
        io_thread.join().unwrap();
    });
}
