//! Contexts as C knows them: options until the first socket, and an end that waits for the sockets.

use std::ffi::{c_int, c_void};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use parking_lot::{Condvar, Mutex};
use serverlink::Context;

use crate::errno::{Answer, EFAULT, EINVAL, EMFILE, ETERM, fail};
use crate::guard;
use crate::table::{Handled, Table};

/// Sockets that a context may have.
pub const MAX_SOCKETS: c_int = 65_535;
const MOST_IO_THREADS: c_int = 64;
/// As many as the library's threads may have.
const MAX_PREFIX: usize = 9;

static CONTEXTS: Table<Arc<CContext>> = Table::new();

impl Handled for Arc<CContext> {
    fn table() -> &'static Table<Arc<CContext>> {
        &CONTEXTS
    }
}

/// A context of C: options, and the library's context once there is a socket.
#[derive(Default)]
pub struct CContext {
    state: Mutex<State>,
    /// Told whenever a socket is closed.
    closed: Condvar,
    terminated: AtomicBool,
}

#[derive(Default)]
struct State {
    settings: Settings,
    context: Option<Context>,
    /// Handles that were not closed.
    sockets: usize,
}

/// What can be set. Those that the library does not have are kept, to be asked for.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Threads for sockets whose users do not wait in a call.
    pub io_threads: c_int,
    /// Open at once.
    pub max_sockets: c_int,
    /// Largest message taken from a peer, for sockets to come.
    pub max_message_bytes: c_int,
    /// Whether sockets to come may use IPv6.
    pub ipv6: bool,
    /// Whether ending the context waits for unsent messages.
    pub blocky: bool,
    /// Kept for asking: messages are always taken without a copy where that can be.
    pub zero_copy: bool,
    /// Kept for asking: the system schedules threads as it does the process.
    pub sched_policy: c_int,
    /// As above.
    pub priority: c_int,
    /// In front of the threads' names.
    pub name_prefix: String,
    /// On which the threads run; none: on any.
    pub processors: Vec<usize>,
    /// Whether sockets to come tell their peers what only this library has: patterns, and refusals with a reason.
    pub announce_extensions: bool,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            io_threads: 1,
            max_sockets: 1023,
            max_message_bytes: c_int::MAX,
            ipv6: false,
            blocky: true,
            zero_copy: true,
            sched_policy: -1,
            priority: -1,
            name_prefix: String::new(),
            processors: Vec::new(),
            // Programs of libzmq's may look at the octets.
            announce_extensions: false,
        }
    }
}

impl CContext {
    /// A handle for one that is made; `EMFILE`.
    pub fn create(self) -> Answer<*mut c_void> {
        // libzmq's programs may use the system's sockets from then on.
        #[cfg(windows)]
        crate::bell::start_network();
        CONTEXTS.insert(Arc::new(self)).map_or(fail(EMFILE), Ok)
    }

    /// What is set.
    pub fn settings(&self) -> Settings {
        self.state.lock().settings.clone()
    }

    /// Changes what is set, if `change` does not refuse. Threads and their number are settled with the first socket.
    pub fn configure(&self, change: impl FnOnce(&mut Settings) -> Answer<()>) -> Answer<()> {
        let mut state = self.state.lock();
        let mut settings = state.settings.clone();
        change(&mut settings)?;
        let names_fit = settings.name_prefix.len() <= 16 && !settings.name_prefix.contains('\0');
        if settings.io_threads < 0
            || settings.max_sockets < 1
            || settings.max_message_bytes < -1
            || !names_fit
        {
            return fail(EINVAL);
        }
        state.settings = settings;
        Ok(())
    }

    /// The library's context, with a place for one more socket.
    pub(crate) fn admit_socket(&self) -> Answer<Context> {
        let mut state = self.state.lock();
        if self.is_terminated() {
            return fail(ETERM);
        }
        if state.sockets >= state.settings.max_sockets.max(0) as usize {
            return fail(EMFILE);
        }
        let context = match &state.context {
            Some(context) => context.clone(),
            None => {
                let context = build(&state.settings)?;
                state.context = Some(context.clone());
                context
            }
        };
        state.sockets += 1;
        Ok(context)
    }

    /// Whether there was a socket, with which threads and their number are settled.
    pub fn is_settled(&self) -> bool {
        self.state.lock().context.is_some()
    }

    /// The library's context, if there was a socket.
    pub fn library(&self) -> Option<Context> {
        self.state.lock().context.clone()
    }

    /// A socket's handle was closed.
    pub(crate) fn dismiss_socket(&self) {
        self.state.lock().sockets -= 1;
        self.closed.notify_all();
    }

    /// Whether calls on its sockets have ended.
    pub fn is_terminated(&self) -> bool {
        self.terminated.load(Ordering::Acquire)
    }

    /// Ends every call on its sockets, now and later.
    pub fn shut_down(&self) {
        let context = {
            let state = self.state.lock();
            self.terminated.store(true, Ordering::Release);
            state.context.clone()
        };
        if let Some(context) = context {
            context.shutdown();
        }
    }

    /// The same, and waits until the sockets are closed and have sent what they had to, each for its linger.
    pub fn terminate(&self) -> Answer<()> {
        self.shut_down();
        let context = {
            let mut state = self.state.lock();
            while state.sockets > 0 {
                self.closed.wait(&mut state);
            }
            state.context.clone()
        };
        match context {
            Some(context) => Ok(context.terminate(Duration::MAX)?),
            None => Ok(()),
        }
    }
}

/// A context that a handle stands for; `EFAULT` if it is none.
pub fn of(handle: *const c_void) -> Answer<Arc<CContext>> {
    guard::enter::<Arc<CContext>>(handle, EFAULT).map(|inside| Arc::clone(&inside))
}

fn build(settings: &Settings) -> Answer<Context> {
    let threads = settings.io_threads.clamp(1, MOST_IO_THREADS) as usize;
    let mut builder =
        Context::builder().io_threads(threads).io_thread_processors(settings.processors.clone());
    if !settings.name_prefix.is_empty() {
        let end = (0..=MAX_PREFIX.min(settings.name_prefix.len()))
            .rev()
            .find(|&end| settings.name_prefix.is_char_boundary(end));
        builder = builder.thread_name_prefix(&settings.name_prefix[..end.unwrap_or(0)]);
    }
    Ok(builder.build()?)
}
