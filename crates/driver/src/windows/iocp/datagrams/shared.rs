//! What the operations of a socket for datagrams keep alive.

use std::io;
use std::net::UdpSocket;
use std::ptr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard};

use windows_sys::Win32::System::IO::CancelIoEx;

use super::incoming::Incoming;
use super::sending::Outgoing;
use crate::datagram::{ADDRESS_BYTES, Refused};
use crate::port::MemberId;
use crate::windows::error::{self, check, is_about_a_datagram};
use crate::windows::iocp::registered::{Registered, SystemObject};
use crate::windows::iocp::source::{Home, Operation, Role, Source};
use crate::windows::iocp::{Iocp, Launched};
use crate::windows::{datagram, lock};
use crate::{Event, Read};

/// What operations in flight keep alive.
#[derive(Debug)]
pub(super) struct Shared {
    source: Source,
    /// `None` once it is closed. Calls that use the handle read, closing writes: no call hits a handle that the system gave to somebody else.
    socket: RwLock<Option<Registered<UdpSocket>>>,
    closed: AtomicBool,
    pub(super) ipv6: bool,
    receive: Operation,
    send: Operation,
    /// Whose turn it is with `incoming`.
    arrival: Mutex<Arrival>,
    incoming: Incoming,
    /// What the send in flight writes.
    pub(super) outgoing: Mutex<Option<Outgoing>>,
    /// What the system refused to send.
    pub(super) refused: Refused,
}

/// The next datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Arrival {
    /// If one is there, the system has it.
    Unknown,
    /// A receive is in flight.
    Awaited,
    /// It came, with so many bytes.
    Here(usize),
}

impl Shared {
    pub(super) fn new(source: Source, socket: Registered<UdpSocket>, ipv6: bool) -> Shared {
        Shared {
            source,
            socket: RwLock::new(Some(socket)),
            closed: AtomicBool::new(false),
            ipv6,
            receive: Operation::default(),
            send: Operation::default(),
            arrival: Mutex::new(Arrival::Unknown),
            incoming: Incoming::new(),
            outgoing: Mutex::default(),
            refused: Refused::default(),
        }
    }

    /// Closes the handle and calls off what is in flight. False: that was done before.
    pub(super) fn close(&self) -> bool {
        let is_first = !self.closed.swap(true, Ordering::AcqRel);
        if is_first {
            let socket = self.socket.write().unwrap_or_else(PoisonError::into_inner).take();
            if let Some(socket) = &socket {
                cancel(socket);
            }
        }
        is_first
    }

    pub(super) fn socket(&self) -> RwLockReadGuard<'_, Option<Registered<UdpSocket>>> {
        self.socket.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn push(&self, events: &mut Vec<(MemberId, Event)>, event: Event) {
        events.push((self.source.member, event));
    }

    /// Takes what came. While the system is to bring the next one, nothing is read past it.
    pub(super) fn read(&self, into: &mut [u8]) -> io::Result<Read> {
        let socket = self.socket();
        let Some(socket) = &*socket else { return Err(io::ErrorKind::NotConnected.into()) };
        let mut arrival = lock(&self.arrival);
        match (*arrival, into.split_first_chunk_mut::<ADDRESS_BYTES>()) {
            (_, None) => return Ok(Read::Bytes(0)),
            (Arrival::Awaited, _) => return Ok(Read::WouldBlock),
            (Arrival::Here(count), Some((address, room))) => {
                *arrival = Arrival::Unknown;
                // SAFETY: it came home, and as long as the note is locked nobody starts the next receive.
                if let Some(count) = unsafe { self.incoming.take(count, address, room) } {
                    return Ok(Read::Bytes(count));
                }
            }
            (Arrival::Unknown, Some(_)) => {}
        }
        datagram::read(socket, into)
    }

    /// Waits for the next datagram, unless that is being done.
    pub(super) fn arm(self: &Arc<Self>, iocp: &Iocp, events: &mut Vec<(MemberId, Event)>) {
        let socket = self.socket();
        let Some(socket) = &*socket else { return };
        let mut arrival = lock(&self.arrival);
        if *arrival == Arrival::Unknown {
            match self.start_receiving(socket, iocp) {
                Ok(next) => *arrival = next,
                Err(error) => self.push(events, Event::Error(self.source.key, error)),
            }
        }
        if matches!(*arrival, Arrival::Here(_)) {
            self.push(events, Event::Readable(self.source.key));
        }
    }

    /// Only for whoever has locked the note that no receive is in flight.
    fn start_receiving(self: &Arc<Self>, socket: &Registered<UdpSocket>, iocp: &Iocp) -> io::Result<Arrival> {
        loop {
            let launched = iocp.launch(self.clone(), Role::Receive, socket.skips_packets, |overlapped| {
                // SAFETY: the memory is part of this object, which the table of flights keeps alive. Whoever finds the note that it is awaited leaves it alone.
                unsafe { self.incoming.start_receiving(socket, overlapped) }
            });
            match launched {
                Launched::Pending | Launched::Busy => return Ok(Arrival::Awaited),
                Launched::Done(count) => return Ok(Arrival::Here(count)),
                Launched::Failed(error) if is_about_a_datagram(&error) => {}
                Launched::Failed(error) => return Err(error),
            }
        }
    }

    fn received(
        self: &Arc<Self>,
        outcome: io::Result<usize>,
        iocp: &Iocp,
        events: &mut Vec<(MemberId, Event)>,
    ) {
        if self.closed.load(Ordering::Acquire) {
            return;
        }
        *lock(&self.arrival) = outcome.as_ref().map_or(Arrival::Unknown, |count| Arrival::Here(*count));
        match outcome {
            Ok(_) => self.push(events, Event::Readable(self.source.key)),
            // If it took nothing, what is there can be read.
            Err(error) if error::is_forgotten(&error) => {
                self.push(events, Event::Readable(self.source.key));
            }
            // Nobody but `close` cancels. The thread that started it may have ended.
            Err(error)
                if error::is_aborted(&error)
                    || error::is_out_of_memory(&error)
                    || is_about_a_datagram(&error) =>
            {
                self.arm(iocp, events);
            }
            Err(error) => self.push(events, Event::Error(self.source.key, error)),
        }
    }
}

impl Home for Shared {
    fn source(&self) -> &Source {
        &self.source
    }

    fn operation(&self, role: Role) -> Option<&Operation> {
        match role {
            Role::Receive => Some(&self.receive),
            Role::Send => Some(&self.send),
            Role::Farewell => Some(&self.source.farewell),
            Role::Connect | Role::Accept(_) => None,
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
            Role::Receive => self.received(outcome, iocp, events),
            Role::Send => self.sent(outcome, iocp, events),
            Role::Connect | Role::Accept(_) | Role::Farewell => {}
        }
    }
}

/// Cancels every operation; each still comes home.
pub(super) fn cancel(socket: &Registered<UdpSocket>) {
    // SAFETY: the handle is open while it is borrowed. It fails where nothing is in flight.
    let _ = check(unsafe { CancelIoEx(socket.handle(), ptr::null()) });
}
