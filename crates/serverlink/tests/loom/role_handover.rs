//! The role of one reactor goes to and fro between callers and the I/O thread while others post work.
//!
//! The policy and the flag are the library's own; around them stand a reactor without connections, which is `Reactor`
//! without its driver, and an I/O thread that asks its requests in the library's order.

use std::sync::Arc;
use std::time::{Duration, Instant};

use loom::thread;

use super::check_switching;
use super::sync::{Lock, Parked};

#[allow(dead_code, reason = "the model has no clock")]
#[path = "../../src/reactor/role.rs"]
mod role;

use role::{Duty, Holder, Role};

/// The outer driver: it names the inner one while that has something to report and is not masked.
#[derive(Default)]
struct Outer {
    masked: bool,
    woken: bool,
    timer_armed: bool,
}

#[derive(Default)]
struct Requests {
    serve: bool,
    looks: usize,
    look_due: bool,
}

struct Reactor {
    role: Lock<Role>,
    /// What only the holder of the role touches: how many pieces of work were done.
    turn: Lock<usize>,
    commands: Lock<usize>,
    /// The inner driver was woken and nobody waited there since.
    inner_woken: Lock<bool>,
    outer: Lock<Outer>,
    requests: Lock<Requests>,
    parked: Parked,
    /// Only looks take time.
    clock: Lock<Instant>,
}

impl Reactor {
    fn new() -> Arc<Reactor> {
        Arc::new(Reactor {
            role: Lock::new(Role::new()),
            turn: Lock::default(),
            commands: Lock::default(),
            inner_woken: Lock::default(),
            outer: Lock::default(),
            requests: Lock::default(),
            parked: Parked::default(),
            clock: Lock::new(Instant::now()),
        })
    }

    fn post(&self) {
        *self.commands.lock() += 1;
        self.depend();
    }

    /// Work for a caller who will probably come; nobody is called for it.
    fn claim(&self) {
        *self.commands.lock() += 1;
        match self.take_role() {
            true => self.leave_role(false),
            false => self.depend(),
        }
    }

    fn depend(&self) {
        let mut role = self.role.lock();
        let duty = role.demand();
        self.fulfil(duty);
    }

    fn take_role(&self) -> bool {
        let mut role = self.role.lock();
        let Some(duty) = role.take() else { return false };
        self.fulfil(duty);
        true
    }

    fn leave_role(&self, depended_on: bool) {
        let mut role = self.role.lock();
        let duty = role.leave(depended_on, *self.clock.lock(), None);
        self.fulfil(duty);
    }

    fn look(&self) {
        let mut role = self.role.lock();
        // It comes when its timer ran off.
        let now = {
            let mut clock = self.clock.lock();
            *clock += Duration::from_secs(1);
            *clock
        };
        let duty = role.look(now, 0);
        self.fulfil(duty);
    }

    fn fulfil(&self, duty: Duty) {
        if duty.mask {
            self.outer.lock().masked = true;
        }
        if duty.unmask {
            self.outer.lock().masked = false;
            self.requests.lock().serve = true;
            if self.parked.must_be_woken() {
                self.outer.lock().woken = true;
            }
        }
        if duty.wake {
            *self.inner_woken.lock() = true;
        }
        if duty.look_at.is_some() {
            self.requests.lock().looks += 1;
            self.outer.lock().timer_armed = true;
        }
    }

    /// One round of whoever has the role.
    fn run(&self, turn: &mut usize) {
        *self.inner_woken.lock() = false;
        *turn += std::mem::take(&mut *self.commands.lock());
    }

    /// A caller that waits for nothing: takes the role, drives once, leaves.
    fn call(&self, depended_on: bool) {
        if self.take_role() {
            self.run(&mut self.turn.lock());
            self.leave_role(depended_on);
        }
    }

    // ---- the I/O thread

    fn run_for_io_thread(&self) {
        if self.role.lock().holder() != Holder::IoThread {
            return;
        }
        if let Some(mut turn) = self.turn.try_lock() {
            self.run(&mut turn);
        }
    }

    /// One round. False: it sleeps, and nothing that is on its way will wake it.
    fn io_round(&self) -> bool {
        let looks = {
            let mut requests = self.requests.lock();
            if std::mem::take(&mut requests.look_due) { std::mem::take(&mut requests.looks) } else { 0 }
        };
        for _ in 0..looks {
            self.look();
        }
        if std::mem::take(&mut self.requests.lock().serve) {
            self.run_for_io_thread();
        }
        self.parked.announce();
        let wakes = self.requests.lock().serve || self.wait();
        self.parked.retract();
        wakes
    }

    /// Whether the outer driver ends the wait, now or when its timer runs off.
    fn wait(&self) -> bool {
        let inner_woken = *self.inner_woken.lock();
        let mut outer = self.outer.lock();
        if inner_woken && !outer.masked {
            drop(outer);
            self.run_for_io_thread();
            return true;
        }
        if std::mem::take(&mut outer.woken) {
            return true;
        }
        let timer = std::mem::take(&mut outer.timer_armed);
        drop(outer);
        if timer {
            self.requests.lock().look_due = true;
        }
        timer
    }

    /// After everybody else is gone: all that was posted gets done, and the reactor is watched at the end.
    fn check_that_all_is_attended(&self, posted: usize) {
        while self.io_round() {}
        assert_eq!(*self.turn.lock(), posted, "work waits, and nobody comes to do it");
        assert_eq!(self.role.lock().holder(), Holder::IoThread, "a lying role is taken back");
        assert!(!self.outer.lock().masked, "the I/O thread watches what it holds");
    }
}

fn spawn(reactor: &Arc<Reactor>, run: impl FnOnce(&Reactor) + 'static) -> thread::JoinHandle<()> {
    let reactor = Arc::clone(reactor);
    thread::spawn(move || run(&reactor))
}

#[test]
fn what_is_posted_while_a_caller_comes_and_goes_gets_done() {
    for depended_on in [false, true] {
        check_switching(3, move || {
            let reactor = Reactor::new();
            let caller = spawn(&reactor, move |reactor| reactor.call(depended_on));
            let poster = spawn(&reactor, Reactor::post);
            caller.join().unwrap();
            poster.join().unwrap();
            reactor.check_that_all_is_attended(1);
        });
    }
}

#[test]
fn a_caller_and_the_io_thread_pass_each_other() {
    check_switching(2, || {
        let reactor = Reactor::new();
        let caller = spawn(&reactor, |reactor| {
            reactor.call(false);
            reactor.call(false);
        });
        let io_thread = spawn(&reactor, |reactor| {
            reactor.io_round();
            reactor.io_round();
        });
        reactor.post();
        caller.join().unwrap();
        io_thread.join().unwrap();
        reactor.check_that_all_is_attended(1);
    });
}

#[test]
fn what_was_left_for_a_caller_who_does_not_come_gets_done() {
    check_switching(3, || {
        let reactor = Reactor::new();
        let caller = spawn(&reactor, |reactor| reactor.call(false));
        let claimer = spawn(&reactor, Reactor::claim);
        reactor.io_round();
        caller.join().unwrap();
        claimer.join().unwrap();
        reactor.check_that_all_is_attended(1);
    });
}

#[test]
fn two_callers_never_drive_together() {
    check_switching(3, || {
        let reactor = Reactor::new();
        let inside = Arc::new(Lock::new(false));
        let callers = [false, true].map(|depended_on| {
            let inside = Arc::clone(&inside);
            spawn(&reactor, move |reactor| {
                if reactor.take_role() {
                    assert!(!std::mem::replace(&mut *inside.lock(), true), "two have the role");
                    *inside.lock() = false;
                    reactor.leave_role(depended_on);
                }
            })
        });
        callers.into_iter().for_each(|caller| caller.join().unwrap());
        reactor.check_that_all_is_attended(0);
    });
}
