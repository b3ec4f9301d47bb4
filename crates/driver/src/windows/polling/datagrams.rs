//! A socket for datagrams that is watched.

use std::io;
use std::net::UdpSocket;
use std::sync::Arc;

use super::watched::Watched;
use super::{Source, Wanted};
use crate::datagram::Refused;
use crate::port::Remote;
use crate::windows::datagram::{self, OsDatagrams};
use crate::windows::socket::Taken;
use crate::{Batch, Event, Interest, Key, Read, Written};

/// In the hands of a program. Dropping it closes it.
#[derive(Debug)]
pub(crate) struct Datagrams {
    watched: Arc<Watched<UdpSocket>>,
    ipv6: bool,
    refused: Refused,
    remote: Remote<super::Polled>,
}

impl Datagrams {
    pub(crate) fn adopt(
        remote: &Remote<super::Polled>,
        socket: OsDatagrams,
    ) -> Result<Datagrams, (OsDatagrams, io::Error)> {
        let OsDatagrams { socket, ipv6 } = socket;
        let polled = remote.port().well();
        let mut made = None;
        polled.name(remote.member(), |key| {
            let watched = Arc::new(Watched::new(key, socket, Wanted::READABLE));
            Source::Datagrams(made.insert(watched).clone())
        });
        let watched = made.expect("it was made with its name");
        match watched.begin(polled) {
            Ok(()) => Ok(Datagrams { watched, ipv6, refused: Refused::default(), remote: remote.clone() }),
            Err(error) => {
                let socket = watched.take(polled).expect("nobody else has it");
                Err((OsDatagrams { socket, ipv6 }, error))
            }
        }
    }

    pub(crate) fn key(&self) -> Key {
        self.watched.key()
    }

    pub(crate) fn read(&self, into: &mut [u8]) -> io::Result<Read> {
        match &*self.watched.socket() {
            None => Err(io::ErrorKind::NotConnected.into()),
            Some(socket) => datagram::read(socket, into),
        }
    }

    pub(crate) fn write(&self, mut batch: Batch) -> Written {
        let socket = self.watched.socket();
        let Some(socket) = &*socket else {
            return Written::Failed(batch, io::ErrorKind::NotConnected.into());
        };
        match datagram::write(socket, self.ipv6, &mut batch, &self.refused) {
            Taken::All => Written::Done(batch),
            Taken::Part => Written::Blocked(batch),
        }
    }

    pub(crate) fn rearm(&self, interest: Interest) {
        if let Err(error) = self.watched.rearm(self.remote.port().well(), interest) {
            self.remote.port().report(self.remote.member(), Event::Error(self.key(), error));
        }
    }

    pub(crate) fn take_refused(&self) -> u64 {
        self.refused.take()
    }

    pub(crate) fn close(&self) {
        drop(self.watched.take(self.remote.port().well()));
    }
}

impl Drop for Datagrams {
    fn drop(&mut self) {
        self.close();
    }
}
