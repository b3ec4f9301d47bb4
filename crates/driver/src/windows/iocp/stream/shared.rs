//! What the operations of a stream keep alive.

use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard};

use super::sending::Outgoing;
use crate::port::MemberId;
use crate::windows::iocp::channel::{self, Channel};
use crate::windows::iocp::registered::Registered;
use crate::windows::iocp::source::{Home, Operation, Role, Source};
use crate::windows::iocp::{Iocp, Launched};
use crate::windows::{error, lock};
use crate::{Address, Event};

/// What operations in flight keep alive.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) source: Source,
    /// `None` once it is closed, and where an attempt failed before there was one. Calls that use the handle read, closing writes: no call hits a handle
    /// that the system gave to somebody else.
    channel: RwLock<Option<Registered<Channel>>>,
    closed: AtomicBool,
    peer: Option<Address>,
    /// Our end, where the system cannot tell.
    local: Option<Address>,
    connected: AtomicBool,
    /// How an attempt ended that was over at once.
    outcome: Mutex<Option<io::Result<()>>>,
    connect: Operation,
    receive: Operation,
    send: Operation,
    /// What the send in flight writes.
    pub(super) outgoing: Mutex<Option<Outgoing>>,
}

impl Shared {
    pub(super) fn new(
        source: Source,
        channel: Option<Registered<Channel>>,
        peer: Option<Address>,
        local: Option<Address>,
    ) -> Shared {
        Shared {
            source,
            channel: RwLock::new(channel),
            closed: AtomicBool::new(false),
            peer,
            local,
            connected: AtomicBool::new(false),
            outcome: Mutex::default(),
            connect: Operation::default(),
            receive: Operation::default(),
            send: Operation::default(),
            outgoing: Mutex::default(),
        }
    }

    pub(super) fn set_connected(&self) {
        self.connected.store(true, Ordering::Release);
    }

    pub(super) fn peer(&self) -> Option<&Address> {
        self.peer.as_ref()
    }

    pub(super) fn local_address(&self) -> Option<Address> {
        let channel = self.channel();
        let channel = channel.as_ref()?;
        self.local.clone().or_else(|| channel.local_address())
    }

    /// Closes the handle and calls off what is in flight. False: that was done before.
    pub(super) fn close(&self) -> bool {
        let is_first = !self.closed.swap(true, Ordering::AcqRel);
        if is_first {
            let channel = self.channel.write().unwrap_or_else(PoisonError::into_inner).take();
            if let Some(channel) = channel {
                channel.cancel();
                channel.shutdown_write();
            }
        }
        is_first
    }

    pub(super) fn channel(&self) -> RwLockReadGuard<'_, Option<Registered<Channel>>> {
        self.channel.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }

    pub(super) fn push(&self, events: &mut Vec<(MemberId, Event)>, event: Event) {
        events.push((self.source.member, event));
    }

    pub(super) fn start_connecting(self: &Arc<Self>, target: &SocketAddr, iocp: &Iocp) {
        let channel = self.channel();
        let Some(channel) = &*channel else { return };
        let Channel::Socket(socket) = &**channel else { return };
        let launched = iocp.launch(self.clone(), Role::Connect, channel.skips_packets, |overlapped| {
            channel::start_connecting(socket, target, overlapped)
        });
        match launched {
            Launched::Pending | Launched::Busy => {}
            Launched::Done(_) => self.connect_at_once(Ok(()), iocp),
            Launched::Failed(error) => self.connect_at_once(Err(error), iocp),
        }
    }

    /// The attempt was over before it could wait for anything. It is heard of like any other, and not if the stream is closed first.
    pub(super) fn connect_at_once(self: &Arc<Self>, outcome: io::Result<()>, iocp: &Iocp) {
        *lock(&self.outcome) = Some(outcome);
        self.source.hold();
        iocp.post(self.clone(), Role::Connect);
    }

    /// The attempt is over. Of one that was closed nobody hears.
    fn connected(
        self: &Arc<Self>,
        outcome: io::Result<()>,
        iocp: &Iocp,
        events: &mut Vec<(MemberId, Event)>,
    ) {
        if self.is_closed() {
            return;
        }
        let outcome = match (outcome, &*self.channel()) {
            (Ok(()), Some(channel)) => channel.finish_connecting().and_then(|()| {
                let is_own_peer = channel.local_address() == self.peer;
                if is_own_peer { Err(io::ErrorKind::ConnectionRefused.into()) } else { Ok(()) }
            }),
            (Ok(()), None) => return,
            (Err(error), _) => Err(error),
        };
        let connected = outcome.is_ok();
        self.connected.store(connected, Ordering::Release);
        self.push(events, Event::Connected(self.source.key, outcome));
        if connected {
            self.arm(iocp, events);
        }
    }

    /// Waits for input, unless that is being done.
    pub(super) fn arm(self: &Arc<Self>, iocp: &Iocp, events: &mut Vec<(MemberId, Event)>) {
        let channel = self.channel();
        let Some(channel) = channel.as_ref().filter(|_| self.connected.load(Ordering::Acquire)) else {
            return;
        };
        let launched = iocp.launch(self.clone(), Role::Receive, channel.skips_packets, |overlapped| {
            channel.start_receive(overlapped)
        });
        match launched {
            Launched::Pending | Launched::Busy => {}
            // What went wrong is what the next read says.
            Launched::Done(_) | Launched::Failed(_) => self.push(events, Event::Readable(self.source.key)),
        }
    }

    fn received(
        self: &Arc<Self>,
        outcome: io::Result<usize>,
        iocp: &Iocp,
        events: &mut Vec<(MemberId, Event)>,
    ) {
        match outcome {
            _ if self.is_closed() => {}
            // Nobody but `close` cancels. The thread that started it may have ended.
            Err(error) if error::is_aborted(&error) || error::is_out_of_memory(&error) => {
                self.arm(iocp, events);
            }
            _ => self.push(events, Event::Readable(self.source.key)),
        }
    }
}

impl Home for Shared {
    fn source(&self) -> &Source {
        &self.source
    }

    fn operation(&self, role: Role) -> Option<&Operation> {
        match role {
            Role::Connect => Some(&self.connect),
            Role::Receive => Some(&self.receive),
            Role::Send => Some(&self.send),
            Role::Farewell => Some(&self.source.farewell),
            Role::Accept(_) => None,
        }
    }

    fn complete(
        self: Arc<Self>,
        role: Role,
        outcome: io::Result<usize>,
        iocp: &Iocp,
        events: &mut Vec<(MemberId, Event)>,
    ) {
        match role {
            Role::Connect => {
                let at_once = lock(&self.outcome).take();
                self.connected(at_once.unwrap_or(outcome.map(drop)), iocp, events);
            }
            Role::Receive => self.received(outcome, iocp, events),
            Role::Send => self.sent(outcome, iocp, events),
            Role::Accept(_) | Role::Farewell => {}
        }
    }
}
