use super::addressed::{addressed, tells_address};
use super::methods::{receives, receives_batches, sends, sends_batches, typed_socket};
use crate::{Error, Part, SendError};

typed_socket! {
    /// Talks to programs that know nothing of ZMTP, over tcp and ipc: octets as they come, each connection by its routing id.
    ///
    /// What one read brings is one message, the routing id and some octets: where one message ends says nothing. A connection that is made, and one that its
    /// peer ended or that is lost, are told by a message without octets, unless [`Options::stream_notify`](crate::Options::stream_notify) is off.
    /// Sending no octets [hangs up](Self::hang_up).
    ///
    /// Routing ids are five octets of the library's choice, or those of [`connect_as`](Self::connect_as). A connection that this socket dialed is made
    /// again when it is lost, under the same id; what was not written of the old one is dropped and counted. There are no heartbeats.
    ///
    /// ```
    /// use std::io::{Read, Write};
    ///
    /// let ctx = serverlink::Context::new()?;
    /// let stream = ctx.stream().open()?;
    /// let endpoint = stream.bind("tcp://127.0.0.1:*")?.to_string();
    ///
    /// let mut browser = std::net::TcpStream::connect(endpoint.trim_start_matches("tcp://")).expect("somebody listens");
    /// let (who, hello) = stream.recv_from()?;
    /// assert!(hello.first().is_empty(), "a connection was made");
    /// browser.write_all(b"GET / HTTP/1.0\r\n\r\n").expect("it is connected");
    /// assert_eq!(stream.recv_from()?.0, who);
    ///
    /// stream.send_to(&who, "HTTP/1.0 204 No Content\r\n\r\n")?;
    /// stream.hang_up(&who)?;
    /// let mut answer = String::new();
    /// browser.read_to_string(&mut answer).expect("all of the answer, and its end");
    /// assert!(answer.starts_with("HTTP/1.0 204"));
    /// # Ok::<(), serverlink::Error>(())
    /// ```
    Stream is Stream
}
sends!(
    Stream,
    "Its first part is a routing id, its second some octets; none hang up. Waits for a peer whose queue is full. Fails with [`Unroutable`](crate::Error::Unroutable) if nobody has the routing id, and with [`UnsuitableMessage`](crate::Error::UnsuitableMessage) for anything but two parts."
);
sends_batches!(Stream);
receives!(Stream);
receives_batches!(Stream);
addressed!(Stream, routing_id: &[u8] => routing_id, "the connection with this routing id");
tells_address!(Stream, Part => |routing_id| routing_id, "the routing id of the connection that it came over");

/// Connections.
impl Stream {
    /// Connects, and tells the routing id of the connection. It can be sent to at once: octets are queued until it is there.
    ///
    /// # Errors
    /// As [`connect`](Self::connect), and [`InvalidOption`](crate::Error::InvalidOption) with [`Options::immediate`](crate::Options::immediate).
    pub fn connect_peer(&self, endpoint: &str) -> Result<Part, Error> {
        self.socket.connect_peer(endpoint)
    }

    /// Connects under a routing id of this side's choice. libzmq: `ZMQ_CONNECT_ROUTING_ID`.
    ///
    /// # Errors
    /// [`InvalidEndpoint`](crate::Error::InvalidEndpoint), and [`InvalidOption`](crate::Error::InvalidOption) for an id that is in use, too long, empty or
    /// starts with a zero byte.
    pub fn connect_as(&self, endpoint: &str, routing_id: &[u8]) -> Result<(), Error> {
        self.socket.connect_as(endpoint, routing_id)
    }

    /// Ends a connection: nobody has the routing id any more when this returns. What is queued is still written, for at most the socket's
    /// [linger](crate::Options::linger); what nobody has read of it is dropped, and nothing is told of its end. One that this socket dialed is not made again;
    /// if it is not there yet, what is queued for it is dropped and counted.
    ///
    /// # Errors
    /// [`Unroutable`](crate::Error::Unroutable) if nobody has the routing id.
    pub fn hang_up(&self, routing_id: &[u8]) -> Result<(), Error> {
        self.send_to(routing_id, "").map_err(SendError::into_error)
    }
}
