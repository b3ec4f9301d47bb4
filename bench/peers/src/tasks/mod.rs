//! Libraries whose calls are futures, as competitors of a benchmark that calls and blocks.
//!
//! Each socket gets a runtime on the thread that uses it, and each loop of the benchmark runs inside it from
//! beginning to end: the runtime is entered once and not for each message. What a library does in the
//! background runs in the same runtime, between two loops as well.

mod hosted;
mod rest;

use std::sync::Arc;

use serverlink_bench::{
    Error, Transport,
    player::{Asker, Counter, Kind, Setup, Source},
};
use tokio::runtime::{Builder, Runtime};

pub(crate) use hosted::Hosted;

/// A library whose calls are futures.
#[allow(async_fn_in_trait, reason = "each future stays on the thread that made it")]
pub(crate) trait TaskLibrary: Clone + Send + 'static {
    /// One of its sockets.
    type Socket: TaskSocket;
    /// How many callers one answering socket can serve.
    const CALLERS_PER_SERVER: usize = usize::MAX;
    /// Sockets connect before their thread uses them: for a library whose runtime has threads that get on
    /// meanwhile.
    const CONNECTS_AT_ONCE: bool = false;

    /// Gets ready to make sockets.
    fn open(setup: &Setup) -> Result<Self, Error>;

    /// The runtime of one socket and its thread: one of its own, unless the library is better off with
    /// threads in common.
    fn runtime(&self) -> Result<Arc<Runtime>, Error> {
        new_runtime(&mut Builder::new_current_thread())
    }

    /// Says why there is no such socket, before anything is started.
    fn refuse(&self, kind: Kind, transport: Transport) -> Result<(), Error>;

    /// A bound socket and the endpoint that peers connect to. Does not wait for a peer.
    async fn bind(&self, kind: Kind, transport: Transport) -> Result<(Self::Socket, String), Error>;

    /// A socket that connects, and may wait until it is connected.
    async fn connect(&self, kind: Kind, endpoint: &str) -> Result<Self::Socket, Error>;
}

/// One socket of such a library. The loops have the shape that suits most; who can do better overrides them.
#[allow(async_fn_in_trait, reason = "each future stays on the thread that made it")]
pub(crate) trait TaskSocket: Send + 'static {
    /// After how many bytes a sender lets its runtime do something else: for a library whose sends hardly
    /// ever wait, and would starve the tasks that write, or fill a queue of large messages before the first
    /// is written.
    const BYTES_PER_TURN: usize = usize::MAX;

    /// What has to be done once before the first message: for a library that leaves accepting to the
    /// application.
    async fn get_ready(&mut self) -> Result<(), Error> {
        Ok(())
    }

    /// Sends a copy of the body, waiting at the high-water mark.
    async fn send(&mut self, body: &[u8]) -> Result<(), Error>;

    /// Writes what the application has to tell the library to write.
    async fn flush(&mut self) -> Result<(), Error> {
        Ok(())
    }

    /// Waits for a message and counts it.
    async fn recv(&mut self, counter: &mut Counter) -> Result<(), Error>;

    /// ROUTER: receives a message and sends it back. Whoever is gone meanwhile needs no answer.
    async fn echo(&mut self, counter: &mut Counter) -> Result<(), Error>;

    /// SUB: asks for the messages that begin with the topic.
    async fn subscribe(&mut self, topic: &[u8]) -> Result<(), Error>;

    /// The same socket for one more thread.
    fn share(&self) -> Result<Self, Error>
    where
        Self: Sized,
    {
        Err(Error::Absent("its sockets are for one thread each".into()))
    }

    /// Sends all that the source gives.
    async fn flood(&mut self, source: &mut Source) -> Result<(), Error> {
        let mut bytes = 0;
        while let Some(body) = source.next_body() {
            bytes += body.len();
            self.send(body).await?;
            source.sent(1);
            if bytes >= Self::BYTES_PER_TURN {
                bytes = 0;
                tokio::task::yield_now().await;
            }
        }
        self.flush().await
    }

    /// Receives without end.
    async fn drain(&mut self, counter: &mut Counter) -> Result<(), Error> {
        loop {
            self.recv(counter).await?;
        }
    }

    /// REP: answers without end.
    async fn answer(&mut self, body: &[u8], counter: &mut Counter) -> Result<(), Error> {
        loop {
            self.recv(counter).await?;
            self.send(std::hint::black_box(body)).await?;
        }
    }

    /// REQ: asks what is to be asked.
    async fn ask(&mut self, asker: &mut Asker) -> Result<(), Error> {
        loop {
            let wait = asker.wait();
            if !wait.is_zero() {
                tokio::time::sleep(wait).await;
            }
            let Some(body) = asker.next_body() else {
                return Ok(());
            };
            self.send(body).await?;
            self.recv(asker.counter()).await?;
            asker.answered();
        }
    }

    /// ROUTER: echoes without end.
    async fn echo_all(&mut self, counter: &mut Counter) -> Result<(), Error> {
        loop {
            self.echo(counter).await?;
        }
    }
}

pub(crate) fn new_runtime(builder: &mut Builder) -> Result<Arc<Runtime>, Error> {
    let runtime = builder.enable_all().build();
    runtime.map(Arc::new).map_err(|source| Error::Io { doing: "starting a tokio runtime", source })
}
