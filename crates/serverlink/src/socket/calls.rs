//! Sending and receiving, in the forms in which a caller can wait.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serverlink_message::Message;

use super::close::deadline_of;
use super::core::Core;
use super::drive::For;
use super::{RecvFuture, SendFuture, Socket};
use crate::error::{Error, SendError};
use crate::payload::{Carrier, Outgoing, Payload};
use crate::peer::Peer;
use crate::pipe::outbox::lend::LEND_BYTES;

impl Socket {
    /// Sends a message; waits while no peer has room, at most for the socket's `send_timeout`.
    ///
    /// The message is queued for a peer when this returns; it may still be lost with that peer. A message whose last part has 16 KiB or more is
    /// written from the caller's memory if its connection can be written at once. To a socket's only peer the call may then
    /// stay up to 5 ms (never longer than `send_timeout`) until the system has it, instead of copying what the system had no room for; where
    /// that turns out to be in vain it is tried more and more seldom.
    ///
    /// # Errors
    /// [`Error::TimedOut`], [`Error::Unroutable`], [`Error::WrongState`], [`Error::NotSupported`],
    /// [`Error::Terminated`], [`Error::Interrupted`]. The message comes back, and no peer has seen any of it.
    #[inline]
    pub fn send<M: Payload>(&self, message: M) -> Result<(), SendError<M>> {
        let mut carrier = message.into_carrier();
        if self.core.send_in_lane(&mut carrier.outgoing()) {
            return Ok(());
        }
        self.send_by_rule(carrier)
    }

    #[inline(never)]
    pub(super) fn send_by_rule<M: Payload>(&self, mut carrier: M::Carrier) -> Result<(), SendError<M>> {
        match self.core.try_send(&mut carrier.outgoing(), true) {
            Ok(true) => Ok(()),
            Ok(false) => self.send_when_there_is_room(carrier),
            Err(error) => Err(SendError { error, message: M::from_carrier(carrier) }),
        }
    }

    /// Sends a message if a peer has room now.
    ///
    /// # Errors
    /// [`Error::WouldBlock`] if none has; others as [`send`](Socket::send). The message comes back.
    pub fn try_send<M: Payload>(&self, message: M) -> Result<(), SendError<M>> {
        let mut carrier = message.into_carrier();
        if self.core.send_in_lane(&mut carrier.outgoing()) {
            return Ok(());
        }
        self.try_send_by_rule(carrier)
    }

    #[inline(never)]
    pub(super) fn try_send_by_rule<M: Payload>(&self, mut carrier: M::Carrier) -> Result<(), SendError<M>> {
        let error = match self.core.try_send(&mut carrier.outgoing(), false) {
            Ok(true) => return Ok(()),
            Ok(false) => Error::WouldBlock,
            Err(error) => error,
        };
        Err(SendError { error, message: M::from_carrier(carrier) })
    }

    /// Sends a message; waits up to `deadline`, whatever the socket's own timeout is.
    ///
    /// # Errors
    /// As [`send`](Socket::send).
    pub fn send_deadline<M: Payload>(&self, message: M, deadline: Instant) -> Result<(), SendError<M>> {
        self.send_waiting(message.into_carrier(), Some(deadline))
    }

    #[cold]
    fn send_when_there_is_room<M: Payload>(&self, mut carrier: M::Carrier) -> Result<(), SendError<M>> {
        let is_large = carrier.outgoing().last().len() >= LEND_BYTES;
        self.send_waiting(carrier, self.send_deadline_from_options())?;
        if is_large {
            self.core.wait_behind_large();
        }
        Ok(())
    }

    fn send_waiting<M: Payload>(
        &self,
        mut carrier: M::Carrier,
        deadline: Option<Instant>,
    ) -> Result<(), SendError<M>> {
        let attempt = || Ok(self.core.try_send(&mut carrier.outgoing(), false)?.then_some(()));
        let sent = self.core.wait_until(For::Credit, deadline, attempt);
        sent.map_err(|error| SendError { error, message: M::from_carrier(carrier) })
    }

    /// Sends a message without blocking a thread. Any executor can run the future; dropping it before it is ready sends
    /// nothing. The socket's timeout does not apply.
    pub fn send_async<M: Payload>(&self, message: M) -> SendFuture<'_, M> {
        SendFuture::new(&self.core, message)
    }

    fn send_deadline_from_options(&self) -> Option<Instant> {
        let timeout = self.core.options.send_timeout?;
        deadline_of(self.core.now(), Some(timeout))
    }

    // ---- receiving

    /// Receives the next message, fairly from all peers; waits for it, at most for the socket's `recv_timeout`.
    ///
    /// # Errors
    /// [`Error::TimedOut`], [`Error::WrongState`], [`Error::NotSupported`], [`Error::Terminated`],
    /// [`Error::Interrupted`]. Nothing was taken.
    #[expect(clippy::inline_always, reason = "as `Message::cut_from`")]
    #[inline(always)]
    pub fn recv(&self) -> Result<Message, Error> {
        if let Some(message) = self.core.recv_in_lane() {
            return Ok(message);
        }
        let mut message = Message::new();
        self.recv_by_rule(&mut message)?;
        Ok(message)
    }

    #[inline(never)]
    pub(super) fn recv_by_rule(&self, into: &mut Message) -> Result<(), Error> {
        if self.core.try_recv_into(into)? {
            return Ok(());
        }
        let deadline = self.recv_deadline_from_options();
        let attempt = || Ok(self.core.try_recv_into(into)?.then_some(()));
        self.core.wait_on(For::Message, deadline, attempt)
    }

    fn recv_deadline_from_options(&self) -> Option<Instant> {
        let timeout = self.core.options.recv_timeout?;
        deadline_of(self.core.now(), Some(timeout))
    }

    /// Receives a message if one is there. It also reads what has just come in, where nobody else does.
    ///
    /// # Errors
    /// [`Error::WouldBlock`] if none is; others as [`recv`](Socket::recv).
    #[expect(clippy::inline_always, reason = "as `Message::cut_from`")]
    #[inline(always)]
    pub fn try_recv(&self) -> Result<Message, Error> {
        if let Some(message) = self.core.recv_in_lane() {
            return Ok(message);
        }
        let mut message = Message::new();
        self.try_recv_by_rule(&mut message)?;
        Ok(message)
    }

    #[inline(never)]
    pub(super) fn try_recv_by_rule(&self, into: &mut Message) -> Result<(), Error> {
        if !self.core.try_recv_into(into)? {
            *into = self.core.recv_polling()?.ok_or(Error::WouldBlock)?;
        }
        Ok(())
    }

    /// Receives the next message; waits up to `deadline`, whatever the socket's own timeout is.
    ///
    /// # Errors
    /// As [`recv`](Socket::recv).
    pub fn recv_deadline(&self, deadline: Instant) -> Result<Message, Error> {
        if let Some(message) = self.core.recv_in_lane() {
            return Ok(message);
        }
        let mut message = Message::new();
        let attempt = || Ok(self.core.try_recv_into(&mut message)?.then_some(()));
        self.core.wait_until(For::Message, Some(deadline), attempt)?;
        Ok(message)
    }

    /// Receives without blocking a thread. Any executor can run the future; dropping it loses nothing. The socket's timeout
    /// does not apply.
    pub fn recv_async(&self) -> RecvFuture<'_> {
        RecvFuture::new(&self.core)
    }

    /// Receives the next message and tells who sent it: type, routing id, version, address, properties. `None`: the message is the
    /// library's own, as a ROUTER's notification is. Waits as [`recv`](Socket::recv) does.
    ///
    /// For applications that need to know more of a peer than a ROUTER's routing id; [`recv`](Socket::recv) costs less. Where a dialer was
    /// connected again before the message was taken, it is the newer connection's peer.
    ///
    /// # Errors
    /// As [`recv`](Socket::recv).
    #[inline]
    pub fn recv_with_peer(&self) -> Result<(Message, Option<Arc<Peer>>), Error> {
        match self.core.recv_in_lane_with_peer() {
            Some(found) => Ok(found),
            None => self.recv_with_peer_by_rule(),
        }
    }

    #[inline(never)]
    fn recv_with_peer_by_rule(&self) -> Result<(Message, Option<Arc<Peer>>), Error> {
        match self.core.try_recv_with_peer()? {
            Some(found) => Ok(found),
            None => {
                let deadline = self.recv_deadline_from_options();
                self.core.wait_on(For::Message, deadline, || self.core.try_recv_with_peer())
            }
        }
    }

    /// A message and who sent it, if one is there. See [`recv_with_peer`](Socket::recv_with_peer).
    ///
    /// # Errors
    /// As [`try_recv`](Socket::try_recv).
    pub fn try_recv_with_peer(&self) -> Result<(Message, Option<Arc<Peer>>), Error> {
        if let Some(found) = self.core.recv_in_lane_with_peer() {
            return Ok(found);
        }
        match self.core.try_recv_with_peer()? {
            Some(found) => Ok(found),
            None => self.core.poll_and(|| self.core.try_recv_with_peer())?.ok_or(Error::WouldBlock),
        }
    }

    /// The next message and who sent it; waits for at most `patience`, which begins when nothing is there. See [`recv_with_peer`](Socket::recv_with_peer).
    ///
    /// # Errors
    /// As [`recv`](Socket::recv).
    pub fn recv_with_peer_timeout(&self, patience: Duration) -> Result<(Message, Option<Arc<Peer>>), Error> {
        if let Some(found) = self.core.recv_in_lane_with_peer() {
            return Ok(found);
        }
        match self.core.try_recv_with_peer()? {
            Some(found) => Ok(found),
            None => {
                let deadline = deadline_of(self.core.now(), Some(patience));
                self.core.wait_on(For::Message, deadline, || self.core.try_recv_with_peer())
            }
        }
    }

    /// The next message and who sent it; waits up to `deadline`. See [`recv_with_peer`](Socket::recv_with_peer).
    ///
    /// # Errors
    /// As [`recv`](Socket::recv).
    pub fn recv_with_peer_deadline(&self, deadline: Instant) -> Result<(Message, Option<Arc<Peer>>), Error> {
        if let Some(found) = self.core.recv_in_lane_with_peer() {
            return Ok(found);
        }
        self.core.wait_until(For::Message, Some(deadline), || self.core.try_recv_with_peer())
    }
}

impl Core {
    /// One attempt, with what is not for the pattern: subscriptions of XSUB, messages that its type does not have. `may_wait`: the calling thread may stay for a moment to have a large body written
    /// from where it lies; never with a role in hand.
    #[inline]
    pub(crate) fn try_send(
        self: &Arc<Self>,
        outgoing: &mut Outgoing<'_>,
        may_wait: bool,
    ) -> Result<bool, Error> {
        if self.examines_sends && self.examine(outgoing)? {
            return Ok(true);
        }
        self.try_send_once(outgoing, may_wait)
    }
}
