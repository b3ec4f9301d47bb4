//! A socket for datagrams, before and after its registration.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::io::Errno;
use rustix::net::{RecvFlags, SendFlags, SocketType, sockopt};

use super::registry::Registry;
use super::socket;
use super::tcp_options;
use crate::datagram::{
    ADDRESS_BYTES, Refused, canonical, in_family, split_address, told, write_address, wrong_family,
};
use crate::options::refused;
use crate::{Batch, DatagramOptions, Interest, Interface, Key, Read, Written};

/// Bound, and without a driver.
#[derive(Debug)]
pub(crate) struct OsDatagrams {
    fd: OwnedFd,
    ipv6: bool,
}

impl OsDatagrams {
    /// Gives where it is bound as well, with the port that the system chose.
    pub(crate) fn open(options: &DatagramOptions) -> io::Result<(OsDatagrams, SocketAddr)> {
        let fd = socket::create_of(socket::family_of(options.local), SocketType::DGRAM)?;
        prepare(&fd, options)?;
        rustix::net::bind(&fd, &options.local)?;
        if let Some(group) = options.group {
            join(&fd, group, options.interface.as_ref())
                .map_err(|error| told(error, &format!("the group {group} cannot be joined")))?;
        }
        let local = rustix::net::getsockname(&fd)?;
        let local = SocketAddr::try_from(local).expect("a bound udp socket has an address");
        Ok((OsDatagrams { fd, ipv6: local.is_ipv6() }, local))
    }
}

fn prepare(fd: &OwnedFd, options: &DatagramOptions) -> io::Result<()> {
    let ipv6 = options.local.is_ipv6();
    if let Some(bytes) = options.send_buffer {
        sockopt::set_socket_send_buffer_size(fd, bytes)?;
    }
    if let Some(bytes) = options.receive_buffer {
        sockopt::set_socket_recv_buffer_size(fd, bytes)?;
    }
    if let Some(octet) = options.type_of_service {
        tcp_options::set_type_of_service(fd, ipv6, octet)
            .map_err(|error| refused("type_of_service", error))?;
    }
    if let Some(device) = &options.device {
        tcp_options::bind_to_device(fd, device)?;
    }
    if options.shared {
        sockopt::set_socket_reuseaddr(fd, true)?;
        share_port(fd)?;
    }
    if let Some(hops) = options.hops {
        match ipv6 {
            true => sockopt::set_ipv6_multicast_hops(fd, hops.into()),
            false => sockopt::set_ip_multicast_ttl(fd, hops.into()),
        }
        .map_err(|error| refused("multicast_hops", error))?;
    }
    if let Some(loops_back) = options.loops_back {
        match ipv6 {
            true => sockopt::set_ipv6_multicast_loop(fd, loops_back),
            false => sockopt::set_ip_multicast_loop(fd, loops_back),
        }
        .map_err(|error| refused("multicast_loop", error))?;
    }
    match options.interface.as_ref() {
        Some(interface) => send_through(fd, ipv6, interface)
            .map_err(|error| told(error, "the network interface cannot be used")),
        None => Ok(()),
    }
}

/// The BSDs want this one as well.
#[cfg(not(any(target_os = "solaris", target_os = "illumos")))]
fn share_port(fd: &OwnedFd) -> io::Result<()> {
    Ok(sockopt::set_socket_reuseport(fd, true)?)
}

#[cfg(any(target_os = "solaris", target_os = "illumos"))]
fn share_port(_fd: &OwnedFd) -> io::Result<()> {
    Ok(())
}

/// Where datagrams to groups leave.
fn send_through(fd: &OwnedFd, ipv6: bool, interface: &Interface) -> io::Result<()> {
    match (interface, ipv6) {
        (Interface::Address(address), false) => Ok(sockopt::set_ip_multicast_if(fd, address)?),
        (Interface::Name(name), true) => Ok(sockopt::set_ipv6_multicast_if(fd, index_of(name)?)?),
        _ => Err(wrong_family()),
    }
}

fn join(fd: &OwnedFd, group: IpAddr, interface: Option<&Interface>) -> io::Result<()> {
    match (group, interface) {
        (IpAddr::V4(group), None) => Ok(sockopt::set_ip_add_membership(fd, &group, &Ipv4Addr::UNSPECIFIED)?),
        (IpAddr::V4(group), Some(Interface::Address(address))) => {
            Ok(sockopt::set_ip_add_membership(fd, &group, address)?)
        }
        (IpAddr::V6(group), None) => join_v6(fd, &group, 0),
        (IpAddr::V6(group), Some(Interface::Name(name))) => join_v6(fd, &group, index_of(name)?),
        _ => Err(wrong_family()),
    }
}

fn join_v6(fd: &OwnedFd, group: &Ipv6Addr, index: u32) -> io::Result<()> {
    Ok(sockopt::set_ipv6_add_membership(fd, group, index)?)
}

fn index_of(name: &str) -> io::Result<u32> {
    Ok(nix::net::if_::if_nametoindex(name)?)
}

/// Registered.
#[derive(Debug)]
pub(crate) struct Datagrams {
    key: Key,
    fd: OwnedFd,
    ipv6: bool,
    registry: Arc<Registry>,
    /// The last write was cut short: only then is `Writable` worth an event.
    wants_write: Arc<AtomicBool>,
    /// The selector is asked for it.
    selects_write: AtomicBool,
    refused: Refused,
    closed: AtomicBool,
}

impl Datagrams {
    pub(super) fn adopt(
        registry: &Arc<Registry>,
        socket: OsDatagrams,
    ) -> Result<Arc<Datagrams>, (OsDatagrams, io::Error)> {
        let wants_write = Arc::new(AtomicBool::new(false));
        match registry.add_datagrams(&socket.fd, &wants_write) {
            Ok(key) => Ok(Arc::new(Datagrams {
                key,
                fd: socket.fd,
                ipv6: socket.ipv6,
                registry: Arc::clone(registry),
                wants_write,
                selects_write: AtomicBool::new(false),
                refused: Refused::default(),
                closed: AtomicBool::new(false),
            })),
            Err(error) => Err((socket, error)),
        }
    }

    pub(crate) fn key(&self) -> Key {
        self.key
    }

    pub(crate) fn read(&self, into: &mut [u8]) -> io::Result<Read> {
        if self.closed.load(Ordering::Relaxed) {
            return Err(Errno::NOTCONN.into());
        }
        // A datagram may be empty: what is in front of it tells it from nothing.
        let Some((address, room)) = into.split_first_chunk_mut::<ADDRESS_BYTES>() else {
            return Ok(Read::Bytes(0));
        };
        loop {
            match rustix::net::recvfrom(&self.fd, &mut *room, RecvFlags::empty()) {
                Ok((count, _, from)) => {
                    // Without a name nobody could be answered; no system lets that happen.
                    let Some(from) = from.and_then(|from| SocketAddr::try_from(from).ok()) else { continue };
                    write_address(canonical(from), address);
                    return Ok(Read::Bytes(ADDRESS_BYTES + count));
                }
                Err(Errno::AGAIN) => return Ok(Read::WouldBlock),
                // Some systems tell here what became of a datagram that was sent. It says nothing of those that come.
                Err(
                    Errno::INTR
                    | Errno::CONNREFUSED
                    | Errno::CONNRESET
                    | Errno::HOSTUNREACH
                    | Errno::HOSTDOWN
                    | Errno::NETUNREACH
                    | Errno::NETDOWN
                    | Errno::MSGSIZE,
                ) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    pub(crate) fn write(&self, mut batch: Batch) -> Written {
        if self.closed.load(Ordering::Relaxed) {
            return Written::Failed(batch, Errno::NOTCONN.into());
        }
        if self.selects_write.swap(false, Ordering::SeqCst) {
            self.wants_write.store(false, Ordering::SeqCst);
            self.select(false);
        }
        loop {
            let Some(next) = batch.pending().next() else { return Written::Done(batch) };
            let len = next.len();
            let sent = match split_address(next) {
                Some((to, datagram)) => {
                    rustix::net::sendto(&self.fd, datagram, SEND_FLAGS, &in_family(to, self.ipv6))
                }
                None => Err(Errno::DESTADDRREQ),
            };
            match sent {
                Ok(_) => {}
                Err(Errno::INTR) => continue,
                Err(Errno::AGAIN) => return Written::Blocked(batch),
                Err(_) => self.refused.note(),
            }
            batch.advance(len);
        }
    }

    pub(crate) fn reports_writable(&self) -> bool {
        true
    }

    /// Each datagram that is sent would be an edge, and wake whoever waits, if the selector were asked for this all the time.
    pub(crate) fn rearm(&self, interest: Interest) {
        if interest == Interest::Writable && !self.closed.load(Ordering::Relaxed) {
            self.wants_write.store(true, Ordering::SeqCst);
            self.selects_write.store(true, Ordering::SeqCst);
            self.select(true);
        }
    }

    fn select(&self, writable: bool) {
        // It fails where the descriptor is not registered any more, and then nobody waits for it.
        let _ = self.registry.selector.set_interest(&self.fd, self.key, writable);
    }

    pub(crate) fn take_refused(&self) -> u64 {
        self.refused.take()
    }

    pub(crate) fn close(&self) {
        if self.closed.swap(true, Ordering::SeqCst) || self.registry.is_left_behind() {
            return;
        }
        self.registry.forget(self.key);
        // Writers may keep the descriptor open for a while. It fails where it is gone already.
        let _ = self.registry.selector.remove(&self.fd);
    }
}

impl Drop for Datagrams {
    fn drop(&mut self) {
        self.close();
    }
}

#[cfg(not(target_vendor = "apple"))]
const SEND_FLAGS: SendFlags = SendFlags::NOSIGNAL;
/// There the socket itself is told to raise no signal.
#[cfg(target_vendor = "apple")]
const SEND_FLAGS: SendFlags = SendFlags::empty();
