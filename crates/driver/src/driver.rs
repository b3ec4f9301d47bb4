//! The two halves of a driver.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use crate::source::{ListenerKind, OsListenerKind, OsStreamKind, StreamKind};
#[cfg(unix)]
use crate::unix::{self, Datagrams, OsDatagrams};
#[cfg(windows)]
use crate::windows::{self, Datagrams, OsDatagrams};
use crate::{
    Address, DatagramOptions, Events, Kind, ListenOptions, Listener, OsListener, OsStream, Stream,
    StreamOptions, Unregistered, sim,
};

/// The waiting half. Exactly one owner at a time waits.
#[derive(Debug)]
pub struct Driver(pub(crate) DriverKind);

#[derive(Debug)]
pub(crate) enum DriverKind {
    #[cfg(unix)]
    Unix(unix::Driver),
    #[cfg(windows)]
    Windows(windows::Driver),
    Simulated(sim::Driver),
}

impl Driver {
    /// Opens a driver on the real machine.
    ///
    /// # Errors
    /// `Unsupported` where the system has no such back end, and for [`Kind::Simulated`]: those come from
    /// [`World::driver`](sim::World::driver). Otherwise the system is out of descriptors or memory.
    pub fn open(kind: Kind) -> io::Result<Driver> {
        match kind {
            #[cfg(unix)]
            Kind::Epoll | Kind::Polling => Ok(Driver(DriverKind::Unix(unix::Driver::open(kind)?))),
            #[cfg(windows)]
            Kind::Iocp | Kind::Polling => Ok(Driver(DriverKind::Windows(windows::Driver::open(kind)?))),
            _ => Err(unsupported(kind)),
        }
    }

    /// The submitting half.
    pub fn remote(&self) -> Remote {
        Remote(match &self.0 {
            #[cfg(unix)]
            DriverKind::Unix(driver) => RemoteKind::Unix(driver.remote()),
            #[cfg(windows)]
            DriverKind::Windows(driver) => RemoteKind::Windows(driver.remote()),
            DriverKind::Simulated(driver) => RemoteKind::Simulated(driver.remote()),
        })
    }

    /// Waits until something happens or the time is over, and appends what happened.
    ///
    /// `Some(ZERO)` looks and returns: one system call, no allocation. `None` waits without end. It may also return early with nothing,
    /// and does when a signal comes while it sleeps ([`Events::interrupted`]). A simulated driver never blocks: time is the test's to move.
    ///
    /// # Errors
    /// Only a broken descriptor of our own; nothing a peer does.
    #[inline]
    pub fn wait(&mut self, events: &mut Events, timeout: Option<Duration>) -> io::Result<()> {
        match &mut self.0 {
            #[cfg(unix)]
            DriverKind::Unix(driver) => driver.wait(events, timeout),
            #[cfg(windows)]
            DriverKind::Windows(driver) => driver.wait(events, timeout),
            DriverKind::Simulated(driver) => driver.wait(events),
        }
    }
}

#[cfg(any(unix, windows))]
fn registered(
    outcome: Result<std::sync::Arc<Datagrams>, (OsDatagrams, io::Error)>,
) -> Result<Stream, Unregistered<OsStream>> {
    match outcome {
        Ok(socket) => Ok(Stream(StreamKind::Datagrams(socket))),
        Err((socket, error)) => {
            Err(Unregistered { object: OsStream(OsStreamKind::Datagrams(socket)), error })
        }
    }
}

fn no_datagrams(options: &DatagramOptions) -> io::Error {
    let local = options.local;
    let message =
        format!("udp is not built in on the simulated machine yet, so nothing can be received on {local}");
    io::Error::new(io::ErrorKind::Unsupported, message)
}

pub(crate) fn unsupported(kind: Kind) -> io::Error {
    let message = match kind {
        Kind::Simulated => "a simulated driver comes from its sim::World".to_owned(),
        _ => format!("there is no {kind} on this system; {} is the native driver", Kind::native()),
    };
    io::Error::new(io::ErrorKind::Unsupported, message)
}

/// The submitting half of a [`Driver`]: any thread may use it at any time, also while the other half waits.
#[derive(Clone, Debug)]
pub struct Remote(pub(crate) RemoteKind);

#[derive(Clone, Debug)]
pub(crate) enum RemoteKind {
    #[cfg(unix)]
    Unix(unix::Remote),
    #[cfg(windows)]
    Windows(windows::Remote),
    Simulated(sim::Remote),
}

impl Remote {
    /// Which back end it is.
    pub fn kind(&self) -> Kind {
        match &self.0 {
            #[cfg(unix)]
            RemoteKind::Unix(remote) => remote.kind(),
            #[cfg(windows)]
            RemoteKind::Windows(remote) => remote.kind(),
            RemoteKind::Simulated(_) => Kind::Simulated,
        }
    }

    /// Whether every source that is closed is followed by an [`Event::Closed`](crate::Event::Closed): the driver is to be driven until it came.
    pub fn reports_closed(&self) -> bool {
        match &self.0 {
            #[cfg(unix)]
            RemoteKind::Unix(_) => false,
            #[cfg(windows)]
            RemoteKind::Windows(remote) => remote.reports_closed(),
            RemoteKind::Simulated(remote) => remote.reports_closed(),
        }
    }

    /// How many sources are registered here, those included whose last operation has not come home.
    pub fn registration_count(&self) -> usize {
        match &self.0 {
            #[cfg(unix)]
            RemoteKind::Unix(remote) => remote.registry.source_count(),
            #[cfg(windows)]
            RemoteKind::Windows(remote) => remote.source_count(),
            RemoteKind::Simulated(remote) => remote.source_count(),
        }
    }

    /// Ends the wait that is going on, or else the next one, with [`Event::Woken`](crate::Event::Woken).
    pub fn wake(&self) -> io::Result<()> {
        match &self.0 {
            #[cfg(unix)]
            RemoteKind::Unix(remote) => remote.wake(),
            #[cfg(windows)]
            RemoteKind::Windows(remote) => remote.wake(),
            RemoteKind::Simulated(remote) => {
                remote.wake();
                Ok(())
            }
        }
    }

    /// Binds and listens on the machine that this driver drives: [`OsListener::bind`], or its like in the simulated world.
    pub fn bind(&self, address: &Address, options: &ListenOptions) -> io::Result<OsListener> {
        match &self.0 {
            #[cfg(unix)]
            RemoteKind::Unix(_) => OsListener::bind(address, options),
            #[cfg(windows)]
            RemoteKind::Windows(remote) => {
                Ok(OsListener(OsListenerKind::Windows(remote.bind(address, options)?)))
            }
            RemoteKind::Simulated(remote) => {
                Ok(OsListener(OsListenerKind::Simulated(remote.bind(address, options)?)))
            }
        }
    }

    /// Registers a listener: its one registration. Failure gives it back.
    pub fn listen(&self, listener: OsListener) -> Result<Listener, Unregistered<OsListener>> {
        match (&self.0, listener.0) {
            #[cfg(unix)]
            (RemoteKind::Unix(remote), OsListenerKind::Unix(listener)) => match remote.listen(listener) {
                Ok(listener) => Ok(Listener(ListenerKind::Unix(listener))),
                Err((listener, error)) => {
                    Err(Unregistered { object: OsListener(OsListenerKind::Unix(listener)), error })
                }
            },
            #[cfg(windows)]
            (RemoteKind::Windows(remote), OsListenerKind::Windows(listener)) => match remote.listen(listener)
            {
                Ok(listener) => Ok(Listener(ListenerKind::Windows(listener))),
                Err((listener, error)) => {
                    Err(Unregistered { object: OsListener(OsListenerKind::Windows(listener)), error })
                }
            },
            (RemoteKind::Simulated(remote), OsListenerKind::Simulated(listener)) => {
                match remote.listen(listener) {
                    Ok(listener) => Ok(Listener(ListenerKind::Simulated(listener))),
                    Err((listener, error)) => {
                        Err(Unregistered { object: OsListener(OsListenerKind::Simulated(listener)), error })
                    }
                }
            }
            #[cfg(any(unix, windows))]
            (_, listener) => Err(Unregistered::foreign(OsListener(listener))),
        }
    }

    /// Registers a connected stream: its one registration. Failure gives it back. What it has to read is reported.
    ///
    /// The accepted end of a pipe of Windows joined the port of its listener while it waited for its peer; only drivers of that port take it.
    pub fn adopt(&self, stream: OsStream) -> Result<Stream, Unregistered<OsStream>> {
        match (&self.0, stream.0) {
            #[cfg(unix)]
            (RemoteKind::Unix(remote), OsStreamKind::Unix(stream)) => match remote.adopt(stream) {
                Ok(stream) => Ok(Stream(StreamKind::Unix(stream))),
                Err((stream, error)) => {
                    Err(Unregistered { object: OsStream(OsStreamKind::Unix(stream)), error })
                }
            },
            #[cfg(windows)]
            (RemoteKind::Windows(remote), OsStreamKind::Windows(stream)) => match remote.adopt(stream) {
                Ok(stream) => Ok(Stream(StreamKind::Windows(std::sync::Arc::new(stream)))),
                Err((stream, error)) => {
                    Err(Unregistered { object: OsStream(OsStreamKind::Windows(stream)), error })
                }
            },
            #[cfg(unix)]
            (RemoteKind::Unix(remote), OsStreamKind::Datagrams(socket)) => {
                registered(remote.adopt_datagrams(socket))
            }
            #[cfg(windows)]
            (RemoteKind::Windows(remote), OsStreamKind::Datagrams(socket)) => {
                registered(remote.adopt_datagrams(socket))
            }
            (RemoteKind::Simulated(remote), OsStreamKind::Simulated(stream)) => match remote.adopt(stream) {
                Ok(stream) => Ok(Stream(StreamKind::Simulated(stream))),
                Err((stream, error)) => {
                    Err(Unregistered { object: OsStream(OsStreamKind::Simulated(stream)), error })
                }
            },
            #[cfg(any(unix, windows))]
            (_, stream) => Err(Unregistered::foreign(OsStream(stream))),
        }
    }

    /// Whether there are [datagrams](crate::datagram) here at all: not on the simulated machine yet.
    pub fn has_datagrams(&self) -> bool {
        match &self.0 {
            #[cfg(unix)]
            RemoteKind::Unix(_) => true,
            #[cfg(windows)]
            RemoteKind::Windows(_) => true,
            RemoteKind::Simulated(_) => false,
        }
    }

    /// Makes a socket for [datagrams](crate::datagram) on the machine that this driver drives, to be registered with [`adopt`](Remote::adopt). Gives where
    /// it receives as well, with the port that the system chose.
    ///
    /// # Errors
    /// The address is in use, or not this machine's; there is no such interface, or it cannot join the group. `Unsupported` on the simulated machine,
    /// which has no datagrams yet, and for an option that this system does not have.
    pub fn open_datagrams(&self, options: &DatagramOptions) -> io::Result<(OsStream, SocketAddr)> {
        match &self.0 {
            RemoteKind::Simulated(_) => Err(no_datagrams(options)),
            #[cfg(any(unix, windows))]
            _ => {
                let (socket, local) = OsDatagrams::open(options)?;
                Ok((OsStream(OsStreamKind::Datagrams(socket)), local))
            }
        }
    }

    /// Makes a socket, registers it once and starts to connect it. How that ended is [`Event::Connected`](crate::Event::Connected), exactly once,
    /// also when it was known at once, unless the stream is closed before.
    ///
    /// # Errors
    /// Our own side failed before there was an attempt: no descriptors, an ipc path that is too long. No event will come.
    pub fn connect(&self, target: &Address, options: &StreamOptions) -> io::Result<Stream> {
        Ok(Stream(match &self.0 {
            #[cfg(unix)]
            RemoteKind::Unix(remote) => StreamKind::Unix(remote.connect(target, options)?),
            #[cfg(windows)]
            RemoteKind::Windows(remote) => {
                StreamKind::Windows(std::sync::Arc::new(remote.connect(target, options)?))
            }
            RemoteKind::Simulated(remote) => StreamKind::Simulated(remote.connect(target, options)?),
        }))
    }
}
