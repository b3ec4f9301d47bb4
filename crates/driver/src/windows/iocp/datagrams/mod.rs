//! A registered socket for datagrams: at most one operation receives, into memory of its own, and at most one sends.
//!
//! A receive of no bytes, as a stream has it, would take the next datagram and lose it.

mod incoming;
mod sending;
mod shared;

use std::io;
use std::sync::Arc;

use shared::Shared;

use super::Iocp;
use super::source::{Home, Source};
use crate::port::{MemberId, Port, Remote};
use crate::windows::datagram::{self, OsDatagrams};
use crate::windows::socket::Taken;
use crate::{Batch, Event, Interest, Key, Read, Written};

/// In the hands of a program. Dropping it closes it.
#[derive(Debug)]
pub(crate) struct Datagrams {
    shared: Arc<Shared>,
    port: Arc<Port<Iocp>>,
}

impl Datagrams {
    pub(crate) fn adopt(
        remote: &Remote<Iocp>,
        socket: OsDatagrams,
    ) -> Result<Datagrams, (OsDatagrams, io::Error)> {
        let OsDatagrams { socket, ipv6 } = socket;
        match remote.port().well().register(remote.member(), socket) {
            Ok((key, socket)) => {
                let source = Source::new(key, remote.member());
                let shared = Arc::new(Shared::new(source, socket, ipv6));
                let datagrams = Datagrams { shared, port: Arc::clone(remote.port()) };
                datagrams.rearm(Interest::Readable);
                Ok(datagrams)
            }
            Err((socket, error)) => Err((OsDatagrams { socket, ipv6 }, error)),
        }
    }

    /// Calls `f` and reports the events that it found. The source lives on meanwhile, so that nothing is reported behind its end.
    fn call(&self, f: impl FnOnce(&Arc<Shared>, &Iocp, &mut Vec<(MemberId, Event)>)) {
        let mut events = Vec::new();
        self.shared.source().hold();
        f(&self.shared, self.port.well(), &mut events);
        for (member, event) in events {
            self.port.report(member, event);
        }
        self.port.well().release(self.shared.clone());
    }

    pub(crate) fn key(&self) -> Key {
        self.shared.source().key
    }

    pub(crate) fn read(&self, into: &mut [u8]) -> io::Result<Read> {
        self.shared.read(into)
    }

    pub(crate) fn write(&self, mut batch: Batch) -> Written {
        let socket = self.shared.socket();
        let Some(socket) = &*socket else {
            return Written::Failed(batch, io::ErrorKind::NotConnected.into());
        };
        match datagram::write(socket, self.shared.ipv6, &mut batch, &self.shared.refused) {
            Taken::All => Written::Done(batch),
            Taken::Part => self.shared.write_rest(socket, batch, self.port.well()),
        }
    }

    /// Nobody asks for `Writable`: a write that does not fit is pending.
    pub(crate) fn rearm(&self, interest: Interest) {
        if interest == Interest::Readable {
            self.call(|shared, iocp, events| shared.arm(iocp, events));
        }
    }

    pub(crate) fn take_refused(&self) -> u64 {
        self.shared.refused.take()
    }

    pub(crate) fn close(&self) {
        if self.shared.close() {
            self.port.well().release(self.shared.clone());
        }
    }

    #[cfg(test)]
    pub(super) fn home(&self) -> Arc<dyn Home> {
        self.shared.clone()
    }

    #[cfg(test)]
    pub(super) fn cancel(&self) {
        shared::cancel(self.shared.socket().as_ref().expect("it is open"));
    }

    /// As if the system had no room at once.
    #[cfg(test)]
    pub(super) fn write_overlapped(&self, batch: Batch) -> Written {
        let socket = self.shared.socket();
        self.shared.write_rest(socket.as_ref().expect("it is open"), batch, self.port.well())
    }
}

impl Drop for Datagrams {
    fn drop(&mut self) {
        self.close();
    }
}
