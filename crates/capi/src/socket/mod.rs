//! Sockets as C knows them: options until the first use, then one of the library's.

mod endpoints;
mod get;
mod monitor;
pub mod numbers;
mod patterns;
mod receive;
mod security;
mod send;
mod set;
mod shape;
mod signal;

use std::collections::BTreeMap;
use std::ffi::{c_int, c_void};
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use serverlink::{Context, Linger, Message, Options, Socket, SocketType};

pub use self::get::{POLLERR, POLLIN, POLLOUT, Value};
pub use self::monitor::Wanted;

use self::endpoints::Named;
use self::monitor::Reporter;
use self::receive::Incoming;
use self::security::Pieces;
use self::shape::Shape;
use self::signal::Signal;
use crate::context::CContext;
use crate::errno::{Answer, EFAULT, EINVAL, ENOTSOCK, Errno, fail};
use crate::guard;
use crate::table::{Handled, Inside, Table};

/// Do not wait.
pub const DONTWAIT: c_int = 1;
/// More parts of the same message follow.
pub const SNDMORE: c_int = 2;

static SOCKETS: Table<CSocket> = Table::new();

impl Handled for CSocket {
    fn table() -> &'static Table<CSocket> {
        &SOCKETS
    }
}

/// A socket of C.
pub struct CSocket {
    kind: SocketType,
    shape: Shape,
    context: Arc<CContext>,
    library: Context,
    setup: Mutex<Setup>,
    /// From the first use on.
    opened: OnceLock<Socket>,
    /// The parts of a message whose last part has not come, and whether there are any.
    outgoing: Mutex<Option<Message>>,
    is_sending: AtomicBool,
    /// REP: a request was received and not answered.
    owes_reply: AtomicBool,
    /// The parts of a message that were not asked for yet, and whether there are any.
    incoming: Mutex<Incoming>,
    has_rest: AtomicBool,
    /// Whether the part that was received last has others behind it.
    more: AtomicBool,
    /// In milliseconds, -1: for ever.
    send_timeout: AtomicI32,
    recv_timeout: AtomicI32,
    linger: AtomicI32,
    /// Once its descriptor was asked for.
    signal: OnceLock<Signal>,
    reporter: Mutex<Option<Reporter>>,
}

/// What is set before a socket is opened, and what is only kept to be asked for.
#[derive(Default)]
pub(crate) struct Setup {
    options: Options,
    security: Pieces,
    /// What to subscribe to once it is open, or to cancel, in this order.
    subscriptions: Vec<(bool, Vec<u8>)>,
    /// Values of options that have no effect, or another form here.
    kept: BTreeMap<c_int, Vec<u8>>,
    /// For the next connect.
    connect_routing_id: Option<Vec<u8>>,
    endpoints: Vec<Named>,
    last_endpoint: String,
    /// STREAM: whom it connected to last.
    stream_id: Vec<u8>,
    /// What else to do once it is open, in this order.
    when_open: Vec<WhenOpen>,
}

type WhenOpen = Box<dyn FnOnce(&Socket) -> Answer<()> + Send>;

/// By number.
const TYPES: [SocketType; 21] = {
    use SocketType::*;
    [
        Pair, Pub, Sub, Req, Rep, Dealer, Router, Pull, Push, Xpub, Xsub, Stream, Server, Client, Radio,
        Dish, Gather, Scatter, Dgram, Peer, Channel,
    ]
};

/// The type of this number.
fn type_of(number: c_int) -> Option<SocketType> {
    TYPES.get(usize::try_from(number).ok()?).copied()
}

impl CSocket {
    /// A new socket of a context: `EINVAL` for an unknown type, `EMFILE`, `ETERM`.
    pub fn create(context: *mut c_void, number: c_int) -> Answer<*mut c_void> {
        let context = crate::context::of(context)?;
        let kind = type_of(number).ok_or(Errno(EINVAL))?;
        let library = context.admit_socket()?;
        let settings = context.settings();
        let socket = CSocket {
            kind,
            shape: Shape::of(kind),
            library,
            setup: Mutex::new(Setup {
                options: set::defaults(&settings),
                security: Pieces::default(),
                subscriptions: Vec::new(),
                kept: BTreeMap::new(),
                connect_routing_id: None,
                endpoints: Vec::new(),
                last_endpoint: String::new(),
                stream_id: Vec::new(),
                when_open: Vec::new(),
            }),
            opened: OnceLock::new(),
            outgoing: Mutex::default(),
            is_sending: AtomicBool::new(false),
            owes_reply: AtomicBool::new(false),
            incoming: Mutex::default(),
            has_rest: AtomicBool::new(false),
            more: AtomicBool::new(false),
            send_timeout: AtomicI32::new(-1),
            recv_timeout: AtomicI32::new(-1),
            linger: AtomicI32::new(if settings.blocky { -1 } else { 0 }),
            signal: OnceLock::new(),
            reporter: Mutex::default(),
            context: Arc::clone(&context),
        };
        match SOCKETS.insert(socket) {
            Some(handle) => Ok(handle),
            None => {
                context.dismiss_socket();
                fail(crate::errno::EMFILE)
            }
        }
    }

    /// Closes a socket. Calls on it in other threads end with `ENOTSOCK`; what is unsent is sent in the background, within its linger.
    pub fn close(handle: *const c_void) -> Answer<()> {
        let Some(socket) = SOCKETS.close(handle) else { return fail(ENOTSOCK) };
        // Programs bind there again at once.
        socket.stop_listening();
        socket.stop_monitor();
        // A message of which the last part never came is none. Its memory may be the program's, so no lock is held.
        let unfinished = socket.outgoing.lock().take();
        drop(unfinished);
        if let Some(open) = socket.opened.get() {
            open.close_in_background(linger(socket.linger.load(Ordering::Relaxed)));
        }
        let context = Arc::clone(&socket.context);
        drop(socket);
        context.dismiss_socket();
        Ok(())
    }

    /// What a handle stands for; `ENOTSOCK` if it is none.
    #[expect(clippy::inline_always, reason = "as `Table::enter`")]
    #[inline(always)]
    pub fn enter(handle: *const c_void) -> Answer<Inside<CSocket>> {
        guard::enter(handle, ENOTSOCK)
    }

    /// The same; null is `EFAULT`.
    pub fn enter_or_fault(handle: *const c_void) -> Answer<Inside<CSocket>> {
        guard::enter(handle, if handle.is_null() { EFAULT } else { ENOTSOCK })
    }

    /// Its type.
    pub const fn kind(&self) -> SocketType {
        self.kind
    }

    /// The library's socket, opened with what was set so far.
    #[inline]
    pub fn open(&self) -> Answer<&Socket> {
        match self.opened.get() {
            Some(socket) => Ok(socket),
            None => self.open_now(),
        }
    }

    #[cold]
    fn open_now(&self) -> Answer<&Socket> {
        let mut setup = self.setup.lock();
        if self.opened.get().is_none() {
            let socket = self.library.socket_with(self.kind, setup.fitting(self.kind)?)?;
            for (subscribes, topic) in &setup.subscriptions {
                match subscribes {
                    true => socket.subscribe(topic)?,
                    false => socket.unsubscribe(topic)?,
                }
            }
            if let Some(reporter) = &*self.reporter.lock() {
                reporter.observe(&socket);
            }
            for act in setup.when_open.drain(..) {
                act(&socket)?;
            }
            let _ = self.opened.set(socket);
        }
        drop(setup);
        if self.context.is_terminated() {
            return fail(crate::errno::ETERM);
        }
        Ok(self.opened.get().expect("it was just set"))
    }

    /// Whether it was opened: from then on few options have an effect.
    pub fn is_open(&self) -> bool {
        self.opened.get().is_some()
    }

    /// Does something with the library's socket, now or once it is opened. It must not call this socket.
    pub fn when_open(&self, act: impl FnOnce(&Socket) -> Answer<()> + Send + 'static) -> Answer<()> {
        self.check_context()?;
        let mut setup = self.setup.lock();
        if let Some(socket) = self.opened.get() {
            drop(setup);
            return act(socket);
        }
        setup.when_open.push(Box::new(act));
        Ok(())
    }

    /// Calls end with `ETERM` after the context has ended, whether the socket was opened or not.
    pub(crate) fn check_context(&self) -> Answer<()> {
        if self.context.is_terminated() { fail(crate::errno::ETERM) } else { Ok(()) }
    }
}

/// Until when a call may wait that has this time-out; `None`: for ever.
pub fn deadline_after(milliseconds: impl Into<i64>) -> Option<Instant> {
    let timeout = Duration::from_millis(u64::try_from(milliseconds.into()).ok()?);
    Instant::now().checked_add(timeout)
}

fn linger(milliseconds: c_int) -> Linger {
    match u64::try_from(milliseconds) {
        Ok(milliseconds) => Linger::For(Duration::from_millis(milliseconds)),
        Err(_) => Linger::Forever,
    }
}
