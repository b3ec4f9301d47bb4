//! Named pipes, for overlapped use: what `ipc` is made of.

use std::io;
use std::os::windows::io::{AsRawHandle, FromRawHandle, OwnedHandle};
use std::path::Path;
use std::ptr;
use std::sync::Arc;

use windows_sys::Win32::Foundation::{
    ERROR_ACCESS_DENIED, ERROR_BROKEN_PIPE, ERROR_FILE_NOT_FOUND, ERROR_IO_PENDING, ERROR_NO_DATA,
    ERROR_OPERATION_ABORTED, ERROR_PIPE_BUSY, ERROR_PIPE_CONNECTED, ERROR_PIPE_NOT_CONNECTED, GENERIC_READ,
    GENERIC_WRITE, HANDLE, INVALID_HANDLE_VALUE,
};
use windows_sys::Win32::Storage::FileSystem::{
    CreateFileW, FILE_FLAG_FIRST_PIPE_INSTANCE, FILE_FLAG_OVERLAPPED, OPEN_EXISTING, PIPE_ACCESS_DUPLEX,
    ReadFile, SECURITY_IDENTIFICATION, SECURITY_SQOS_PRESENT, WriteFile,
};
use windows_sys::Win32::System::IO::{CancelIoEx, GetOverlappedResult, OVERLAPPED};
use windows_sys::Win32::System::Pipes::{
    ConnectNamedPipe, CreateNamedPipeW, GetNamedPipeClientProcessId, GetNamedPipeServerProcessId,
    PIPE_READMODE_BYTE, PIPE_REJECT_REMOTE_CLIENTS, PIPE_TYPE_BYTE, PIPE_UNLIMITED_INSTANCES, PIPE_WAIT,
    PeekNamedPipe, WaitNamedPipeW,
};
use windows_sys::Win32::System::Threading::CreateEventW;

use super::error::check;
use super::pipe_claim::{Claim, Listening};
use super::pipe_name::pipe_name;
use crate::{Address, Credentials, ListenOptions, Read, StreamOptions};

/// How much a pipe holds in each direction unless the options say otherwise.
const BUFFER_BYTES: usize = 64 * 1024;

/// One end of a pipe.
#[derive(Debug)]
pub(crate) struct Pipe {
    handle: OwnedHandle,
    /// The path, at the end that was listened on.
    pub(super) local: Option<Address>,
    /// Given up after the handle is closed.
    _claim: Option<Arc<Claim>>,
}

/// A name that nobody else has, and the first end that waits there.
#[derive(Debug)]
pub(crate) struct PipeOsListener {
    pub(super) maker: PipeMaker,
    pub(super) first: Pipe,
    /// How many may wait to be accepted.
    pub(super) backlog: usize,
}

/// Makes ends that wait for a peer.
#[derive(Debug)]
pub(crate) struct PipeMaker {
    name: Vec<u16>,
    pub(super) local: Address,
    options: Box<StreamOptions>,
    listening: Listening,
}

impl PipeOsListener {
    pub(crate) fn bind(path: &Path, options: &ListenOptions) -> io::Result<PipeOsListener> {
        let name = pipe_name(path)?;
        let in_use = || {
            let message = format!("somebody listens on the pipe for {} already", path.display());
            io::Error::new(io::ErrorKind::AddrInUse, message)
        };
        let listening = Listening::claim(&name).map_err(|_| in_use())?;
        // The system says that itself when the first end is made; Wine does not.
        if listening.is_first && exists(&name) {
            return Err(in_use());
        }
        let role = if listening.is_first { FILE_FLAG_FIRST_PIPE_INSTANCE } else { 0 };
        let local = Address::Ipc(path.to_owned());
        let maker = PipeMaker { name, local, options: Box::new(options.stream.clone()), listening };
        let first = maker.make_as(role).map_err(|error| {
            let taken = is(&error, ERROR_ACCESS_DENIED) || is(&error, ERROR_PIPE_BUSY);
            if taken { in_use() } else { error }
        })?;
        Ok(PipeOsListener { maker, first, backlog: options.backlog as usize })
    }
}

/// Whether anybody has an end of a pipe of this name. Nobody there hears of the question.
fn exists(name: &[u16]) -> bool {
    // SAFETY: the name ends in a zero and outlives the call, which waits for a millisecond at most.
    match check(unsafe { WaitNamedPipeW(name.as_ptr(), 1) }) {
        Ok(()) => true,
        Err(error) => !is(&error, ERROR_FILE_NOT_FOUND),
    }
}

impl PipeMaker {
    /// One more end.
    pub(super) fn make(&self) -> io::Result<Pipe> {
        self.make_as(0)
    }

    fn make_as(&self, role: u32) -> io::Result<Pipe> {
        let size = |bytes: Option<usize>| u32::try_from(bytes.unwrap_or(BUFFER_BYTES)).unwrap_or(u32::MAX);
        // SAFETY: the name ends in a zero and outlives the call; no security attributes are given: only the same user and administrators
        // may connect.
        let handle = unsafe {
            CreateNamedPipeW(
                self.name.as_ptr(),
                PIPE_ACCESS_DUPLEX | FILE_FLAG_OVERLAPPED | role,
                PIPE_TYPE_BYTE | PIPE_READMODE_BYTE | PIPE_WAIT | PIPE_REJECT_REMOTE_CLIENTS,
                PIPE_UNLIMITED_INSTANCES,
                size(self.options.send_buffer),
                size(self.options.receive_buffer),
                0,
                ptr::null(),
            )
        };
        let claim = Some(Arc::clone(&self.listening.claim));
        Ok(Pipe { handle: owned(handle)?, local: Some(self.local.clone()), _claim: claim })
    }
}

impl Pipe {
    /// Connects to whoever waits there. Nobody is waited for.
    pub(super) fn connect(name: &[u16]) -> io::Result<Pipe> {
        debug_assert_eq!(name.last(), Some(&0));
        // SAFETY: the name ends in a zero and outlives the call. The server may learn who we are, and not act as us.
        let handle = unsafe {
            CreateFileW(
                name.as_ptr(),
                GENERIC_READ | GENERIC_WRITE,
                0,
                ptr::null(),
                OPEN_EXISTING,
                FILE_FLAG_OVERLAPPED | SECURITY_SQOS_PRESENT | SECURITY_IDENTIFICATION,
                ptr::null_mut(),
            )
        };
        match owned(handle) {
            Ok(handle) => Ok(Pipe { handle, local: None, _claim: None }),
            Err(error) if is(&error, ERROR_PIPE_BUSY) => Err(io::Error::new(
                io::ErrorKind::ConnectionRefused,
                "all who wait at this pipe have a peer at the moment; try again",
            )),
            Err(error) => Err(error),
        }
    }

    /// Which process is at the other end. The system tells nothing of its user.
    pub(super) fn credentials(&self) -> Option<Credentials> {
        let mut process = 0;
        // SAFETY: the handle is open while it is borrowed, and the number outlives the call.
        let told = check(unsafe {
            match self.local {
                Some(_) => GetNamedPipeClientProcessId(self.handle(), &mut process),
                None => GetNamedPipeServerProcessId(self.handle(), &mut process),
            }
        });
        told.ok().map(|()| Credentials { process: Some(process), user: None, group: None })
    }

    pub(super) fn handle(&self) -> HANDLE {
        self.handle.as_raw_handle()
    }

    /// Reads what is there.
    pub(super) fn read(&self, into: &mut [u8]) -> io::Result<Read> {
        let mut available = 0;
        // SAFETY: the handle is open while it is borrowed; only the count is written, and it outlives the call.
        let outcome = check(unsafe {
            PeekNamedPipe(self.handle(), ptr::null_mut(), 0, ptr::null_mut(), &mut available, ptr::null_mut())
        });
        match outcome {
            Ok(()) if available == 0 => Ok(Read::WouldBlock),
            Ok(()) => {
                let room = into.len().min(available as usize);
                self.read_available(&mut into[..room])
            }
            Err(error) if is_end(&error) => Ok(Read::End),
            Err(error) => Err(error),
        }
    }

    /// Reads bytes that are there, so that the call is over at once. If it is not, it is called off: the buffer is only lent.
    fn read_available(&self, into: &mut [u8]) -> io::Result<Read> {
        EVENT.with(|event| {
            let event = event.as_ref().map_err(|error| io::Error::from(error.kind()))?;
            // With the lowest bit set, no packet comes of it.
            let quiet = event.as_raw_handle().map_addr(|address| address | 1);
            let mut overlapped = OVERLAPPED { hEvent: quiet, ..OVERLAPPED::default() };
            // SAFETY: the handle is open while it is borrowed. The buffer and `overlapped` outlive the operation: below, nothing returns before it is over.
            let started = check(unsafe {
                let room = u32::try_from(into.len()).unwrap_or(u32::MAX);
                ReadFile(self.handle(), into.as_mut_ptr(), room, ptr::null_mut(), &mut overlapped)
            });
            match started {
                Err(error) if is(&error, ERROR_IO_PENDING) => {
                    // SAFETY: as above. It fails where the operation is over by now.
                    let _ = check(unsafe { CancelIoEx(self.handle(), &overlapped) });
                }
                Err(error) if is_end(&error) => return Ok(Read::End),
                outcome => outcome?,
            }
            let mut count = 0;
            // SAFETY: as above; this waits until the operation is over, which it is or is about to be.
            match check(unsafe { GetOverlappedResult(self.handle(), &overlapped, &mut count, 1) }) {
                Ok(()) => Ok(Read::Bytes(count as usize)),
                Err(error) if is(&error, ERROR_OPERATION_ABORTED) => Ok(Read::WouldBlock),
                Err(error) if is_end(&error) => Ok(Read::End),
                Err(error) => Err(error),
            }
        })
    }

    /// Starts an operation that is over when there is something to read. It takes no bytes.
    pub(super) fn start_receive(&self, overlapped: *mut OVERLAPPED) -> io::Result<()> {
        // SAFETY: the handle is open while it is borrowed, and nothing is read. `overlapped` stays alive in the table of flights until its packet is taken.
        check(unsafe { ReadFile(self.handle(), ptr::null_mut(), 0, ptr::null_mut(), overlapped) })
    }

    /// Starts to write.
    ///
    /// # Safety
    /// The bytes must stay as they are until the operation came home.
    pub(super) unsafe fn start_send(&self, bytes: &[u8], overlapped: *mut OVERLAPPED) -> io::Result<()> {
        let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        // SAFETY: the handle is open while it is borrowed. The bytes stay, as the caller promises; `overlapped` stays alive in the table of flights until
        // its packet is taken.
        check(unsafe { WriteFile(self.handle(), bytes.as_ptr(), length, ptr::null_mut(), overlapped) })
    }

    pub(super) fn cancel(&self) {
        // SAFETY: the handle is open while it is borrowed. It fails where nothing is in flight.
        let _ = check(unsafe { CancelIoEx(self.handle(), ptr::null()) });
    }
}

/// Starts to wait for a peer at this end of a pipe.
///
/// # Safety
/// The handle must be open, and `overlapped` must stay alive until the operation came home.
pub(super) unsafe fn start_accepting(handle: HANDLE, overlapped: *mut OVERLAPPED) -> io::Result<()> {
    // SAFETY: as the caller promises.
    check(unsafe { ConnectNamedPipe(handle, overlapped) })
}

/// Whether a peer came before anybody waited for it. It may be gone by now, and may have left something to read.
pub(super) fn has_peer_already(error: &io::Error) -> bool {
    is(error, ERROR_PIPE_CONNECTED) || is(error, ERROR_NO_DATA)
}

/// Whether the peer has closed its end.
pub(super) fn is_end(error: &io::Error) -> bool {
    is(error, ERROR_BROKEN_PIPE) || is(error, ERROR_PIPE_NOT_CONNECTED)
}

fn is(error: &io::Error, code: u32) -> bool {
    error.raw_os_error() == Some(code as i32)
}

fn owned(handle: HANDLE) -> io::Result<OwnedHandle> {
    if handle.is_null() || handle == INVALID_HANDLE_VALUE {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the caller has just got it from the system, and nobody else knows it.
    Ok(unsafe { OwnedHandle::from_raw_handle(handle) })
}

thread_local! {
    /// What a thread's reads from pipes set when they are over.
    static EVENT: io::Result<OwnedHandle> = {
        // SAFETY: no memory is passed. It is reset by each read that uses it.
        owned(unsafe { CreateEventW(ptr::null(), 1, 0, ptr::null()) })
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_somebody_else_has_is_in_use() {
        let path = format!(r"\\.\pipe\serverlink-stranger-{}", std::process::id());
        let name = pipe_name(path.as_ref()).expect("a plain name");
        // Another process: it knows nothing of our claims.
        // SAFETY: the name ends in a zero and outlives the call.
        let stranger = owned(unsafe {
            CreateNamedPipeW(name.as_ptr(), PIPE_ACCESS_DUPLEX, PIPE_TYPE_BYTE, 2, 512, 512, 0, ptr::null())
        })
        .expect("a free name");
        let bind = || PipeOsListener::bind(path.as_ref(), &ListenOptions::default());
        assert_eq!(bind().expect_err("it is taken").kind(), io::ErrorKind::AddrInUse);
        drop(stranger);
        bind().expect("nobody has it any more");
    }
}
