//! The methods that typed sockets share, each written once: all have the first group, and the others as their pattern allows.

/// A wrapper with the methods that every pattern has.
macro_rules! typed_socket {
    ($(#[$docs:meta])* $name:ident is $socket_type:ident) => {
        $(#[$docs])*
        #[derive(Debug)]
        pub struct $name {
            socket: $crate::Socket,
        }

        impl $crate::typed::builder::sealed::Sealed for $name {}

        impl $crate::TypedSocket for $name {
            const TYPE: serverlink_message::SocketType = serverlink_message::SocketType::$socket_type;

            fn wrap(socket: $crate::Socket) -> $name {
                $name { socket }
            }
        }

        impl AsRef<$crate::Socket> for $name {
            fn as_ref(&self) -> &$crate::Socket {
                &self.socket
            }
        }

        /// Peers and housekeeping.
        impl $name {
            /// Listens on an endpoint and returns it as it became: with its port where `*` was asked for.
            ///
            /// # Errors
            /// [`InvalidEndpoint`](crate::Error::InvalidEndpoint), [`AddressInUse`](crate::Error::AddressInUse),
            /// [`AddressNotAvailable`](crate::Error::AddressNotAvailable), or what the system said. The socket's other
            /// endpoints are not touched.
            pub fn bind(&self, endpoint: &str) -> Result<$crate::Endpoint, $crate::Error> {
                self.socket.bind(endpoint)
            }

            /// Stops listening on an endpoint, named as `bind` returned it. Peers that came through it stay connected.
            ///
            /// # Errors
            /// [`NoSuchEndpoint`](crate::Error::NoSuchEndpoint) if the socket is not bound to it.
            pub fn unbind(&self, endpoint: &str) -> Result<(), $crate::Error> {
                self.socket.unbind(endpoint)
            }

            /// Connects to an endpoint, and again whenever the connection is lost. Returns at once: nobody need listen there
            /// yet.
            ///
            /// # Errors
            /// [`InvalidEndpoint`](crate::Error::InvalidEndpoint) if it cannot be connected to at all.
            pub fn connect(&self, endpoint: &str) -> Result<(), $crate::Error> {
                self.socket.connect(endpoint)
            }

            /// Gives up a connection that `connect` made.
            ///
            /// # Errors
            /// [`NoSuchEndpoint`](crate::Error::NoSuchEndpoint) if the socket is not connected to it.
            pub fn disconnect(&self, endpoint: &str) -> Result<(), $crate::Error> {
                self.socket.disconnect(endpoint)
            }

            /// Takes in a connected stream socket that the application made, as if it had been accepted.
            ///
            /// # Errors
            /// What does not fit, or is registered already, is given back as it came. See [`Socket::adopt`](crate::Socket::adopt).
            pub fn adopt<S: $crate::ForeignSocket>(&self, stream: S) -> Result<$crate::Endpoint, $crate::AdoptError<S>> {
                self.socket.adopt(stream)
            }

            /// Listens on a listening socket that the application made, or was given by a service manager.
            ///
            /// # Errors
            /// What does not fit, or is registered already, is given back as it came. See [`Socket::listen_on`](crate::Socket::listen_on).
            pub fn listen_on<S: $crate::ForeignSocket>(&self, listener: S) -> Result<$crate::Endpoint, $crate::AdoptError<S>> {
                self.socket.listen_on(listener)
            }

            /// The endpoint of the last successful `bind` or `connect`.
            pub fn last_endpoint(&self) -> Option<$crate::Endpoint> {
                self.socket.last_endpoint()
            }

            /// Waits until at least so many peers are ready, and returns how many are.
            ///
            /// # Errors
            /// [`TimedOut`](crate::Error::TimedOut) if there are fewer when the time is over.
            pub fn wait_for_peers(&self, peers: usize, within: std::time::Duration) -> Result<usize, $crate::Error> {
                self.socket.wait_for_peers(peers, within)
            }

            /// Whether a `try_` call would do something now.
            pub fn readiness(&self) -> $crate::Readiness {
                self.socket.readiness()
            }

            /// What happens to the connections from now on, as a queue of events.
            pub fn monitor(&self) -> $crate::Monitor {
                self.socket.monitor()
            }

            /// Calls `callback` for every event from now on. See [`Socket::on_event`](crate::Socket::on_event).
            pub fn on_event(&self, callback: impl FnMut(&$crate::Event) + Send + 'static) {
                self.socket.on_event(callback);
            }

            /// The state of its connections at this moment, and of the dialers that have none.
            pub fn connections(&self) -> Vec<$crate::ConnectionReport> {
                self.socket.connections()
            }

            /// Who is connected and through the handshake at this moment, over all transports.
            pub fn peers(&self) -> Vec<std::sync::Arc<$crate::Peer>> {
                self.socket.peers()
            }

            /// The counters: messages, drops by reason, what is queued, peers.
            pub fn stats(&self) -> $crate::Stats {
                self.socket.stats()
            }

            /// The counters of each peer.
            pub fn peer_stats(&self) -> Vec<$crate::PeerStats> {
                self.socket.peer_stats()
            }

            /// The options that the socket was opened with.
            pub fn options(&self) -> &$crate::Options {
                self.socket.options()
            }

            /// Closes the socket, waits at most `linger` for what is not sent yet, and reports how many messages the system's
            /// network stack did not take.
            pub fn close(self, linger: std::time::Duration) -> $crate::CloseReport {
                self.socket.close(linger)
            }

            /// The dynamic socket inside.
            pub fn as_socket(&self) -> &$crate::Socket {
                &self.socket
            }

            /// The dynamic socket inside, for good.
            pub fn into_socket(self) -> $crate::Socket {
                self.socket
            }
        }
    };
}

/// Sending in its four forms. `$otherwise` tells what happens when no peer can take the message.
macro_rules! sends {
    ($name:ident, $otherwise:literal) => {
        /// Sending.
        impl $name {
            /// Sends a message.
            #[doc = $otherwise]
            ///
            /// # Errors
            /// [`TimedOut`](crate::Error::TimedOut) after the socket's `send_timeout`, and what the type of socket forbids.
            /// The error holds the message; no peer has seen any of it.
            #[inline]
            pub fn send<M: $crate::Payload>(&self, message: M) -> Result<(), $crate::SendError<M>> {
                self.socket.send(message)
            }

            /// Sends if that is possible at once.
            ///
            /// # Errors
            /// [`WouldBlock`](crate::Error::WouldBlock), else as `send`. The error holds the message.
            #[inline]
            pub fn try_send<M: $crate::Payload>(&self, message: M) -> Result<(), $crate::SendError<M>> {
                self.socket.try_send(message)
            }

            /// Sends, waiting at most until `deadline`.
            ///
            /// # Errors
            /// [`TimedOut`](crate::Error::TimedOut), else as `send`. The error holds the message.
            #[inline]
            pub fn send_deadline<M: $crate::Payload>(
                &self,
                message: M,
                deadline: std::time::Instant,
            ) -> Result<(), $crate::SendError<M>> {
                self.socket.send_deadline(message, deadline)
            }

            /// Sends from asynchronous code, on any executor. Dropping the future before it is done sends nothing.
            pub fn send_async<M: $crate::Payload>(&self, message: M) -> $crate::SendFuture<'_, M> {
                self.socket.send_async(message)
            }
        }
    };
}

/// Receiving in its four forms.
macro_rules! receives {
    ($name:ident) => {
        /// Receiving.
        impl $name {
            /// Takes the next message, from all peers in turn; waits for one.
            ///
            /// # Errors
            /// [`TimedOut`](crate::Error::TimedOut) after the socket's `recv_timeout`, and
            /// [`Terminated`](crate::Error::Terminated) when the context ends.
            #[inline(always)]
            pub fn recv(&self) -> Result<$crate::Message, $crate::Error> {
                self.socket.recv()
            }

            /// Takes a message if one is there.
            ///
            /// # Errors
            /// [`WouldBlock`](crate::Error::WouldBlock), else as `recv`.
            #[inline(always)]
            pub fn try_recv(&self) -> Result<$crate::Message, $crate::Error> {
                self.socket.try_recv()
            }

            /// Takes the next message, waiting at most until `deadline`.
            ///
            /// # Errors
            /// [`TimedOut`](crate::Error::TimedOut), else as `recv`.
            #[inline]
            pub fn recv_deadline(
                &self,
                deadline: std::time::Instant,
            ) -> Result<$crate::Message, $crate::Error> {
                self.socket.recv_deadline(deadline)
            }

            /// Takes the next message and tells who sent it; waits for one. See
            /// [`Socket::recv_with_peer`](crate::Socket::recv_with_peer).
            ///
            /// # Errors
            /// As `recv`.
            pub fn recv_with_peer(
                &self,
            ) -> Result<($crate::Message, Option<std::sync::Arc<$crate::Peer>>), $crate::Error> {
                self.socket.recv_with_peer()
            }

            /// Receives in asynchronous code, on any executor. Dropping the future before it is done loses nothing.
            pub fn recv_async(&self) -> $crate::RecvFuture<'_> {
                self.socket.recv_async()
            }
        }
    };
}

/// Sending several, where nobody takes turns.
macro_rules! sends_batches {
    ($name:ident) => {
        /// Sending several messages with one call.
        impl $name {
            /// Sends several messages, in their order, with less work for each small one than `send`, and returns how many they were. Waits as
            /// `send` does. See [`Socket::send_batch`](crate::Socket::send_batch).
            ///
            /// # Errors
            /// As `send`, at the first that fails. The error tells how many were sent, and holds that one and all behind it.
            pub fn send_batch<M: $crate::Payload>(
                &self,
                messages: impl IntoIterator<Item = M>,
            ) -> Result<usize, $crate::SendBatchError<M>> {
                self.socket.send_batch(messages)
            }

            /// Sends as many of the messages as is possible at once. See [`Socket::try_send_batch`](crate::Socket::try_send_batch).
            ///
            /// # Errors
            /// [`WouldBlock`](crate::Error::WouldBlock) at the first that would have to wait, else as `send_batch`.
            pub fn try_send_batch<M: $crate::Payload>(
                &self,
                messages: impl IntoIterator<Item = M>,
            ) -> Result<usize, $crate::SendBatchError<M>> {
                self.socket.try_send_batch(messages)
            }
        }
    };
}

/// Receiving several, where nobody takes turns.
macro_rules! receives_batches {
    ($name:ident) => {
        /// Receiving several messages with one call.
        impl $name {
            /// Appends the next messages, at most so many, and returns how many they were: waits for the first, and takes with it what is
            /// here already. See [`Socket::recv_batch`](crate::Socket::recv_batch).
            ///
            /// # Errors
            /// As `recv`, if there was not even one.
            pub fn recv_batch(
                &self,
                into: &mut Vec<$crate::Message>,
                at_most: usize,
            ) -> Result<usize, $crate::Error> {
                self.socket.recv_batch(into, at_most)
            }

            /// Appends the messages that are here, at most so many.
            ///
            /// # Errors
            /// [`WouldBlock`](crate::Error::WouldBlock) if there is none, else as `recv_batch`.
            pub fn try_recv_batch(
                &self,
                into: &mut Vec<$crate::Message>,
                at_most: usize,
            ) -> Result<usize, $crate::Error> {
                self.socket.try_recv_batch(into, at_most)
            }
        }
    };
}

/// Subscriptions.
macro_rules! subscribes {
    ($name:ident) => {
        /// Topics.
        impl $name {
            /// Asks for every message that starts with `topic`; the empty topic asks for all. Topics add up, and are asked for
            /// again after a reconnect.
            ///
            /// # Errors
            /// [`TooLarge`](crate::Error::TooLarge) for a topic that is longer than a subscription may be.
            pub fn subscribe(&self, topic: impl AsRef<[u8]>) -> Result<(), $crate::Error> {
                self.socket.subscribe(topic)
            }

            /// Takes one `subscribe` of this topic back. One that was never made is ignored.
            ///
            /// # Errors
            /// [`Terminated`](crate::Error::Terminated) after the context was shut down.
            pub fn unsubscribe(&self, topic: impl AsRef<[u8]>) -> Result<(), $crate::Error> {
                self.socket.unsubscribe(topic)
            }

            /// Asks for every message whose whole first part fits a pattern: `*`, `?`, `[abc]`, `[a-z]`, `[^x]`, `[!x]` and `\x` mean what
            /// [`Socket::psubscribe`](crate::Socket::psubscribe) says. Patterns and topics add up, and each message comes once.
            ///
            /// # Errors
            /// [`InvalidPattern`](crate::Error::InvalidPattern) with the place of the mistake, and as `subscribe`.
            pub fn psubscribe(&self, pattern: impl AsRef<[u8]>) -> Result<(), $crate::Error> {
                self.socket.psubscribe(pattern)
            }

            /// Takes one `psubscribe` of this pattern back. One that was never made is ignored.
            ///
            /// # Errors
            /// As `unsubscribe`.
            pub fn punsubscribe(&self, pattern: impl AsRef<[u8]>) -> Result<(), $crate::Error> {
                self.socket.punsubscribe(pattern)
            }

            /// How many different topics and patterns are subscribed to.
            pub fn topics_count(&self) -> usize {
                self.socket.topics_count().unwrap_or(0)
            }
        }
    };
}

/// What a publisher knows about those who listen.
macro_rules! publishes {
    ($name:ident) => {
        /// Subscribers.
        impl $name {
            /// Waits until at least so many peers have subscribed to something, and returns how many have. What is sent before
            /// reaches only those who are already there.
            ///
            /// # Errors
            /// [`TimedOut`](crate::Error::TimedOut) if there are fewer when the time is over.
            pub fn wait_for_subscribers(
                &self,
                subscribers: usize,
                within: std::time::Duration,
            ) -> Result<usize, $crate::Error> {
                self.socket.wait_for_subscribers(subscribers, within)
            }

            /// How many different topics and patterns are in force, over all subscribers.
            pub fn topics_count(&self) -> usize {
                self.socket.topics_count().unwrap_or(0)
            }
        }
    };
}

pub(super) use {publishes, receives, receives_batches, sends, sends_batches, subscribes, typed_socket};
