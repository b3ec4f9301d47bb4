//! What a program holds, and how it goes on with it.

use std::ffi::{CString, c_void};
use std::ptr;
use std::thread::JoinHandle;

use crate::choices::Choices;
use crate::conversation::Conversation;
use crate::messages::Place;
use crate::process;

/// What a handle is of.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Context,
    Socket,
    Poller,
    Timers,
    Counter,
    Watch,
}

const KINDS: [Kind; 6] =
    [Kind::Context, Kind::Socket, Kind::Poller, Kind::Timers, Kind::Counter, Kind::Watch];
/// How many of each there may be at once. Twice as many are sockets.
const PLACES: usize = 4;

/// What one program holds.
pub(crate) struct World {
    handles: [[*mut c_void; 2 * PLACES]; KINDS.len()],
    /// Sockets that were opened to talk to each other.
    pub(crate) two: Conversation,
    /// How many names were made for such.
    pub(crate) named: u32,
    /// Those that were closed last.
    closed: [*mut c_void; 4],
    pub(crate) messages: [Place; 6],
    /// Endpoints that sockets said they have.
    pub(crate) endpoints: Vec<CString>,
    /// Contexts that end as soon as their sockets are closed.
    pub(crate) ending: Vec<JoinHandle<()>>,
    /// Memory in which no handle lies.
    elsewhere: Box<[u64; 8]>,
}

/// Plays what the bytes say.
pub(crate) fn play(bytes: &[u8]) {
    let choices = &mut Choices::new(bytes);
    let mut world = World::new();
    world.open_context(choices);
    world.open_two(choices);
    while !choices.is_used_up() {
        world.step(choices);
    }
    world.close_all();
    process::check();
}

impl World {
    fn new() -> World {
        World {
            handles: [[ptr::null_mut(); 2 * PLACES]; KINDS.len()],
            two: Conversation::default(),
            named: 0,
            closed: [ptr::null_mut(); 4],
            messages: Default::default(),
            endpoints: Vec::new(),
            ending: Vec::new(),
            elsewhere: Box::default(),
        }
    }

    fn step(&mut self, choices: &mut Choices) {
        match choices.index(24) {
            0..=5 => self.talk(choices),
            6 => self.use_context(choices),
            7 => self.open_or_close_socket(choices),
            8 | 9 => self.open_two(choices),
            10 | 11 => self.use_endpoint(choices),
            12 | 13 => self.use_option(choices),
            14 | 15 => self.send_or_receive(choices),
            16..=18 => self.use_message(choices),
            19 | 20 => self.poll(choices),
            21 | 22 => self.use_poller(choices),
            _ => self.use_other(choices),
        }
    }

    /// Mostly a handle of this kind.
    pub(crate) fn any(&mut self, kind: Kind, choices: &mut Choices) -> *mut c_void {
        let index = choices.index(2 * PLACES);
        let right = self.handles[kind as usize][index];
        match choices.index(100) {
            0 => ptr::null_mut(),
            1 => self.handles[choices.index(KINDS.len())][index],
            2 => right.wrapping_byte_add(1),
            3 => self.elsewhere.as_mut_ptr().cast(),
            4 => choices.of(&self.closed),
            5..=50 if kind == Kind::Socket => choices.of(&self.two.sockets()),
            // Where nothing is yet, something that is.
            _ if right.is_null() => {
                let all = &self.handles[kind as usize];
                all.iter().copied().find(|handle| !handle.is_null()).unwrap_or_default()
            }
            _ => right,
        }
    }

    /// A handle of this kind, or null.
    pub(crate) fn one(&self, kind: Kind, choices: &mut Choices) -> *mut c_void {
        self.handles[kind as usize][choices.index(2 * PLACES)]
    }

    /// A place for one more of this kind, if there is one.
    pub(crate) fn room(&mut self, kind: Kind) -> Option<&mut *mut c_void> {
        let places = if kind == Kind::Socket { 2 * PLACES } else { PLACES };
        self.handles[kind as usize][..places].iter_mut().find(|handle| handle.is_null())
    }

    /// The program holds it no more.
    pub(crate) fn forget(&mut self, handle: *mut c_void) {
        for held in self.handles.iter_mut().flatten().filter(|held| **held == handle) {
            *held = ptr::null_mut();
        }
        self.closed.rotate_right(1);
        self.closed[0] = handle;
    }

    /// Everything of this kind.
    pub(crate) fn all(&self, kind: Kind) -> impl Iterator<Item = *mut c_void> + use<> {
        self.handles[kind as usize].into_iter().filter(|handle| !handle.is_null())
    }

    fn close_all(&mut self) {
        for kind in KINDS {
            // Contexts wait for their sockets.
            for handle in self.all(kind).filter(|_| kind != Kind::Context) {
                self.close(kind, handle);
            }
        }
        for message in &mut self.messages {
            message.close();
        }
        for context in self.all(Kind::Context) {
            assert_eq!(c!(context::zmq_ctx_term(context)), 0);
        }
        for ending in self.ending.drain(..) {
            ending.join().expect("it ends");
        }
    }
}

/// What a call gave that gives -1 and a code if it fails.
pub(crate) fn checked(answer: impl Into<i64>) -> bool {
    let failed = answer.into() == -1;
    if failed {
        assert!(c!(context::zmq_errno()) > 0, "a failure without a code");
    }
    !failed
}
