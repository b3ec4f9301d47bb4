use std::time::Instant;

use super::addressed;
use super::methods::{receives, receives_batches, sends, sends_batches, typed_socket};
use crate::{Error, Message, Part, Payload, SendError};

typed_socket! {
    /// Asks without waiting (RFC 28): messages go to the peers in turn, answers come from all of them.
    ///
    /// Between DEALER and [`Router`] the messages are the application's alone. A DEALER that talks to a
    /// [`Reply`](crate::Reply) sends an empty part first and gets it back with the answer.
    ///
    /// ```
    /// let ctx = serverlink::Context::new()?;
    /// let router = ctx.router().open()?;
    /// let endpoint = router.bind("tcp://127.0.0.1:*")?;
    /// let dealer = ctx.dealer().routing_id("worker-7").open()?;
    /// dealer.connect(&endpoint.to_string())?;
    ///
    /// dealer.send("first")?;
    /// dealer.send("second")?;
    /// for expected in ["first", "second"] {
    ///     let (from, message) = router.recv_from()?;
    ///     assert_eq!((&from[..], message.first()), (&b"worker-7"[..], &expected.into()));
    /// }
    /// # Ok::<(), serverlink::Error>(())
    /// ```
    Dealer is Dealer
}
sends!(Dealer, "Waits while there is no peer or all their queues are full.");
sends_batches!(Dealer);
receives!(Dealer);
receives_batches!(Dealer);

typed_socket! {
    /// Sends to the peer it names (RFC 28). On every message received, the first part is the routing id of the peer that sent
    /// it; on every message sent, the first part is the routing id of the peer that gets it.
    ///
    /// [`send_to`](Router::send_to) and [`recv_from`](Router::recv_from) keep that part apart from the rest. A message to an
    /// unknown peer is dropped and counted, unless `router_mandatory` is set.
    ///
    /// ```
    /// let ctx = serverlink::Context::new()?;
    /// let router = ctx.router().router_mandatory(true).open()?;
    /// let endpoint = router.bind("tcp://127.0.0.1:*")?;
    /// let dealer = ctx.dealer().open()?;
    /// dealer.connect(&endpoint.to_string())?;
    ///
    /// dealer.send("ping")?;
    /// let (peer, question) = router.recv_from()?;
    /// assert_eq!(question.first(), "ping");
    /// router.send_to(&peer, "pong")?;
    /// assert_eq!(dealer.recv()?.first(), "pong");
    ///
    /// let failed = router.send_to(b"nobody", "lost?").unwrap_err();
    /// assert_eq!(failed.message, "lost?");
    /// # Ok::<(), serverlink::Error>(())
    /// ```
    Router is Router
}
sends!(
    Router,
    "Its first part names the peer. Waits for a full peer only if `router_mandatory` is set, and else drops the message."
);
sends_batches!(Router);
receives!(Router);
receives_batches!(Router);

/// Addressed messages.
impl Router {
    /// Sends to the peer with this routing id.
    ///
    /// # Errors
    /// [`Error::Unroutable`] if there is none, with `router_mandatory`; else as [`send`](Router::send). The error holds the
    /// message without the address.
    pub fn send_to<M: Payload>(&self, routing_id: &[u8], message: M) -> Result<(), SendError<M>> {
        addressed::send_to(routing_id, message, |message| Ok(self.socket.send(message)?))
    }

    /// Sends to the peer with this routing id if that is possible at once.
    ///
    /// # Errors
    /// [`Error::WouldBlock`], else as [`send_to`](Router::send_to).
    pub fn try_send_to<M: Payload>(&self, routing_id: &[u8], message: M) -> Result<(), SendError<M>> {
        addressed::send_to(routing_id, message, |message| Ok(self.socket.try_send(message)?))
    }

    /// Sends to the peer with this routing id, waiting at most until `deadline`.
    ///
    /// # Errors
    /// [`Error::TimedOut`], else as [`send_to`](Router::send_to).
    pub fn send_to_deadline<M: Payload>(
        &self,
        routing_id: &[u8],
        message: M,
        deadline: Instant,
    ) -> Result<(), SendError<M>> {
        addressed::send_to(routing_id, message, |message| Ok(self.socket.send_deadline(message, deadline)?))
    }

    /// The next message, and who sent it.
    ///
    /// # Errors
    /// As [`recv`](Router::recv).
    pub fn recv_from(&self) -> Result<(Part, Message), Error> {
        self.socket.recv().map(|whole| addressed::split(whole, |sender| sender))
    }

    /// A message, if one is there, and who sent it.
    ///
    /// # Errors
    /// As [`try_recv`](Router::try_recv).
    pub fn try_recv_from(&self) -> Result<(Part, Message), Error> {
        self.socket.try_recv().map(|whole| addressed::split(whole, |sender| sender))
    }

    /// The next message and who sent it, waiting at most until `deadline`.
    ///
    /// # Errors
    /// As [`recv_deadline`](Router::recv_deadline).
    pub fn recv_from_deadline(&self, deadline: Instant) -> Result<(Part, Message), Error> {
        self.socket.recv_deadline(deadline).map(|whole| addressed::split(whole, |sender| sender))
    }

    /// Connects, and calls the peer by a routing id of this side's choice, whatever it calls itself. That makes it addressable
    /// at once.
    ///
    /// # Errors
    /// [`Error::InvalidEndpoint`], and [`Error::InvalidOption`] for an id that is too long, empty or starts with a zero byte.
    pub fn connect_as(&self, endpoint: &str, routing_id: &[u8]) -> Result<(), Error> {
        self.socket.connect_as(endpoint, routing_id)
    }

    /// Ends the connection with one peer. Returns at once, and nobody has the routing id then; what is queued for the peer is still written, within the
    /// [linger](crate::Options::linger), and what it sent and nobody has received is dropped and counted. See [`Socket::hang_up`](crate::Socket::hang_up).
    ///
    /// ```
    /// use serverlink::{Context, Error};
    ///
    /// let context = Context::new()?;
    /// let router = context.router().router_mandatory(true).open()?;
    /// let endpoint = router.bind("tcp://127.0.0.1:*")?.to_string();
    /// let dealer = context.dealer().routing_id("worker").open()?;
    /// dealer.connect(&endpoint)?;
    /// dealer.send("ready")?;
    /// let (worker, _) = router.recv_from()?;
    ///
    /// assert!(router.has_room_for(&worker)?);
    /// router.send_to(&worker, "enough for today")?;
    /// router.hang_up(&worker)?;
    /// assert!(matches!(router.has_room_for(&worker), Err(Error::Unroutable { .. })));
    /// assert_eq!(dealer.recv()?.first(), "enough for today");
    /// # Ok::<(), Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Unroutable`] if nobody has the routing id.
    pub fn hang_up(&self, routing_id: &[u8]) -> Result<(), Error> {
        self.socket.hang_up(routing_id)
    }

    /// Whether a message to this peer would find room now. Never blocks. A ROUTER that is not mandatory drops what finds none.
    ///
    /// # Errors
    /// [`Error::Unroutable`] if nobody has the routing id.
    pub fn has_room_for(&self, routing_id: &[u8]) -> Result<bool, Error> {
        self.socket.has_room_for(routing_id)
    }
}
