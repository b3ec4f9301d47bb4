//! A reactor: the place where the connections of a socket are driven.
//!
//! What needs the role is in [`Turn`], behind a lock that only the holder of the role takes. What needs none (posting
//! commands, waking, asking for service) is here.

mod accept;
mod closing;
mod describe;
mod dial;
pub(crate) mod failure;
mod leaving;
mod role;
pub(crate) mod timers;
mod turn;

pub(crate) mod command;
pub(crate) mod hold;

use std::collections::VecDeque;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::time::Instant;

use serverlink_driver::Remote;

pub(crate) use command::{Command, DialerId, Farewell};
pub(crate) use describe::number;
pub(crate) use hold::Hold;
pub(crate) use turn::{Attention, Turn};

use crate::env::Env;
use crate::io_thread::IoShared;
use crate::socket::core::Core;
use crate::sync::later::later;
use crate::sync::{Lock, Spins, WakeDriver};
use role::{Duty, Holder, Role};

/// See the module's page.
pub(crate) struct Reactor {
    pub(crate) env: Env,
    remote: Remote,
    role: Lock<Role>,
    turn: Lock<Turn>,
    commands: Lock<VecDeque<Command>>,
    has_commands: AtomicBool,
    io: Arc<IoShared>,
    /// What the I/O thread calls it.
    token: u64,
    users: Lock<Vec<Weak<Core>>>,
    spins: Spins,
    wake: WakeDriver,
    myself: Weak<Reactor>,
}

impl Reactor {
    /// A new one, watched by the I/O thread.
    pub(crate) fn open(env: Env, io: Arc<IoShared>) -> io::Result<Arc<Reactor>> {
        let driver = io.outer().open_driver()?;
        let remote = driver.remote();
        let (token, now) = (io.new_token(), env.now());
        let reactor = Arc::new_cyclic(|myself| Reactor {
            env,
            remote: remote.clone(),
            role: Lock::new(Role::new()),
            turn: Lock::new(Turn::new(driver, now)),
            commands: Lock::default(),
            has_commands: AtomicBool::new(false),
            io: Arc::clone(&io),
            token,
            users: Lock::default(),
            spins: Spins::default(),
            wake: Arc::new({
                let remote = remote.clone();
                move || {
                    let _ = remote.wake();
                }
            }),
            myself: myself.clone(),
        });
        io.adopt(&reactor, token, &remote)?;
        Ok(reactor)
    }

    pub(crate) fn remote(&self) -> &Remote {
        &self.remote
    }

    pub(crate) fn io(&self) -> &Arc<IoShared> {
        &self.io
    }

    /// Leaves something to be done by whoever drives.
    pub(crate) fn post(&self, command: Command) {
        self.leave_command(command);
        self.depend();
    }

    fn leave_command(&self, command: Command) {
        self.commands.lock().push_back(command);
        self.has_commands.store(true, Ordering::Release);
    }

    /// Leaves something to be done by a caller who is busy with this reactor's socket and will drive it
    /// soon; if he does not, the I/O thread takes it up when the lease is over.
    pub(crate) fn claim(&self, command: Command, depended_on: bool) {
        self.leave_command(command);
        match self.take_role() {
            Some(hold) => hold.leave(depended_on),
            None => self.depend(),
        }
    }

    fn take_command(&self) -> Option<Command> {
        if !self.has_commands.load(Ordering::Acquire) {
            return None;
        }
        let mut commands = self.commands.lock();
        let command = commands.pop_front();
        if commands.is_empty() {
            self.has_commands.store(false, Ordering::Release);
        }
        command
    }

    /// Somebody depends on this reactor being driven from now on.
    pub(crate) fn depend(&self) {
        let mut role = self.role.lock();
        let duty = role.demand();
        self.fulfil(duty);
    }

    /// Somebody waits for what whoever drives will bring; the one who drives now is not disturbed.
    pub(crate) fn rely(&self) {
        let mut role = self.role.lock();
        let duty = role.rely();
        self.fulfil(duty);
    }

    /// A caller that would wait asks for the role. `None`: another caller has it.
    pub(crate) fn take_role(&self) -> Option<Hold> {
        {
            let mut role = self.role.lock();
            let duty = role.take()?;
            self.fulfil(duty);
        }
        Some(Hold::new(self.myself.upgrade().expect("a method runs on it")))
    }

    /// The I/O thread's part: runs what is due, if the role is its own.
    pub(crate) fn run_for_io_thread(&self) -> bool {
        if self.role.lock().holder() != Holder::IoThread {
            return false;
        }
        let _wake_later = later();
        // A caller who came between sleeps with this lock, and serves everything meanwhile.
        let Some(mut turn) = self.turn.try_lock() else { return false };
        // A caller who took the role before we got the lock will sleep on what we would take from the driver; one who
        // takes it later looks for itself once the lock is free.
        if self.role.lock().holder() != Holder::IoThread {
            return false;
        }
        turn.run(self, Some(std::time::Duration::ZERO), Attention::Absent);
        let next = turn.next_deadline();
        let again = turn.has_ready();
        drop(turn);
        if let Some(at) = next {
            self.io.serve_at(self.token, at);
        }
        again
    }

    /// The lease is over.
    pub(crate) fn look(&self) {
        let traffic = self.traffic();
        let mut role = self.role.lock();
        let duty = role.look(self.env.now(), traffic);
        self.fulfil(duty);
    }

    /// What its sockets have received so far: somebody who takes messages is still busy here.
    fn traffic(&self) -> u64 {
        let users = self.users.lock();
        users.iter().filter_map(Weak::upgrade).map(|core| core.received_messages()).sum()
    }

    /// A socket has its connections here from now on.
    pub(crate) fn add_user(&self, core: &Arc<Core>) {
        self.users.lock().push(Arc::downgrade(core));
    }

    fn leave_role(&self, depended_on: bool, now: Instant, due: Option<Instant>) {
        let mut role = self.role.lock();
        let duty = role.leave(depended_on, now, due);
        self.fulfil(duty);
    }

    /// Under the role's lock, so that the outer driver sees the changes in their order.
    fn fulfil(&self, duty: Duty) {
        // Masking fails only for a token that is gone, and then nobody watches it anyway.
        if duty.mask {
            let _ = self.io.outer().mask(self.token);
        }
        if duty.unmask {
            let _ = self.io.outer().unmask(self.token);
            self.io.serve_now(self.token);
        }
        if duty.rest {
            let _ = self.io.outer().rest();
        }
        if duty.wake {
            let _ = self.remote.wake();
        }
        if let Some(at) = duty.look_at {
            self.io.look_at(self.token, at, self.env.now());
        }
    }

    /// Its I/O thread ends before it is retired. What is here holds sockets, which hold this reactor.
    pub(crate) fn abandon(&self) {
        let _later = later();
        let left = self.turn.try_lock().map(|mut turn| turn.take_apart());
        let commands = std::mem::take(&mut *self.commands.lock());
        drop((left, commands));
    }

    /// The last source of this reactor is gone.
    pub(crate) fn retire(&self) {
        self.io.forget(self.token);
        self.dismiss_inquiries();
    }
}
