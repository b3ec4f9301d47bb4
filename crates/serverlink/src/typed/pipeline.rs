use super::methods::{receives, receives_batches, sends, sends_batches, typed_socket};

typed_socket! {
    /// The upper end of a pipeline (RFC 30): each message goes to one of the peers, in turn.
    ///
    /// A peer whose queue is full is left out until it has caught up.
    ///
    /// ```
    /// let ctx = serverlink::Context::new()?;
    /// let pull = ctx.pull().open()?;
    /// let endpoint = pull.bind("tcp://127.0.0.1:*")?;
    /// let push = ctx.push().open()?;
    /// push.connect(&endpoint.to_string())?;
    ///
    /// push.send("resize photo 17")?;
    /// assert_eq!(pull.recv()?.first(), "resize photo 17");
    /// # Ok::<(), serverlink::Error>(())
    /// ```
    Push is Push
}
sends!(Push, "Waits while there is no peer or all their queues are full.");
sends_batches!(Push);

typed_socket! {
    /// The lower end of a pipeline (RFC 30): takes messages from all its peers in turn, so that none waits for a busier one.
    ///
    /// See [`Push`] for an example.
    Pull is Pull
}
receives!(Pull);
receives_batches!(Pull);
