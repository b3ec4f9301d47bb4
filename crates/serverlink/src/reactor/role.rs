//! Who drives a reactor: the policy, as a pure state machine.
//!
//! A reactor is a place, and exactly one thread at a time has its *role*. A thread that would sleep
//! in a call takes the role and does the I/O itself; when it leaves, it leaves the role *lying*, so
//! that a request loop takes it up again without a system call. Nobody watches a lying reactor, so
//! the I/O thread looks once after a lease: a role that was used meanwhile it leaves, one that was
//! not it takes back. The lease is [`LEASE`] first and grows to [`LONGEST_LEASE`] while a caller keeps
//! coming back, because each look may stand in the way of a round trip. Where somebody depends on the reactor (a task's waker, a blocked outbox, a
//! timer due within the lease), a leaver gives the role to the I/O thread at once.
//!
//! Every transition returns what its caller must do, outside of the lock that guards the policy.

use std::time::{Duration, Instant};

/// How long a role may lie before the I/O thread looks.
pub(crate) const LEASE: Duration = Duration::from_millis(1);

/// The same for a caller who was back before every look so far: rarer than one round trip in a thousand.
const LONGEST_LEASE: Duration = Duration::from_millis(16);

/// After so many leases with traffic but without a use the I/O thread takes the role all the same.
const MAX_TRAFFIC_ONLY: u8 = 8;

/// Who has the role.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Holder {
    /// The I/O thread: the reactor is armed in its outer driver.
    IoThread,
    /// A caller's thread drives, or sleeps in the driver.
    Caller,
    /// Nobody: left by a caller who will probably be back.
    Lying,
}

/// What the one who made a transition has to do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[must_use]
pub(crate) struct Duty {
    /// The I/O thread stops watching this reactor.
    pub(crate) mask: bool,
    /// The I/O thread watches this reactor again, and serves its timers.
    pub(crate) unmask: bool,
    /// When the I/O thread is to look at this reactor.
    pub(crate) look_at: Option<Instant>,
    /// Nobody drives this reactor for now: where drivers share a port, somebody else may have to wait there.
    pub(crate) rest: bool,
    /// Whoever sleeps in this reactor's driver has to wake.
    pub(crate) wake: bool,
}

/// The state of one reactor's role.
#[derive(Debug)]
pub(crate) struct Role {
    holder: Holder,
    uses: u64,
    uses_at_last_look: u64,
    traffic_at_last_look: u64,
    /// Looks in a row that found traffic and no use.
    traffic_only: u8,
    /// Somebody came to depend on the reactor while its holder may have been on the way out.
    demanded: bool,
    /// The look that was asked for.
    look_at: Option<Instant>,
    /// How long the next one may be away.
    lease: Duration,
    /// When the reactor has something to do by itself, as its last holder left it.
    due: Option<Instant>,
}

impl Role {
    /// A new reactor belongs to the I/O thread.
    pub(crate) fn new() -> Role {
        Role {
            holder: Holder::IoThread,
            uses: 0,
            uses_at_last_look: 0,
            traffic_at_last_look: 0,
            traffic_only: 0,
            demanded: false,
            look_at: None,
            lease: LEASE,
            due: None,
        }
    }

    pub(crate) fn holder(&self) -> Holder {
        self.holder
    }

    /// A caller wants the role. `None`: another caller has it.
    pub(crate) fn take(&mut self) -> Option<Duty> {
        let mask = match self.holder {
            Holder::Caller => return None,
            Holder::IoThread => true,
            Holder::Lying => false,
        };
        self.holder = Holder::Caller;
        self.demanded = false;
        self.uses = self.uses.wrapping_add(1);
        Some(Duty { mask, ..Duty::default() })
    }

    /// The caller leaves. `depended_on`: somebody needs the reactor served before the lease ends. `due`: its earliest timer.
    pub(crate) fn leave(&mut self, depended_on: bool, now: Instant, due: Option<Instant>) -> Duty {
        assert_eq!(self.holder, Holder::Caller, "only the caller who took the role can leave it");
        if depended_on || self.demanded || due.is_some_and(|due| due <= now + LEASE) {
            self.holder = Holder::IoThread;
            return Duty { unmask: true, ..Duty::default() };
        }
        self.holder = Holder::Lying;
        self.due = due;
        let is_soon_enough = |at| due.is_none_or(|due| at <= due);
        let look_at =
            if self.look_at.is_some_and(is_soon_enough) { None } else { Some(self.look_after(now)) };
        Duty { look_at, rest: true, ..Duty::default() }
    }

    fn look_after(&mut self, now: Instant) -> Instant {
        let at = self.due.map_or(now + self.lease, |due| due.min(now + self.lease));
        self.look_at = Some(at);
        at
    }

    /// Somebody depends on this reactor from now on: a command was posted, a waker registered, an
    /// outbox blocked.
    pub(crate) fn demand(&mut self) -> Duty {
        match self.holder {
            Holder::Caller => {
                self.demanded = true;
                Duty { wake: true, ..Duty::default() }
            }
            Holder::IoThread => Duty { wake: true, ..Duty::default() },
            Holder::Lying => {
                self.holder = Holder::IoThread;
                Duty { unmask: true, wake: true, ..Duty::default() }
            }
        }
    }

    /// As [`demand`](Role::demand), where nothing has to be done at once: a holder who sleeps goes on sleeping.
    pub(crate) fn rely(&mut self) -> Duty {
        match self.holder {
            Holder::Caller => {
                self.demanded = true;
                Duty::default()
            }
            Holder::IoThread => Duty::default(),
            Holder::Lying => {
                self.holder = Holder::IoThread;
                Duty { unmask: true, ..Duty::default() }
            }
        }
    }

    /// The I/O thread looks, because it was asked to. `traffic` grows while somebody takes messages, who needs
    /// no role as long as there are some.
    pub(crate) fn look(&mut self, now: Instant, traffic: u64) -> Duty {
        if self.look_at.is_none_or(|at| now < at) {
            // An earlier look was asked for since, and was enough.
            return Duty::default();
        }
        self.look_at = None;
        let driven = self.uses != self.uses_at_last_look;
        let traffic_grew = traffic != self.traffic_at_last_look;
        self.uses_at_last_look = self.uses;
        self.traffic_at_last_look = traffic;
        // Who takes messages and never drives does not serve the others' connections.
        self.traffic_only = if driven { 0 } else { self.traffic_only.saturating_add(1) };
        self.lease = if driven { (2 * self.lease).min(LONGEST_LEASE) } else { LEASE };
        let used = driven || (traffic_grew && self.traffic_only <= MAX_TRAFFIC_ONLY);
        match self.holder {
            Holder::Lying if used && self.due.is_none_or(|due| now < due) => {
                Duty { look_at: Some(self.look_after(now)), ..Duty::default() }
            }
            Holder::Lying => {
                self.holder = Holder::IoThread;
                Duty { unmask: true, ..Duty::default() }
            }
            // Whoever holds it arms the next look when it leaves.
            Holder::Caller | Holder::IoThread => Duty::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NO_TIMER: Option<Instant> = None;

    #[test]
    fn a_request_loop_masks_once_and_asks_for_one_look() {
        let (mut role, now) = (Role::new(), Instant::now());
        assert_eq!(role.take(), Some(Duty { mask: true, ..Duty::default() }));
        let first = Duty { look_at: Some(now + LEASE), rest: true, ..Duty::default() };
        assert_eq!(role.leave(false, now, NO_TIMER), first);
        for _ in 0..100 {
            assert_eq!(role.take(), Some(Duty::default()));
            assert_eq!(role.leave(false, now, NO_TIMER), Duty { rest: true, ..Duty::default() });
        }
    }

    #[test]
    fn a_quiet_process_stops_after_two_looks() {
        let (mut role, now) = (Role::new(), Instant::now());
        let _ = role.take();
        let first = role.leave(false, now, NO_TIMER).look_at.expect("a look");
        let second = role.look(first, 0).look_at.expect("it was used since");
        assert!(role.look(second, 0).unmask, "it was not used since");
        assert_eq!(role.look(second, 0), Duty::default(), "and nobody looks again");
    }

    #[test]
    fn looks_become_rare_while_a_caller_comes_back_and_soon_again_when_he_does_not() {
        let (mut role, mut now) = (Role::new(), Instant::now());
        let mut leases = Vec::new();
        for _ in 0..7 {
            let _ = role.take();
            let at = role.leave(false, now, NO_TIMER).look_at.or(role.look_at).expect("a look");
            leases.push((at - now).as_millis());
            now = at;
            let _ = role.look(now, 0);
        }
        assert_eq!(leases, [1, 2, 4, 8, 16, 16, 16]);
        let next = role.look_at.expect("it was used since");
        assert!(role.look(next, 0).unmask, "the first look that finds it unused takes it back");
        let _ = role.take();
        assert_eq!(role.leave(false, next, NO_TIMER).look_at, Some(next + LEASE));
    }

    #[test]
    fn a_timer_is_not_later_for_a_long_lease() {
        let (mut role, now) = (Role::new(), Instant::now());
        role.lease = LONGEST_LEASE;
        let _ = role.take();
        assert_eq!(role.leave(false, now, NO_TIMER).look_at, Some(now + LONGEST_LEASE));
        let due = now + 5 * LEASE;
        let _ = role.take();
        assert_eq!(role.leave(false, now, Some(due)).look_at, Some(due), "the look is moved to the timer");
        assert!(role.look(due, 1).unmask, "and serves it, whoever takes messages");
        let _ = role.take();
        assert!(
            role.leave(false, now, Some(now + LEASE)).unmask,
            "a timer within the first lease needs no look"
        );
    }

    #[test]
    fn who_depends_on_a_lying_role_gets_the_io_thread() {
        let mut role = Role::new();
        let _ = role.take();
        let _ = role.leave(false, Instant::now(), NO_TIMER);
        assert!(role.demand().unmask);
        assert_eq!(role.holder(), Holder::IoThread);
    }

    #[derive(Clone, Copy, Debug)]
    enum Step {
        Take,
        /// And whether somebody depends on it, or in how many microseconds a timer is due.
        Leave(bool, Option<u64>),
        Demand,
        /// The clock goes on to the next look that was asked for.
        Look,
        Pass(u64),
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            Just(Step::Take),
            (any::<bool>(), proptest::option::of(0..40_000_u64)).prop_map(|(by, due)| Step::Leave(by, due)),
            Just(Step::Demand),
            Just(Step::Look),
            (0..20_000_u64).prop_map(Step::Pass),
        ]
    }

    proptest! {
        /// Nobody starves: a role that lies always has a look ahead of it that is not later than its timer, the outer
        /// driver watches exactly the reactors that the I/O thread holds, and two looks without a use end the lease.
        #[test]
        fn no_reactor_is_forgotten(steps in proptest::collection::vec(step(), 0..200)) {
            let (mut role, mut now) = (Role::new(), Instant::now());
            let mut looks = std::collections::BTreeSet::new();
            let (mut masked, mut held, mut due) = (false, false, None);
            let (mut demanded, mut was_demanded) = (false, false);
            for step in steps {
                let duty = match step {
                    Step::Take => match role.take() {
                        Some(duty) => {
                            prop_assert!(!held, "two callers never hold the role together");
                            held = true;
                            duty
                        }
                        None => {
                            prop_assert!(held);
                            continue;
                        }
                    },
                    Step::Leave(depended_on, micros) if held => {
                        held = false;
                        due = micros.map(|micros| now + Duration::from_micros(micros));
                        role.leave(depended_on, now, due)
                    }
                    Step::Leave(..) => continue,
                    Step::Demand => role.demand(),
                    Step::Look => {
                        let Some(at) = looks.pop_first() else { continue };
                        now = now.max(at);
                        role.look(now, 0)
                    }
                    Step::Pass(micros) => {
                        let next = now + Duration::from_micros(micros);
                        // The I/O thread is in time.
                        now = looks.first().map_or(next, |&at| next.min(at));
                        continue;
                    }
                };
                masked = (masked || duty.mask) && !duty.unmask;
                looks.extend(duty.look_at);
                prop_assert_eq!(masked, role.holder() != Holder::IoThread);
                if role.holder() == Holder::Lying {
                    let ahead = looks.first().copied().expect("a look");
                    prop_assert!(ahead <= now + LONGEST_LEASE);
                    prop_assert!(due.is_none_or(|due| ahead <= due));
                }
                prop_assert_eq!(held, role.holder() == Holder::Caller);
                demanded = match step {
                    Step::Demand if held => true,
                    Step::Take => false,
                    _ => demanded && held,
                };
                if let Step::Leave(..) = step {
                    prop_assert!(!was_demanded || role.holder() == Holder::IoThread, "a demand is served");
                }
                was_demanded = demanded;
            }
            while role.holder() == Holder::Lying {
                let at = looks.pop_first().expect("two looks are enough");
                looks.extend(role.look(now.max(at), 0).look_at);
                now = now.max(at);
            }
        }
    }
}
