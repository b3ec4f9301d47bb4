use super::methods::{receives, receives_batches, sends, sends_batches, typed_socket};

typed_socket! {
    /// The upper end of a pipeline (RFC 49): each message, of one part, goes to one of the [`Gather`]s, in turn. A [`Push`](crate::Push) without parts.
    ///
    /// ```
    /// let ctx = serverlink::Context::new()?;
    /// let gather = ctx.gather().open()?;
    /// let endpoint = gather.bind("tcp://127.0.0.1:*")?;
    /// let scatter = ctx.scatter().open()?;
    /// scatter.connect(&endpoint.to_string())?;
    ///
    /// scatter.send("resize photo 17")?;
    /// assert_eq!(gather.recv()?.first(), "resize photo 17");
    /// # Ok::<(), serverlink::Error>(())
    /// ```
    Scatter is Scatter
}
sends!(
    Scatter,
    "Waits while there is no peer or all their queues are full. A message of several parts is refused with [`UnsuitableMessage`](crate::Error::UnsuitableMessage)."
);
sends_batches!(Scatter);

typed_socket! {
    /// The lower end of a pipeline (RFC 49): takes messages of one part from all [`Scatter`]s in turn, so that none waits for a busier one. What has
    /// several parts is dropped and counted.
    ///
    /// See [`Scatter`] for an example.
    Gather is Gather
}
receives!(Gather);
receives_batches!(Gather);

typed_socket! {
    /// One end of an exclusive connection (RFC 52): at most one peer, messages of one part in both directions. A [`Pair`](crate::Pair) without parts.
    ///
    /// ```
    /// let ctx = serverlink::Context::new()?;
    /// let (left, right) = (ctx.channel().open()?, ctx.channel().open()?);
    /// left.bind("inproc://two-threads-of-one-mind")?;
    /// right.connect("inproc://two-threads-of-one-mind")?;
    ///
    /// left.send("there")?;
    /// right.send("back")?;
    /// assert_eq!((right.recv()?.first(), left.recv()?.first()), (&"there".into(), &"back".into()));
    /// # Ok::<(), serverlink::Error>(())
    /// ```
    Channel is Channel
}
sends!(
    Channel,
    "Waits while there is no peer or its queue is full. A message of several parts is refused with [`UnsuitableMessage`](crate::Error::UnsuitableMessage)."
);
sends_batches!(Channel);
receives!(Channel);
receives_batches!(Channel);
