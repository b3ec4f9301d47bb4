//! Messages of one part in the lanes, without a [`Message`](serverlink_message::Message) in between: for callers that have a form of their own
//! for what they send and receive.

use std::sync::Arc;

use serverlink_driver::fork;
use serverlink_message::Part;

use super::Socket;
use super::core::Core;
use super::side::Half;
use crate::payload::Outgoing;
use crate::peer::Peer;

/// For programs in other languages, whose interfaces have a form of their own for a message. Each of these calls does what can be done without a
/// decision, as in the middle of a stream of messages to or from one peer, or does nothing and says so; the ordinary call comes then.
impl Socket {
    /// Sends a copy of a message of one part, if nothing has to be decided for it. Never blocks. False: nothing was sent, and
    /// [`try_send`](Socket::try_send) or [`send`](Socket::send) says why, or sends it.
    ///
    /// It is [`send`](Socket::send) without a way to wait or to fail; who calls both in turn loses some nanoseconds where this one says no.
    ///
    /// ```
    /// let context = serverlink::Context::new()?;
    /// let (push, pull) = (context.push().open()?, context.pull().open()?);
    /// push.connect(&pull.bind("tcp://127.0.0.1:*")?.to_string())?;
    ///
    /// let (push, body) = (push.as_socket(), b"hello".as_slice());
    /// if !push.try_send_in_lane(body) {
    ///     push.send(body)?;
    /// }
    /// assert_eq!(pull.recv()?, "hello".into());
    /// # Ok::<(), serverlink::Error>(())
    /// ```
    #[inline]
    pub fn try_send_in_lane(&self, body: &[u8]) -> bool {
        self.core.send_in_lane(&mut Outgoing::Bytes(body))
    }

    /// Shows `take` the body of the next message of one part and drops it, if it is here and nothing has to be decided for it. Never blocks. False:
    /// nothing was received, `take` was not called, and [`try_recv`](Socket::try_recv) or [`recv`](Socket::recv) has what comes next.
    ///
    /// `take` runs under the lock of this socket's receiving side: it is there to copy, and hangs or panics where it receives on the socket.
    ///
    /// ```
    /// let context = serverlink::Context::new()?;
    /// let (push, pull) = (context.push().open()?, context.pull().open()?);
    /// push.connect(&pull.bind("tcp://127.0.0.1:*")?.to_string())?;
    /// push.send("hello")?;
    ///
    /// let mut bytes = Vec::new();
    /// if !pull.as_socket().try_recv_in_lane(|body| bytes.extend_from_slice(body)) {
    ///     bytes.extend_from_slice(pull.recv()?.first());
    /// }
    /// assert_eq!(bytes, b"hello");
    /// # Ok::<(), serverlink::Error>(())
    /// ```
    #[inline]
    pub fn try_recv_in_lane(&self, take: impl FnOnce(&[u8])) -> bool {
        self.core.show_in_lane(take)
    }

    /// Puts the body of the next message of one part where another one was, if it is here, nothing has to be decided for it, and what `part` holds can be let go
    /// without a lock: bytes in place, or a piece of the memory that the new one is cut from. Never blocks.
    ///
    /// `sender`: from whom the caller thinks the message will be, as it was the last time; `None`: it knows nobody yet. The answer is `Some` if a message was
    /// received, and has its sender where that was not known (and there is one). `None`: nothing was received and `part` is as it was, also where the
    /// next message is from somebody else; [`try_recv_with_peer`](Socket::try_recv_with_peer) has it.
    ///
    /// ```
    /// use serverlink::{Context, Part};
    ///
    /// let context = Context::new()?;
    /// let (push, pull) = (context.push().open()?, context.pull().open()?);
    /// push.connect(&pull.bind("tcp://127.0.0.1:*")?.to_string())?;
    /// push.send_batch(["one", "two"])?;
    ///
    /// let pull = pull.as_socket();
    /// let (first, sender) = pull.recv_with_peer()?;
    /// let mut part = first.split_first().0;
    /// match pull.try_recv_part_in_lane(&mut part, sender.as_deref()) {
    ///     Some(_) => {}
    ///     None => part = pull.recv()?.split_first().0,
    /// }
    /// assert_eq!(part, "two");
    /// # Ok::<(), serverlink::Error>(())
    /// ```
    #[inline]
    pub fn try_recv_part_in_lane(&self, part: &mut Part, sender: Option<&Peer>) -> Option<Option<Arc<Peer>>> {
        self.core.refill_in_lane(part, sender)
    }
}

impl Core {
    #[expect(clippy::inline_always, reason = "as `recv_in_lane`")]
    #[inline(always)]
    fn show_in_lane(&self, take: impl FnOnce(&[u8])) -> bool {
        if !self.receives_in_lanes || fork::generation() != 0 {
            return false;
        }
        self.recv.lock_lane().lane.show(take)
    }

    #[expect(clippy::inline_always, reason = "as `recv_in_lane`")]
    #[inline(always)]
    fn refill_in_lane(&self, part: &mut Part, sender: Option<&Peer>) -> Option<Option<Arc<Peer>>> {
        if !self.receives_in_lanes || fork::generation() != 0 {
            return None;
        }
        let mut half = self.recv.lock_lane();
        let Half { lane, side, .. } = &mut *half;
        let peer = side.lane_peer.as_ref()?.as_ref();
        match (sender, peer) {
            (Some(known), Some(peer)) if std::ptr::eq(known, &raw const **peer) => {
                lane.refill(part).then_some(None)
            }
            (Some(_), _) => None,
            (None, peer) => lane.refill(part).then(|| peer.cloned()),
        }
    }
}
