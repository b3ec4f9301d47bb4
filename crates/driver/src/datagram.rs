//! Datagrams: a source whose reads and writes have borders.
//!
//! A socket for datagrams is registered and used as a [`Stream`](crate::Stream), with these differences:
//!
//! - Each read brings one datagram, behind [`ADDRESS_BYTES`] octets with the address it came from. What does not fit into the buffer is lost, so give it
//!   [`MAX_READ_BYTES`]. There is no end, and [`is_drained_by`](crate::Stream::is_drained_by) knows nothing.
//! - Each buffer of a [`Batch`](crate::Batch) is one datagram, behind as many octets with the address it goes to. They are taken whole, one system call
//!   each. What the system refuses for any other reason than being full (no way to that network, too long for it) is lost, as it may be anywhere on its way,
//!   and counted: [`Writer::take_refused`](crate::Writer::take_refused).
//! - It is never connected. There is no half of a close, and nothing of it lingers.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6};
use std::sync::atomic::{AtomicU64, Ordering};

/// Octets of an address in front of a datagram: the version of IP, the port, the address, and of IPv6 the scope.
pub const ADDRESS_BYTES: usize = 24;

/// Room for any datagram and the address in front of it.
pub const MAX_READ_BYTES: usize = ADDRESS_BYTES + 65_535;

/// Which datagrams a socket receives, and how its own are sent. `None` leaves the system's setting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DatagramOptions {
    /// The address of this machine to receive on, and to send from. Port 0: the system chooses. With a group it is the group's own address, so that nothing
    /// else comes to it; Windows knows no such thing, and what is sent to that port of this machine comes too.
    pub local: SocketAddr,
    /// Groups of IP multicast: the one to join.
    pub group: Option<IpAddr>,
    /// The network interface for datagrams of groups, in both directions. `None`: the system chooses.
    pub interface: Option<Interface>,
    /// Whether others on this machine may receive on the same address, as those who join the same group do (`SO_REUSEADDR`, and `SO_REUSEPORT` beside it
    /// where there is one). Each of them gets every datagram of the group. Otherwise nobody may (`SO_EXCLUSIVEADDRUSE` on Windows).
    pub shared: bool,
    /// How many routers datagrams to a group may pass (`IP_MULTICAST_TTL`, `IPV6_MULTICAST_HOPS`). 0 to 255; 0 stays on this machine.
    pub hops: Option<u8>,
    /// Whether datagrams to a group also reach this machine (`IP_MULTICAST_LOOP`, `IPV6_MULTICAST_LOOP`). Those that this socket sends; on Windows those
    /// that it receives.
    pub loops_back: Option<bool>,
    /// Kernel send buffer in bytes (`SO_SNDBUF`).
    pub send_buffer: Option<usize>,
    /// Kernel receive buffer in bytes (`SO_RCVBUF`): what comes while it is full is lost.
    pub receive_buffer: Option<usize>,
    /// The type-of-service octet of the packets (`IP_TOS`, `IPV6_TCLASS`). Not on Windows.
    pub type_of_service: Option<u8>,
    /// The one network device to use (`SO_BINDTODEVICE`). Linux; may need a privilege.
    pub device: Option<String>,
}

/// A network interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Interface {
    /// The one that has this address. For groups of IPv4.
    Address(Ipv4Addr),
    /// The one of this name, or on Windows of this number. For groups of IPv6, which cannot be joined by address.
    Name(String),
}

impl DatagramOptions {
    /// Receives on this address, with the system's settings for everything else.
    pub fn on(local: SocketAddr) -> DatagramOptions {
        DatagramOptions {
            local,
            group: None,
            interface: None,
            shared: false,
            hops: None,
            loops_back: None,
            send_buffer: None,
            receive_buffer: None,
            type_of_service: None,
            device: None,
        }
    }
}

/// Appends an address, as it stands in front of a datagram.
pub fn put_address(address: SocketAddr, out: &mut Vec<u8>) {
    let mut octets = [0; ADDRESS_BYTES];
    write_address(address, &mut octets);
    out.extend_from_slice(&octets);
}

/// Takes the address off that stands in front of a datagram. `None`: there is none.
pub fn split_address(octets: &[u8]) -> Option<(SocketAddr, &[u8])> {
    let (address, datagram) = octets.split_first_chunk::<ADDRESS_BYTES>()?;
    Some((read_address(address)?, datagram))
}

pub(crate) fn write_address(address: SocketAddr, octets: &mut [u8; ADDRESS_BYTES]) {
    *octets = [0; ADDRESS_BYTES];
    octets[2..4].copy_from_slice(&address.port().to_be_bytes());
    match address {
        SocketAddr::V4(v4) => {
            octets[0] = 4;
            octets[4..8].copy_from_slice(&v4.ip().octets());
        }
        SocketAddr::V6(v6) => {
            octets[0] = 6;
            octets[4..20].copy_from_slice(&v6.ip().octets());
            octets[20..].copy_from_slice(&v6.scope_id().to_be_bytes());
        }
    }
}

fn read_address(octets: &[u8; ADDRESS_BYTES]) -> Option<SocketAddr> {
    let port = u16::from_be_bytes([octets[2], octets[3]]);
    match octets[0] {
        4 => {
            let ip: [u8; 4] = octets[4..8].try_into().expect("four octets");
            Some(SocketAddr::new(Ipv4Addr::from(ip).into(), port))
        }
        6 => {
            let ip: [u8; 16] = octets[4..20].try_into().expect("sixteen octets");
            let scope = u32::from_be_bytes(octets[20..].try_into().expect("four octets"));
            Some(SocketAddrV6::new(Ipv6Addr::from(ip), port, 0, scope).into())
        }
        _ => None,
    }
}

/// Of an address of IPv4 in the form of IPv6: the former.
pub(crate) fn canonical(address: SocketAddr) -> SocketAddr {
    match address {
        SocketAddr::V6(v6) if v6.ip().to_ipv4_mapped().is_some() => {
            SocketAddr::new(address.ip().to_canonical(), address.port())
        }
        _ => address,
    }
}

/// For a socket of IPv6, which may be for both families: then addresses of IPv4 have the form of IPv6 for the system, and for nobody else.
pub(crate) fn in_family(to: SocketAddr, ipv6: bool) -> SocketAddr {
    match to.ip() {
        IpAddr::V4(ip) if ipv6 => SocketAddr::new(ip.to_ipv6_mapped().into(), to.port()),
        _ => to,
    }
}

pub(crate) fn wrong_family() -> io::Error {
    let why = "a group of IPv4 needs an interface with an IPv4 address, one of IPv6 the interface's name";
    io::Error::new(io::ErrorKind::InvalidInput, why)
}

pub(crate) fn told(error: io::Error, what: &str) -> io::Error {
    io::Error::new(error.kind(), format!("{what}: {error}"))
}

/// What the system refused since it was last asked about.
#[derive(Debug, Default)]
pub(crate) struct Refused(AtomicU64);

impl Refused {
    pub(crate) fn note(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn take(&self) -> u64 {
        match self.0.load(Ordering::Relaxed) {
            0 => 0,
            _ => self.0.swap(0, Ordering::Relaxed),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_come_back() {
        for text in ["127.0.0.1:1", "255.255.255.255:65535", "[::1]:0", "[fe80::1%7]:5555"] {
            let address: SocketAddr = text.parse().expect("an address");
            let mut octets = Vec::new();
            put_address(address, &mut octets);
            assert_eq!(octets.len(), ADDRESS_BYTES);
            octets.extend_from_slice(b"body");
            assert_eq!(split_address(&octets), Some((address, &b"body"[..])));
        }
        assert_eq!(split_address(&[4; ADDRESS_BYTES - 1]), None, "too short");
        assert_eq!(split_address(&[0; ADDRESS_BYTES]), None, "no version");
    }
}
