//! The memory that the next datagram comes to.

use std::cell::UnsafeCell;
use std::fmt;
use std::io;
use std::net::UdpSocket;
use std::ptr;

use windows_sys::Win32::Networking::WinSock::{SOCKADDR_STORAGE, WSABUF, WSARecvFrom};
use windows_sys::Win32::System::IO::OVERLAPPED;

use crate::datagram::{ADDRESS_BYTES, MAX_READ_BYTES, canonical, write_address};
use crate::windows::error::check_socket;
use crate::windows::socket;

/// Room for any datagram, and for who sent it.
pub(super) struct Incoming {
    bytes: Box<[UnsafeCell<u8>]>,
    from: UnsafeCell<SOCKADDR_STORAGE>,
    from_len: UnsafeCell<i32>,
    flags: UnsafeCell<u32>,
}

// SAFETY: while a receive is in flight only the system touches the memory. Before and after, whoever has locked the note that says so (`Arrival`).
unsafe impl Send for Incoming {}
// SAFETY: as above.
unsafe impl Sync for Incoming {}

impl Incoming {
    pub(super) fn new() -> Incoming {
        Incoming {
            bytes: (ADDRESS_BYTES..MAX_READ_BYTES).map(|_| UnsafeCell::new(0)).collect(),
            from: UnsafeCell::new(SOCKADDR_STORAGE::default()),
            from_len: UnsafeCell::new(0),
            flags: UnsafeCell::new(0),
        }
    }

    /// Starts to receive the next datagram.
    ///
    /// # Safety
    /// Nobody else may touch this before the operation came home. Until then it must stay where it is, as must `overlapped`.
    pub(super) unsafe fn start_receiving(
        &self,
        socket: &UdpSocket,
        overlapped: *mut OVERLAPPED,
    ) -> io::Result<()> {
        let buffer = WSABUF { len: self.bytes.len() as u32, buf: UnsafeCell::raw_get(self.bytes.as_ptr()) };
        // SAFETY: nobody else touches them, as the caller promises.
        unsafe {
            *self.from.get() = SOCKADDR_STORAGE::default();
            *self.from_len.get() = size_of::<SOCKADDR_STORAGE>() as i32;
            *self.flags.get() = 0;
        }
        // SAFETY: the socket is open while it is borrowed. The system copies the description of the buffer before the call returns; all else that it is given
        // stays until the operation came home, as the caller promises, and is as large as told.
        check_socket(unsafe {
            WSARecvFrom(
                socket::raw(socket),
                &buffer,
                1,
                ptr::null_mut(),
                self.flags.get(),
                self.from.get().cast(),
                self.from_len.get(),
                overlapped,
                None,
            )
        })
    }

    /// Copies the datagram that came, and the address it came from: how many bytes that is. `None`: nobody knows who sent it.
    ///
    /// # Safety
    /// No receive may be in flight, and nobody else may touch this meanwhile.
    pub(super) unsafe fn take(
        &self,
        count: usize,
        address: &mut [u8; ADDRESS_BYTES],
        room: &mut [u8],
    ) -> Option<usize> {
        // SAFETY: it is initialised, and nobody else touches it, as the caller promises.
        let from = socket::address_in(unsafe { &*self.from.get() })?;
        write_address(canonical(from), address);
        let count = count.min(room.len()).min(self.bytes.len());
        // SAFETY: so many bytes are there and here; nobody else touches them, as the caller promises, and what a caller lends is no part of them.
        unsafe {
            ptr::copy_nonoverlapping(UnsafeCell::raw_get(self.bytes.as_ptr()), room.as_mut_ptr(), count);
        }
        Some(ADDRESS_BYTES + count)
    }
}

impl fmt::Debug for Incoming {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Incoming({:p})", self.bytes.as_ptr())
    }
}
