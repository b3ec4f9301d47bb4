//! A listening socket that is watched.

use std::io;
use std::sync::Arc;

use super::{Polled, Source, Wanted};
use crate::port::{Port, Remote};
use crate::windows::socket::{SocketOsListener, SocketOsStream};
use crate::windows::source::{OsListener, OsStream};
use crate::windows::tcp_options;
use crate::{Address, Event, Key};

#[derive(Debug)]
pub(crate) struct Listener {
    key: Key,
    listener: SocketOsListener,
    local: Address,
    remote: Remote<Polled>,
}

impl Listener {
    pub(crate) fn register(
        remote: &Remote<Polled>,
        listener: OsListener,
    ) -> Result<Listener, (OsListener, io::Error)> {
        let OsListener::Socket(listener) = listener else {
            return Err((listener, super::stream::unsupported_pipe()));
        };
        // One from outside may be blocking still.
        if let Err(error) = listener.socket.set_nonblocking(true) {
            return Err((OsListener::Socket(listener), error));
        }
        let polled = remote.port().well();
        let key = polled.name(remote.member(), |_| Source::Listener);
        // SAFETY: the listener owns the socket and unwatches it before it is closed, in its drop.
        match unsafe { polled.watch(&listener.socket, key, Wanted::READABLE) } {
            Ok(()) => {
                let local = listener.local.clone();
                Ok(Listener { key, listener, local, remote: remote.clone() })
            }
            Err(error) => {
                polled.unwatch(&listener.socket);
                polled.forget(key);
                Err((OsListener::Socket(listener), error))
            }
        }
    }

    fn port(&self) -> &Arc<Port<Polled>> {
        self.remote.port()
    }

    pub(crate) fn key(&self) -> Key {
        self.key
    }

    pub(crate) fn local_address(&self) -> &Address {
        &self.local
    }

    pub(crate) fn accept(&self) -> io::Result<Option<(OsStream, Option<Address>)>> {
        loop {
            match self.listener.socket.accept() {
                Ok((socket, peer)) => {
                    let peer = Some(Address::Tcp(peer));
                    let stream = SocketOsStream { socket, peer: peer.clone(), local: None };
                    // A connection that died while it waited refuses its options; it is skipped like one that the system skips.
                    if stream.socket.set_nonblocking(true).is_err()
                        || tcp_options::set(
                            &stream.socket,
                            (&self.local).into(),
                            &self.listener.stream_options,
                        )
                        .is_err()
                    {
                        continue;
                    }
                    return Ok(Some((OsStream::Socket(stream), peer)));
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(None),
                Err(error) if is_about_the_connection(&error) => {}
                Err(error) => return Err(error),
            }
        }
    }

    pub(crate) fn rearm(&self) {
        if let Err(error) = self.port().well().want(&self.listener.socket, self.key, Wanted::READABLE) {
            self.port().report(self.remote.member(), Event::Error(self.key, error));
        }
    }
}

fn is_about_the_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionAborted | io::ErrorKind::Interrupted
    )
}

impl Drop for Listener {
    fn drop(&mut self) {
        let polled = self.port().well();
        polled.forget(self.key);
        polled.unwatch(&self.listener.socket);
    }
}
