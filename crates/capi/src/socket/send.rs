//! Sending: a whole message at once, or part by part. libzmq decides at the first part, and so does this.

use std::ffi::c_int;
use std::sync::atomic::Ordering;

use serverlink::{Dgram, Error, Interest, Message, Part, Payload, SendError, Socket};

use super::shape::{Label, Shape};
use super::{CSocket, DONTWAIT, SNDMORE, deadline_after};
use crate::errno::{Answer, EAGAIN, EFSM, EHOSTUNREACH, EINVAL, EMSGSIZE, Errno, fail};
use crate::message::RawMessage;
use crate::wait;

/// Up to here a message is copied wherever it goes, unless it is the program's own memory; a longer one may be shared with who receives it.
const SHORT_BODY: usize = u8::MAX as usize;

impl CSocket {
    /// Sends a copy of bytes, as a message or a part of one.
    #[inline]
    pub fn send_bytes(&self, bytes: &[u8], flags: c_int) -> Answer<()> {
        if self.is_plain_send(flags) && self.opened.get().is_some_and(|socket| socket.try_send_in_lane(bytes))
        {
            return Ok(());
        }
        self.send_bytes_by_rule(bytes, flags)
    }

    #[inline(never)]
    fn send_bytes_by_rule(&self, bytes: &[u8], flags: c_int) -> Answer<()> {
        if self.is_simple(flags) {
            return self.send_whole(bytes, flags).map_err(|(error, _)| error);
        }
        self.send_part(Part::from(bytes), Label::Nothing, flags).map_err(|(error, _)| error)
    }

    /// Sends a message's part, which stays with the caller if that fails.
    #[inline]
    pub fn send_message(&self, message: &mut RawMessage, flags: c_int) -> Answer<()> {
        if message.part().len() <= SHORT_BODY
            && !message.part().is_lent()
            && self.is_plain_send(flags)
            && self.opened.get().is_some_and(|socket| socket.try_send_in_lane(message.part()))
        {
            message.become_empty();
            return Ok(());
        }
        self.send_message_by_rule(message, flags)
    }

    #[inline(never)]
    fn send_message_by_rule(&self, message: &mut RawMessage, flags: c_int) -> Answer<()> {
        let sent = if self.is_simple(flags) {
            self.send_whole(message.take(), flags)
        } else {
            let label = Label::of(message);
            self.send_part(message.take(), label, flags)
        };
        match sent {
            Ok(()) => {
                message.clear();
                Ok(())
            }
            Err((error, part)) => {
                message.put_back(part);
                Err(error)
            }
        }
    }

    /// Sends all parts of a message at once. While another message is sent part by part it is `EFSM`.
    pub fn send_whole_message(&self, message: Message, flags: c_int) -> Answer<()> {
        if self.is_sending.load(Ordering::Relaxed) {
            return fail(EFSM);
        }
        self.send_whole(message, flags).map_err(|(error, _)| error)
    }

    /// Nothing of ours has to be done beside sending, so the library's lane may be tried at once. A REP has none.
    #[inline]
    fn is_plain_send(&self, flags: c_int) -> bool {
        self.is_simple(flags) && self.signal.get().is_none()
    }

    /// A message of one part.
    #[inline]
    fn is_simple(&self, flags: c_int) -> bool {
        flags & SNDMORE == 0 && self.shape == Shape::Parts && !self.is_sending.load(Ordering::Relaxed)
    }

    /// A message of one part, or all parts of one that was admitted already.
    #[inline]
    fn send_whole<M: Payload>(&self, message: M, flags: c_int) -> Result<(), (Errno, M)> {
        let socket = match self.open() {
            Ok(socket) => socket,
            Err(error) => return Err((error, message)),
        };
        let sent = match (flags & DONTWAIT != 0, self.send_timeout.load(Ordering::Relaxed)) {
            (true, _) | (_, 0) => socket.try_send(message),
            (false, -1) if socket.is_on_a_wire() => socket.send(message),
            (false, timeout) => self.send_waiting(socket, message, timeout),
        };
        if let Some(signal) = self.signal.get() {
            signal.after_call(Interest::WRITABLE);
        }
        if !self.owes_reply.load(Ordering::Relaxed) {
            return sent.map_err(|SendError { error, message }| (Errno::from(error), message));
        }
        self.owes_reply.store(false, Ordering::Relaxed);
        match sent.map_err(|SendError { error, message }| (Errno::from(error), message)) {
            // Who asked has left. libzmq takes the reply and drops it.
            Err((Errno(EFSM), _)) => Ok(()),
            sent => sent,
        }
    }

    /// Waits so that a signal ends it.
    #[cold]
    fn send_waiting<M: Payload>(
        &self,
        socket: &Socket,
        message: M,
        timeout: c_int,
    ) -> Result<(), SendError<M>> {
        let deadline = deadline_after(timeout);
        let mut message = match socket.try_send(message) {
            Err(SendError { error: Error::WouldBlock, message }) => message,
            sent => return sent,
        };
        loop {
            if let Err(error) = wait::for_one(socket, Interest::WRITABLE, deadline) {
                return Err(SendError { error, message });
            }
            message = match socket.try_send(message) {
                Err(SendError { error: Error::WouldBlock, message }) => message,
                sent => return sent,
            };
        }
    }

    #[cold]
    fn send_part(&self, part: Part, label: Label, flags: c_int) -> Result<(), (Errno, Part)> {
        match self.shape {
            Shape::Parts => self.send_one_of_parts(part, flags & SNDMORE != 0, flags),
            Shape::Octets => {
                let is_id = !self.is_sending.load(Ordering::Relaxed);
                self.send_one_of_parts(part, is_id, flags)
            }
            Shape::Datagram => self.send_part_of_datagram(part, flags),
            _ if flags & SNDMORE != 0 => Err((Errno(EINVAL), part)),
            Shape::Single => self.send_whole(part, flags),
            Shape::Numbered | Shape::Grouped => {
                let sent = self.send_whole(self.shape.whole(part, label)?, flags);
                sent.map_err(|(error, message)| {
                    let (_, body) = message.split_first();
                    (error, body.map(|body| body.split_first().0).unwrap_or_default())
                })
            }
        }
    }

    /// An address, then a body. What does not fit is told before any of it is taken.
    fn send_part_of_datagram(&self, part: Part, flags: c_int) -> Result<(), (Errno, Part)> {
        let (is_address, more) = (!self.is_sending.load(Ordering::Relaxed), flags & SNDMORE != 0);
        if is_address != more || (is_address && !Dgram::is_address(&part)) {
            return Err((Errno(EINVAL), part));
        }
        if !is_address && part.len() > Dgram::MAX_BYTES {
            return Err((Errno(EMSGSIZE), part));
        }
        self.send_one_of_parts(part, more, flags)
    }

    /// The first part is admitted or not; the others never wait.
    fn send_one_of_parts(&self, part: Part, more: bool, flags: c_int) -> Result<(), (Errno, Part)> {
        let mut outgoing = self.outgoing.lock();
        let message = match outgoing.take() {
            None => {
                if let Err(error) = self.admit(&part, flags) {
                    return Err((error, part));
                }
                Message::from(part)
            }
            Some(mut message) => {
                message.push_back(part);
                message
            }
        };
        if more {
            *outgoing = Some(message);
            self.is_sending.store(true, Ordering::Relaxed);
            return Ok(());
        }
        self.is_sending.store(false, Ordering::Relaxed);
        drop(outgoing);
        match self.send_whole(message, DONTWAIT) {
            // Who was to get it has left meanwhile, or another thread took the room: as libzmq does, it is dropped.
            Ok(()) | Err((Errno(EAGAIN | EFSM | EHOSTUNREACH), _)) => Ok(()),
            Err((error, _)) => Err((error, Part::new())),
        }
    }

    fn admit(&self, first: &Part, flags: c_int) -> Answer<()> {
        let socket = self.open()?;
        let timeout = self.send_timeout.load(Ordering::Relaxed);
        match socket.admits(first) {
            Err(Error::WouldBlock) if flags & DONTWAIT == 0 && timeout != 0 => {
                let deadline = deadline_after(timeout);
                Ok(socket.wait_until_admitted(first, deadline)?)
            }
            Err(Error::WrongState { .. }) if self.owes_reply.load(Ordering::Relaxed) => Ok(()),
            admitted => Ok(admitted?),
        }
    }
}
