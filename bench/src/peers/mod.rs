//! The competitors behind one small interface, so that every role is written once.

pub(crate) mod libzmq;
mod libzmq_api;
pub(crate) mod raw;
mod raw_channel;
pub(crate) mod serverlink;

use std::sync::atomic::{AtomicU64, Ordering};

use crate::{Error, Transport};

/// The size of every measured message.
pub(crate) const BODY_BYTES: usize = 64;
/// The high-water mark of everybody, each way.
pub(crate) const HIGH_WATER_MARK: u32 = 1000;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Push,
    Pull,
    Req,
    Rep,
}

pub(crate) trait Library: Sized {
    type Socket: Socket;
    /// How many callers one answering thread can serve.
    const CALLERS_PER_SERVER: usize = usize::MAX;

    fn open() -> Result<Self, Error>;
    /// A bound socket, and the endpoint that peers connect to.
    fn bind(&self, kind: Kind, transport: Transport) -> Result<(Self::Socket, String), Error>;
    fn connect(&self, kind: Kind, endpoint: &str) -> Result<Self::Socket, Error>;

    fn inproc_pair(&self, bound: Kind, connected: Kind) -> Result<(Self::Socket, Self::Socket), Error> {
        let (bound, endpoint) = self.bind(bound, Transport::Inproc)?;
        Ok((bound, self.connect(connected, &endpoint)?))
    }
}

pub(crate) trait Socket: Send + 'static {
    /// Sends the body, blocking at the high-water mark. Returns how many messages that were: one,
    /// except where the kernel itself is measured with batches.
    fn send(&mut self, body: &[u8; BODY_BYTES]) -> Result<u64, Error>;
    /// Blocks for at least one message, looks at it, drops it. Returns how many there were.
    fn recv(&mut self) -> Result<u64, Error>;
}

/// A fresh endpoint to bind: a wildcard port, a path nobody has, a name nobody has.
pub(crate) fn fresh_endpoint(transport: Transport) -> String {
    match transport {
        Transport::Tcp => "tcp://127.0.0.1:0".to_owned(),
        Transport::Ipc => format!("ipc://{}", fresh_path().display()),
        Transport::Inproc => format!("inproc://bench-{}", next_number()),
    }
}

pub(crate) fn fresh_path() -> std::path::PathBuf {
    let name = format!("serverlink-bench-{}-{}", std::process::id(), next_number());
    std::env::temp_dir().join(name)
}

fn next_number() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    NEXT.fetch_add(1, Ordering::Relaxed)
}
