//! What a proxy can say instead of connecting.

use thiserror::Error;

/// Why a proxy did not connect us.
///
/// Every one of them is final for its connection: close it. The sentences go on from "the SOCKS5 proxy did not connect", and say what to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Error)]
#[non_exhaustive]
pub enum SocksFailure {
    /// Another protocol is spoken there: SOCKS5 begins with 5.
    #[error("it answered {0:#04x} where SOCKS5 has 0x05; something else listens there, or a proxy of SOCKS4")]
    NotSocks5(u8),
    /// It takes none of the methods that were offered, of which a user name and a password are one where there is a user name (RFC 1928, 0xFF).
    #[error(
        "it takes none of the ways to introduce oneself that were offered; it may want a user name and a password"
    )]
    NoMethod,
    /// It chose a method that was not offered: 2, the user name and the password, without them; or one that this library does not have.
    #[error(
        "it wants method {0} to introduce oneself, which was not offered; 2 is a user name and a password"
    )]
    UnknownMethod(u8),
    /// It does not accept the user name or the password (RFC 1929). The number is its own, and not zero.
    #[error("it does not accept the user name and the password (status {0}); correct them")]
    CredentialsRefused(u8),
    /// It understood what was wanted, and said no.
    #[error("{0}")]
    Refused(SocksRefusal),
    /// Its reply has an address of no known type, so nobody knows where the reply ends.
    #[error("its reply has an address of the unknown type {0}; it is no proxy that can be used")]
    UnknownAddressType(u8),
    /// It closed the connection before it had said yes or no.
    #[error("it closed the connection before it had an answer; look at what it logged")]
    Closed,
}

/// The replies of a proxy that did not connect (RFC 1928, section 6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Error)]
#[non_exhaustive]
pub enum SocksRefusal {
    /// 1: it failed, and does not say why.
    #[error("it failed and does not say why (reply 1); look at what it logged")]
    General,
    /// 2: its rules do not allow it.
    #[error("its rules do not allow it (reply 2); have them changed, or use another proxy")]
    NotAllowed,
    /// 3: it has no way to that network.
    #[error("it has no way to that network (reply 3); check the address, and the network of the proxy")]
    NetworkUnreachable,
    /// 4: it has no way to that host, or does not know the name.
    #[error("it cannot reach that host, or does not know its name (reply 4); check it, as the proxy sees it")]
    HostUnreachable,
    /// 5: nobody listens there.
    #[error("nobody listens there (reply 5); start the peer, or check its port")]
    ConnectionRefused,
    /// 6: it tried, and nobody answered in time.
    #[error("nobody answered it in time (reply 6, TTL expired); check whether the peer is up")]
    TtlExpired,
    /// 7: it does not connect at all.
    #[error("it does not make connections (reply 7, command not supported); use another proxy")]
    CommandNotSupported,
    /// 8: it does not take this kind of address: IPv4, IPv6, or a name.
    #[error(
        "it does not take this kind of address (reply 8); write a name, or an address of the other family"
    )]
    AddressTypeNotSupported,
    /// A number that RFC 1928 has not given away.
    #[error("it refused for a reason that SOCKS5 does not know (reply {0}); look at what it logged")]
    Unassigned(u8),
}

impl SocksRefusal {
    /// The number on the wire.
    pub fn code(self) -> u8 {
        match self {
            SocksRefusal::General => 1,
            SocksRefusal::NotAllowed => 2,
            SocksRefusal::NetworkUnreachable => 3,
            SocksRefusal::HostUnreachable => 4,
            SocksRefusal::ConnectionRefused => 5,
            SocksRefusal::TtlExpired => 6,
            SocksRefusal::CommandNotSupported => 7,
            SocksRefusal::AddressTypeNotSupported => 8,
            SocksRefusal::Unassigned(code) => code,
        }
    }

    /// `None` for 0, which is a yes.
    pub(super) fn from_code(code: u8) -> Option<SocksRefusal> {
        Some(match code {
            0 => return None,
            1 => SocksRefusal::General,
            2 => SocksRefusal::NotAllowed,
            3 => SocksRefusal::NetworkUnreachable,
            4 => SocksRefusal::HostUnreachable,
            5 => SocksRefusal::ConnectionRefused,
            6 => SocksRefusal::TtlExpired,
            7 => SocksRefusal::CommandNotSupported,
            8 => SocksRefusal::AddressTypeNotSupported,
            other => SocksRefusal::Unassigned(other),
        })
    }
}
