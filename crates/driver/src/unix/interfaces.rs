//! Network interfaces, by the names that the system gives them.

use std::io;
use std::net::{SocketAddr, SocketAddrV4, SocketAddrV6};

/// See [`interface_addresses`](crate::interface_addresses).
pub(crate) fn addresses(name: &str) -> io::Result<Vec<SocketAddr>> {
    let all = nix::ifaddrs::getifaddrs()?.filter(|interface| interface.interface_name == name);
    let addresses = all.filter_map(|interface| {
        let address = interface.address?;
        let v4 = address.as_sockaddr_in().map(|address| SocketAddr::V4(SocketAddrV4::from(*address)));
        v4.or_else(|| address.as_sockaddr_in6().map(|address| SocketAddr::V6(SocketAddrV6::from(*address))))
    });
    Ok(addresses.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_loopback_interface_has_an_address_and_no_other_name_has() {
        let name = if cfg!(any(target_os = "linux", target_os = "android")) { "lo" } else { "lo0" };
        let found = addresses(name).expect("the system tells");
        assert!(found.iter().any(|address| address.ip().is_loopback()), "{found:?}");
        assert!(addresses("nowhere0").expect("the system tells").is_empty());
    }
}
