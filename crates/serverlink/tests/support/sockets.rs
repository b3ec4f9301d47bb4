//! Sockets with other than the default options, and deadlines.
#![allow(dead_code, reason = "each test binary uses what it needs")]

use std::time::{Duration, Instant};

use serverlink::{Context, Options, Socket, SocketType};

/// A deadline that is only reached if something hangs.
pub(crate) fn soon(seconds: u64) -> Instant {
    Instant::now() + Duration::from_secs(seconds)
}

pub(crate) fn socket(context: &Context, kind: SocketType, change: impl FnOnce(&mut Options)) -> Socket {
    let mut options = Options::default();
    change(&mut options);
    context.socket_with(kind, options).unwrap()
}
