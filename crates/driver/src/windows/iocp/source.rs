//! What all sources of a port have in common: a name, and a life that ends when the last operation came home.

use std::cell::UnsafeCell;
use std::fmt;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use windows_sys::Win32::Foundation::NTSTATUS;
use windows_sys::Win32::System::IO::OVERLAPPED;

use super::Iocp;
use crate::port::MemberId;
use crate::{Event, Key};

/// A source as its operations see it. It has the memory of each operation that it ever starts.
pub(super) trait Home: fmt::Debug + Send + Sync {
    fn source(&self) -> &Source;

    /// The operation of this role. `None`: such a source has none.
    fn operation(&self, role: Role) -> Option<&Operation>;

    /// An operation came home. Whoever takes packets from the port calls it, one thread at a time.
    fn complete(
        self: Arc<Self>,
        role: Role,
        outcome: io::Result<usize>,
        iocp: &Iocp,
        events: &mut Vec<(MemberId, Event)>,
    );
}

/// What an operation does for its source. A source has at most one operation of each role in flight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    Connect,
    Receive,
    Send,
    /// One of a listener's pool.
    Accept(usize),
    /// No operation of the system: the packet behind all others of a closed source.
    Farewell,
}

/// The memory in which the system keeps an operation.
#[derive(Default)]
pub(super) struct Operation(UnsafeCell<OVERLAPPED>);

// SAFETY: the pointers inside are the system's business. Between launch and landing only the system touches the memory; before and after, whoever
// holds the operation's place in the table of flights (`Flights`), which has one place for each operation.
unsafe impl Send for Operation {}
// SAFETY: as above.
unsafe impl Sync for Operation {}

impl Operation {
    pub(super) fn as_ptr(&self) -> *mut OVERLAPPED {
        self.0.get()
    }

    /// Makes it fit for a launch.
    ///
    /// # Safety
    /// The system must not have it, and the caller must hold its place in the table of flights.
    pub(super) unsafe fn clear(&self) {
        // SAFETY: nobody else has it, as the caller promises.
        unsafe { *self.0.get() = OVERLAPPED::default() }
    }

    /// How it ended, and how many bytes it moved.
    ///
    /// # Safety
    /// As for [`clear`](Operation::clear).
    pub(super) unsafe fn result(&self) -> (NTSTATUS, usize) {
        // SAFETY: nobody else has it, as the caller promises.
        let overlapped = unsafe { &*self.0.get() };
        (overlapped.Internal as NTSTATUS, overlapped.InternalHigh)
    }
}

impl fmt::Debug for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Operation({:p})", self.0.get())
    }
}

/// Name and life of a source.
#[derive(Debug)]
pub(super) struct Source {
    pub(super) key: Key,
    pub(super) member: MemberId,
    /// The open handle, each operation in flight and each call that may still report something. At zero nothing is heard of the source any more.
    holds: AtomicUsize,
    pub(super) farewell: Operation,
}

impl Source {
    /// A source whose handle is open.
    pub(super) fn new(key: Key, member: MemberId) -> Source {
        Source { key, member, holds: AtomicUsize::new(1), farewell: Operation::default() }
    }

    pub(super) fn hold(&self) {
        self.holds.fetch_add(1, Ordering::Relaxed);
    }

    /// Gives a hold back; whether it was the last one.
    pub(super) fn release(&self) -> bool {
        self.holds.fetch_sub(1, Ordering::AcqRel) == 1
    }
}
