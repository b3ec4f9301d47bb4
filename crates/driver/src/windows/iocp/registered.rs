//! The one association of a handle, and why it may be refused.

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::mem;
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use windows_sys::Wdk::Storage::FileSystem::{
    FILE_SYNCHRONOUS_IO_ALERT, FILE_SYNCHRONOUS_IO_NONALERT, FileModeInformation, NtQueryInformationFile,
};
use windows_sys::Win32::Foundation::{ERROR_INVALID_PARAMETER, HANDLE};
use windows_sys::Win32::System::IO::IO_STATUS_BLOCK;

use super::port::{self, CompletionPort};
use crate::Key;
use crate::windows::lock;
use crate::windows::pipe::Pipe;
use crate::windows::socket;

/// Something with a handle of the system.
pub(in crate::windows) trait SystemObject {
    fn handle(&self) -> HANDLE;

    /// Whether a call that succeeds at once can be kept from queueing a packet.
    fn can_skip_packets(&self) -> bool;
}

impl SystemObject for TcpStream {
    fn handle(&self) -> HANDLE {
        socket::raw(self) as HANDLE
    }

    fn can_skip_packets(&self) -> bool {
        socket::is_system_handle(self)
    }
}

impl SystemObject for TcpListener {
    fn handle(&self) -> HANDLE {
        socket::raw(self) as HANDLE
    }

    fn can_skip_packets(&self) -> bool {
        socket::is_system_handle(self)
    }
}

impl SystemObject for UdpSocket {
    fn handle(&self) -> HANDLE {
        socket::raw(self) as HANDLE
    }

    fn can_skip_packets(&self) -> bool {
        socket::is_system_handle(self)
    }
}

impl SystemObject for Pipe {
    fn handle(&self) -> HANDLE {
        Pipe::handle(self)
    }

    fn can_skip_packets(&self) -> bool {
        true
    }
}

/// An object of the system that joined a port: its one registration. There is no way back.
#[derive(Debug)]
pub(in crate::windows) struct Registered<T> {
    /// Before the object: the entry must go before the system gives the handle's value to another one.
    entry: Entry,
    object: T,
    /// Calls that succeed at once queue no packet. Decided here, once.
    pub(super) skips_packets: bool,
}

impl<T: SystemObject> Registered<T> {
    /// Associates it; failure gives it back.
    pub(super) fn new(port: &NumberedPort, key: Key, object: T) -> Result<Registered<T>, (T, io::Error)> {
        let handle = object.handle();
        if let Err(error) = port.port.associate(handle) {
            return Err((object, explain(error, handle)));
        }
        let skips_packets = object.can_skip_packets() && port::skip_packets_on_success(handle);
        Ok(Registered { entry: Entry::new(handle, port.number, key), object, skips_packets })
    }
}

impl<T> Registered<T> {
    /// Whether it belongs to this port.
    pub(super) fn is_of(&self, port: &NumberedPort) -> bool {
        self.entry.holder.port == port.number
    }

    /// The refusal to register it with a port that it does not belong to.
    pub(super) fn belongs_elsewhere(&self) -> io::Error {
        refusal(self.entry.handle, &self.entry.holder.to_string())
    }

    /// The same registration as part of something larger.
    pub(super) fn map<U>(self, f: impl FnOnce(T) -> U) -> Registered<U> {
        let Registered { entry, object, skips_packets } = self;
        Registered { entry, object: f(object), skips_packets }
    }
}

impl<T> std::ops::Deref for Registered<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.object
    }
}

/// A port with a number by which errors name it.
#[derive(Debug)]
pub(super) struct NumberedPort {
    pub(super) port: CompletionPort,
    number: u64,
}

impl NumberedPort {
    pub(super) fn open() -> io::Result<NumberedPort> {
        static OPENED: AtomicU64 = AtomicU64::new(0);
        let port = CompletionPort::open()?;
        Ok(NumberedPort { port, number: OPENED.fetch_add(1, Ordering::Relaxed) + 1 })
    }
}

/// Who holds which handle, for the words of an error and nothing else: the system gives a closed handle's value to the next one.
static HELD: Mutex<BTreeMap<usize, Holder>> = Mutex::new(BTreeMap::new());

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Holder {
    port: u64,
    key: Key,
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Holder { port, key } = self;
        write!(f, "it is registered with completion port {port} of this process, as {key:?}")
    }
}

#[derive(Debug)]
struct Entry {
    handle: usize,
    holder: Holder,
}

impl Entry {
    fn new(handle: HANDLE, port: u64, key: Key) -> Entry {
        let entry = Entry { handle: handle as usize, holder: Holder { port, key } };
        lock(&HELD).insert(entry.handle, entry.holder);
        entry
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        let mut held = lock(&HELD);
        if held.get(&self.handle) == Some(&self.holder) {
            held.remove(&self.handle);
        }
    }
}

/// Turns the one number that the system has for all this into what it means.
fn explain(error: io::Error, handle: HANDLE) -> io::Error {
    if error.raw_os_error() != Some(ERROR_INVALID_PARAMETER as i32) {
        return error;
    }
    let handle_value = handle as usize;
    let holder = lock(&HELD).get(&handle_value).copied();
    match holder {
        Some(holder) => refusal(handle_value, &holder.to_string()),
        None if is_synchronous(handle) => io::Error::new(
            io::ErrorKind::InvalidInput,
            format!(
                "handle {handle_value} cannot join a completion port: it was opened for synchronous use; \
                 open it for overlapped use and hand that over (error 87)"
            ),
        ),
        None => refusal(
            handle_value,
            "it, or a duplicate of it, was associated with a completion port that is not ours",
        ),
    }
}

fn refusal(handle_value: usize, reason: &str) -> io::Error {
    let message = format!(
        "handle {handle_value} cannot join a completion port: {reason}, and a handle joins one port for life, \
         even if that port is closed; hand over one that was never associated (error 87)"
    );
    io::Error::new(io::ErrorKind::AlreadyExists, message)
}

/// Whether the handle was opened for calls that block.
fn is_synchronous(handle: HANDLE) -> bool {
    let mut status = IO_STATUS_BLOCK::default();
    let mut mode = 0_u32;
    // SAFETY: both pointers are to writable memory of the size that is told and that this class of information has, and outlive the call.
    let outcome = unsafe {
        NtQueryInformationFile(
            handle,
            &mut status,
            (&raw mut mode).cast(),
            mem::size_of_val(&mode) as u32,
            FileModeInformation,
        )
    };
    outcome >= 0 && mode & (FILE_SYNCHRONOUS_IO_ALERT | FILE_SYNCHRONOUS_IO_NONALERT) != 0
}
