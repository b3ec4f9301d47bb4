//! A registered listener: a pool of operations that each wait for one connection.

use std::cell::UnsafeCell;
use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::net::{TcpListener, TcpStream};
use std::ptr;
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard};

use windows_sys::Win32::Foundation::HANDLE;
use windows_sys::Win32::Networking::WinSock::SOCKADDR_STORAGE;
use windows_sys::Win32::System::IO::CancelIoEx;

use super::registered::{Registered, SystemObject};
use super::source::{Home, Operation, Role, Source};
use super::{Iocp, Launched};
use crate::port::{MemberId, Port, Remote};
use crate::windows::error::{self, check};
use crate::windows::lock;
use crate::windows::socket::{self, AcceptFunction, TcpOsListener, TcpOsStream};
use crate::{Address, Event, Key, StreamOptions};

/// How many connections are accepted ahead, those included that wait for the program to take them.
const POOL: usize = 8;
/// How often a connection may die while it is being accepted, before whoever accepts hears of it.
const ATTEMPTS: usize = 64;

#[derive(Debug)]
pub(crate) struct Listener {
    shared: Arc<Shared>,
    port: Arc<Port<Iocp>>,
}

#[derive(Debug)]
struct Shared {
    source: Source,
    /// `None` once it is closed, as with streams.
    listener: RwLock<Option<Registered<TcpListener>>>,
    local: Address,
    stream_options: StreamOptions,
    accept: AcceptFunction,
    pool: [Slot; POOL],
    queue: Mutex<Queue>,
}

/// One place in the pool.
#[derive(Default)]
struct Slot {
    operation: Operation,
    /// The socket that becomes the connection.
    socket: Mutex<Option<TcpStream>>,
    addresses: UnsafeCell<[AddressMemory; 2]>,
}

/// Where the system writes an address: it asks for 16 bytes more than the longest has.
#[repr(C)]
#[derive(Default)]
struct AddressMemory {
    address: SOCKADDR_STORAGE,
    rest: [u8; 16],
}

// SAFETY: only the system writes to the addresses, during the slot's operation, and nobody reads them.
unsafe impl Sync for Slot {}

impl fmt::Debug for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Slot({:?})", self.operation)
    }
}

/// What is to be done for the program. Each slot is in flight, or in one of these lists.
#[derive(Debug, Default)]
struct Queue {
    /// Accepted, and not taken.
    waiting: VecDeque<(usize, TcpOsStream)>,
    /// To be started again: the system had nothing to do it with.
    owed: Vec<usize>,
    /// The program wants to hear of what comes.
    armed: bool,
}

impl Listener {
    pub(crate) fn register(
        remote: &Remote<Iocp>,
        listener: TcpOsListener,
    ) -> Result<Listener, (TcpOsListener, io::Error)> {
        let accept = match socket::accept_function(&listener.socket) {
            Ok(accept) => accept,
            Err(error) => return Err((listener, error)),
        };
        let TcpOsListener { socket, local, stream_options } = listener;
        let port = Arc::clone(remote.port());
        let (key, socket) = match port.well().register(remote.member(), socket) {
            Ok(registered) => registered,
            Err((socket, error)) => return Err((TcpOsListener { socket, local, stream_options }, error)),
        };
        let shared = Arc::new(Shared {
            source: Source::new(key, remote.member()),
            listener: RwLock::new(Some(socket)),
            local,
            stream_options,
            accept,
            pool: Default::default(),
            queue: Mutex::new(Queue { armed: true, owed: (0..POOL).collect(), ..Queue::default() }),
        });
        let listener = Listener { shared, port };
        listener.rearm();
        Ok(listener)
    }

    #[cfg(test)]
    pub(super) fn cancel(&self) {
        cancel(self.shared.listener().as_ref().expect("it is open"));
    }

    pub(crate) fn key(&self) -> Key {
        self.shared.source.key
    }

    pub(crate) fn local_address(&self) -> &Address {
        &self.shared.local
    }

    pub(crate) fn accept(&self) -> io::Result<Option<(TcpOsStream, Option<Address>)>> {
        let iocp = self.port.well();
        let mut next = self.shared.take_waiting();
        if next.is_none() {
            self.shared.start_owed(iocp)?;
            next = self.shared.take_waiting();
        }
        let Some((slot, stream)) = next else { return Ok(None) };
        lock(&self.shared.queue).owed.push(slot);
        // Whoever finds nobody waiting hears why.
        let _ = self.shared.start_owed(iocp);
        let peer = stream.peer.clone();
        Ok(Some((stream, peer)))
    }

    /// Asks for the next `Acceptable`.
    pub(crate) fn rearm(&self) {
        let Listener { shared, port } = self;
        shared.source.hold();
        // What could not be started is announced too: `accept` says why.
        let _ = shared.start_owed(port.well());
        let announced = {
            let mut queue = lock(&shared.queue);
            queue.armed = true;
            queue.announce()
        };
        if announced {
            port.report(shared.source.member, Event::Acceptable(shared.source.key));
        }
        port.well().release(shared.clone());
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        let listener = self.shared.listener.write().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(listener) = listener {
            cancel(&listener);
            drop(listener);
        }
        for (_, TcpOsStream { socket, .. }) in lock(&self.shared.queue).waiting.drain(..) {
            // It fails where the connection is gone already.
            let _ = socket::reset_when_closed(&socket);
        }
        self.port.well().release(self.shared.clone());
    }
}

impl Queue {
    /// Whether the program is to be told now.
    fn announce(&mut self) -> bool {
        let is_due = self.armed && !(self.waiting.is_empty() && self.owed.is_empty());
        self.armed &= !is_due;
        is_due
    }
}

impl Shared {
    fn listener(&self) -> RwLockReadGuard<'_, Option<Registered<TcpListener>>> {
        self.listener.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn take_waiting(&self) -> Option<(usize, TcpOsStream)> {
        lock(&self.queue).waiting.pop_front()
    }

    /// Starts again what could not be started before, up to the first that still cannot.
    fn start_owed(self: &Arc<Self>, iocp: &Iocp) -> io::Result<()> {
        loop {
            let Some(slot) = lock(&self.queue).owed.pop() else { return Ok(()) };
            if let Err(error) = self.start(slot, iocp) {
                lock(&self.queue).owed.push(slot);
                return Err(error);
            }
        }
    }

    /// Lets a slot wait for a connection, or accept one that waits already.
    fn start(self: &Arc<Self>, slot: usize, iocp: &Iocp) -> io::Result<()> {
        let listener = self.listener();
        let (Some(listener), Address::Tcp(local)) = (&*listener, &self.local) else { return Ok(()) };
        let mut outcome = Ok(());
        for _ in 0..ATTEMPTS {
            let socket = TcpStream::from(socket::create(local)?);
            socket::set_buffers(&socket, &self.stream_options)?;
            match self.launch(slot, socket, listener, iocp) {
                Launched::Pending | Launched::Busy => return Ok(()),
                Launched::Done(_) if self.accepted(slot, listener) => return Ok(()),
                Launched::Done(_) => {}
                Launched::Failed(error) if is_about_the_connection(&error) => outcome = Err(error),
                Launched::Failed(error) => return Err(error),
            }
        }
        outcome
    }

    fn launch(
        self: &Arc<Self>,
        index: usize,
        socket: TcpStream,
        listener: &Registered<TcpListener>,
        iocp: &Iocp,
    ) -> Launched {
        let slot = &self.pool[index];
        let raw = socket::raw(&socket);
        let address_bytes = size_of::<AddressMemory>() as u32;
        *lock(&slot.socket) = Some(socket);
        iocp.launch(self.clone(), Role::Accept(index), listener.skips_packets, |overlapped| {
            let mut received = 0;
            // SAFETY: the listener is open while it is borrowed, and the slot keeps the other socket open until the operation came home. So does the
            // table of flights with this object, which has the memory for the addresses and `overlapped`.
            check(unsafe {
                (self.accept)(
                    socket::raw(&**listener),
                    raw,
                    slot.addresses.get().cast(),
                    0,
                    address_bytes,
                    address_bytes,
                    &mut received,
                    overlapped,
                )
            })
        })
    }

    /// A connection is there. False: it died meanwhile, and nobody has to know.
    fn accepted(&self, slot: usize, listener: &TcpListener) -> bool {
        let Some(socket) = lock(&self.pool[slot].socket).take() else { return false };
        match self.welcome(socket, listener) {
            Ok(stream) => {
                lock(&self.queue).waiting.push_back((slot, stream));
                true
            }
            Err(_) => false,
        }
    }

    fn welcome(&self, socket: TcpStream, listener: &TcpListener) -> io::Result<TcpOsStream> {
        socket::finish_accepting(&socket, listener)?;
        socket.set_nonblocking(true)?;
        socket::set_tcp_options(&socket, &self.stream_options)?;
        let peer = Some(Address::Tcp(socket.peer_addr()?));
        Ok(TcpOsStream { socket, peer })
    }
}

/// Cancels every operation; each still comes home.
fn cancel(listener: &TcpListener) {
    // SAFETY: the handle is open while it is borrowed. It fails where nothing is in flight.
    let _ = check(unsafe { CancelIoEx(listener.handle(), ptr::null()) });
}

/// Whether accepting failed because that one connection is gone, so that the next attempt may do better.
fn is_about_the_connection(error: &io::Error) -> bool {
    error::is_aborted(error)
        || matches!(error.kind(), io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionAborted)
}

impl Home for Shared {
    fn source(&self) -> &Source {
        &self.source
    }

    fn operation(&self, role: Role) -> Option<&Operation> {
        match role {
            Role::Accept(slot) => self.pool.get(slot).map(|slot| &slot.operation),
            Role::Farewell => Some(&self.source.farewell),
            Role::Connect | Role::Receive | Role::Send => None,
        }
    }

    fn complete(
        self: Arc<Self>,
        role: Role,
        outcome: io::Result<usize>,
        iocp: &Iocp,
        events: &mut Vec<(MemberId, Event)>,
    ) {
        let Role::Accept(slot) = role else { return };
        let accepted = match &*self.listener() {
            Some(listener) => outcome.is_ok() && self.accepted(slot, listener),
            None => {
                lock(&self.pool[slot].socket).take();
                return;
            }
        };
        if !accepted && self.start(slot, iocp).is_err() {
            lock(&self.queue).owed.push(slot);
        }
        if lock(&self.queue).announce() {
            events.push((self.source.member, Event::Acceptable(self.source.key)));
        }
    }
}

impl SystemObject for TcpListener {
    fn handle(&self) -> HANDLE {
        socket::raw(self) as HANDLE
    }

    fn can_skip_packets(&self) -> bool {
        socket::is_system_handle(self)
    }
}
