//! Messages as datagrams, each behind the address that it goes to.

use std::net::SocketAddr;

use serverlink_driver::Buffer;
use serverlink_driver::datagram::{ADDRESS_BYTES, put_address};
use serverlink_zmtp::datagram;

use super::Segment;
use crate::sync::later::drop_later;

/// Where datagrams go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    /// RADIO: all of them there, with their group.
    Fixed(SocketAddr),
    /// DGRAM: each where its first part says.
    Named,
}

impl Segment {
    /// The same messages. Each is copied into one piece, as it goes out.
    pub(super) fn into_datagrams(self, target: Target) -> Segment {
        let mut frames = Vec::with_capacity(self.bytes());
        for buffer in self.chain {
            frames.extend_from_slice(buffer.as_bytes());
            if let shared @ Buffer::Shared(_) = buffer {
                drop_later(shared);
            }
        }
        frames.extend_from_slice(&self.arena);
        let mut datagrams = Segment { messages: self.messages, kept: self.kept, ..Segment::default() };
        datagram::for_each_outgoing(&frames, |first, body| {
            let one = target.datagram(first, body);
            datagrams.chain_bytes += one.len();
            datagrams.chain.push(Buffer::Owned(one));
        });
        datagrams
    }
}

impl Target {
    fn datagram(self, first: &[u8], body: &[u8]) -> Vec<u8> {
        let mut out = Vec::with_capacity(ADDRESS_BYTES + datagram::len_of(first, body));
        match self {
            Target::Fixed(to) => {
                put_address(to, &mut out);
                datagram::put(first, body, &mut out);
            }
            Target::Named => {
                put_address(
                    parse_address(first).expect("addresses are looked at when they are sent"),
                    &mut out,
                );
                out.extend_from_slice(body);
            }
        }
        out
    }
}

/// What stands in front of a DGRAM's messages: `10.0.0.7:5555`, or `[::1]:5555`. As libzmq writes it, it may end with a zero octet.
pub(crate) fn parse_address(octets: &[u8]) -> Option<SocketAddr> {
    let text = octets.strip_suffix(b"\0").unwrap_or(octets);
    let address: SocketAddr = std::str::from_utf8(text).ok()?.parse().ok()?;
    (address.port() != 0).then_some(address)
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_numbers_with_a_port() {
        for (text, expected) in [
            (&b"127.0.0.1:5555"[..], "127.0.0.1:5555"),
            (b"127.0.0.1:5555\0", "127.0.0.1:5555"),
            (b"[::1]:1", "[::1]:1"),
        ] {
            assert_eq!(parse_address(text).map(|address| address.to_string()).as_deref(), Some(expected));
        }
        for text in [
            &b""[..],
            b"127.0.0.1",
            b"127.0.0.1:0",
            b"127.0.0.1:65536",
            b"localhost:1",
            b"::1:1",
            b"127.0.0.1:1\0\0",
            b"\xff",
        ] {
            assert_eq!(parse_address(text), None, "{text:?}");
        }
    }
}
