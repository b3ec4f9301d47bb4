use super::methods::{publishes, receives, receives_batches, sends, sends_batches, subscribes, typed_socket};

typed_socket! {
    /// Sends every message to all who subscribed to its topic (RFC 29). The topic is how the first part begins.
    ///
    /// Sending never waits: a subscriber whose queue is full misses the message, and the miss is counted. With
    /// [`Options::xpub_no_drop`](crate::Options::xpub_no_drop) it waits for all of them instead.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// let ctx = serverlink::Context::new()?;
    /// let publisher = ctx.publisher().open()?;
    /// let endpoint = publisher.bind("tcp://127.0.0.1:*")?;
    /// let subscriber = ctx.subscriber().open()?;
    /// subscriber.subscribe("weather.")?;
    /// subscriber.connect(&endpoint.to_string())?;
    ///
    /// publisher.wait_for_subscribers(1, Duration::from_secs(10))?;
    /// publisher.send("traffic.jam")?;
    /// publisher.send("weather.rain")?;
    /// assert_eq!(subscriber.recv()?.first(), "weather.rain");
    /// # Ok::<(), serverlink::Error>(())
    /// ```
    Publisher is Pub
}
sends!(
    Publisher,
    "Whoever has no room, or did not subscribe, does not get it. Never waits, except with `xpub_no_drop` for subscribers without room."
);
sends_batches!(Publisher);
publishes!(Publisher);

typed_socket! {
    /// Receives the messages of the topics it subscribed to (RFC 29). Without a subscription it receives nothing.
    ///
    /// See [`Publisher`] for an example.
    Subscriber is Sub
}
receives!(Subscriber);
receives_batches!(Subscriber);
subscribes!(Subscriber);
