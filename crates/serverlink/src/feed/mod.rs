//! The stats endpoint: what a context counts and tells, published to whoever subscribes.

mod json;
mod publisher;

use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use serverlink_message::SocketType;

use crate::context::core::ContextCore;
use crate::endpoint::Endpoint;
use crate::error::Error;
use crate::options::{Linger, Options};
use crate::socket::Socket;
use publisher::Publisher;

/// An open stats endpoint, from [`Context::serve_stats`](crate::Context::serve_stats). Dropping it closes the endpoint, and does not block.
#[must_use = "dropping it closes the endpoint"]
pub struct StatsServer {
    socket: Arc<Socket>,
    endpoint: Endpoint,
}

impl StatsServer {
    pub(crate) fn open(context: &Arc<ContextCore>, endpoint: &str) -> Result<StatsServer, Error> {
        if context.is_shut_down() {
            return Err(Error::Terminated);
        }
        let options = Options { linger: Linger::For(Duration::ZERO), ..Options::default() };
        let socket = Arc::new(Socket::open_internal(SocketType::Xpub, options, Arc::clone(context)));
        let endpoint = socket.bind(endpoint)?;
        let publisher = Publisher::new(Arc::clone(context), Arc::clone(&socket));
        let doing = "starting the thread of a stats endpoint";
        let failed = |source| Error::Io { doing, endpoint: Some(endpoint.clone()), source };
        match context.env.spawn("slk-stats", move || publisher.run()) {
            Ok(Some(_)) => Ok(StatsServer { socket, endpoint }),
            Ok(None) => {
                Err(failed(io::Error::other("a simulated machine has no threads; use Context::stats")))
            }
            Err(error) => Err(failed(error)),
        }
    }

    /// Where it listens, with the port that the system chose for `*`.
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }
}

impl Drop for StatsServer {
    /// The publisher's thread finds its socket closed, and ends.
    fn drop(&mut self) {
        self.socket.begin_closing();
    }
}

impl fmt::Debug for StatsServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StatsServer").field("endpoint", &self.endpoint).finish_non_exhaustive()
    }
}
