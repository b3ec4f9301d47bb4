use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use serverlink_driver::{Credentials, is_member};

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
    /// Over ipc: processes whose effective group this is, or whose user is one of its members in the system's user database, which may
    /// have to be asked over the network: name few groups. The supplementary groups of the process itself are not looked at. libzmq does the same.
    Group(u32),
    /// Over ipc: this process. For Linux, macOS and Windows; elsewhere nobody fits. On Windows the system tells nothing but this.
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

/// Somebody who came to a listener.
pub(crate) enum Newcomer {
    Tcp(IpAddr),
    Ipc(Credentials),
}

impl Newcomer {
    /// Whether one of the filters for its transport fits, or there is none.
    pub(crate) fn is_let_in(&self, filters: &[AcceptFilter]) -> bool {
        let mut any = false;
        let mut fits = filters.iter().filter(|filter| self.is_meant(filter)).map(|filter| {
            any = true;
            self.fits(filter)
        });
        fits.any(|fits| fits) || !any
    }

    fn is_meant(&self, filter: &AcceptFilter) -> bool {
        matches!(filter, AcceptFilter::Network { .. }) == matches!(self, Newcomer::Tcp(_))
    }

    fn fits(&self, filter: &AcceptFilter) -> bool {
        match (self, filter) {
            (Newcomer::Tcp(peer), filter) => filter.matches_address(*peer),
            (Newcomer::Ipc(peer), AcceptFilter::User(id)) => peer.user == Some(*id),
            (Newcomer::Ipc(peer), AcceptFilter::Process(id)) => peer.process == Some(*id),
            (Newcomer::Ipc(peer), AcceptFilter::Group(id)) => {
                peer.group == Some(*id) || peer.user.is_some_and(|user| is_member(user, *id))
            }
            (Newcomer::Ipc(_), AcceptFilter::Network { .. }) => false,
        }
    }
}

/// Who came, and that nobody wanted him.
impl fmt::Display for Newcomer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let known = |id: Option<u32>| id.map_or_else(|| "unknown".to_owned(), |id| id.to_string());
        match self {
            Newcomer::Tcp(peer) => write!(f, "no accept filter lets {peer} in"),
            Newcomer::Ipc(Credentials { process, user, group }) => {
                let (process, user, group) = (known(*process), known(*user), known(*group));
                write!(f, "no accept filter lets process {process} of user {user} and group {group} in")
            }
        }
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
    fn filters_are_for_their_transport_alone() {
        let own = Credentials { process: Some(7), user: Some(u32::MAX - 1), group: Some(100) };
        let let_in = |filters: &[AcceptFilter]| Newcomer::Ipc(own).is_let_in(filters);
        let network = "10.0.0.0/8".parse().expect("a network");
        assert!(let_in(&[]) && let_in(&[network]));
        assert!(let_in(&[AcceptFilter::Process(7)]) && !let_in(&[AcceptFilter::Process(8)]));
        assert!(let_in(&[AcceptFilter::Group(100)]) && !let_in(&[AcceptFilter::Group(101)]));
        assert!(let_in(&[AcceptFilter::User(1), AcceptFilter::User(u32::MAX - 1), network]));
        let tcp = Newcomer::Tcp([10, 1, 1, 1].into());
        assert!(tcp.is_let_in(&[AcceptFilter::Process(8)]) && tcp.is_let_in(&[network]));
        assert!(!Newcomer::Tcp([11, 1, 1, 1].into()).is_let_in(&[network, AcceptFilter::Process(8)]));
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
