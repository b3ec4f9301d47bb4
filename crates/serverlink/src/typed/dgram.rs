use std::net::{Ipv4Addr, SocketAddr};

use serverlink_zmtp::datagram::MAX_DATAGRAM_LEN;

use super::addressed::{addressed, tells_address};
use super::methods::{receives, receives_batches, sends, sends_batches, typed_socket};
use crate::Part;
use crate::pipe::outbox::datagrams::parse_address;

typed_socket! {
    /// Datagrams of udp, from and to any address: no ZMTP, no connections, no promise that one arrives, only once or in order. It binds one endpoint of
    /// `udp://`, and nothing else; port `*` if it only asks. Where it is bound to a group of multicast it receives what goes to the group.
    ///
    /// A datagram that finds [`recv_hwm`](crate::Options::recv_hwm) reached is dropped and counted. Sending waits while the system has no room. libzmq
    /// has it as a draft, for IPv4 and datagrams of 8 KiB.
    ///
    /// [`send`](Self::send) and [`recv`](Self::recv) have the address in front of the body, as a part of text: `10.0.0.7:5555`, `[::1]:5555`. To a name
    /// nothing can be sent.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use serverlink::{Context, Endpoint, Port};
    ///
    /// let ctx = Context::new()?;
    /// let server = ctx.dgram().open()?;
    /// let Endpoint::Udp { port: Port::Number(port), .. } = server.bind("udp://127.0.0.1:*")? else { unreachable!() };
    /// let client = ctx.dgram().open()?;
    /// client.bind("udp://127.0.0.1:*")?;
    ///
    /// client.send_to(([127, 0, 0, 1], port).into(), "ping")?;
    /// let (from, question) = server.recv_from()?;
    /// assert_eq!(question.first(), "ping");
    /// server.send_to(from, "pong")?;
    /// assert_eq!(client.recv_from()?.1.first(), "pong");
    /// # Ok(())
    /// # }
    /// ```
    Dgram is Dgram
}
sends!(
    Dgram,
    "Its first part is the address, its second the body. Waits while it is not bound and while the system has no room. Fails with [`TooLarge`](crate::Error::TooLarge) for more than 65,507 bytes, and with [`UnsuitableMessage`](crate::Error::UnsuitableMessage) for anything but an address and one part."
);
sends_batches!(Dgram);
receives!(Dgram);
receives_batches!(Dgram);
addressed!(Dgram, to: SocketAddr => to.to_string(), "this address");
tells_address!(Dgram, SocketAddr => address_of, "the address that it came from");

/// What can be sent.
impl Dgram {
    /// Octets of the longest body: what a datagram of udp over IPv4 carries.
    pub const MAX_BYTES: usize = MAX_DATAGRAM_LEN;

    /// Whether a message can begin with this: an address and a port other than 0, as text, `10.0.0.7:5555` or `[::1]:5555`. As libzmq writes it, it may end
    /// with a zero octet.
    ///
    /// ```
    /// use serverlink::Dgram;
    ///
    /// assert!(Dgram::is_address(b"10.0.0.7:5555"));
    /// assert!(!Dgram::is_address(b"localhost:5555"), "names are not resolved");
    /// ```
    pub fn is_address(text: &[u8]) -> bool {
        parse_address(text).is_some()
    }
}

/// The library always puts one there.
fn address_of(part: Part) -> SocketAddr {
    let text = std::str::from_utf8(&part).ok();
    text.and_then(|text| text.parse().ok()).unwrap_or_else(|| (Ipv4Addr::UNSPECIFIED, 0).into())
}
