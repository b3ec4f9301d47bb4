//! A proxy between sockets that the library's own does not take: conversations, and pairs of which neither gives the other anything.

use serverlink::{Error, Interest, Message, Socket};

use crate::errno::Answer;
use crate::poll::{self, Item};
use crate::socket::POLLIN;
use crate::wait;

/// One message at a time, in both directions, or back to where it came from if both ends are one socket.
pub(super) struct Plain<'a> {
    pub(super) front: End<'a>,
    pub(super) back: End<'a>,
    pub(super) capture: Option<&'a Socket>,
}

/// A socket, and its handle for waiting.
#[derive(Clone, Copy)]
pub(super) struct End<'a> {
    pub(super) socket: &'a Socket,
    pub(super) handle: *mut std::ffi::c_void,
}

impl Plain<'_> {
    pub(super) fn run(&self) -> Answer<()> {
        let ways = [(self.front, self.back), (self.back, self.front)];
        let ways = if std::ptr::eq(self.front.socket, self.back.socket) { &ways[..1] } else { &ways[..] };
        loop {
            let items =
                ways.iter().map(|(from, _)| Item::new(from.handle, crate::poller::invalid(), POLLIN as i16));
            let mut items = items.collect::<Answer<Vec<_>>>()?;
            poll::wait(&mut items, None)?;
            for ((from, to), item) in ways.iter().zip(&items) {
                if item.found != 0
                    && let Some(message) = received(from.socket)?
                {
                    if let Some(capture) = self.capture {
                        send(capture, message.clone())?;
                    }
                    send(to.socket, message)?;
                }
            }
        }
    }
}

fn received(from: &Socket) -> Answer<Option<Message>> {
    match from.try_recv() {
        Ok(message) => Ok(Some(message)),
        Err(Error::WouldBlock) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn send(to: &Socket, mut message: Message) -> Answer<()> {
    loop {
        message = match to.try_send(message) {
            Ok(()) => return Ok(()),
            Err(failed) if matches!(failed.error, Error::WouldBlock) => failed.message,
            Err(failed) => return Err(failed.error.into()),
        };
        wait::for_one(to, Interest::WRITABLE, None)?;
    }
}
