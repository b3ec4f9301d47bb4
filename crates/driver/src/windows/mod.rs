//! Sockets and pipes of Windows, with completion ports to say what became of them, or `polling` to say when they are ready.

mod datagram;
mod driver;
mod error;
mod foreign;
mod iocp;
mod listening;
mod outer;
mod pipe;
mod pipe_claim;
mod pipe_name;
mod polling;
mod socket;
mod source;
mod tcp_options;
mod unix_socket;

use std::sync::{Mutex, MutexGuard, PoisonError};

pub(crate) use datagram::{Datagrams, OsDatagrams};
pub(crate) use driver::{Driver, Remote};
pub(crate) use foreign::addresses_of;
pub(crate) use outer::{Outer, OuterWaker};
pub(crate) use source::{Listener, OsListener, OsStream, Stream};
pub(crate) use tcp_options::check as check_options;

/// No panic happens inside these locks that would leave the data half changed, so a poisoned one is as good as a clean one.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
