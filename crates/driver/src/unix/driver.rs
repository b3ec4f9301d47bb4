//! The two halves of a driver on a unix system.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use super::datagram::{Datagrams, OsDatagrams};
use super::listener::{Listener, OsListener};
use super::registry::Registry;
use super::selector::{Raised, Waiter};
use super::socket::OsStream;
use super::stream::Stream;
use crate::{Address, Event, Events, Kind, StreamOptions};

#[derive(Debug)]
pub(crate) struct Driver {
    registry: Arc<Registry>,
    waiter: Waiter,
    /// Memory that a wait uses: empty between waits.
    raised: Vec<Raised>,
    streams: Vec<(Arc<Stream>, Raised)>,
}

impl Driver {
    pub(crate) fn open(kind: Kind) -> io::Result<Driver> {
        let registry = Registry::open(kind)?;
        let waiter = registry.selector.waiter();
        Ok(Driver { registry, waiter, raised: Vec::new(), streams: Vec::new() })
    }

    pub(crate) fn remote(&self) -> Remote {
        Remote { registry: Arc::clone(&self.registry) }
    }

    #[inline]
    pub(crate) fn wait(&mut self, events: &mut Events, timeout: Option<Duration>) -> io::Result<()> {
        let ended = self.waiter.wait(&self.registry.selector, &mut self.raised, timeout)?;
        events.set_interrupted(ended.interrupted);
        if ended.woken {
            events.push(Event::Woken);
            self.registry.report_refused(events);
        }
        if !self.raised.is_empty() {
            self.registry.report(&mut self.raised, &mut self.streams, events);
        }
        Ok(())
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Remote {
    pub(crate) registry: Arc<Registry>,
}

impl Remote {
    pub(crate) fn kind(&self) -> Kind {
        self.registry.selector.kind()
    }

    pub(crate) fn wake(&self) -> io::Result<()> {
        self.registry.selector.wake()
    }

    pub(crate) fn listen(&self, listener: OsListener) -> Result<Listener, (OsListener, io::Error)> {
        Listener::register(&self.registry, listener)
    }

    pub(crate) fn adopt(&self, stream: OsStream) -> Result<Arc<Stream>, (OsStream, io::Error)> {
        Stream::adopt(&self.registry, stream)
    }

    pub(crate) fn adopt_datagrams(
        &self,
        socket: OsDatagrams,
    ) -> Result<Arc<Datagrams>, (OsDatagrams, io::Error)> {
        Datagrams::adopt(&self.registry, socket)
    }

    pub(crate) fn connect(&self, target: &Address, options: &StreamOptions) -> io::Result<Arc<Stream>> {
        Stream::connect(&self.registry, target, options)
    }
}
