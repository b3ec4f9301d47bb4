//! Waiting for several sockets and descriptors: one call, level-triggered, ended by a signal.

use std::ffi::{c_int, c_short, c_void};
use std::io;
use std::sync::Arc;
use std::task::Waker;
use std::time::Instant;

use serverlink::{Alert, Interest};

use crate::bell::{Bell, PollFd, RawFd, poll};
use crate::errno::{Answer, EAGAIN, EINTR, EIO, Errno};
use crate::socket::{CSocket, POLLERR, POLLIN, POLLOUT};
use crate::system_error;
use crate::table::Inside;
use crate::wait::{own_bell, readable};

/// Urgent data.
pub const POLLPRI: c_int = 8;

/// One thing to wait for.
pub struct Item {
    what: What,
    events: c_int,
    /// What was found.
    pub found: c_int,
}

enum What {
    Socket(Inside<CSocket>, Option<Alert>),
    Descriptor(RawFd),
    Nothing,
}

impl Item {
    /// A socket, by its handle, or a descriptor where that is null.
    pub fn new(socket: *mut c_void, descriptor: RawFd, events: c_short) -> Answer<Item> {
        let what = if events == 0 {
            What::Nothing
        } else if socket.is_null() {
            What::Descriptor(descriptor)
        } else {
            What::Socket(CSocket::enter(socket)?, None)
        };
        Ok(Item { what, events: events.into(), found: 0 })
    }

    fn look(&mut self, is_armed: bool) -> Answer<bool> {
        if let What::Socket(socket, alert) = &self.what {
            let events = match alert {
                Some(alert) if is_armed => socket.events_of(alert.arm()?),
                _ => socket.peek(self.events)?,
            };
            self.found = events & self.events;
        }
        Ok(self.found != 0)
    }

    fn interest(&self) -> Interest {
        interest_in(self.events)
    }
}

/// What these events ask of a socket.
pub(crate) fn interest_in(events: c_int) -> Interest {
    Interest { readable: events & POLLIN != 0, writable: events & POLLOUT != 0 }
}

impl CSocket {
    /// What could be done of what is asked for. Leaves the ringing of the socket's descriptor as it is.
    fn peek(&self, wanted: c_int) -> Answer<c_int> {
        let socket = self.open()?;
        let mut found = self.events_of(serverlink::Readiness::default());
        if wanted & POLLIN & !found != 0 && socket.check_ready(Interest::READABLE)?.readable {
            found |= POLLIN;
        }
        if wanted & POLLOUT & !found != 0 && socket.check_ready(Interest::WRITABLE)?.writable {
            found |= POLLOUT;
        }
        Ok(found)
    }
}

/// Waits until something is found. Gives of how many items; none when `deadline` has passed.
pub fn wait(items: &mut [Item], deadline: Option<Instant>) -> Answer<usize> {
    let found = look(items, false)?;
    if found > 0 || deadline.is_some_and(|deadline| deadline <= Instant::now()) {
        return Ok(found);
    }
    if let Some(found) = wait_for_only_socket(items, deadline)? {
        return Ok(found);
    }
    let bell = own_bell().map_err(|error| code_of(&error))?;
    bell.clear();
    for item in items.iter_mut() {
        let interest = item.interest();
        if let What::Socket(socket, alert) = &mut item.what {
            *alert = Some(Alert::new(socket.open()?, interest, Waker::from(Arc::clone(&bell))));
        }
    }
    loop {
        let found = look(items, true)?;
        if found > 0 {
            return Ok(found);
        }
        sleep(items, &bell, deadline)?;
        bell.clear();
        if deadline.is_some_and(|deadline| deadline <= Instant::now()) {
            return look(items, true);
        }
    }
}

/// With one socket and one direction the caller does the I/O that it waits for.
fn wait_for_only_socket(items: &mut [Item], deadline: Option<Instant>) -> Answer<Option<usize>> {
    let [item] = items else { return Ok(None) };
    let What::Socket(socket, _) = &item.what else { return Ok(None) };
    let open = socket.open()?;
    if !open.is_on_a_wire() || item.interest() == Interest::BOTH || item.interest() == Interest::NONE {
        return Ok(None);
    }
    match open.wait_ready(item.interest(), deadline).map_err(Errno::from) {
        Ok(ready) => item.found = socket.events_of(ready) & item.events,
        Err(Errno(EAGAIN)) => {}
        Err(error) => return Err(error),
    }
    Ok(Some(usize::from(item.found != 0)))
}

/// Asks all, descriptors in one go.
fn look(items: &mut [Item], is_armed: bool) -> Answer<usize> {
    for item in items.iter_mut() {
        item.look(is_armed)?;
    }
    let mut asked = descriptors(items);
    if !asked.is_empty() {
        poll(&mut asked, Some(Instant::now())).map_err(|error| code_of(&error))?;
        note(items, &asked);
    }
    Ok(items.iter().filter(|item| item.found != 0).count())
}

fn sleep(items: &[Item], bell: &Bell, deadline: Option<Instant>) -> Answer<()> {
    let mut asked = descriptors(items);
    asked.push(readable(bell));
    poll(&mut asked, deadline).map(drop).map_err(|error| code_of(&error))
}

fn descriptors(items: &[Item]) -> Vec<PollFd> {
    let wanted = items.iter().filter_map(|item| match item.what {
        What::Descriptor(fd) => Some(PollFd { fd, events: native(item.events), revents: 0 }),
        _ => None,
    });
    wanted.collect()
}

fn note(items: &mut [Item], asked: &[PollFd]) {
    let descriptors = items.iter_mut().filter(|item| matches!(item.what, What::Descriptor(_)));
    for (item, answer) in descriptors.zip(asked) {
        item.found = found(answer.revents) & (item.events | POLLERR);
    }
}

#[cfg(unix)]
fn native(events: c_int) -> c_short {
    let bits = [(POLLIN, libc::POLLIN), (POLLOUT, libc::POLLOUT), (POLLPRI, libc::POLLPRI)];
    bits.iter().filter(|(ours, _)| events & ours != 0).fold(0, |all, (_, theirs)| all | theirs)
}

#[cfg(unix)]
fn found(events: c_short) -> c_int {
    let bits = [
        (POLLIN, libc::POLLIN),
        (POLLIN, libc::POLLHUP),
        (POLLOUT, libc::POLLOUT),
        (POLLPRI, libc::POLLPRI),
        (POLLERR, libc::POLLERR | libc::POLLNVAL),
    ];
    bits.iter().filter(|(_, theirs)| events & theirs != 0).fold(0, |all, (ours, _)| all | ours)
}

#[cfg(windows)]
fn native(events: c_int) -> c_short {
    use windows_sys::Win32::Networking::WinSock::{POLLRDNORM, POLLWRNORM};
    let bits = [(POLLIN, POLLRDNORM), (POLLOUT, POLLWRNORM)];
    bits.iter().filter(|(ours, _)| events & ours != 0).fold(0, |all, (_, theirs)| all | theirs)
}

#[cfg(windows)]
fn found(events: c_short) -> c_int {
    use windows_sys::Win32::Networking::WinSock::{
        POLLERR as FAULT, POLLHUP, POLLNVAL, POLLRDNORM, POLLWRNORM,
    };
    let bits = [(POLLIN, POLLRDNORM), (POLLIN, POLLHUP), (POLLOUT, POLLWRNORM), (POLLERR, FAULT | POLLNVAL)];
    bits.iter().filter(|(_, theirs)| events & theirs != 0).fold(0, |all, (ours, _)| all | ours)
}

fn code_of(error: &io::Error) -> Errno {
    match error.kind() {
        io::ErrorKind::Interrupted => Errno(EINTR),
        _ => system_error::code_of(error, EIO),
    }
}
