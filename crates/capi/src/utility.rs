//! Counters, stopwatches and threads for programs whose language has none.

use std::ffi::{c_int, c_void};
use std::sync::atomic::AtomicI32;
use std::thread::{self, JoinHandle};
use std::time::Instant;

use parking_lot::Mutex;

use crate::errno::{Answer, EAGAIN, EFAULT, EMFILE, Errno, fail};
use crate::system_error::code_of;
use crate::table::{Handled, Table};

/// What a thread runs.
pub type ThreadFn = unsafe extern "C" fn(*mut c_void);

macro_rules! handled {
    ($($type:ty => $table:ident),*) => {$(
        static $table: Table<$type> = Table::new();
        impl Handled for $type {
            fn table() -> &'static Table<$type> {
                &$table
            }
        }
    )*};
}

/// A counter that threads share.
#[derive(Default)]
pub struct Counter(pub AtomicI32);
/// Since when.
pub struct Stopwatch(pub Instant);
/// A thread that was started and not waited for.
pub struct Thread(Mutex<Option<JoinHandle<()>>>);

handled!(Counter => COUNTERS, Stopwatch => STOPWATCHES, Thread => THREADS);

/// A handle for something new.
pub fn create<T: Handled>(value: T) -> Answer<*mut c_void> {
    T::table().insert(value).map_or(fail(EMFILE), Ok)
}

/// Ends it.
pub fn destroy<T: Handled>(handle: *const c_void) -> Answer<()> {
    T::table().close(handle).map_or(fail(EFAULT), |_| Ok(()))
}

/// Microseconds since a stopwatch was started.
pub fn elapsed(handle: *const c_void) -> Answer<u64> {
    let watch = crate::guard::enter::<Stopwatch>(handle, EFAULT)?;
    Ok(u64::try_from(watch.0.elapsed().as_micros()).unwrap_or(u64::MAX))
}

/// Starts a thread.
///
/// # Safety
/// The function may be called with this argument on another thread.
pub unsafe fn start(function: Option<ThreadFn>, argument: *mut c_void) -> Answer<*mut c_void> {
    let Some(function) = function else { return fail(EFAULT) };
    let argument = argument.expose_provenance();
    let body = move || {
        // SAFETY: the caller's.
        unsafe { function(std::ptr::with_exposed_provenance_mut(argument)) };
    };
    let thread = thread::Builder::new().spawn(body);
    let thread = thread.map_err(|error| code_of(&error, EAGAIN))?;
    create(Thread(Mutex::new(Some(thread))))
}

/// Waits for a thread's end.
pub fn join(handle: *const c_void) -> Answer<()> {
    let thread = THREADS.close(handle).ok_or(Errno(EFAULT))?;
    let running = thread.0.lock().take();
    if let Some(running) = running {
        let _ = running.join();
    }
    Ok(())
}

/// What can be asked for by name, and is there.
pub fn has(capability: &[u8]) -> c_int {
    c_int::from(matches!(capability, b"ipc" | b"curve" | b"draft"))
}
