//! What every case starts from: a context, a transport, fresh endpoints, linked sockets.

use std::{
    cell::RefCell,
    net::Ipv4Addr,
    sync::{
        atomic::{AtomicU16, AtomicU32, Ordering},
        mpsc,
    },
    thread,
    time::{Duration, Instant},
};

use serverlink::{
    Context, Error, Event, Message, Monitor, Options, Part, Socket, SocketType,
    sim::{Faults, Simulation},
};
use tempfile::TempDir;

/// Longer than anything takes on the slowest machine; only a failing test waits so long.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);
/// For what is expected to time out.
pub(crate) const MOMENT: Duration = Duration::from_millis(30);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Transport {
    Tcp,
    Ipc,
    Inproc,
    Simulated,
    /// Under the laws of completion ports, whose completions come in any order.
    SimulatedPorts,
}

impl Transport {
    /// Threads may block on it.
    pub(crate) fn is_real(self) -> bool {
        self.faults().is_none()
    }

    /// What the simulated machine does, where it is one.
    fn faults(self) -> Option<Faults> {
        match self {
            Transport::Tcp | Transport::Ipc | Transport::Inproc => None,
            Transport::Simulated => Some(Faults::NONE),
            Transport::SimulatedPorts => {
                Some(Faults { completions: true, reorder: 0.5, spurious: 0.2, ..Faults::NONE })
            }
        }
    }
}

thread_local! {
    /// The machine that this thread's case runs on, if it is not the real one.
    static MACHINE: RefCell<Option<Simulation>> = const { RefCell::new(None) };
}

fn is_simulated() -> bool {
    MACHINE.with_borrow(Option::is_some)
}

/// A virtual millisecond, or a moment for the real threads.
fn let_things_happen() {
    MACHINE.with_borrow_mut(|machine| match machine {
        Some(machine) => machine.run_for(Duration::from_millis(1)),
        None => thread::yield_now(),
    });
}

pub(crate) struct World {
    pub(crate) context: Context,
    pub(crate) transport: Transport,
    /// Of this test alone, where the system has as many: no other test's sockets come or go at its ports.
    address: Ipv4Addr,
    directory: TempDir,
}

/// All of 127.0.0.0/8 is this machine, on Linux and Windows; elsewhere one address has to do for everybody.
fn own_address() -> Ipv4Addr {
    static NEXT: AtomicU16 = AtomicU16::new(1);
    if !cfg!(any(target_os = "linux", windows)) {
        return Ipv4Addr::LOCALHOST;
    }
    let [high, low] = NEXT.fetch_add(1, Ordering::Relaxed).to_be_bytes();
    // Other test binaries may run at the same time.
    let process = std::process::id() as u8 | 1;
    Ipv4Addr::new(127, process, high, low)
}

impl Drop for World {
    fn drop(&mut self) {
        MACHINE.set(None);
    }
}

impl World {
    pub(crate) fn new(transport: Transport) -> World {
        let context = if let Some(faults) = transport.faults() {
            let mut machine = Simulation::new(1, faults);
            let context = machine.context();
            MACHINE.set(Some(machine));
            context
        } else {
            Context::new().expect("a context")
        };
        World {
            context,
            transport,
            address: own_address(),
            directory: TempDir::new().expect("a temporary directory"),
        }
    }

    /// An endpoint to bind that nobody else has.
    pub(crate) fn fresh_endpoint(&self) -> String {
        match self.transport {
            Transport::Tcp => format!("tcp://{}:*", self.address),
            _ => self.deserted_endpoint(),
        }
    }

    /// An endpoint to connect to where nobody listens yet, and where one can bind later.
    pub(crate) fn deserted_endpoint(&self) -> String {
        // Counted for the whole process: where all tests share one address, the port tells them apart.
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = NEXT.fetch_add(1, Ordering::Relaxed);
        match self.transport {
            Transport::Tcp => format!("tcp://{}:{}", self.address, 7100 + name),
            Transport::Ipc => format!("ipc://{}", self.directory.path().join(name.to_string()).display()),
            Transport::Inproc => format!("inproc://{name}"),
            Transport::Simulated | Transport::SimulatedPorts => format!("tcp://10.0.0.1:{}", 7100 + name),
        }
    }

    pub(crate) fn socket(&self, socket_type: SocketType) -> Socket {
        self.socket_with(socket_type, |_| {})
    }

    pub(crate) fn socket_with(&self, socket_type: SocketType, change: impl FnOnce(&mut Options)) -> Socket {
        // Without heartbeats, whose timers would repair a lost wake-up before the test notices it.
        let mut options = Options { heartbeat_interval: Duration::ZERO, ..Options::default() };
        change(&mut options);
        self.context.socket_with(socket_type, options).expect("a socket with valid options")
    }

    /// Binds to a fresh endpoint and returns what peers connect to.
    pub(crate) fn bind(&self, socket: &Socket) -> String {
        socket.bind(&self.fresh_endpoint()).expect("binding").to_string()
    }

    pub(crate) fn bound(&self, socket_type: SocketType) -> (Socket, String) {
        let socket = self.socket(socket_type);
        let endpoint = self.bind(&socket);
        (socket, endpoint)
    }

    /// A connected socket, when the link stands on its side.
    pub(crate) fn connected(&self, socket_type: SocketType, endpoint: &str) -> Socket {
        let socket = self.socket(socket_type);
        connect(&socket, endpoint);
        socket
    }

    /// A bound and a connected socket, when the link stands on both sides.
    pub(crate) fn linked(&self, bound: SocketType, connected: SocketType) -> (Socket, Socket) {
        let (bound, endpoint) = self.bound(bound);
        let connected = self.connected(connected, &endpoint);
        peers(&bound, 1);
        (bound, connected)
    }

    /// As [`World::linked`], with options on both.
    pub(crate) fn linked_with(
        &self,
        bound: SocketType,
        connected: SocketType,
        change: impl Fn(&mut Options),
    ) -> (Socket, Socket) {
        let bound = self.socket_with(bound, &change);
        let connected = self.socket_with(connected, &change);
        connect(&connected, &self.bind(&bound));
        peers(&bound, 1);
        (bound, connected)
    }
}

/// Connects, and waits for one more peer.
pub(crate) fn connect(socket: &Socket, endpoint: &str) {
    let before = usize::try_from(socket.stats().peers).expect("few peers");
    socket.connect(endpoint).expect("connecting");
    peers(socket, before + 1);
}

pub(crate) fn peers(socket: &Socket, count: usize) {
    wait_for("peers", |patience| socket.wait_for_peers(count, patience));
}

pub(crate) fn subscribers(socket: &Socket, count: usize) {
    wait_for("subscribers", |patience| socket.wait_for_subscribers(count, patience));
}

/// Blocks, or on the simulated machine, where nothing may block, asks again and again.
fn wait_for(what: &str, wait: impl Fn(Duration) -> Result<usize, Error>) {
    if is_simulated() {
        eventually(what, || counted(wait(Duration::ZERO)));
    } else {
        assert!(counted(wait(PATIENCE)), "in vain: {what}");
    }
}

fn counted(result: Result<usize, Error>) -> bool {
    match result {
        Ok(_) => true,
        Err(Error::TimedOut) => false,
        Err(error) => panic!("waiting: {error}"),
    }
}

/// Waits until exactly so many peers are left. The library has no call for that: losing peers is
/// not what applications wait for.
pub(crate) fn until_peers_left(socket: &Socket, count: u64) {
    eventually("the peers are gone", || socket.stats().peers == count);
}

/// Blocks, or on the simulated machine looks again and again.
pub(crate) fn next_event(monitor: &Monitor, deadline: Instant) -> Option<Event> {
    if !is_simulated() {
        return monitor.next_deadline(deadline);
    }
    loop {
        match monitor.try_next() {
            None if Instant::now() < deadline => let_things_happen(),
            event => return event,
        }
    }
}

pub(crate) fn eventually(what: &str, condition: impl Fn() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !condition() {
        assert!(Instant::now() < deadline, "in vain: {what}");
        let_things_happen();
    }
}

pub(crate) fn send<const N: usize>(socket: &Socket, parts: [&str; N]) {
    let message = Message::from_parts(parts);
    MACHINE
        .with_borrow_mut(|machine| match machine {
            Some(machine) => {
                machine.run(socket.send_async(message), PATIENCE).expect("room in time").map_err(Error::from)
            }
            None => in_time(|deadline| socket.send_deadline(message, deadline).map_err(Error::from)),
        })
        .unwrap_or_else(|error| panic!("sending {parts:?}: {error}"));
}

/// To one peer, by its address.
pub(crate) fn answer(socket: &Socket, to: &Part, text: &str) {
    let message = Message::from_parts([to.clone(), text.into()]);
    socket.try_send(message).unwrap_or_else(|refused| panic!("answering: {}", refused.error));
}

/// For sockets that drop what a full peer has no room for. A peer may have read everything before the sender heard that the
/// system took it.
pub(crate) fn send_once_there_is_room<const N: usize>(socket: &Socket, parts: [&str; N]) {
    let dropped = || socket.stats().dropped_at_high_water_mark;
    eventually("there is room again", || {
        let before = dropped();
        send(socket, parts);
        dropped() == before
    });
}

pub(crate) fn recv(socket: &Socket) -> Message {
    MACHINE
        .with_borrow_mut(|machine| match machine {
            Some(machine) => machine.run(socket.recv_async(), PATIENCE).expect("a message in time"),
            None => in_time(|deadline| socket.recv_deadline(deadline)),
        })
        .expect("a message in time")
}

/// A call whose wake-up was lost is woken by its deadline, looks again and succeeds: not good enough.
fn in_time<T>(call: impl FnOnce(Instant) -> Result<T, Error>) -> Result<T, Error> {
    let deadline = Instant::now() + PATIENCE;
    let result = call(deadline);
    assert!(result.is_err() || Instant::now() < deadline, "nothing but the deadline woke the call");
    result
}

/// The parts of the next message as text.
pub(crate) fn recv_text(socket: &Socket) -> Vec<String> {
    text(&recv(socket))
}

pub(crate) fn text(message: &Message) -> Vec<String> {
    message.iter().map(|part| String::from_utf8_lossy(part).into_owned()).collect()
}

/// Nothing waits now. Only for what cannot be on its way any more, or never was.
pub(crate) fn assert_nothing_waits(socket: &Socket) {
    let_things_happen();
    match socket.try_recv() {
        Err(Error::WouldBlock) => {}
        other => panic!("expected nothing, got {other:?}"),
    }
}

/// Fills the socket with messages of `bytes` until it would block; returns how many it took.
pub(crate) fn fill(socket: &Socket, bytes: usize) -> usize {
    let body = vec![b'f'; bytes];
    for taken in 0..10_000_000 {
        match socket.try_send(body.as_slice()) {
            Ok(()) => {}
            Err(failed) if matches!(failed.error, Error::WouldBlock) => return taken,
            Err(failed) => panic!("filling: {}", failed.error),
        }
    }
    panic!("the socket has no high-water mark");
}

/// Runs what must not block, and fails if it does.
pub(crate) fn promptly<T: Send + 'static>(what: &str, work: impl FnOnce() -> T + Send + 'static) -> T {
    let (tell, told) = mpsc::channel();
    thread::spawn(move || {
        // The receiver is gone only when the test has failed already.
        let _ = tell.send(work());
    });
    told.recv_timeout(PATIENCE).unwrap_or_else(|_| panic!("{what} did not end, or panicked"))
}
