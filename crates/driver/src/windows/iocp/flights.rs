//! The operations that the system has.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use windows_sys::Win32::Foundation::{NTSTATUS, STATUS_PENDING};
use windows_sys::Win32::System::IO::{OVERLAPPED, OVERLAPPED_ENTRY};

use super::source::{Home, Role};
use crate::windows::lock;

/// An operation in flight: it keeps its source, and with it the memory that the system writes to, alive.
#[derive(Debug)]
pub(super) struct Flight {
    pub(super) home: Arc<dyn Home>,
    pub(super) role: Role,
}

/// All operations in flight, by the address of their memory. A packet with any other address is none of ours, whoever sent it.
#[derive(Debug, Default)]
pub(super) struct Flights(Mutex<BTreeMap<usize, Flight>>);

/// How an operation came home.
#[derive(Debug)]
pub(super) struct Landing {
    pub(super) flight: Flight,
    pub(super) status: NTSTATUS,
    pub(super) bytes: usize,
    /// It did not fail, and nobody knows how much it moved.
    pub(super) is_forgotten: bool,
}

impl Flights {
    /// Takes the operation's place and clears its memory. `None`: it is in flight already, or the source has no such operation.
    pub(super) fn begin(&self, home: &Arc<dyn Home>, role: Role) -> Option<*mut OVERLAPPED> {
        let operation = home.operation(role)?;
        let pointer = operation.as_ptr();
        let mut flights = lock(&self.0);
        if flights.contains_key(&(pointer as usize)) {
            return None;
        }
        flights.insert(pointer as usize, Flight { home: Arc::clone(home), role });
        // SAFETY: it was not in flight, and its place is ours as long as the table is locked.
        unsafe { operation.clear() };
        Some(pointer)
    }

    /// Gives the operation's place back. The system must be done with it. `None`: no operation of ours.
    pub(super) fn land(&self, pointer: *mut OVERLAPPED) -> Option<Landing> {
        let mut flights = lock(&self.0);
        let flight = flights.remove(&(pointer as usize))?;
        let operation = flight.home.operation(flight.role)?;
        // SAFETY: the system is done with it, and its place is ours as long as the table is locked.
        let (status, bytes) = unsafe { operation.result() };
        Some(Landing { flight, status, bytes, is_forgotten: false })
    }

    /// As [`land`](Flights::land), for an operation that came home with a packet.
    ///
    /// The memory says how it ended. Wine leaves it as it is where the thread that started the operation has ended, and the packet says it then.
    pub(super) fn land_with(&self, packet: &OVERLAPPED_ENTRY) -> Option<Landing> {
        let landing = self.land(packet.lpOverlapped)?;
        if landing.status != STATUS_PENDING {
            return Some(landing);
        }
        let (status, bytes) = (packet.Internal as NTSTATUS, packet.dwNumberOfBytesTransferred as usize);
        Some(Landing { status, bytes, is_forgotten: status >= 0, ..landing })
    }

    pub(super) fn is_empty(&self) -> bool {
        lock(&self.0).is_empty()
    }

    /// Gives up on whatever is still in flight. Its memory is never freed, because the system may yet write to it.
    pub(super) fn leak(&self) {
        std::mem::forget(std::mem::take(&mut *lock(&self.0)));
    }
}
