use super::methods::{publishes, receives, sends, subscribes, typed_socket};

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
sends!(XPublisher, "Never waits: whoever has no room, or did not subscribe, does not get it.");
receives!(XPublisher);
publishes!(XPublisher);

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
receives!(XSubscriber);
subscribes!(XSubscriber);
