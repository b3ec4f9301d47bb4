//! Proxies.

use std::ffi::c_void;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use serverlink::Proxy;

use crate::bell::{Bell, poll};
use crate::errno::{Answer, EINTR, EINVAL, EIO, Errno};
use crate::socket::CSocket;
use crate::table::Inside;
use crate::wait::readable;

/// Moves messages between two sockets until the context ends, a signal comes, or a control message ends it.
pub fn run(front: *mut c_void, back: *mut c_void, capture: *mut c_void, control: *mut c_void) -> Answer<()> {
    let front = CSocket::enter_or_fault(front)?;
    let back = CSocket::enter_or_fault(back)?;
    let capture = perhaps(capture)?;
    let control = perhaps(control)?;
    let refused = |_| Errno(EINVAL);
    let mut proxy = Proxy::new(front.open()?, back.open()?).map_err(refused)?;
    if let Some(capture) = &capture {
        proxy = proxy.capture(capture.open()?).map_err(refused)?;
    }
    if let Some(control) = &control {
        proxy = proxy.control(control.open()?).map_err(refused)?;
    }
    let bell = Arc::new(Bell::new().map_err(|error| Errno(error.raw_os_error().unwrap_or(EIO)))?);
    let waker = Waker::from(Arc::clone(&bell));
    let mut running = pin!(proxy.run_async());
    loop {
        bell.clear();
        if let Poll::Ready(ended) = running.as_mut().poll(&mut Context::from_waker(&waker)) {
            return Ok(ended?);
        }
        poll(&mut [readable(&bell)], None).map_err(|error| Errno(error.raw_os_error().unwrap_or(EINTR)))?;
    }
}

fn perhaps(handle: *mut c_void) -> Answer<Option<Inside<CSocket>>> {
    if handle.is_null() { Ok(None) } else { CSocket::enter(handle).map(Some) }
}
