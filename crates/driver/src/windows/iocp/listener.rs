//! A registered listener: a pool of operations that each wait for one connection.

use std::cell::UnsafeCell;
use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard};

use super::door::{self, Addresses, Candidate, Door, PipeDoor, SocketDoor};
use super::source::{Home, Operation, Role, Source};
use super::{Iocp, Launched};
use crate::port::{MemberId, Port, Remote};
use crate::windows::lock;
use crate::windows::pipe::{self, PipeOsListener};
use crate::windows::socket::{self, SocketOsListener};
use crate::windows::source::{OsListener, OsStream};
use crate::{Address, Event, Key};

/// How many connections are accepted ahead, those included that wait for the program to take them. Behind these the system has a queue of its own.
const POOL: usize = 8;
/// How many at most where the system has no such queue.
const LARGE_POOL: usize = 64;
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
    door: RwLock<Option<Door>>,
    local: Address,
    pool: Box<[Slot]>,
    queue: Mutex<Queue>,
}

/// One place in the pool.
#[derive(Default)]
struct Slot {
    operation: Operation,
    candidate: Mutex<Option<Candidate>>,
    addresses: UnsafeCell<Addresses>,
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
    waiting: VecDeque<(usize, OsStream)>,
    /// To be started again: the system had nothing to do it with.
    owed: Vec<usize>,
    /// The program wants to hear of what comes.
    armed: bool,
}

impl Listener {
    pub(crate) fn register(
        remote: &Remote<Iocp>,
        listener: OsListener,
    ) -> Result<Listener, (OsListener, io::Error)> {
        match listener {
            OsListener::Socket(listener) => Listener::register_socket(remote, listener)
                .map_err(|(listener, error)| (OsListener::Socket(listener), error)),
            OsListener::Pipe(listener) => Listener::register_pipe(remote, listener)
                .map_err(|(listener, error)| (OsListener::Pipe(listener), error)),
        }
    }

    fn register_socket(
        remote: &Remote<Iocp>,
        listener: SocketOsListener,
    ) -> Result<Listener, (SocketOsListener, io::Error)> {
        let accept = match socket::accept_function(&listener.socket) {
            Ok(accept) => accept,
            Err(error) => return Err((listener, error)),
        };
        let SocketOsListener { socket, local, stream_options, file } = listener;
        match remote.port().well().register(remote.member(), socket) {
            Ok((key, listener)) => {
                let name = local.clone();
                let door = Door::Socket(SocketDoor { listener, local, _file: file, stream_options, accept });
                Ok(Listener::open(remote, key, door, name, POOL))
            }
            Err((socket, error)) => Err((SocketOsListener { socket, local, stream_options, file }, error)),
        }
    }

    fn register_pipe(
        remote: &Remote<Iocp>,
        listener: PipeOsListener,
    ) -> Result<Listener, (PipeOsListener, io::Error)> {
        let PipeOsListener { maker, first, backlog } = listener;
        match remote.port().well().register(remote.member(), first) {
            Ok((key, first)) => {
                let local = maker.local.clone();
                let door = Door::Pipe(PipeDoor { maker, first: Mutex::new(Some(first)) });
                Ok(Listener::open(remote, key, door, local, backlog.clamp(1, LARGE_POOL)))
            }
            Err((first, error)) => Err((PipeOsListener { maker, first, backlog }, error)),
        }
    }

    fn open(remote: &Remote<Iocp>, key: Key, door: Door, local: Address, pool: usize) -> Listener {
        let queue = Queue { owed: (0..pool).collect(), ..Queue::default() };
        let shared = Arc::new(Shared {
            source: Source::new(key, remote.member()),
            door: RwLock::new(Some(door)),
            local,
            pool: (0..pool).map(|_| Slot::default()).collect(),
            queue: Mutex::new(queue),
        });
        let listener = Listener { shared, port: Arc::clone(remote.port()) };
        listener.rearm();
        listener
    }

    #[cfg(test)]
    pub(super) fn cancel(&self) {
        self.shared.door().as_ref().expect("it is open").cancel();
    }

    pub(crate) fn key(&self) -> Key {
        self.shared.source.key
    }

    pub(crate) fn local_address(&self) -> &Address {
        &self.shared.local
    }

    pub(crate) fn accept(&self) -> io::Result<Option<(OsStream, Option<Address>)>> {
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
        let peer = stream.peer();
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
        let door = self.shared.door.write().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(door) = &door {
            door.cancel();
        }
        for slot in &self.shared.pool {
            if let Some(candidate) = lock(&slot.candidate).take() {
                candidate.cancel();
            }
        }
        drop(door);
        for (_, stream) in lock(&self.shared.queue).waiting.drain(..) {
            stream.reset();
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
    fn door(&self) -> RwLockReadGuard<'_, Option<Door>> {
        self.door.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn take_waiting(&self) -> Option<(usize, OsStream)> {
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
        let door = self.door();
        let Some(door) = &*door else { return Ok(()) };
        let mut outcome = Ok(());
        for _ in 0..ATTEMPTS {
            match self.launch(slot, door.candidate(iocp, self.source.key)?, door, iocp) {
                Launched::Pending | Launched::Busy => return Ok(()),
                Launched::Done(_) if self.accepted(slot, door) => return Ok(()),
                Launched::Failed(error) if pipe::has_peer_already(&error) && self.accepted(slot, door) => {
                    return Ok(());
                }
                Launched::Done(_) => {}
                Launched::Failed(error) if door::is_about_the_connection(&error) => outcome = Err(error),
                Launched::Failed(error) => return Err(error),
            }
        }
        outcome
    }

    fn launch(self: &Arc<Self>, index: usize, candidate: Candidate, door: &Door, iocp: &Iocp) -> Launched {
        let slot = &self.pool[index];
        let (handle, skips_packets) = (candidate.handle(), candidate.skips_packets(door));
        *lock(&slot.candidate) = Some(candidate);
        iocp.launch(self.clone(), Role::Accept(index), skips_packets, |overlapped| {
            // SAFETY: the table of flights keeps this object until the operation came home, and with it the slot, which has the rest. The candidate
            // is taken out before only by a close, which calls off what is in flight; and that waits for this call, which holds the door.
            unsafe { door.start_accepting(handle, slot.addresses.get(), overlapped) }
        })
    }

    /// A connection is there. False: it died meanwhile, and nobody has to know.
    fn accepted(&self, slot: usize, door: &Door) -> bool {
        let Some(candidate) = lock(&self.pool[slot].candidate).take() else { return false };
        match door.welcome(candidate) {
            Ok(stream) => {
                lock(&self.queue).waiting.push_back((slot, stream));
                true
            }
            Err(_) => false,
        }
    }
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
        let accepted = match &*self.door() {
            Some(door) => outcome.is_ok() && self.accepted(slot, door),
            None => return,
        };
        if !accepted && self.start(slot, iocp).is_err() {
            lock(&self.queue).owed.push(slot);
        }
        if lock(&self.queue).announce() {
            events.push((self.source.member, Event::Acceptable(self.source.key)));
        }
    }
}
