//! From an endpoint to the addresses behind it. Names never block a reactor.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use serverlink_driver::Address;

use crate::endpoint::{Endpoint, Host, Port, SourceAddress};
use crate::env::Env;
use crate::error::Error;
use crate::resolver::{Answer, Question};

/// One way to a peer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Route {
    pub(crate) to: Address,
    /// Our own end, where the endpoint says which.
    pub(crate) from: Option<SocketAddr>,
}

/// The names in an endpoint to connect to. `None`: it has none.
pub(crate) fn question(endpoint: &Endpoint) -> Option<Question> {
    let Endpoint::Tcp { source, host, .. } = endpoint else { return None };
    let own = source.as_ref().and_then(|source| name(&source.host));
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
        Endpoint::Ipc(path) => return Ok(vec![Route { to: Address::Ipc(path.clone()), from: None }]),
        Endpoint::Tcp { source, host, port } => (source, host, number(*port)),
        Endpoint::Inproc(_) => unreachable!("inproc endpoints have no dialer"),
    };
    let targets = match host {
        Host::Ip(ip) => vec![SocketAddr::new(*ip, port)],
        Host::Any => vec![SocketAddr::new(Ipv4Addr::LOCALHOST.into(), port)],
        Host::Name(name) => addresses_of(name, &answer.peer, port, ipv6)?,
    };
    let Some(source) = source else {
        let direct = |to| Route { to: Address::Tcp(to), from: None };
        return Ok(targets.into_iter().map(direct).collect());
    };
    let routes: Vec<Route> = targets
        .into_iter()
        .filter_map(|to| {
            Some(Route { to: Address::Tcp(to), from: Some(source_for(&to, source, &answer.own)?) })
        })
        .collect();
    match routes.is_empty() {
        true => Err(format!("the source {} has no address of the same family as its peer", source.host)),
        false => Ok(routes),
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
        Endpoint::Inproc(_) => unreachable!("inproc endpoints have no listener"),
    }
}

fn name_to_bind(env: &Env, endpoint: &Endpoint, name: &str, port: u16, ipv6: bool) -> Result<Address, Error> {
    let question = Question { peer: None, own: Some(name.to_owned()) };
    let first = env
        .resolver()
        .ask_and_wait(&question)
        .and_then(|answer| Ok(addresses_of(name, &answer.own, port, ipv6)?[0]));
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
        let text = |route: Route| match route.from {
            Some(from) => format!("{from};{}", route.to),
            None => route.to.to_string(),
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
