//! Proxies.

mod plain;

use std::ffi::c_void;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use serverlink::Proxy;

use self::plain::{End, Plain};
use crate::bell::{Bell, poll};
use crate::errno::{Answer, EINTR, EINVAL, EIO, Errno, fail};
use crate::socket::CSocket;
use crate::system_error::code_of;
use crate::table::Inside;
use crate::wait::readable;

/// Moves messages between two sockets until the context ends, a signal comes, or a control message ends it.
pub fn run(front: *mut c_void, back: *mut c_void, capture: *mut c_void, control: *mut c_void) -> Answer<()> {
    let front = CSocket::enter_or_fault(front)?;
    let back = CSocket::enter_or_fault(back)?;
    let capture = perhaps(capture)?;
    let control = perhaps(control)?;
    let refused = |_| Errno(EINVAL);
    let (front_socket, back_socket) = (front.open()?, back.open()?);
    let mut proxy = match Proxy::new(front_socket, back_socket) {
        Ok(proxy) => proxy,
        Err(_) if control.is_some() => return fail(EINVAL),
        Err(_) => {
            let capture = capture.as_ref().map(|capture| capture.open()).transpose()?;
            let front = End { socket: front_socket, handle: front.handle() };
            let back = End { socket: back_socket, handle: back.handle() };
            return Plain { front, back, capture }.run();
        }
    };
    if let Some(capture) = &capture {
        proxy = proxy.capture(capture.open()?).map_err(refused)?;
    }
    if let Some(control) = &control {
        proxy = proxy.control(control.open()?).map_err(refused)?;
    }
    let bell = Arc::new(Bell::new().map_err(|error| code_of(&error, EIO))?);
    let waker = Waker::from(Arc::clone(&bell));
    let mut running = pin!(proxy.run_async());
    loop {
        bell.clear();
        if let Poll::Ready(ended) = running.as_mut().poll(&mut Context::from_waker(&waker)) {
            return Ok(ended?);
        }
        poll(&mut [readable(&bell)], None).map_err(|error| code_of(&error, EINTR))?;
    }
}

fn perhaps(handle: *mut c_void) -> Answer<Option<Inside<CSocket>>> {
    if handle.is_null() { Ok(None) } else { CSocket::enter(handle).map(Some) }
}
