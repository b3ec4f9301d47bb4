//! Monitors: a thread for each, which calls the program's function. It holds no lock meanwhile, so the function may call the library.

use std::collections::BTreeMap;
use std::ffi::{CString, c_char, c_int, c_void};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, Weak};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant, SystemTime};

use parking_lot::Mutex;
use serverlink::{Cause, Endpoint, Event, EventKind, PeerStats};
use serverlink_capi::errno::{EAGAIN, ENOTSOCK, fail};
use serverlink_capi::socket::CSocket;
use serverlink_capi::system_error::code_of;

use crate::border::status;
use crate::codes;

const CONNECTED: c_int = 1;
const DISCONNECTED: c_int = 2;
const ACCEPTED: c_int = 3;
const BIND_FAILED: c_int = 4;
const LISTENING: c_int = 5;
const CLOSED: c_int = 6;
const HANDSHAKE_START: c_int = 7;
const HANDSHAKE_OK: c_int = 8;
const HANDSHAKE_FAIL: c_int = 9;
const HEARTBEAT_OK: c_int = 10;
const HEARTBEAT_FAIL: c_int = 11;
const RETRYING: c_int = 12;
const GAVE_UP: c_int = 13;
const ACCEPT_FAILED: c_int = 14;

/// `slk_event_t`. Its texts and bytes stay for one call.
#[repr(C)]
pub struct CEvent {
    event: c_int,
    peer_id: *const c_void,
    peer_id_len: usize,
    endpoint: *const c_char,
    err: c_int,
    timestamp: u64,
}

// What programs were built with; `tests/capi/serverlink/layout.c` has the same numbers of the header.
#[cfg(target_pointer_width = "64")]
const _: () = {
    use std::mem::offset_of;
    assert!(
        size_of::<CEvent>() == 48
            && offset_of!(CEvent, endpoint) == 24
            && offset_of!(CEvent, timestamp) == 40
    );
};

/// `slk_monitor_fn`.
pub type MonitorFn = unsafe extern "C" fn(*mut c_void, *const CEvent, *mut c_void);

/// By the socket's handle.
static WATCHES: Mutex<BTreeMap<usize, Watch>> = Mutex::new(BTreeMap::new());

struct Watch {
    tell: Arc<Sender<Told>>,
    stopped: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

enum Told {
    Event(Box<Event>),
    BindFailed(String, c_int),
    /// Nothing follows.
    Closed,
    Stop,
}

#[unsafe(no_mangle)]
pub extern "C" fn slk_socket_monitor(
    socket: *mut c_void,
    function: Option<MonitorFn>,
    user_data: *mut c_void,
    events: c_int,
) -> c_int {
    status(|| {
        let entered = CSocket::enter(socket)?;
        let Some(function) = function.filter(|_| events != 0) else {
            replace(socket, None);
            return Ok(());
        };
        let (tell, told) = mpsc::channel();
        let tell = Arc::new(tell);
        let weak: Weak<Sender<Told>> = Arc::downgrade(&tell);
        entered.when_open(move |open| {
            open.on_event(move |event| {
                if let Some(tell) = weak.upgrade() {
                    let _ = tell.send(Told::Event(Box::new(event.clone())));
                }
            });
            Ok(())
        })?;
        let stopped = Arc::new(AtomicBool::new(false));
        let report = Report {
            socket: socket.expose_provenance(),
            function,
            user_data: user_data.expose_provenance(),
            events,
            stopped: Arc::clone(&stopped),
            heard: BTreeMap::new(),
        };
        let spawned = thread::Builder::new().name("slk-monitor".into()).spawn(move || report.run(&told));
        let thread = spawned.map_err(|error| code_of(&error, EAGAIN))?;
        replace(socket, Some(Watch { tell, stopped, thread }));
        drop(entered);
        if CSocket::enter(socket).is_err() {
            // Another thread closed it meanwhile, and may have found no monitor to end.
            replace(socket, None);
            return fail(ENOTSOCK);
        }
        Ok(())
    })
}

/// One monitor in place of another. Returns when no call of the other's function is running, unless it is called from there.
fn replace(socket: *mut c_void, watch: Option<Watch>) {
    let before = match watch {
        Some(watch) => WATCHES.lock().insert(socket.addr(), watch),
        None => WATCHES.lock().remove(&socket.addr()),
    };
    if let Some(before) = before {
        before.stopped.store(true, Ordering::Release);
        before.end(Told::Stop);
    }
}

impl Watch {
    fn end(self, last: Told) {
        let _ = self.tell.send(last);
        if self.thread.thread().id() != thread::current().id() {
            // One that panicked has said so.
            let _ = self.thread.join();
        }
    }
}

/// The socket's handle was closed. What happened before is told first.
pub(crate) fn socket_closed(socket: *mut c_void) {
    let watch = WATCHES.lock().remove(&socket.addr());
    if let Some(watch) = watch {
        watch.end(Told::Closed);
    }
}

/// A bind failed with this code of `serverlink-capi`.
pub(crate) fn bind_failed(socket: *mut c_void, endpoint: &str, code: c_int) {
    if let Some(watch) = WATCHES.lock().get(&socket.addr()) {
        let _ = watch.tell.send(Told::BindFailed(endpoint.to_owned(), codes::of(code)));
    }
}

/// What the thread of a monitor knows.
struct Report {
    socket: usize,
    function: MonitorFn,
    user_data: usize,
    events: c_int,
    stopped: Arc<AtomicBool>,
    /// When the last answer to a PING of each peer came, by its number.
    heard: BTreeMap<u64, Instant>,
}

impl Report {
    fn run(mut self, told: &Receiver<Told>) {
        while !self.stopped.load(Ordering::Acquire) {
            let next = match self.pause() {
                Some(pause) => told.recv_timeout(pause),
                None => told.recv().map_err(|_| RecvTimeoutError::Disconnected),
            };
            match next {
                Ok(Told::Event(event)) => self.tell_event(&event),
                Ok(Told::BindFailed(endpoint, err)) => self.tell(BIND_FAILED, &[], &endpoint, err, None),
                Ok(Told::Closed) => return self.tell(CLOSED, &[], "", 0, None),
                Ok(Told::Stop) | Err(RecvTimeoutError::Disconnected) => return,
                Err(RecvTimeoutError::Timeout) => {}
            }
            self.look_at_heartbeats();
        }
    }

    /// Answers to PINGs are no events of the library's: who wants them has them looked for, as often as they come.
    fn pause(&self) -> Option<Duration> {
        let asked = self.events & (1 << HEARTBEAT_OK) != 0;
        let socket = asked.then(|| CSocket::enter(self.handle()).ok()).flatten()?;
        if !socket.is_open() {
            // It may be opened with heartbeats, which an event then tells.
            return None;
        }
        let interval = socket.open().ok()?.options().heartbeat_interval;
        (!interval.is_zero()).then_some(interval)
    }

    fn look_at_heartbeats(&mut self) {
        if self.pause().is_none() {
            return;
        }
        let Ok(socket) = CSocket::enter(self.handle()) else { return };
        let Ok(peers) = socket.open().map(serverlink::Socket::peer_stats) else { return };
        drop(socket);
        let answered: Vec<&PeerStats> = peers
            .iter()
            .filter(|peer| {
                peer.round_trip.is_some_and(|trip| self.heard.insert(peer.id, trip.at) != Some(trip.at))
            })
            .collect();
        for peer in answered {
            let at = peer.round_trip.map(|trip| trip.at);
            self.tell(HEARTBEAT_OK, &peer.routing_id, &peer.endpoint.to_string(), 0, at);
        }
        self.heard.retain(|id, _| peers.iter().any(|peer| peer.id == *id));
    }

    fn tell_event(&self, event: &Event) {
        let kind = &event.kind;
        let cause = kind.cause();
        let err = cause.map_or(0, codes::of_cause);
        let (numbers, err): (&[c_int], c_int) = match kind {
            EventKind::Listening { .. } => (&[LISTENING], 0),
            EventKind::ListenerClosed { .. } => (&[CLOSED], 0),
            EventKind::Accepted { .. } => (&[ACCEPTED, HANDSHAKE_START], 0),
            EventKind::AcceptFailed { .. } => (&[ACCEPT_FAILED], codes::EIO),
            EventKind::AcceptPaused { .. } => (&[ACCEPT_FAILED], codes::EMFILE),
            EventKind::AcceptFiltered { .. } => (&[ACCEPT_FAILED], codes::EACCES),
            EventKind::Connected { .. } => (&[CONNECTED, HANDSHAKE_START], 0),
            EventKind::Established { .. } => (&[HANDSHAKE_OK], 0),
            EventKind::RoutingIdRefused { .. } => (&[HANDSHAKE_FAIL], codes::EEXIST),
            EventKind::HandshakeFailed { .. } => (&[HANDSHAKE_FAIL], err),
            EventKind::Disconnected { .. } if cause == Some(Cause::HeartbeatTimeout) => {
                (&[HEARTBEAT_FAIL, DISCONNECTED], err)
            }
            EventKind::Disconnected { .. } => (&[DISCONNECTED], err),
            EventKind::Retrying { .. } => (&[RETRYING], err),
            EventKind::GaveUp { .. } => (&[GAVE_UP], err),
            EventKind::DriverFailed { .. } => (&[CLOSED], codes::EIO),
            _ => return,
        };
        let endpoint = kind.endpoint().map(Endpoint::to_string).unwrap_or_default();
        for &number in numbers {
            self.tell(number, kind.routing_id().unwrap_or_default(), &endpoint, err, Some(event.at));
        }
    }

    fn tell(&self, event: c_int, peer_id: &[u8], endpoint: &str, err: c_int, at: Option<Instant>) {
        if self.events & (1 << event) == 0 || self.stopped.load(Ordering::Acquire) {
            return;
        }
        let endpoint = CString::new(endpoint).unwrap_or_default();
        let told = CEvent {
            event,
            peer_id: if peer_id.is_empty() { std::ptr::null() } else { peer_id.as_ptr().cast() },
            peer_id_len: peer_id.len(),
            endpoint: endpoint.as_ptr(),
            err,
            timestamp: milliseconds_since_epoch(at),
        };
        // SAFETY: the program gave this function for exactly these calls, with this argument; the event stays until it returns.
        unsafe {
            (self.function)(
                self.handle(),
                &raw const told,
                std::ptr::with_exposed_provenance_mut(self.user_data),
            );
        }
    }

    fn handle(&self) -> *mut c_void {
        std::ptr::with_exposed_provenance_mut(self.socket)
    }
}

/// When an instant was; now if none is given.
pub(crate) fn milliseconds_since_epoch(at: Option<Instant>) -> u64 {
    let ago = at.map_or(Duration::ZERO, |at| at.elapsed());
    let since = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default().saturating_sub(ago);
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
