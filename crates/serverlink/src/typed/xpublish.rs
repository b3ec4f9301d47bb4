use super::methods::{publishes, receives, receives_batches, sends, sends_batches, subscribes, typed_socket};
use crate::{Error, SubscriberId};

typed_socket! {
    /// A publisher that sees who asks for what (RFC 29): new subscriptions arrive as messages, `1` and the topic; those that
    /// nobody has any more as `0` and the topic.
    ///
    /// With an [`XSubscriber`] it makes a proxy between publishers and subscribers.
    ///
    /// ```
    /// let ctx = serverlink::Context::new()?;
    /// let publisher = ctx.xpublisher().open()?;
    /// let endpoint = publisher.bind("tcp://127.0.0.1:*")?;
    /// let subscriber = ctx.subscriber().open()?;
    /// subscriber.connect(&endpoint.to_string())?;
    /// subscriber.subscribe("prices")?;
    ///
    /// assert_eq!(publisher.recv()?.first(), b"\x01prices");
    /// publisher.send("prices: 17")?;
    /// assert_eq!(subscriber.recv()?.first(), "prices: 17");
    /// # Ok::<(), serverlink::Error>(())
    /// ```
    XPublisher is Xpub
}
sends!(
    XPublisher,
    "Whoever has no room, or did not subscribe, does not get it. Never waits, except with `xpub_no_drop` for subscribers without room."
);
sends_batches!(XPublisher);
receives!(XPublisher);
receives_batches!(XPublisher);
publishes!(XPublisher);

/// Manual mode ([`Options::xpub_manual`](crate::Options::xpub_manual)): subscriptions have no effect before they are given one here.
///
/// ```
/// let ctx = serverlink::Context::new()?;
/// let publisher = ctx.xpublisher().xpub_manual(true).open()?;
/// let endpoint = publisher.bind("tcp://127.0.0.1:*")?;
/// let subscriber = ctx.xsubscriber().open()?;
/// subscriber.connect(&endpoint.to_string())?;
/// subscriber.subscribe("prices")?;
///
/// assert_eq!(publisher.recv()?.first(), b"\x01prices");
/// publisher.subscribe_last("prices.public")?;
/// publisher.send("prices.secret")?;
/// publisher.send("prices.public: 17")?;
/// assert_eq!(subscriber.recv()?.first(), "prices.public: 17");
/// # Ok::<(), serverlink::Error>(())
/// ```
impl XPublisher {
    /// Whose subscription or cancellation was received last. See [`Socket::last_subscriber`](crate::Socket::last_subscriber).
    ///
    /// # Errors
    /// [`InvalidOption`](crate::Error::InvalidOption) outside manual mode.
    pub fn last_subscriber(&self) -> Result<Option<SubscriberId>, Error> {
        self.socket.last_subscriber()
    }

    /// Subscribes that peer to a topic. False if it is gone.
    ///
    /// # Errors
    /// As [`last_subscriber`](Self::last_subscriber).
    pub fn subscribe_last(&self, topic: impl AsRef<[u8]>) -> Result<bool, Error> {
        self.socket.subscribe_last(topic)
    }

    /// Takes one subscription of that peer back. False if it is gone.
    ///
    /// # Errors
    /// As [`last_subscriber`](Self::last_subscriber).
    pub fn unsubscribe_last(&self, topic: impl AsRef<[u8]>) -> Result<bool, Error> {
        self.socket.unsubscribe_last(topic)
    }

    /// Subscribes any peer to a topic. False if it is gone.
    ///
    /// # Errors
    /// As [`last_subscriber`](Self::last_subscriber).
    pub fn subscribe_peer(&self, peer: SubscriberId, topic: impl AsRef<[u8]>) -> Result<bool, Error> {
        self.socket.subscribe_peer(peer, topic)
    }

    /// Takes one subscription of a peer back. False if it is gone.
    ///
    /// # Errors
    /// As [`last_subscriber`](Self::last_subscriber).
    pub fn unsubscribe_peer(&self, peer: SubscriberId, topic: impl AsRef<[u8]>) -> Result<bool, Error> {
        self.socket.unsubscribe_peer(peer, topic)
    }

    /// Subscribes any peer to a pattern. False if it is gone.
    ///
    /// # Errors
    /// As [`last_subscriber`](Self::last_subscriber), and [`InvalidPattern`](crate::Error::InvalidPattern).
    pub fn psubscribe_peer(&self, peer: SubscriberId, pattern: impl AsRef<[u8]>) -> Result<bool, Error> {
        self.socket.psubscribe_peer(peer, pattern)
    }

    /// Takes one of those back. False if the peer is gone.
    ///
    /// # Errors
    /// As [`last_subscriber`](Self::last_subscriber).
    pub fn punsubscribe_peer(&self, peer: SubscriberId, pattern: impl AsRef<[u8]>) -> Result<bool, Error> {
        self.socket.punsubscribe_peer(peer, pattern)
    }
}

typed_socket! {
    /// A subscriber that also sends (RFC 29): messages go to all its publishers, and one that starts with the byte 1 or 0
    /// subscribes or cancels, as it arrives at an [`XPublisher`].
    ///
    /// ```
    /// let ctx = serverlink::Context::new()?;
    /// let publisher = ctx.xpublisher().open()?;
    /// let endpoint = publisher.bind("tcp://127.0.0.1:*")?;
    /// let subscriber = ctx.xsubscriber().open()?;
    /// subscriber.connect(&endpoint.to_string())?;
    ///
    /// subscriber.send(b"\x01prices")?;
    /// assert_eq!(publisher.recv()?.first(), b"\x01prices");
    /// publisher.send("prices: 17")?;
    /// assert_eq!(subscriber.recv()?.first(), "prices: 17");
    /// # Ok::<(), serverlink::Error>(())
    /// ```
    XSubscriber is Xsub
}
sends!(XSubscriber, "Never waits: a publisher whose queue is full does not get it.");
sends_batches!(XSubscriber);
receives!(XSubscriber);
receives_batches!(XSubscriber);
subscribes!(XSubscriber);
