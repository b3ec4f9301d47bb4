//! Receiving part by part.

use std::ffi::{c_int, c_void};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use serverlink::{Error, Interest, Message, Part, Peer, Socket, SocketType};

use super::shape::{Label, Shape};
use super::{CSocket, DONTWAIT, deadline_after};
use crate::errno::{Answer, EFAULT, fail};
use crate::guard::length;
use crate::message::RawMessage;
use crate::wait;

/// In which no signal ends a call.
const MOMENT: Duration = Duration::from_micros(100);

type Sent = (Message, Option<Arc<Peer>>);

/// What is left of a message that is received part by part.
#[derive(Default)]
pub(super) struct Incoming {
    rest: Option<Message>,
    peer: Option<Arc<Peer>>,
}

/// One part, and whether there are more.
struct Received {
    part: Part,
    label: Label,
    peer: Option<Arc<Peer>>,
    more: bool,
}

impl CSocket {
    /// Receives a part and has it copied, perhaps under a lock: `copy` does nothing else. Gives its whole length.
    #[inline]
    pub fn recv_bytes(&self, mut copy: impl FnMut(&[u8]), flags: c_int) -> Answer<usize> {
        if self.is_plain_recv()
            && let Some(socket) = self.opened.get()
        {
            let mut len = 0;
            let mut take = |body: &[u8]| {
                copy(body);
                len = body.len();
            };
            if socket.try_recv_in_lane(&mut take) {
                self.more.store(false, Ordering::Relaxed);
                return Ok(len);
            }
        }
        let received = self.recv(flags)?;
        copy(&received.part);
        Ok(received.part.len())
    }

    /// Receives a part and copies as much of it as fits. Gives its whole length; null with room is `EFAULT`.
    ///
    /// # Safety
    /// `place` is null, or `room` bytes can be written there.
    #[inline]
    pub unsafe fn recv_into(&self, place: *mut c_void, room: usize, flags: c_int) -> Answer<c_int> {
        if place.is_null() && room > 0 {
            return fail(EFAULT);
        }
        let copy = |part: &[u8]| {
            if !place.is_null() {
                // SAFETY: the caller's, and no more is copied.
                unsafe { place.cast::<u8>().copy_from_nonoverlapping(part.as_ptr(), part.len().min(room)) };
            }
        };
        self.recv_bytes(copy, flags).map(length)
    }

    /// Receives a part in place of what the message held. Gives its length.
    #[inline]
    pub fn recv_message(&self, message: &mut RawMessage, flags: c_int) -> Answer<usize> {
        if self.is_plain_recv()
            && let Some(socket) = self.opened.get()
            && message.refill(|part, sender| socket.try_recv_part_in_lane(part, sender))
        {
            self.more.store(false, Ordering::Relaxed);
            return Ok(message.part().len());
        }
        self.recv_message_by_rule(message, flags)
    }

    /// Nothing of ours has to be done beside receiving, so the library's lane may be tried at once. A REP has none, and what a ROUTER
    /// receives has an address.
    #[inline]
    fn is_plain_recv(&self) -> bool {
        self.shape == Shape::Parts
            && self.kind != SocketType::Router
            && !self.has_rest()
            && self.signal.get().is_none()
    }

    #[inline(never)]
    fn recv_message_by_rule(&self, message: &mut RawMessage, flags: c_int) -> Answer<usize> {
        let Received { part, label, peer, more } = self.recv(flags)?;
        let len = part.len();
        message.replace(RawMessage::new(part, more, peer));
        label.put_beside(message);
        Ok(len)
    }

    /// Whether the part that was received last has others behind it.
    pub(super) fn has_more(&self) -> bool {
        self.more.load(Ordering::Relaxed)
    }

    /// Whether parts of a message are here that were not asked for yet.
    pub(crate) fn has_rest(&self) -> bool {
        self.has_rest.load(Ordering::Relaxed)
    }

    #[inline(never)]
    fn recv(&self, flags: c_int) -> Answer<Received> {
        if self.has_rest()
            && let Some(received) = self.next_part()
        {
            return Ok(received);
        }
        let socket = self.open()?;
        let found = match self.recv_timeout.load(Ordering::Relaxed) {
            _ if flags & DONTWAIT != 0 => socket.try_recv_with_peer(),
            0 => socket.try_recv_with_peer(),
            timeout if !socket.is_on_a_wire() => self.recv_parking(socket, timeout),
            timeout => match u64::try_from(timeout) {
                Ok(timeout) => socket.recv_with_peer_timeout(Duration::from_millis(timeout)),
                Err(_) => socket.recv_with_peer(),
            },
        };
        let (message, peer) = match found {
            Ok(found) => found,
            Err(error) => {
                self.after_recv(matches!(error, Error::WouldBlock | Error::TimedOut));
                return Err(error.into());
            }
        };
        if self.kind == SocketType::Rep {
            self.owes_reply.store(true, Ordering::Relaxed);
        }
        let (message, label) = self.shape.open(message);
        let (part, rest) = message.split_first();
        let more = rest.is_some();
        self.more.store(more, Ordering::Relaxed);
        if more {
            *self.incoming.lock() = Incoming { rest, peer: peer.clone() };
            self.has_rest.store(true, Ordering::Relaxed);
        }
        self.after_recv(false);
        Ok(Received { part, label, peer, more })
    }

    /// A thread that parks in the library hears of no signal, so it stays there for a moment only, in which the library spins if that is worth it.
    fn recv_parking(&self, socket: &Socket, timeout: c_int) -> Result<Sent, Error> {
        match socket.recv_with_peer_timeout(MOMENT) {
            Err(Error::TimedOut) => {}
            found => return found,
        }
        let deadline = deadline_after(timeout);
        loop {
            wait::for_one(socket, Interest::READABLE, deadline)?;
            match socket.try_recv_with_peer() {
                Err(Error::WouldBlock) => {}
                found => return found,
            }
        }
    }

    #[cold]
    fn next_part(&self) -> Option<Received> {
        let mut incoming = self.incoming.lock();
        let (part, rest) = incoming.rest.take()?.split_first();
        let more = rest.is_some();
        incoming.rest = rest;
        let peer = if more { incoming.peer.clone() } else { incoming.peer.take() };
        drop(incoming);
        self.has_rest.store(more, Ordering::Relaxed);
        self.more.store(more, Ordering::Relaxed);
        if !more {
            self.after_recv(false);
        }
        Some(Received { part, label: Label::Nothing, peer, more })
    }

    #[inline]
    fn after_recv(&self, found_nothing: bool) {
        if let Some(signal) = self.signal.get() {
            match found_nothing {
                true => signal.found_nothing(),
                false if self.has_rest() => signal.ring(),
                false => signal.after_call(Interest::READABLE),
            }
        }
    }
}
