use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

/// Whom a listener lets in; see [`Options::accept_filters`](super::Options::accept_filters).
///
/// ```
/// use serverlink::AcceptFilter;
///
/// let office: AcceptFilter = "192.168.0.0/16".parse()?;
/// assert_eq!(office.to_string(), "192.168.0.0/16");
/// assert!("192.168.0.0/33".parse::<AcceptFilter>().is_err());
/// # Ok::<(), serverlink::BadAcceptFilter>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AcceptFilter {
    /// Over tcp: peers whose address begins with the first `prefix` bits of `address`.
    Network {
        /// Any address of the network.
        address: IpAddr,
        /// How many bits count: up to 32 for IPv4, up to 128 for IPv6.
        prefix: u8,
    },
    /// Over ipc: processes of this user.
    User(u32),
    /// Over ipc: processes whose user belongs to this group.
    Group(u32),
    /// Over ipc: this process.
    Process(u32),
}

/// A text that is no network.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "'{text}' is no network to accept from: write an address, or an address and the bits that count, such as 192.168.0.0/16"
)]
pub struct BadAcceptFilter {
    text: String,
}

impl AcceptFilter {
    /// A network, if the address has so many bits.
    pub fn network(address: IpAddr, prefix: u8) -> Option<AcceptFilter> {
        (prefix <= bits(address)).then_some(AcceptFilter::Network { address, prefix })
    }

    /// Whether a peer at `peer` is in the network. An IPv4 peer of an IPv6 listener counts as IPv4. False for filters of ipc.
    pub fn matches_address(&self, peer: IpAddr) -> bool {
        let AcceptFilter::Network { address, prefix } = *self else { return false };
        let differing_bits = match (address.to_canonical(), peer.to_canonical()) {
            (IpAddr::V4(address), IpAddr::V4(peer)) => {
                (address.to_bits() ^ peer.to_bits()).leading_zeros() as u8
            }
            (IpAddr::V6(address), IpAddr::V6(peer)) => {
                (address.to_bits() ^ peer.to_bits()).leading_zeros() as u8
            }
            _ => return false,
        };
        differing_bits >= prefix
    }
}

fn bits(address: IpAddr) -> u8 {
    if address.is_ipv4() { 32 } else { 128 }
}

/// A network, as `address` or `address/prefix`.
impl FromStr for AcceptFilter {
    type Err = BadAcceptFilter;

    fn from_str(text: &str) -> Result<AcceptFilter, BadAcceptFilter> {
        let bad = || BadAcceptFilter { text: text.to_owned() };
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix.parse().map_err(|_| bad())?)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| bad())?;
        AcceptFilter::network(address, prefix.unwrap_or(bits(address))).ok_or_else(bad)
    }
}

impl fmt::Display for AcceptFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            AcceptFilter::Network { address, prefix } => write!(f, "{address}/{prefix}"),
            AcceptFilter::User(id) => write!(f, "user {id}"),
            AcceptFilter::Group(id) => write!(f, "group {id}"),
            AcceptFilter::Process(id) => write!(f, "process {id}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fits(network: &str, peer: &str) -> bool {
        network.parse::<AcceptFilter>().unwrap().matches_address(peer.parse().unwrap())
    }

    #[test]
    fn a_network_is_the_bits_that_count() {
        assert!(fits("192.168.0.0/16", "192.168.255.1"));
        assert!(!fits("192.168.0.0/16", "192.169.0.1"));
        assert!(fits("10.1.2.3", "10.1.2.3") && !fits("10.1.2.3", "10.1.2.2"));
        assert!(fits("0.0.0.0/0", "1.2.3.4") && !fits("0.0.0.0/0", "::1"));
        assert!(fits("fe80::/10", "fe80::1") && !fits("fe80::/10", "ff80::1"));
        assert!(fits("::/0", "::1"));
        assert!(fits("127.0.0.0/8", "::ffff:127.0.0.1"), "an IPv4 peer of an IPv6 listener");
    }
}
