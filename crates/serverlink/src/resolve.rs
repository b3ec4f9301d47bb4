//! From an endpoint to the addresses behind it. Names never block a reactor.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use serverlink_driver::{Address, DatagramOptions, Interface};

use crate::endpoint::{Endpoint, Host, Port, SourceAddress};
use crate::env::Env;
use crate::error::Error;
use crate::resolver::{Answer, Question};

/// One way to a peer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Route {
    Stream {
        to: Address,
        /// Our own end, where the endpoint says which.
        from: Option<SocketAddr>,
    },
    Datagrams {
        to: SocketAddr,
        /// Through which datagrams to a group leave, where the endpoint says so.
        interface: Option<Interface>,
    },
}

/// The names in an endpoint to connect to. `None`: it has none.
pub(crate) fn question(endpoint: &Endpoint) -> Option<Question> {
    let (own, host) = match endpoint {
        Endpoint::Tcp { source, host, .. } => (source.as_ref().map(|source| &source.host), host),
        Endpoint::Udp { interface, host, .. } => (interface.as_deref(), host),
        Endpoint::Ipc(_) | Endpoint::Inproc(_) => return None,
    };
    let own = own.and_then(name);
    let question = Question { peer: name(host), own };
    (question != Question::default()).then_some(question)
}

fn name(host: &Host) -> Option<String> {
    match host {
        Host::Name(name) => Some(name.clone()),
        Host::Any | Host::Ip(_) => None,
    }
}

/// Every way to a peer, in the order in which they are to be tried; at least one. IPv6 addresses of a name only where the socket wants them.
pub(crate) fn routes(endpoint: &Endpoint, ipv6: bool, answer: &Answer) -> Result<Vec<Route>, String> {
    let (source, host, port) = match endpoint {
        Endpoint::Ipc(path) => return Ok(vec![Route::Stream { to: Address::Ipc(path.clone()), from: None }]),
        Endpoint::Tcp { source, host, port } => (source, host, number(*port)),
        Endpoint::Udp { interface, host, port } => {
            let targets = targets(host, number(*port), ipv6, answer)?;
            let routed = |to| datagram_route(to, interface.as_deref(), &answer.own);
            return targets.into_iter().map(routed).collect();
        }
        Endpoint::Inproc(_) => unreachable!("inproc endpoints have no dialer"),
    };
    let targets = targets(host, port, ipv6, answer)?;
    let Some(source) = source else {
        let direct = |to| Route::Stream { to: Address::Tcp(to), from: None };
        return Ok(targets.into_iter().map(direct).collect());
    };
    let routes: Vec<Route> = targets
        .into_iter()
        .filter_map(|to| {
            Some(Route::Stream { to: Address::Tcp(to), from: Some(source_for(&to, source, &answer.own)?) })
        })
        .collect();
    match routes.is_empty() {
        true => Err(format!("the source {} has no address of the same family as its peer", source.host)),
        false => Ok(routes),
    }
}

fn targets(host: &Host, port: u16, ipv6: bool, answer: &Answer) -> Result<Vec<SocketAddr>, String> {
    match host {
        Host::Ip(ip) => Ok(vec![SocketAddr::new(*ip, port)]),
        Host::Any => Ok(vec![SocketAddr::new(Ipv4Addr::LOCALHOST.into(), port)]),
        Host::Name(name) => addresses_of(name, &answer.peer, port, ipv6),
    }
}

fn datagram_route(to: SocketAddr, interface: Option<&Host>, own: &[SocketAddr]) -> Result<Route, String> {
    let interface = match interface {
        Some(_) if !to.ip().is_multicast() => {
            return Err(format!("a network interface is for groups of multicast, and {} is none", to.ip()));
        }
        Some(host) => interface_for(to.ip(), host, own)?,
        None => None,
    };
    Ok(Route::Datagrams { to, interface })
}

/// By address for a group of IPv4, by name for one of IPv6: that is how systems know them.
fn interface_for(group: IpAddr, host: &Host, own: &[SocketAddr]) -> Result<Option<Interface>, String> {
    match host {
        Host::Any => Ok(None),
        Host::Ip(IpAddr::V4(address)) if group.is_ipv4() => Ok(Some(Interface::Address(*address))),
        Host::Name(name) if group.is_ipv6() => Ok(Some(Interface::Name(name.clone()))),
        Host::Name(name) => {
            let address = own.iter().find_map(|own| match own.ip() {
                IpAddr::V4(address) => Some(Interface::Address(address)),
                IpAddr::V6(_) => None,
            });
            address.map(Some).ok_or_else(|| format!("the network interface {name} has no IPv4 address"))
        }
        Host::Ip(address) => Err(format!(
            "the network interface {address} has to be of the family of {group}; name an interface of IPv6 by its name"
        )),
    }
}

/// Our own end of a connection to `to`, which has to be of its family.
fn source_for(to: &SocketAddr, source: &SourceAddress, own: &[SocketAddr]) -> Option<SocketAddr> {
    let port = number(source.port);
    match &source.host {
        Host::Any if to.is_ipv4() => Some(SocketAddr::new(Ipv4Addr::UNSPECIFIED.into(), port)),
        Host::Any => Some(SocketAddr::new(Ipv6Addr::UNSPECIFIED.into(), port)),
        Host::Ip(ip) => Some(SocketAddr::new(*ip, port)).filter(|from| from.is_ipv4() == to.is_ipv4()),
        Host::Name(_) => {
            own.iter().find(|own| own.is_ipv4() == to.is_ipv4()).map(|own| with_port(*own, port))
        }
    }
}

fn addresses_of(name: &str, found: &[SocketAddr], port: u16, ipv6: bool) -> Result<Vec<SocketAddr>, String> {
    // What has a colon is an address with a zone, which somebody wrote on purpose.
    let wanted = |found: &&SocketAddr| ipv6 || found.is_ipv4() || name.contains(':');
    let addresses: Vec<_> = found.iter().filter(wanted).map(|found| with_port(*found, port)).collect();
    match addresses.is_empty() {
        false => Ok(addresses),
        true if found.is_empty() => Err(format!("{name} has no address")),
        true => Err(format!("{name} has no IPv4 address; set the option `ipv6` to use others")),
    }
}

/// For a listener, in the thread of the one who binds: the first address that the name of a machine or of a network interface has.
pub(crate) fn to_bind(env: &Env, endpoint: &Endpoint, ipv6: bool) -> Result<Address, Error> {
    endpoint.check_bindable()?;
    match endpoint {
        Endpoint::Ipc(path) => Ok(Address::Ipc(path.clone())),
        Endpoint::Tcp { host, port, .. } => {
            let port = number(*port);
            let ip: IpAddr = match host {
                Host::Ip(ip) => *ip,
                Host::Any if ipv6 => Ipv6Addr::UNSPECIFIED.into(),
                Host::Any => Ipv4Addr::UNSPECIFIED.into(),
                Host::Name(name) => return name_to_bind(env, endpoint, name, port, ipv6),
            };
            Ok(Address::Tcp(SocketAddr::new(ip, port)))
        }
        Endpoint::Inproc(_) | Endpoint::Udp { .. } => unreachable!("they have no listener"),
    }
}

/// Where a socket receives datagrams, and which.
pub(crate) fn datagrams_to_bind(
    env: &Env,
    endpoint: &Endpoint,
    ipv6: bool,
) -> Result<DatagramOptions, Error> {
    let Endpoint::Udp { interface, host, port } = endpoint else {
        unreachable!("only udp endpoints have datagrams")
    };
    let invalid = |why: String| Error::invalid_endpoint(endpoint, why);
    let port = number(*port);
    let options = match host {
        Host::Ip(group) if group.is_multicast() => {
            let own = match interface.as_deref() {
                Some(Host::Name(name)) if group.is_ipv4() => own_addresses(env, name).map_err(invalid)?,
                _ => Vec::new(),
            };
            let chosen = interface.as_deref().map(|host| interface_for(*group, host, &own));
            DatagramOptions {
                group: Some(*group),
                interface: chosen.transpose().map_err(invalid)?.flatten(),
                shared: true,
                ..DatagramOptions::on(SocketAddr::new(*group, port))
            }
        }
        _ if interface.is_some() => {
            return Err(invalid("behind a network interface stands the address of a group".to_owned()));
        }
        Host::Ip(ip) => DatagramOptions::on(SocketAddr::new(*ip, port)),
        Host::Any if ipv6 => DatagramOptions::on(SocketAddr::new(Ipv6Addr::UNSPECIFIED.into(), port)),
        Host::Any => DatagramOptions::on(SocketAddr::new(Ipv4Addr::UNSPECIFIED.into(), port)),
        Host::Name(name) => DatagramOptions::on(own_address(env, name, port, ipv6).map_err(invalid)?),
    };
    Ok(options)
}

/// The first that a name of ours has.
fn own_address(env: &Env, name: &str, port: u16, ipv6: bool) -> Result<SocketAddr, String> {
    Ok(addresses_of(name, &own_addresses(env, name)?, port, ipv6)?[0])
}

fn own_addresses(env: &Env, name: &str) -> Result<Vec<SocketAddr>, String> {
    let question = Question { peer: None, own: Some(name.to_owned()) };
    Ok(env.resolver().ask_and_wait(&question)?.own)
}

/// Where datagrams are really received, in the words of the endpoint that was bound.
pub(crate) fn bound_for_datagrams(endpoint: &Endpoint, local: SocketAddr) -> Endpoint {
    let Endpoint::Udp { interface, host, .. } = endpoint else {
        unreachable!("only udp endpoints have datagrams")
    };
    let host = match host {
        Host::Ip(group) if group.is_multicast() => host.clone(),
        _ => Host::Ip(local.ip()),
    };
    Endpoint::Udp { interface: interface.clone(), host, port: Port::Number(local.port()) }
}

fn name_to_bind(env: &Env, endpoint: &Endpoint, name: &str, port: u16, ipv6: bool) -> Result<Address, Error> {
    let first = own_address(env, name, port, ipv6);
    first.map(Address::Tcp).map_err(|why| Error::invalid_endpoint(endpoint, why))
}

fn with_port(mut address: SocketAddr, port: u16) -> SocketAddr {
    address.set_port(port);
    address
}

fn number(port: Port) -> u16 {
    match port {
        Port::Any => 0,
        Port::Number(port) => port,
    }
}

/// What a listener was really bound to, in the words of an endpoint.
pub(crate) fn endpoint_of(address: &Address) -> Endpoint {
    match address {
        Address::Tcp(address) => {
            Endpoint::Tcp { source: None, host: Host::Ip(address.ip()), port: Port::Number(address.port()) }
        }
        Address::Ipc(path) => Endpoint::Ipc(path.clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn routed(endpoint: &str, ipv6: bool, peer: &[&str], own: &[&str]) -> Result<Vec<String>, String> {
        let all = |texts: &[&str]| texts.iter().map(|text| text.parse().expect("an address")).collect();
        let answer = Answer { peer: all(peer), own: all(own) };
        let routes = routes(&endpoint.parse().expect("an endpoint"), ipv6, &answer)?;
        let text = |route: Route| match route {
            Route::Stream { to, from: Some(from) } => format!("{from};{to}"),
            Route::Stream { to, from: None } => to.to_string(),
            Route::Datagrams { to, interface: Some(interface) } => format!("{interface:?};{to}"),
            Route::Datagrams { to, interface: None } => to.to_string(),
        };
        Ok(routes.into_iter().map(text).collect())
    }

    #[test]
    fn every_address_of_a_name_is_a_route_in_order() {
        let found = ["10.0.0.2:0", "[fe80::1]:0", "10.0.0.1:0"];
        assert_eq!(routed("tcp://x:7", false, &found, &[]).unwrap(), ["10.0.0.2:7", "10.0.0.1:7"]);
        assert_eq!(routed("tcp://x:7", true, &found, &[]).unwrap().len(), 3);
        assert!(routed("tcp://x:7", false, &found[1..2], &[]).unwrap_err().contains("ipv6"));
        assert!(routed("tcp://x:7", true, &[], &[]).unwrap_err().contains("no address"));
        assert_eq!(
            routed("tcp://[fe80::1%lo]:7", false, &["[fe80::1%1]:0"], &[]).unwrap(),
            ["[fe80::1%1]:7"]
        );
    }

    #[test]
    fn an_interface_is_known_by_address_or_by_name_as_its_group_needs() {
        assert_eq!(routed("udp://10.0.0.1:7", false, &[], &[]).unwrap(), ["10.0.0.1:7"]);
        assert_eq!(routed("udp://x:7", false, &["10.0.0.2:0"], &[]).unwrap(), ["10.0.0.2:7"]);
        assert_eq!(routed("udp://*;239.0.0.1:7", false, &[], &[]).unwrap(), ["239.0.0.1:7"]);
        let own = ["[fe80::9]:0", "10.0.0.9:0"];
        for interface in ["10.0.0.9", "eth0"] {
            let endpoint = format!("udp://{interface};239.0.0.1:7");
            assert_eq!(routed(&endpoint, false, &[], &own).unwrap(), ["Address(10.0.0.9);239.0.0.1:7"]);
        }
        assert_eq!(
            routed("udp://eth0;[ff02::1]:7", false, &[], &own).unwrap(),
            ["Name(\"eth0\");[ff02::1]:7"]
        );
        assert!(routed("udp://eth0;239.0.0.1:7", false, &[], &own[..1]).unwrap_err().contains("no IPv4"));
        assert!(routed("udp://[::1];239.0.0.1:7", false, &[], &[]).unwrap_err().contains("family"));
        assert!(routed("udp://eth0;x:7", false, &["10.0.0.2:0"], &own).unwrap_err().contains("multicast"));
    }

    #[test]
    fn a_source_is_of_its_targets_family() {
        let found = ["10.0.0.2:0", "[fe80::1]:0"];
        assert_eq!(
            routed("tcp://*:5;x:7", true, &found, &[]).unwrap(),
            ["0.0.0.0:5;10.0.0.2:7", "[::]:5;[fe80::1]:7"]
        );
        assert_eq!(routed("tcp://10.0.0.9:0;x:7", true, &found, &[]).unwrap(), ["10.0.0.9:0;10.0.0.2:7"]);
        assert_eq!(
            routed("tcp://eth0:0;x:7", true, &found, &["[fe80::9]:0", "10.0.0.9:0"]).unwrap(),
            ["10.0.0.9:0;10.0.0.2:7", "[fe80::9]:0;[fe80::1]:7"]
        );
        assert!(routed("tcp://[::9]:0;10.0.0.1:7", true, &[], &[]).unwrap_err().contains("family"));
    }
}
