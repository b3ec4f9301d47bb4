//! Datagrams that the system had no room for at once.

use std::fmt;
use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::ptr;
use std::sync::Arc;

use windows_sys::Win32::Networking::WinSock::{WSABUF, WSASendTo};
use windows_sys::Win32::System::IO::OVERLAPPED;

use super::shared::Shared;
use crate::datagram::{in_family, split_address};
use crate::port::MemberId;
use crate::windows::error::{self, check_socket};
use crate::windows::iocp::registered::Registered;
use crate::windows::iocp::source::{Home as _, Role};
use crate::windows::iocp::{Iocp, Launched};
use crate::windows::lock;
use crate::windows::socket::{self, RawAddress};
use crate::{Batch, Event, Written};

/// What is being sent, and where the datagram goes that is in flight.
pub(super) struct Outgoing {
    batch: Box<Batch>,
    to: Box<RawAddress>,
}

impl Shared {
    /// Leaves to the system what it does not take at once.
    pub(super) fn write_rest(
        self: &Arc<Self>,
        socket: &Registered<UdpSocket>,
        batch: Batch,
        iocp: &Iocp,
    ) -> Written {
        let mut place = lock(&self.outgoing);
        assert!(place.is_none(), "one writer at a time: an earlier write of this socket is pending");
        let nowhere = RawAddress::from(&SocketAddr::from(([0; 4], 0)));
        let outgoing = place.insert(Outgoing { batch: Box::new(batch), to: Box::new(nowhere) });
        if !self.send_on(socket, outgoing, iocp) {
            return Written::Pending;
        }
        match place.take() {
            Some(Outgoing { batch, .. }) => Written::Done(*batch),
            None => unreachable!("it was put there under the same lock"),
        }
    }

    /// Sends until the system has something to wait for. True: that was all.
    fn send_on(
        self: &Arc<Self>,
        socket: &Registered<UdpSocket>,
        outgoing: &mut Outgoing,
        iocp: &Iocp,
    ) -> bool {
        let Outgoing { batch, to } = outgoing;
        while batch.remaining_bytes() > 0 {
            let next = batch.next_piece(usize::MAX);
            let len = next.len();
            let launched = split_address(next).map(|(address, datagram)| {
                **to = RawAddress::from(&in_family(address, self.ipv6));
                iocp.launch(self.clone(), Role::Send, socket.skips_packets, |overlapped| {
                    // SAFETY: batch and address stay in their place until this operation came home. The place belongs to this object, which the table of
                    // flights keeps alive.
                    unsafe { start_sending(socket, to, datagram, overlapped) }
                })
            });
            match launched {
                Some(Launched::Pending | Launched::Busy) => return false,
                Some(Launched::Done(_)) => {}
                Some(Launched::Failed(_)) | None => self.refused.note(),
            }
            batch.advance(len);
        }
        true
    }

    /// An operation came home. What is left goes on, and what is over goes back.
    pub(super) fn sent(
        self: &Arc<Self>,
        outcome: io::Result<usize>,
        iocp: &Iocp,
        events: &mut Vec<(MemberId, Event)>,
    ) {
        let socket = self.socket();
        let mut place = lock(&self.outgoing);
        let Some(outgoing) = place.as_mut() else { return };
        let ended = match &*socket {
            Some(socket) => {
                self.note(&mut outgoing.batch, outcome);
                self.send_on(socket, outgoing, iocp).then_some(Ok(()))
            }
            None => Some(note_closed(&mut outgoing.batch, outcome)),
        };
        if let Some(ended) = ended
            && let Some(Outgoing { batch, .. }) = place.take()
        {
            self.push(events, Event::Written(self.source().key, batch, ended));
        }
    }

    /// A datagram whose fate nobody knows went, as far as anybody ever knows.
    fn note(&self, batch: &mut Batch, outcome: io::Result<usize>) {
        match outcome {
            Err(error) if error::is_out_of_memory(&error) => return,
            Err(error) if !error::is_forgotten(&error) => self.refused.note(),
            Ok(_) | Err(_) => {}
        }
        advance(batch);
    }
}

/// The socket was closed while the system sent.
fn note_closed(batch: &mut Batch, outcome: io::Result<usize>) -> io::Result<()> {
    if outcome.is_ok() {
        advance(batch);
    }
    if batch.remaining_bytes() == 0 {
        return Ok(());
    }
    let message = "the socket was closed before the system took everything";
    Err(io::Error::new(io::ErrorKind::ConnectionAborted, message))
}

/// Over one datagram.
fn advance(batch: &mut Batch) {
    let len = batch.pending().next().map_or(0, <[u8]>::len);
    batch.advance(len);
}

/// Starts to send one datagram.
///
/// # Safety
/// The address and the datagram must stay as they are until the operation came home.
unsafe fn start_sending(
    socket: &UdpSocket,
    to: &RawAddress,
    datagram: &[u8],
    overlapped: *mut OVERLAPPED,
) -> io::Result<()> {
    let buffer = WSABUF { len: datagram.len() as u32, buf: datagram.as_ptr().cast_mut() };
    let socket = socket::raw(socket);
    // SAFETY: the socket is open while it is borrowed. The system copies the description of the buffer before the call returns, and writes nowhere. Address and
    // bytes stay, as the caller promises; `overlapped` stays alive in the table of flights until its packet is taken.
    check_socket(unsafe {
        WSASendTo(socket, &buffer, 1, ptr::null_mut(), 0, to.as_ptr(), to.len(), overlapped, None)
    })
}

impl fmt::Debug for Outgoing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outgoing").field("batch", &self.batch).finish_non_exhaustive()
    }
}
