use super::addressed::{addressed, tells_address};
use super::methods::{receives, receives_batches, sends, sends_batches, typed_socket};
use crate::Error;

typed_socket! {
    /// Asks without waiting (RFC 41): messages of one part go to the [`Server`]s in turn, answers come from all of them.
    ///
    /// A [`Dealer`](crate::Dealer) without parts: there is no envelope to be put in front and taken off again. libzmq has it as a draft, and built with
    /// drafts talks to it.
    ///
    /// ```
    /// let ctx = serverlink::Context::new()?;
    /// let server = ctx.server().open()?;
    /// let endpoint = server.bind("tcp://127.0.0.1:*")?;
    /// let client = ctx.client().open()?;
    /// client.connect(&endpoint.to_string())?;
    ///
    /// client.send("what time is it?")?;
    /// let (who, question) = server.recv_from()?;
    /// assert_eq!(question.first(), "what time is it?");
    /// server.send_to(who, "time for tea")?;
    /// assert_eq!(client.recv()?.first(), "time for tea");
    ///
    /// let parts = serverlink::Message::from_parts(["one", "two"]);
    /// let refused = client.send(parts.clone()).unwrap_err();
    /// assert_eq!(refused.message, parts);
    /// # Ok::<(), serverlink::Error>(())
    /// ```
    Client is Client
}
sends!(
    Client,
    "Waits while there is no peer or all their queues are full. A message of several parts is refused with [`UnsuitableMessage`](crate::Error::UnsuitableMessage)."
);
sends_batches!(Client);
receives!(Client);
receives_batches!(Client);

typed_socket! {
    /// Answers each [`Client`] by its number (RFC 41), at any time and as often as it likes. A client gets its number when it connects, and a new one when
    /// it comes back; no number is 0.
    ///
    /// [`send`](Self::send) and [`recv`](Self::recv) have the number in front of the body, as a part of four octets, the highest first.
    ///
    /// See [`Client`] for an example.
    Server is Server
}
sends!(
    Server,
    "Waits for a peer whose queue is full. Fails with [`Unroutable`](crate::Error::Unroutable) if nobody has the number, and with [`UnsuitableMessage`](crate::Error::UnsuitableMessage) for anything but a number and one part."
);
sends_batches!(Server);
receives!(Server);
receives_batches!(Server);
addressed!(Server, client: u32 => client.to_be_bytes(), "the client with this number");
tells_address!(Server, u32 => super::number_of, "the number of the client that sent it");

/// Clients, one by one.
impl Server {
    /// Ends the connection with one client. Returns at once, and nobody has the number then; what is queued for the client is still
    /// written, within the [linger](crate::Options::linger), and what it sent and nobody has received is dropped and counted. Its socket connects again,
    /// and gets another number. libzmq: `zmq_disconnect_peer`.
    ///
    /// ```
    /// use serverlink::{Context, Error};
    ///
    /// let context = Context::new()?;
    /// let server = context.server().open()?;
    /// let endpoint = server.bind("tcp://127.0.0.1:*")?.to_string();
    /// let client = context.client().open()?;
    /// client.connect(&endpoint)?;
    /// client.send("let me in")?;
    /// let (who, _) = server.recv_from()?;
    ///
    /// server.send_to(who, "no")?;
    /// server.hang_up(who)?;
    /// assert!(matches!(server.send_to(who, "never"), Err(refused) if matches!(refused.error, Error::Unroutable { .. })));
    /// assert_eq!(client.recv()?.first(), "no");
    /// # Ok::<(), Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Unroutable`](crate::Error::Unroutable) if nobody has the number.
    pub fn hang_up(&self, client: u32) -> Result<(), Error> {
        self.socket.hang_up(&client.to_be_bytes())
    }
}

typed_socket! {
    /// Talks to any number of its kind, each by its number (RFC 51): a [`Server`] that connects as well, and is told the number of whom it connects to.
    ///
    /// The type is `PEER` on the wire; [`Peer`](crate::Peer) is the name of what is known of a peer.
    ///
    /// ```
    /// let ctx = serverlink::Context::new()?;
    /// let (one, other) = (ctx.peer().open()?, ctx.peer().open()?);
    /// let endpoint = one.bind("tcp://127.0.0.1:*")?;
    /// let number = other.connect_peer(&endpoint.to_string())?;
    ///
    /// other.send_to(number, "there")?;
    /// let (from, message) = one.recv_from()?;
    /// assert_eq!(message.first(), "there");
    /// one.send_to(from, "and back")?;
    /// let (from, message) = other.recv_from()?;
    /// assert_eq!((from, message.first()), (number, &"and back".into()));
    /// # Ok::<(), serverlink::Error>(())
    /// ```
    PeerSocket is Peer
}
sends!(
    PeerSocket,
    "Waits for a peer whose queue is full. Fails with [`Unroutable`](crate::Error::Unroutable) if nobody has the number, and with [`UnsuitableMessage`](crate::Error::UnsuitableMessage) for anything but a number and one part."
);
sends_batches!(PeerSocket);
receives!(PeerSocket);
receives_batches!(PeerSocket);
addressed!(PeerSocket, peer: u32 => peer.to_be_bytes(), "the peer with this number");
tells_address!(PeerSocket, u32 => super::number_of, "the number of the peer that sent it");

/// Numbers before anybody is there.
impl PeerSocket {
    /// Connects, and tells the number of the peer. It can be sent to at once: messages are queued until it is there, and it keeps its number over
    /// all reconnects. libzmq: `zmq_connect_peer`.
    ///
    /// # Errors
    /// As [`connect`](Self::connect), and [`InvalidOption`](crate::Error::InvalidOption) with [`Options::immediate`](crate::Options::immediate).
    pub fn connect_peer(&self, endpoint: &str) -> Result<u32, Error> {
        self.socket.connect_peer(endpoint).map(super::number_of)
    }

    /// Ends the connection with one peer: as [`Server::hang_up`]. A peer that this socket connected to is not connected to again. libzmq: `zmq_disconnect_peer`.
    ///
    /// # Errors
    /// [`Unroutable`](crate::Error::Unroutable) if nobody has the number.
    pub fn hang_up(&self, peer: u32) -> Result<(), Error> {
        self.socket.hang_up(&peer.to_be_bytes())
    }
}
