//! Where a test listens: a transport, and endpoints that no other test has.
#![allow(dead_code, reason = "each test binary uses what it needs")]

use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant};

use serverlink::{Context, EventKind, Monitor, Options, Socket, SocketType};
use tempfile::TempDir;

/// Longer than anything takes on a loaded machine; only a failing test waits so long.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// Below the ports that systems give to outgoing connections, so that nobody takes one while its listener is away.
const FIRST_PORT: u16 = 10_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Transport {
    Tcp,
    Ipc,
}

pub(crate) struct Place {
    transport: Transport,
    /// Of this test alone, where the system has addresses enough.
    address: Ipv4Addr,
    directory: TempDir,
}

impl Place {
    pub(crate) fn new(transport: Transport) -> Place {
        let directory = TempDir::new().expect("a temporary directory");
        Place { transport, address: own_address(), directory }
    }

    /// An endpoint to bind, and to bind again after it was given up.
    pub(crate) fn endpoint(&self) -> String {
        // Counted for the whole process: where all tests share one address, the port tells them apart.
        static NEXT: AtomicU16 = AtomicU16::new(0);
        let name = NEXT.fetch_add(1, Ordering::Relaxed);
        match self.transport {
            Transport::Tcp => format!("tcp://{}:{}", self.address, FIRST_PORT + name),
            Transport::Ipc => format!("ipc://{}", self.directory.path().join(name.to_string()).display()),
        }
    }
}

/// All of 127.0.0.0/8 is this machine, on Linux and Windows; elsewhere one address has to do for everybody.
fn own_address() -> Ipv4Addr {
    static NEXT: AtomicU16 = AtomicU16::new(1);
    if !cfg!(any(target_os = "linux", windows)) {
        return Ipv4Addr::LOCALHOST;
    }
    let [high, low] = NEXT.fetch_add(1, Ordering::Relaxed).to_be_bytes();
    // Other test binaries may run at the same time.
    Ipv4Addr::new(127, std::process::id() as u8 | 1, high | 0x80, low)
}

/// A socket that connects again quickly, without heartbeats: their timers would repair a lost wake-up before the test notices.
pub(crate) fn brisk(context: &Context, kind: SocketType, change: impl FnOnce(&mut Options)) -> Socket {
    let mut options = Options {
        heartbeat_interval: Duration::ZERO,
        reconnect_interval: Duration::from_millis(2),
        reconnect_interval_max: Duration::from_millis(20),
        ..Options::default()
    };
    change(&mut options);
    context.socket_with(kind, options).expect("a socket with valid options")
}

pub(crate) fn in_time() -> Instant {
    Instant::now() + PATIENCE
}

/// Takes events until one is wanted.
pub(crate) fn wait_for<T>(
    monitor: &Monitor,
    what: &str,
    mut wanted: impl FnMut(EventKind) -> Option<T>,
) -> T {
    let (deadline, mut seen) = (in_time(), Vec::new());
    while let Some(event) = monitor.next_deadline(deadline) {
        seen.push(event.clone());
        if let Some(found) = wanted(event.kind) {
            return found;
        }
    }
    panic!("in vain: {what}; the monitor told {seen:?}");
}

/// For what the library has no call to wait for.
pub(crate) fn eventually(what: &str, mut condition: impl FnMut() -> bool) {
    let deadline = in_time();
    while !condition() {
        assert!(Instant::now() < deadline, "in vain: {what}");
        std::thread::yield_now();
    }
}

/// The same case over tcp, and over ipc where the condition holds.
#[allow(unused_macros, reason = "each test binary uses what it needs")]
macro_rules! over_wires_where {
    ($condition:meta: $($(#[$mark:meta])* $case:ident)*) => {$(
        mod $case {
            #[test]
            $(#[$mark])*
            fn tcp() {
                super::$case(&$crate::place::Place::new($crate::place::Transport::Tcp));
            }
            #[cfg($condition)]
            #[test]
            $(#[$mark])*
            fn ipc() {
                super::$case(&$crate::place::Place::new($crate::place::Transport::Ipc));
            }
        }
    )*};
}
#[allow(unused_imports, reason = "each test binary uses what it needs")]
pub(crate) use over_wires_where;

/// The same case over tcp and over ipc.
#[allow(unused_macros, reason = "each test binary uses what it needs")]
macro_rules! over_wires {
    ($($cases:tt)*) => { $crate::place::over_wires_where! { all(): $($cases)* } };
}
#[allow(unused_imports, reason = "each test binary uses what it needs")]
pub(crate) use over_wires;

/// The same where a raw peer is at the other end: on unix those speak over both, elsewhere over tcp.
#[allow(unused_macros, reason = "each test binary uses what it needs")]
macro_rules! over_raw_wires {
    ($($cases:tt)*) => { $crate::place::over_wires_where! { unix: $($cases)* } };
}
#[allow(unused_imports, reason = "each test binary uses what it needs")]
pub(crate) use over_raw_wires;
