//! Who drives a reactor: the policy, as a pure state machine.
//!
//! A reactor is a place, and exactly one thread at a time has its *role*. A thread that would sleep
//! in a call takes the role and does the I/O itself; when it leaves, it leaves the role *lying*, so
//! that a request loop takes it up again without a system call. Nobody watches a lying reactor, so
//! the I/O thread looks once after [`LEASE`]: a role that was used meanwhile it leaves, one that was
//! not it takes back. Where somebody depends on the reactor (a task's waker, a blocked outbox, a
//! timer due within the lease), a leaver gives the role to the I/O thread at once.
//!
//! Every transition returns what its caller must do, outside of the lock that guards the policy.

use std::time::Duration;

/// How long a role may lie before the I/O thread looks.
pub(crate) const LEASE: Duration = Duration::from_millis(1);

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
    /// The I/O thread is to look at this reactor once the lease has passed.
    pub(crate) arm_look: bool,
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
    look_armed: bool,
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
            look_armed: false,
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

    /// The caller leaves. `depended_on`: somebody needs the reactor served before the lease ends.
    pub(crate) fn leave(&mut self, depended_on: bool) -> Duty {
        assert_eq!(self.holder, Holder::Caller, "only the caller who took the role can leave it");
        if depended_on || self.demanded {
            self.holder = Holder::IoThread;
            return Duty { unmask: true, ..Duty::default() };
        }
        self.holder = Holder::Lying;
        let arm_look = !self.look_armed;
        self.look_armed = true;
        Duty { arm_look, rest: true, ..Duty::default() }
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

    /// The I/O thread looks, a lease after it was asked to. `traffic` grows while somebody takes messages, who needs
    /// no role as long as there are some.
    pub(crate) fn look(&mut self, traffic: u64) -> Duty {
        let driven = self.uses != self.uses_at_last_look;
        let traffic_grew = traffic != self.traffic_at_last_look;
        self.uses_at_last_look = self.uses;
        self.traffic_at_last_look = traffic;
        // Who takes messages and never drives does not serve the others' connections.
        self.traffic_only = if driven { 0 } else { self.traffic_only.saturating_add(1) };
        let used = driven || (traffic_grew && self.traffic_only <= MAX_TRAFFIC_ONLY);
        match self.holder {
            Holder::Lying if used => Duty { arm_look: true, ..Duty::default() },
            Holder::Lying => {
                self.holder = Holder::IoThread;
                self.look_armed = false;
                Duty { unmask: true, ..Duty::default() }
            }
            // Whoever holds it arms the next look when it leaves.
            Holder::Caller | Holder::IoThread => {
                self.look_armed = false;
                Duty::default()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_request_loop_masks_once_and_asks_for_one_look() {
        let mut role = Role::new();
        assert_eq!(role.take(), Some(Duty { mask: true, ..Duty::default() }));
        assert_eq!(role.leave(false), Duty { arm_look: true, rest: true, ..Duty::default() });
        for _ in 0..100 {
            assert_eq!(role.take(), Some(Duty::default()));
            assert_eq!(role.leave(false), Duty { rest: true, ..Duty::default() });
        }
    }

    #[test]
    fn a_quiet_process_stops_after_two_looks() {
        let mut role = Role::new();
        let _ = role.take();
        let _ = role.leave(false);
        assert!(role.look(0).arm_look, "it was used since");
        assert!(role.look(0).unmask, "it was not used since");
        assert_eq!(role.look(0), Duty::default(), "and nobody looks again");
    }

    #[test]
    fn who_depends_on_a_lying_role_gets_the_io_thread() {
        let mut role = Role::new();
        let _ = role.take();
        let _ = role.leave(false);
        assert!(role.demand().unmask);
        assert_eq!(role.holder(), Holder::IoThread);
    }

    #[derive(Clone, Copy, Debug)]
    enum Step {
        Take,
        Leave(bool),
        Demand,
        Look,
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            Just(Step::Take),
            any::<bool>().prop_map(Step::Leave),
            Just(Step::Demand),
            Just(Step::Look)
        ]
    }

    proptest! {
        /// Nobody starves: a role that lies always has a look ahead of it, the outer driver watches
        /// exactly the reactors that the I/O thread holds, and two looks without a use end the lease.
        #[test]
        fn no_reactor_is_forgotten(steps in proptest::collection::vec(step(), 0..200)) {
            let mut role = Role::new();
            let (mut masked, mut look_ahead, mut held) = (false, false, false);
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
                    Step::Leave(depended_on) if held => {
                        held = false;
                        role.leave(depended_on)
                    }
                    Step::Leave(_) => continue,
                    Step::Demand => role.demand(),
                    Step::Look if look_ahead => {
                        look_ahead = false;
                        role.look(0)
                    }
                    Step::Look => continue,
                };
                masked = (masked || duty.mask) && !duty.unmask;
                look_ahead |= duty.arm_look;
                prop_assert_eq!(masked, role.holder() != Holder::IoThread);
                prop_assert!(role.holder() != Holder::Lying || look_ahead);
                prop_assert_eq!(held, role.holder() == Holder::Caller);
                demanded = match step {
                    Step::Demand if held => true,
                    Step::Take => false,
                    _ => demanded && held,
                };
                if let Step::Leave(_) = step {
                    prop_assert!(!was_demanded || role.holder() == Holder::IoThread, "a demand is served");
                }
                was_demanded = demanded;
            }
            if role.holder() == Holder::Lying {
                let _ = role.look(0);
                let _ = role.look(0);
                prop_assert_eq!(role.holder(), Holder::IoThread);
            }
        }
    }
}
