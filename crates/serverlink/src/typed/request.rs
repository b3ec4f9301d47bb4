use super::methods::{receives, sends, typed_socket};

typed_socket! {
    /// Asks and waits for the answer (RFC 28): send and receive take turns. Requests go to the peers in turn.
    ///
    /// ```
    /// let ctx = serverlink::Context::new()?;
    /// let reply = ctx.reply().open()?;
    /// let endpoint = reply.bind("tcp://127.0.0.1:*")?;
    /// let request = ctx.request().open()?;
    /// request.connect(&endpoint.to_string())?;
    ///
    /// let server = std::thread::spawn(move || {
    ///     let question = reply.recv()?;
    ///     assert_eq!(question.first(), "what time is it?");
    ///     reply.send("time for tea").map_err(serverlink::Error::from)
    /// });
    /// request.send("what time is it?")?;
    /// assert!(request.send("hello?").is_err(), "the answer must be received first");
    /// assert_eq!(request.recv()?.first(), "time for tea");
    /// server.join().expect("the server does not panic")?;
    /// # Ok::<(), serverlink::Error>(())
    /// ```
    Request is Req
}
sends!(
    Request,
    "Waits while there is no peer. Fails with `WrongState` while an answer is due, unless `req_relaxed` is set."
);
receives!(Request);

typed_socket! {
    /// Answers what it was asked (RFC 28): receive and send take turns, and the answer goes to whoever asked.
    ///
    /// See [`Request`] for an example.
    Reply is Rep
}
sends!(
    Reply,
    "Never waits: the answer to a peer that is gone or full is dropped. Fails with `WrongState` before a request was received."
);
receives!(Reply);
