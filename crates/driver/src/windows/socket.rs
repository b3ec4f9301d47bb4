//! Making sockets and telling them their options.

use std::io::{self, IoSlice, Read as _, Write as _};
use std::net::{Ipv4Addr, Ipv6Addr, Shutdown, SocketAddr, SocketAddrV6, TcpListener, TcpStream};
use std::os::windows::io::{AsRawSocket, FromRawSocket, OwnedSocket};
use std::ptr;
use std::sync::OnceLock;

use windows_sys::Win32::Networking::WinSock::*;
use windows_sys::core::GUID;

use super::error::{check_socket, is_out_of_memory};
use super::listening::is_listened_on;
use super::tcp_options;
use super::unix_socket::SocketFile;
use crate::batch::MAX_SLICES;
use crate::borrowed::Borrowed;
use crate::{Address, Batch, ListenOptions, Read, StreamOptions};

/// A connected, non-blocking socket, and who is at its other end.
#[derive(Debug)]
pub(crate) struct SocketOsStream {
    pub(super) socket: TcpStream,
    pub(super) peer: Option<Address>,
    /// Our end, where the system cannot tell.
    pub(super) local: Option<Address>,
}

/// A bound, listening, non-blocking socket.
#[derive(Debug)]
pub(crate) struct SocketOsListener {
    pub(super) socket: TcpListener,
    pub(super) local: Address,
    pub(super) stream_options: Box<StreamOptions>,
    /// Removed when nobody listens any more.
    pub(super) file: Option<SocketFile>,
}

/// Which addresses a socket has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Family {
    V4,
    V6,
    Unix,
}

impl From<&SocketAddr> for Family {
    fn from(address: &SocketAddr) -> Family {
        if address.is_ipv4() { Family::V4 } else { Family::V6 }
    }
}

impl From<&Address> for Family {
    fn from(address: &Address) -> Family {
        match address {
            Address::Tcp(address) => address.into(),
            Address::Ipc(_) => Family::Unix,
        }
    }
}

impl SocketOsListener {
    pub(crate) fn bind(address: &SocketAddr, options: &ListenOptions) -> io::Result<SocketOsListener> {
        match SocketOsListener::bind_as(address, options, true) {
            // To an exclusive socket a port is taken also while connections of an earlier listener have not quite ended. A server
            // that comes back must not wait for them.
            Err(error) if error.kind() == io::ErrorKind::AddrInUse && !is_listened_on(address.port()) => {
                SocketOsListener::bind_as(address, options, false).map_err(|_| error)
            }
            outcome => outcome,
        }
    }

    fn bind_as(
        address: &SocketAddr,
        options: &ListenOptions,
        exclusive: bool,
    ) -> io::Result<SocketOsListener> {
        let socket = create(address.into())?;
        set_buffers(&socket, &options.stream)?;
        tcp_options::check(&options.stream)?;
        // Without it, anybody could bind the same port and take connections away.
        set_option(&socket, SOL_SOCKET, SO_EXCLUSIVEADDRUSE, i32::from(exclusive))?;
        if address.is_ipv6() {
            set_option(&socket, IPPROTO_IPV6, IPV6_V6ONLY, i32::from(options.v6_only))?;
        }
        bind_to(&socket, address)?;
        let socket = start_listening(socket, options.backlog)?;
        let local = Address::Tcp(socket.local_addr()?);
        Ok(SocketOsListener { socket, local, stream_options: Box::new(options.stream.clone()), file: None })
    }
}

/// Lets peers come to a socket that has a name.
pub(super) fn start_listening(socket: OwnedSocket, backlog: u32) -> io::Result<TcpListener> {
    let backlog = i32::try_from(backlog).unwrap_or(i32::MAX);
    // SAFETY: the socket is ours and open.
    check_socket(unsafe { listen(raw(&socket), backlog) })?;
    let socket = TcpListener::from(socket);
    socket.set_nonblocking(true)?;
    Ok(socket)
}

/// A stream socket for addresses of this family, for overlapped use.
pub(super) fn create(family: Family) -> io::Result<OwnedSocket> {
    match family {
        Family::V4 => create_of(AF_INET, SOCK_STREAM, IPPROTO_TCP),
        Family::V6 => create_of(AF_INET6, SOCK_STREAM, IPPROTO_TCP),
        Family::Unix => create_of(AF_UNIX, SOCK_STREAM, 0),
    }
}

/// A socket for datagrams over addresses like this, for overlapped use.
pub(super) fn create_for_datagrams(local: &SocketAddr) -> io::Result<OwnedSocket> {
    create_of(if local.is_ipv4() { AF_INET } else { AF_INET6 }, SOCK_DGRAM, IPPROTO_UDP)
}

fn create_of(family: u16, kind: i32, protocol: i32) -> io::Result<OwnedSocket> {
    start_winsock()?;
    let flags = WSA_FLAG_OVERLAPPED | WSA_FLAG_NO_HANDLE_INHERIT;
    // SAFETY: the only pointer is null, which the call allows.
    let socket = unsafe { WSASocketW(family.into(), kind, protocol, ptr::null(), 0, flags) };
    if socket == INVALID_SOCKET {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the call above made it, and nobody else knows it.
    Ok(unsafe { OwnedSocket::from_raw_socket(socket as _) })
}

/// Sockets work only after this call. It is never undone: others in the process may use sockets too.
fn start_winsock() -> io::Result<()> {
    static OUTCOME: OnceLock<i32> = OnceLock::new();
    let outcome = *OUTCOME.get_or_init(|| {
        let mut data = WSADATA::default();
        // SAFETY: `data` is writable and outlives the call. 0x202 asks for version 2.2.
        unsafe { WSAStartup(0x202, &mut data) }
    });
    if outcome == 0 { Ok(()) } else { Err(io::Error::from_raw_os_error(outcome)) }
}

/// The handle as the system's calls take it. Nobody outside of this back end ever sees it.
pub(super) fn raw(socket: &impl AsRawSocket) -> SOCKET {
    socket.as_raw_socket() as SOCKET
}

pub(super) fn bind_to(socket: &impl AsRawSocket, address: &SocketAddr) -> io::Result<()> {
    let address = RawAddress::from(address);
    // SAFETY: the socket is open while it is borrowed, and the address outlives the call.
    check_socket(unsafe { bind(raw(socket), address.as_ptr(), address.len()) })
}

/// The address that lets the system choose the interface and the port.
pub(super) fn any_like(target: &SocketAddr) -> SocketAddr {
    match target {
        SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
        SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
    }
}

/// The options that must be there before a socket connects or listens, because the window scale is fixed then.
pub(super) fn set_buffers(socket: &impl AsRawSocket, options: &StreamOptions) -> io::Result<()> {
    set_buffer_sizes(socket, options.send_buffer, options.receive_buffer)
}

pub(super) fn set_buffer_sizes(
    socket: &impl AsRawSocket,
    send: Option<usize>,
    receive: Option<usize>,
) -> io::Result<()> {
    let size = |bytes: usize| i32::try_from(bytes).unwrap_or(i32::MAX);
    if let Some(bytes) = send {
        set_option(socket, SOL_SOCKET, SO_SNDBUF, size(bytes))?;
    }
    if let Some(bytes) = receive {
        set_option(socket, SOL_SOCKET, SO_RCVBUF, size(bytes))?;
    }
    Ok(())
}

/// What became of a write that does not wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Taken {
    All,
    Part,
}

/// Reads what is there.
#[inline]
pub(super) fn read(mut socket: &TcpStream, into: &mut [u8]) -> io::Result<Read> {
    match socket.read(into) {
        Ok(0) => Ok(Read::End),
        Ok(count) => Ok(Read::Bytes(count)),
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(Read::WouldBlock),
        Err(error) => Err(error),
    }
}

/// Writes what fits.
#[inline]
pub(super) fn write(socket: &TcpStream, batch: &mut Batch) -> io::Result<Taken> {
    while batch.remaining_bytes() > 0 {
        match send(socket, batch) {
            Ok((count, offered)) => {
                batch.advance(count);
                if count < offered {
                    return Ok(Taken::Part);
                }
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(Taken::Part),
            Err(error) if is_out_of_memory(&error) => return Ok(Taken::Part),
            Err(error) => return Err(write_error(error)),
        }
    }
    Ok(Taken::All)
}

/// Writes what fits, and keeps nothing.
pub(super) fn write_borrowed(mut socket: &TcpStream, borrowed: &mut Borrowed<'_, '_>) -> io::Result<()> {
    while borrowed.remaining_bytes() > 0 {
        let mut slices = [IoSlice::new(&[]); MAX_SLICES];
        let (count, offered) = borrowed.fill_slices(&mut slices);
        match socket.write_vectored(&slices[..count]) {
            Ok(sent) => {
                borrowed.advance(sent);
                if sent < offered {
                    return Ok(());
                }
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock || is_out_of_memory(&error) => {
                return Ok(());
            }
            Err(error) => return Err(write_error(error)),
        }
    }
    Ok(())
}

/// One call: how much the system took of how much.
fn send(mut socket: &TcpStream, batch: &Batch) -> io::Result<(usize, usize)> {
    if batch.is_single() {
        let bytes = batch.current();
        return Ok((socket.write(bytes)?, bytes.len()));
    }
    let mut slices = [IoSlice::new(&[]); MAX_SLICES];
    let count = batch.fill_slices(&mut slices);
    let slices = &slices[..count];
    Ok((socket.write_vectored(slices)?, slices.iter().map(|slice| slice.len()).sum()))
}

/// The system has more words than others for a connection that takes nothing any more.
pub(super) fn write_error(error: io::Error) -> io::Error {
    match error.raw_os_error() {
        Some(WSAECONNABORTED | WSAESHUTDOWN) => io::Error::new(io::ErrorKind::BrokenPipe, error),
        _ => error,
    }
}

pub(super) fn shutdown_write(socket: &TcpStream) {
    // It fails only where there is no connection any more, which the next read tells.
    let _ = socket.shutdown(Shutdown::Write);
}

/// Starts to connect a non-blocking socket.
pub(super) fn connect_to(socket: &TcpStream, target: &SocketAddr) -> io::Result<()> {
    let target = RawAddress::from(target);
    // SAFETY: the socket is open while it is borrowed, and the address outlives the call.
    match check_socket(unsafe { connect(raw(socket), target.as_ptr(), target.len()) }) {
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(()),
        outcome => outcome,
    }
}

/// What `ConnectEx` left out: without it the socket knows neither its peer nor how to shut down.
pub(super) fn finish_connecting(socket: &TcpStream) -> io::Result<()> {
    // SAFETY: the socket is open while it is borrowed; the option has no value.
    check_socket(unsafe { setsockopt(raw(socket), SOL_SOCKET, SO_UPDATE_CONNECT_CONTEXT, ptr::null(), 0) })
}

/// What `AcceptEx` left out: without it the socket has neither names nor the listener's properties.
pub(super) fn finish_accepting(socket: &TcpStream, listener: &TcpListener) -> io::Result<()> {
    set_option(socket, SOL_SOCKET, SO_UPDATE_ACCEPT_CONTEXT, raw(listener))
}

/// Keeps the system from telling, in place of the next datagram that comes, that one which was sent found nobody. Where a provider does not know this, reading
/// passes over what it tells.
pub(super) fn keep_datagrams_apart(socket: &impl AsRawSocket) {
    let (told, mut length) = (0_u32, 0);
    // SAFETY: the socket is open while it is borrowed; the value has the size that is told, and outlives the call. Nothing is answered.
    let _ = check_socket(unsafe {
        WSAIoctl(
            raw(socket),
            SIO_UDP_CONNRESET,
            (&raw const told).cast(),
            size_of_val(&told) as u32,
            ptr::null_mut(),
            0,
            &mut length,
            ptr::null_mut(),
            None,
        )
    });
}

/// Makes closing the socket a reset: nobody will ever read what its peer sent.
pub(super) fn reset_when_closed(socket: &TcpStream) -> io::Result<()> {
    set_option(socket, SOL_SOCKET, SO_LINGER, LINGER { l_onoff: 1, l_linger: 0 })
}

pub(super) fn set_option<T: Copy>(
    socket: &impl AsRawSocket,
    level: i32,
    name: i32,
    value: T,
) -> io::Result<()> {
    // SAFETY: the socket is open while it is borrowed. The pointer and the length are those of `value`, which outlives the call.
    check_socket(unsafe {
        setsockopt(raw(socket), level, name, (&raw const value).cast(), size_of::<T>() as i32)
    })
}

/// Whether the socket is one of the system's own handles. One of a layered provider is not, and may queue a packet even where a call succeeded at once.
pub(super) fn is_system_handle(socket: &impl AsRawSocket) -> bool {
    let mut info = WSAPROTOCOL_INFOW::default();
    let mut length = size_of::<WSAPROTOCOL_INFOW>() as i32;
    // SAFETY: the socket is open while it is borrowed; the pointers are to writable memory of the size that `length` tells, and outlive the call.
    let outcome = check_socket(unsafe {
        getsockopt(raw(socket), SOL_SOCKET, SO_PROTOCOL_INFOW, (&raw mut info).cast(), &mut length)
    });
    outcome.is_ok() && info.dwServiceFlags1 & XP1_IFS_HANDLES != 0
}

/// The provider's `AcceptEx`. Each provider has its own, so it is asked for the socket that it is used with.
pub(super) fn accept_function(socket: &impl AsRawSocket) -> io::Result<AcceptFunction> {
    let mut function: LPFN_ACCEPTEX = None;
    // SAFETY: the identifier is that of the type of `function`.
    unsafe { extension_function(socket, &WSAID_ACCEPTEX, &mut function)? };
    function.ok_or_else(|| io::ErrorKind::Unsupported.into())
}

/// The provider's `ConnectEx`.
pub(super) fn connect_function(socket: &impl AsRawSocket) -> io::Result<ConnectFunction> {
    let mut function: LPFN_CONNECTEX = None;
    // SAFETY: the identifier is that of the type of `function`.
    unsafe { extension_function(socket, &WSAID_CONNECTEX, &mut function)? };
    function.ok_or_else(|| io::ErrorKind::Unsupported.into())
}

type Unwrapped<T> = <T as UnwrapFunction>::Function;
/// `AcceptEx`.
pub(super) type AcceptFunction = Unwrapped<LPFN_ACCEPTEX>;
/// `ConnectEx`.
pub(super) type ConnectFunction = Unwrapped<LPFN_CONNECTEX>;

/// Names what is in the binding's optional function types.
pub(super) trait UnwrapFunction {
    type Function;
}

impl<T> UnwrapFunction for Option<T> {
    type Function = T;
}

/// # Safety
/// `T` must be the optional function type that `identifier` stands for.
unsafe fn extension_function<T>(
    socket: &impl AsRawSocket,
    identifier: &GUID,
    function: &mut T,
) -> io::Result<()> {
    let mut length = 0;
    // SAFETY: the socket is open while it is borrowed; both buffers have the sizes that are told, and outlive the call.
    check_socket(unsafe {
        WSAIoctl(
            raw(socket),
            SIO_GET_EXTENSION_FUNCTION_POINTER,
            ptr::from_ref(identifier).cast(),
            size_of::<GUID>() as u32,
            ptr::from_mut(function).cast(),
            size_of::<T>() as u32,
            &mut length,
            ptr::null_mut(),
            None,
        )
    })
}

/// An address as the system's calls take it.
pub(super) enum RawAddress {
    V4(SOCKADDR_IN),
    V6(SOCKADDR_IN6),
}

impl RawAddress {
    pub(super) fn as_ptr(&self) -> *const SOCKADDR {
        match self {
            RawAddress::V4(address) => ptr::from_ref(address).cast(),
            RawAddress::V6(address) => ptr::from_ref(address).cast(),
        }
    }

    pub(super) fn len(&self) -> i32 {
        match self {
            RawAddress::V4(_) => size_of::<SOCKADDR_IN>() as i32,
            RawAddress::V6(_) => size_of::<SOCKADDR_IN6>() as i32,
        }
    }
}

impl From<&SocketAddr> for RawAddress {
    fn from(address: &SocketAddr) -> RawAddress {
        match address {
            SocketAddr::V4(address) => RawAddress::V4(SOCKADDR_IN {
                sin_family: AF_INET,
                sin_port: address.port().to_be(),
                sin_addr: IN_ADDR { S_un: IN_ADDR_0 { S_addr: u32::from_ne_bytes(address.ip().octets()) } },
                sin_zero: [0; 8],
            }),
            SocketAddr::V6(address) => RawAddress::V6(SOCKADDR_IN6 {
                sin6_family: AF_INET6,
                sin6_port: address.port().to_be(),
                sin6_flowinfo: address.flowinfo(),
                sin6_addr: IN6_ADDR { u: IN6_ADDR_0 { Byte: address.ip().octets() } },
                Anonymous: SOCKADDR_IN6_0 { sin6_scope_id: address.scope_id() },
            }),
        }
    }
}

/// What the system wrote as an address. `None`: one of a family that has no name here.
pub(super) fn address_in(memory: &SOCKADDR_STORAGE) -> Option<SocketAddr> {
    let memory_of = ptr::from_ref(memory);
    match memory.ss_family {
        AF_INET => {
            // SAFETY: the memory is initialised, aligned for every address and larger than any, and every bit pattern is an address.
            let address = unsafe { memory_of.cast::<SOCKADDR_IN>().read() };
            // SAFETY: every form of the union is the same four octets.
            let octets = unsafe { address.sin_addr.S_un.S_addr }.to_ne_bytes();
            Some(SocketAddr::new(octets.into(), u16::from_be(address.sin_port)))
        }
        AF_INET6 => {
            // SAFETY: as above.
            let address = unsafe { memory_of.cast::<SOCKADDR_IN6>().read() };
            // SAFETY: every form of the unions is the same octets.
            let (octets, scope) = unsafe { (address.sin6_addr.u.Byte, address.Anonymous.sin6_scope_id) };
            Some(SocketAddrV6::new(octets.into(), u16::from_be(address.sin6_port), 0, scope).into())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_come_back_from_the_systems_form() {
        for text in ["127.0.0.1:1", "255.255.255.255:65535", "[::1]:0", "[fe80::1%7]:5555"] {
            let address: SocketAddr = text.parse().expect("an address");
            let raw = RawAddress::from(&address);
            let mut memory = SOCKADDR_STORAGE::default();
            // SAFETY: both are as long as told, and neither is part of the other.
            unsafe {
                ptr::copy_nonoverlapping(
                    raw.as_ptr().cast::<u8>(),
                    (&raw mut memory).cast(),
                    raw.len() as usize,
                );
            }
            assert_eq!(address_in(&memory), Some(address));
        }
        assert_eq!(address_in(&SOCKADDR_STORAGE::default()), None);
    }
}
