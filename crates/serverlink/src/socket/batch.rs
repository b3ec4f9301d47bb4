//! Several messages in one call: the same as one after the other, with one lock for as many as need no decision.

use std::array;

use serverlink_message::Message;

use super::Socket;
use super::core::Core;
use crate::error::{Error, SendBatchError, SendError};
use crate::payload::{Carrier, Payload};

/// So many are taken from the caller's iterator at a time: it is foreign code, and no lock is held while it runs.
const AT_ONCE: usize = 32;

/// So many are received under one lock.
const RECEIVED_AT_ONCE: usize = 256;

impl Socket {
    /// Sends several messages, in their order, and returns how many they were. It is the same as [`send`](Socket::send) for each of them, with less
    /// work for each small one: waits whenever no peer has room, each time at most for the socket's `send_timeout`; what other threads
    /// send may come in between; a queue's mark may be reached within the batch, and peers are chosen for each message.
    ///
    /// Up to 32 messages are taken from the iterator before the first of them is sent, so do not make one wait for what becomes of the one before it, and send
    /// one at a time what comes slowly. Where the iterator panics, those that it has given and that were not sent are dropped.
    ///
    /// No call has to be made to have them written. For whom messages come one at a time `send` is as good: nothing is gained by waiting for
    /// more of them.
    ///
    /// ```
    /// let ctx = serverlink::Context::new()?;
    /// let (pull, push) = (ctx.pull().open()?, ctx.push().open()?);
    /// push.connect(&pull.bind("tcp://127.0.0.1:*")?.to_string())?;
    ///
    /// assert_eq!(push.send_batch(["first", "second", "third"])?, 3);
    /// let mut messages = Vec::new();
    /// while messages.len() < 3 {
    ///     pull.recv_batch(&mut messages, 100)?;
    /// }
    /// assert_eq!(messages, ["first", "second", "third"].map(Into::into));
    /// # Ok::<(), serverlink::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`send`](Socket::send), at the first message that fails. [`SendBatchError`] says how many were sent before it, and gives that message and
    /// all behind it back: the iterator is run to its end, so give it no endless one. [`Error::NotSupported`] for REQ and REP, which take turns.
    pub fn send_batch<M: Payload>(
        &self,
        messages: impl IntoIterator<Item = M>,
    ) -> Result<usize, SendBatchError<M>> {
        self.send_each(messages.into_iter(), |carrier| self.send_by_rule(carrier))
    }

    /// Sends as many of the messages as there is room for now, in their order. See [`send_batch`](Socket::send_batch).
    ///
    /// ```
    /// use serverlink::{Error, Message};
    ///
    /// let ctx = serverlink::Context::new()?;
    /// let push = ctx.push().send_hwm(2).open()?;
    /// push.connect("tcp://127.0.0.1:9")?; // nobody is there yet, so they wait in the queue
    /// let refused = push.try_send_batch(["a", "b", "c", "d"]).unwrap_err();
    /// assert!(matches!(refused.error, Error::WouldBlock));
    /// assert_eq!((refused.sent, refused.unsent), (2, vec!["c", "d"]));
    /// # push.close(std::time::Duration::ZERO);
    /// # Ok::<(), serverlink::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::WouldBlock`] at the first message that no peer has room for; others as [`send_batch`](Socket::send_batch).
    pub fn try_send_batch<M: Payload>(
        &self,
        messages: impl IntoIterator<Item = M>,
    ) -> Result<usize, SendBatchError<M>> {
        self.send_each(messages.into_iter(), |carrier| self.try_send_by_rule(carrier))
    }

    fn send_each<M: Payload>(
        &self,
        messages: impl Iterator<Item = M>,
        mut send: impl FnMut(M::Carrier) -> Result<(), SendError<M>>,
    ) -> Result<usize, SendBatchError<M>> {
        let mut messages = messages.fuse();
        if self.core.dialogue.is_some() {
            return Err(SendBatchError {
                sent: 0,
                error: Error::NotSupported { what: "send in batches", socket_type: self.core.kind },
                unsent: messages.collect(),
            });
        }
        let mut sent = 0;
        loop {
            let mut waiting: [Option<M::Carrier>; AT_ONCE] =
                array::from_fn(|_| messages.next().map(Payload::into_carrier));
            let mut next = 0;
            loop {
                let easy = self.core.send_many_in_lane(&mut waiting[next..]);
                (next, sent) = (next + easy, sent + easy);
                // One that has to be placed opens the lane for those behind it.
                let Some(mut carrier) = waiting.get_mut(next).and_then(Option::take) else { break };
                next += 1;
                // A lane into a ring takes one at a time.
                if !self.core.send_in_lane(&mut carrier.outgoing())
                    && let Err(refused) = send(carrier)
                {
                    let behind = waiting.into_iter().skip(next).flatten().map(M::from_carrier);
                    let unsent = [refused.message].into_iter().chain(behind).chain(messages).collect();
                    return Err(SendBatchError { sent, error: refused.error, unsent });
                }
                sent += 1;
            }
            if next < AT_ONCE {
                return Ok(sent);
            }
        }
    }

    /// Appends the next messages to `into`, at most so many, and returns how many they were: waits for the first as [`recv`](Socket::recv) does, and takes
    /// those that are here already with it. It never waits for a second, so the latency of none is made worse; several small ones
    /// cost less work each than with `recv`. The order, and whose turn it is, are the same.
    ///
    /// From asynchronous code, await [`recv_async`](Socket::recv_async) and then call [`try_recv_batch`](Socket::try_recv_batch). See
    /// [`send_batch`](Socket::send_batch) for an example.
    ///
    /// # Errors
    /// As [`recv`](Socket::recv), if not even one was received: nothing was taken, and `into` is as it was. An error behind the first message is the
    /// next call's. [`Error::NotSupported`] for REQ and REP. With `at_most` 0 nothing is done, and that is `Ok(0)`.
    pub fn recv_batch(&self, into: &mut Vec<Message>, at_most: usize) -> Result<usize, Error> {
        self.recv_several(into, at_most, |message| self.recv_by_rule(message))
    }

    /// The messages that are here now, at most so many; reads what has just come in, as [`try_recv`](Socket::try_recv) does. See
    /// [`recv_batch`](Socket::recv_batch).
    ///
    /// # Errors
    /// [`Error::WouldBlock`] if none is here; others as [`recv_batch`](Socket::recv_batch).
    pub fn try_recv_batch(&self, into: &mut Vec<Message>, at_most: usize) -> Result<usize, Error> {
        self.recv_several(into, at_most, |message| self.try_recv_by_rule(message))
    }

    fn recv_several(
        &self,
        into: &mut Vec<Message>,
        at_most: usize,
        first: impl FnOnce(&mut Message) -> Result<(), Error>,
    ) -> Result<usize, Error> {
        if self.core.dialogue.is_some() {
            return Err(Error::NotSupported { what: "receive in batches", socket_type: self.core.kind });
        }
        let before = into.len();
        let end = before.saturating_add(at_most);
        self.core.recv_many_in_lane(into, end);
        if into.len() == before && at_most > 0 {
            let mut message = Message::new();
            first(&mut message)?;
            into.push(message);
        }
        while into.len() < end {
            self.core.recv_many_in_lane(into, end);
            // One that has to be decided opens the lane for those behind it.
            if into.len() == end || !self.core.recv_one_more(into) {
                break;
            }
        }
        Ok(into.len() - before)
    }
}

impl Core {
    /// As many of them, from the first on, as need no decision; they were copied, and are dropped without a lock.
    fn send_many_in_lane<C: Carrier>(&self, carriers: &mut [Option<C>]) -> usize {
        let bodies = carriers.iter_mut().map_while(|carrier| carrier.as_mut());
        self.push_in_lane(bodies.map(Carrier::outgoing))
    }

    /// Fills up to that length with what needs no decision.
    fn recv_many_in_lane(&self, into: &mut Vec<Message>, end: usize) {
        loop {
            let wanted = (end - into.len()).min(RECEIVED_AT_ONCE);
            // Not under the lock.
            into.reserve(wanted);
            if wanted == 0 || self.cut_in_lane(into, wanted) < wanted {
                return;
            }
        }
    }
}
