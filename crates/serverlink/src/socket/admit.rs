//! The decision about a message before all of it is there: what its first part says is all that a pattern looks at.

use std::sync::Arc;
use std::time::Instant;

use serverlink_message::SocketType;
use serverlink_patterns::Reserve;

use super::core::Core;
use super::drive::For;
use super::send::refused;
use super::side::Half;
use super::{Readiness, Socket};
use crate::error::Error;
use crate::options::Linger;
use crate::payload::Outgoing;
use crate::poller::Interest;

/// For programs that hand a message over part by part, or wait for one socket alone.
impl Socket {
    /// Whether a message that begins with this part would be sent now, and if not, why: the answer that
    /// [`try_send`](Socket::try_send) would give, without sending anything. Ask it when the first of several parts is there; once it
    /// says yes, send the whole message with `try_send`.
    ///
    /// Nothing is held for the caller: another thread that sends meanwhile, or a peer that leaves, can change the answer.
    ///
    /// # Errors
    /// [`Error::WouldBlock`] while no peer has room; others as [`send`](Socket::send). Nothing changed.
    ///
    /// ```
    /// use serverlink::{Context, Error};
    ///
    /// let context = Context::new()?;
    /// let router = context.router().router_mandatory(true).open()?;
    /// router.bind("inproc://here")?;
    /// assert!(matches!(router.as_socket().admits(b"nobody"), Err(Error::Unroutable { .. })));
    /// # Ok::<(), Error>(())
    /// ```
    pub fn admits(&self, first: &[u8]) -> Result<(), Error> {
        if self.core.try_admit(first)? { Ok(()) } else { Err(Error::WouldBlock) }
    }

    /// The same, and waits up to `deadline` (`None`: for ever) while no peer has room.
    ///
    /// # Errors
    /// [`Error::TimedOut`], [`Error::Interrupted`]; others as [`send`](Socket::send).
    pub fn wait_until_admitted(&self, first: &[u8], deadline: Option<Instant>) -> Result<(), Error> {
        self.core.wait_until(For::Credit, deadline, || Ok(self.core.try_admit(first)?.then_some(())))
    }

    /// What can be done now of what `interest` names, after a look at what has just come in, where nobody else looks. Never blocks.
    ///
    /// # Errors
    /// When every call fails from now on: [`Error::Closed`], [`Error::Terminated`], [`Error::Io`], [`Error::Forked`].
    pub fn check_ready(&self, interest: Interest) -> Result<Readiness, Error> {
        let look = || self.core.find_ready(interest);
        match look()? {
            Some(ready) => Ok(ready),
            None => Ok(self.core.poll_and(look)?.unwrap_or_default()),
        }
    }

    /// Waits until the socket can be received from or sent to: one of the two, the one that `interest` names. The caller does the I/O that it waits
    /// for, so with one socket this answers sooner than a [`Poller`](crate::Poller), which serves several.
    ///
    /// # Errors
    /// [`Error::TimedOut`] after `deadline`, [`Error::Interrupted`]; others as [`check_ready`](Socket::check_ready).
    pub fn wait_ready(&self, interest: Interest, deadline: Option<Instant>) -> Result<Readiness, Error> {
        let what = if interest.readable { For::Message } else { For::Credit };
        self.core.wait_until(what, deadline, || self.core.find_ready(interest))
    }

    /// Whether waiting calls do I/O of their own: the socket has, or had, a connection or listener on a wire. A signal ends such a wait.
    pub fn is_on_a_wire(&self) -> bool {
        self.core.home.get().is_some()
    }

    /// Begins to close the socket, with this linger instead of its option's. Returns at once; calls that wait on it in other threads end with
    /// [`Error::Closed`]. Dropping it afterwards changes nothing.
    pub fn close_in_background(&self, linger: Linger) {
        if !self.core.context.is_left_behind() {
            self.core.begin_closing(linger);
        }
    }
}

impl Core {
    fn find_ready(self: &Arc<Self>, interest: Interest) -> Result<Option<Readiness>, Error> {
        self.check_usable()?;
        let readable = interest.readable && self.poll_readable();
        let writable = interest.writable && self.poll_writable();
        Ok((readable || writable).then_some(Readiness { readable, writable }))
    }

    /// `Ok(false)`: no peer can take it now.
    fn try_admit(self: &Arc<Self>, first: &[u8]) -> Result<bool, Error> {
        self.check_open()?;
        if self.kind == SocketType::Req && self.is_writable() {
            self.forget_old_replies();
        }
        let mut guard = self.send.lock();
        let Half { silent, side, .. } = &mut *guard;
        side.look_at_full_rings();
        let mut conversation = self.dialogue.as_ref().map(|dialogue| dialogue.lock());
        let dialogue = conversation.as_deref_mut().unwrap_or(silent);
        loop {
            match side.sender.reserve(first, dialogue) {
                Reserve::One { pipe, .. } => {
                    side.sender.rollback(dialogue);
                    if side.has_room(pipe) {
                        return Ok(true);
                    }
                    side.sender.set_writable(pipe, false);
                    side.full_rings.push(pipe);
                }
                Reserve::All => {
                    let have_room = side.have_all_room();
                    side.sender.rollback(dialogue);
                    if have_room {
                        return Ok(true);
                    }
                }
                Reserve::Many => {
                    side.sender.rollback(dialogue);
                    return Ok(true);
                }
                // It would be accepted, and dropped.
                Reserve::Nobody(_) => return Ok(true),
                Reserve::WouldBlock => return Ok(false),
                Reserve::Refused(refusal) => return Err(refused(self, refusal, &Outgoing::Bytes(first))),
            }
        }
    }
}
