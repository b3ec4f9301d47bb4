//! The system's completion port, as an object.

use std::io;
use std::os::windows::io::{AsRawHandle, FromRawHandle, OwnedHandle};
use std::ptr;
use std::time::Duration;

use windows_sys::Win32::Foundation::{HANDLE, INVALID_HANDLE_VALUE, WAIT_TIMEOUT};
use windows_sys::Win32::Storage::FileSystem::SetFileCompletionNotificationModes;
use windows_sys::Win32::System::IO::{
    CreateIoCompletionPort, GetQueuedCompletionStatusEx, OVERLAPPED, OVERLAPPED_ENTRY,
    PostQueuedCompletionStatus,
};
use windows_sys::Win32::System::Threading::INFINITE;
use windows_sys::Win32::System::WindowsProgramming::{
    FILE_SKIP_COMPLETION_PORT_ON_SUCCESS, FILE_SKIP_SET_EVENT_ON_HANDLE,
};

use crate::windows::error::check;

/// How many threads may run at a time before the port holds packets back. A thread that computes counts as running, so any
/// number that could be reached would starve those who wait while others work.
const CONCURRENCY: u32 = 0x7fff_ffff;
/// How many packets one call takes.
pub(super) const BATCH: usize = 64;

#[derive(Debug)]
pub(super) struct CompletionPort(OwnedHandle);

impl CompletionPort {
    pub(super) fn open() -> io::Result<CompletionPort> {
        // SAFETY: no memory is passed.
        let port = unsafe { CreateIoCompletionPort(INVALID_HANDLE_VALUE, ptr::null_mut(), 0, CONCURRENCY) };
        if port.is_null() {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the call above made it, and nobody else knows it.
        Ok(CompletionPort(unsafe { OwnedHandle::from_raw_handle(port) }))
    }

    /// Joins a handle to this port, for the handle's life.
    pub(super) fn associate(&self, handle: HANDLE) -> io::Result<()> {
        // SAFETY: no memory is passed; a handle that is none is refused.
        let port = unsafe { CreateIoCompletionPort(handle, self.0.as_raw_handle(), 0, 0) };
        if port.is_null() { Err(io::Error::last_os_error()) } else { Ok(()) }
    }

    /// Takes up to [`BATCH`] packets, waiting for the first one.
    pub(super) fn dequeue<'a>(
        &self,
        entries: &'a mut [OVERLAPPED_ENTRY; BATCH],
        timeout: Option<Duration>,
    ) -> io::Result<&'a [OVERLAPPED_ENTRY]> {
        let mut count = 0;
        // SAFETY: the entries are writable, as many as told, and outlive the call.
        let outcome = check(unsafe {
            GetQueuedCompletionStatusEx(
                self.0.as_raw_handle(),
                entries.as_mut_ptr(),
                BATCH as u32,
                &mut count,
                milliseconds(timeout),
                0,
            )
        });
        match outcome {
            Ok(()) => Ok(&entries[..count as usize]),
            Err(error) if error.raw_os_error() == Some(WAIT_TIMEOUT as i32) => Ok(&[]),
            Err(error) => Err(error),
        }
    }

    /// Queues a packet. The pointer is only a name: nobody writes to it.
    pub(super) fn post(&self, name: *mut OVERLAPPED) -> io::Result<()> {
        // SAFETY: the system passes the pointer on and never follows it.
        check(unsafe { PostQueuedCompletionStatus(self.0.as_raw_handle(), 0, 0, name) })
    }
}

/// Asks that calls which succeed at once queue no packet; whether they will not.
pub(super) fn skip_packets_on_success(handle: HANDLE) -> bool {
    let modes = FILE_SKIP_COMPLETION_PORT_ON_SUCCESS | FILE_SKIP_SET_EVENT_ON_HANDLE;
    // SAFETY: no memory is passed.
    check(unsafe { SetFileCompletionNotificationModes(handle, modes as u8) }).is_ok()
}

/// Rounded up, because a wait that ends early only has to be repeated. What is longer than the system counts ends early.
fn milliseconds(timeout: Option<Duration>) -> u32 {
    let Some(timeout) = timeout else { return INFINITE };
    let milliseconds = timeout.as_nanos().div_ceil(1_000_000);
    u32::try_from(milliseconds).unwrap_or(INFINITE).min(INFINITE - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_outs_never_end_too_early() {
        let of = |nanos| milliseconds(Some(Duration::from_nanos(nanos)));
        assert_eq!([of(0), of(1), of(1_000_000), of(1_000_001)], [0, 1, 1, 2]);
        assert_eq!(milliseconds(Some(Duration::MAX)), INFINITE - 1);
        assert_eq!(milliseconds(None), INFINITE);
    }
}
