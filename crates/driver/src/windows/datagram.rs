//! A socket for datagrams before its registration, and what is the same whoever watches it.

use std::ffi::CString;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};

use windows_sys::Win32::NetworkManagement::IpHelper::if_nametoindex;
use windows_sys::Win32::Networking::WinSock::*;

use super::error::{is_about_a_datagram, is_out_of_memory};
use super::socket::{self, Taken, set_option};
use super::{iocp, polling};
use crate::datagram::{
    ADDRESS_BYTES, Refused, canonical, in_family, split_address, told, write_address, wrong_family,
};
use crate::options::{not_here, refused};
use crate::{Batch, DatagramOptions, Interest, Interface, Key, Read, Written};

/// Bound, and without a driver.
#[derive(Debug)]
pub(crate) struct OsDatagrams {
    pub(super) socket: UdpSocket,
    pub(super) ipv6: bool,
}

impl OsDatagrams {
    /// Gives where it receives as well, with the port that the system chose.
    pub(crate) fn open(options: &DatagramOptions) -> io::Result<(OsDatagrams, SocketAddr)> {
        let socket = UdpSocket::from(socket::create_for_datagrams(&options.local)?);
        socket.set_nonblocking(true)?;
        socket::keep_datagrams_apart(&socket);
        prepare(&socket, options)?;
        let mut local = bind(&socket, options)?;
        if let Some(group) = options.group {
            join(&socket, group, options.interface.as_ref())
                .map_err(|error| told(error, &format!("the group {group} cannot be joined")))?;
            local.set_ip(options.local.ip());
        }
        Ok((OsDatagrams { socket, ipv6: options.local.is_ipv6() }, local))
    }
}

fn prepare(socket: &UdpSocket, options: &DatagramOptions) -> io::Result<()> {
    let ipv6 = options.local.is_ipv6();
    match options {
        DatagramOptions { type_of_service: Some(_), .. } => return Err(not_here("type_of_service")),
        DatagramOptions { device: Some(_), .. } => return Err(not_here("device")),
        _ => {}
    }
    socket::set_buffer_sizes(socket, options.send_buffer, options.receive_buffer)?;
    // Without the latter, anybody could bind the same port and take datagrams away.
    let sharing = if options.shared { SO_REUSEADDR } else { SO_EXCLUSIVEADDRUSE };
    set_option(socket, SOL_SOCKET, sharing, 1)?;
    if ipv6 && options.local.ip().is_unspecified() {
        set_option(socket, IPPROTO_IPV6, IPV6_V6ONLY, 0)?;
    }
    if let Some(hops) = options.hops {
        match ipv6 {
            true => set_option(socket, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, i32::from(hops)),
            false => set_option(socket, IPPROTO_IP, IP_MULTICAST_TTL, i32::from(hops)),
        }
        .map_err(|error| refused("multicast_hops", error))?;
    }
    if let Some(loops_back) = options.loops_back {
        match ipv6 {
            true => set_option(socket, IPPROTO_IPV6, IPV6_MULTICAST_LOOP, i32::from(loops_back)),
            false => set_option(socket, IPPROTO_IP, IP_MULTICAST_LOOP, i32::from(loops_back)),
        }
        .map_err(|error| refused("multicast_loop", error))?;
    }
    match options.interface.as_ref() {
        Some(interface) => send_through(socket, ipv6, interface)
            .map_err(|error| told(error, "the network interface cannot be used")),
        None => Ok(()),
    }
}

/// The address of a group is none to bind here: what was joined comes to any address.
fn bind(socket: &UdpSocket, options: &DatagramOptions) -> io::Result<SocketAddr> {
    let mut local = options.local;
    if local.ip().is_multicast() {
        local.set_ip(socket::any_like(&local).ip());
    }
    match socket::bind_to(socket, &local) {
        Ok(()) => socket.local_addr(),
        // What the system says of an address that somebody else does not want to share.
        Err(error) if options.shared && error.raw_os_error() == Some(WSAEACCES) => {
            Err(io::Error::new(io::ErrorKind::AddrInUse, error))
        }
        Err(error) => Err(error),
    }
}

/// Where datagrams to groups leave.
fn send_through(socket: &UdpSocket, ipv6: bool, interface: &Interface) -> io::Result<()> {
    match (interface, ipv6) {
        (Interface::Address(address), false) => {
            set_option(socket, IPPROTO_IP, IP_MULTICAST_IF, u32::from_ne_bytes(address.octets()))
        }
        (Interface::Name(name), true) => set_option(socket, IPPROTO_IPV6, IPV6_MULTICAST_IF, index_of(name)?),
        _ => Err(wrong_family()),
    }
}

fn join(socket: &UdpSocket, group: IpAddr, interface: Option<&Interface>) -> io::Result<()> {
    match (group, interface) {
        (IpAddr::V4(group), None) => socket.join_multicast_v4(&group, &Ipv4Addr::UNSPECIFIED),
        (IpAddr::V4(group), Some(Interface::Address(address))) => socket.join_multicast_v4(&group, address),
        (IpAddr::V6(group), None) => join_v6(socket, &group, 0),
        (IpAddr::V6(group), Some(Interface::Name(name))) => join_v6(socket, &group, index_of(name)?),
        _ => Err(wrong_family()),
    }
}

fn join_v6(socket: &UdpSocket, group: &Ipv6Addr, index: u32) -> io::Result<()> {
    socket.join_multicast_v6(group, index)
}

/// Most tools here tell an interface's number, few its name.
fn index_of(name: &str) -> io::Result<u32> {
    if let Ok(index) = name.parse() {
        return Ok(index);
    }
    let in_c = CString::new(name)?;
    // SAFETY: the text ends with a zero octet and outlives the call.
    match unsafe { if_nametoindex(in_c.as_ptr().cast()) } {
        0 => {
            let message = format!(
                "this machine has no network interface {name}; `netsh int ipv6 show int` tells their numbers"
            );
            Err(io::Error::new(io::ErrorKind::NotFound, message))
        }
        index => Ok(index),
    }
}

/// Reads the next datagram, if there is one.
pub(super) fn read(socket: &UdpSocket, into: &mut [u8]) -> io::Result<Read> {
    // A datagram may be empty: what is in front of it tells it from nothing.
    let Some((address, room)) = into.split_first_chunk_mut::<ADDRESS_BYTES>() else {
        return Ok(Read::Bytes(0));
    };
    loop {
        match socket.recv_from(room) {
            Ok((count, from)) => {
                write_address(canonical(from), address);
                return Ok(Read::Bytes(ADDRESS_BYTES + count));
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(Read::WouldBlock),
            Err(error) if is_about_a_datagram(&error) => {}
            Err(error) => return Err(error),
        }
    }
}

/// Sends what the system has room for. What it refuses for another reason is lost.
pub(super) fn write(socket: &UdpSocket, ipv6: bool, batch: &mut Batch, refused: &Refused) -> Taken {
    loop {
        let Some(next) = batch.pending().next() else { return Taken::All };
        let len = next.len();
        match split_address(next).map(|(to, datagram)| socket.send_to(datagram, in_family(to, ipv6))) {
            Some(Ok(_)) => {}
            Some(Err(error)) if error.kind() == io::ErrorKind::WouldBlock || is_out_of_memory(&error) => {
                return Taken::Part;
            }
            Some(Err(_)) | None => refused.note(),
        }
        batch.advance(len);
    }
}

/// Registered.
#[derive(Debug)]
pub(crate) enum Datagrams {
    Iocp(iocp::Datagrams),
    Polled(polling::Datagrams),
}

impl Datagrams {
    pub(crate) fn key(&self) -> Key {
        match self {
            Datagrams::Iocp(socket) => socket.key(),
            Datagrams::Polled(socket) => socket.key(),
        }
    }

    pub(crate) fn read(&self, into: &mut [u8]) -> io::Result<Read> {
        match self {
            Datagrams::Iocp(socket) => socket.read(into),
            Datagrams::Polled(socket) => socket.read(into),
        }
    }

    pub(crate) fn write(&self, batch: Batch) -> Written {
        match self {
            Datagrams::Iocp(socket) => socket.write(batch),
            Datagrams::Polled(socket) => socket.write(batch),
        }
    }

    pub(crate) fn reports_writable(&self) -> bool {
        matches!(self, Datagrams::Polled(_))
    }

    pub(crate) fn rearm(&self, interest: Interest) {
        match self {
            Datagrams::Iocp(socket) => socket.rearm(interest),
            Datagrams::Polled(socket) => socket.rearm(interest),
        }
    }

    pub(crate) fn take_refused(&self) -> u64 {
        match self {
            Datagrams::Iocp(socket) => socket.take_refused(),
            Datagrams::Polled(socket) => socket.take_refused(),
        }
    }

    pub(crate) fn close(&self) {
        match self {
            Datagrams::Iocp(socket) => socket.close(),
            Datagrams::Polled(socket) => socket.close(),
        }
    }
}
