use super::methods::{receives, receives_batches, sends, sends_batches, typed_socket};

typed_socket! {
    /// One end of an exclusive connection (RFC 31): at most one peer, messages in both directions.
    ///
    /// For two threads that work together. A second peer is turned away.
    ///
    /// ```
    /// let ctx = serverlink::Context::new()?;
    /// let (left, right) = (ctx.pair().open()?, ctx.pair().open()?);
    /// left.bind("inproc://two-threads")?;
    /// right.connect("inproc://two-threads")?;
    ///
    /// let worker = std::thread::spawn(move || right.send(right.recv()?).map_err(serverlink::Error::from));
    /// left.send("there and back")?;
    /// assert_eq!(left.recv()?.first(), "there and back");
    /// worker.join().expect("the worker does not panic")?;
    /// # Ok::<(), serverlink::Error>(())
    /// ```
    Pair is Pair
}
sends!(Pair, "Waits while there is no peer or its queue is full.");
sends_batches!(Pair);
receives!(Pair);
receives_batches!(Pair);
