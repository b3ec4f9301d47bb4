//! From an endpoint to the addresses behind it. Names never block a reactor.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs};

use serverlink_driver::Address;

use crate::endpoint::{Endpoint, Host, Port};
use crate::env::Env;
use crate::error::Error;

/// What is known at once.
pub(crate) enum Resolved {
    Now(Address),
    ByResolver(String, u16),
}

/// For a dialer, whose endpoint was checked to be connectable.
pub(crate) fn addresses(endpoint: &Endpoint) -> Resolved {
    match endpoint {
        Endpoint::Ipc(path) => Resolved::Now(Address::Ipc(path.clone())),
        Endpoint::Tcp { host, port } => {
            let port = number(*port);
            match host {
                Host::Ip(ip) => Resolved::Now(Address::Tcp(SocketAddr::new(*ip, port))),
                Host::Any => Resolved::Now(Address::Tcp(SocketAddr::new(Ipv4Addr::LOCALHOST.into(), port))),
                Host::Name(name) => Resolved::ByResolver(name.clone(), port),
            }
        }
        Endpoint::Inproc(_) => unreachable!("inproc endpoints have no dialer"),
    }
}

/// Asks the system's resolver on a thread of its own, because it may take seconds.
pub(crate) fn in_background(
    env: &Env,
    host: String,
    port: u16,
    ipv6: bool,
    report: impl FnOnce(Result<Vec<Address>, String>) + Send + Clone + 'static,
) {
    let told = report.clone();
    let spawned = env.spawn("slk-resolver", move || report(look_up(&host, port, ipv6)));
    match spawned {
        Ok(Some(_)) => {}
        Ok(None) => told(Err("a simulated machine has no names".into())),
        Err(error) => told(Err(format!("no thread for the resolver: {error}"))),
    }
}

/// Addresses of IPv6 only where the socket wants them.
fn look_up(host: &str, port: u16, ipv6: bool) -> Result<Vec<Address>, String> {
    let found =
        (host, port).to_socket_addrs().map_err(|error| format!("resolving {host} failed: {error}"))?;
    let found: Vec<Address> = found.filter(|found| ipv6 || found.is_ipv4()).map(Address::Tcp).collect();
    if found.is_empty() && !ipv6 {
        return Err(format!("{host} has no IPv4 address; set the option `ipv6` to use others"));
    }
    Ok(found)
}

/// For a listener, in the thread of the one who binds.
pub(crate) fn to_bind(endpoint: &Endpoint, ipv6: bool) -> Result<Address, Error> {
    match endpoint {
        Endpoint::Ipc(path) => Ok(Address::Ipc(path.clone())),
        Endpoint::Tcp { host, port } => {
            let port = number(*port);
            let ip: IpAddr = match host {
                Host::Ip(ip) => *ip,
                Host::Any if ipv6 => Ipv6Addr::UNSPECIFIED.into(),
                Host::Any => Ipv4Addr::UNSPECIFIED.into(),
                Host::Name(name) => return name_to_bind(endpoint, name, port, ipv6),
            };
            Ok(Address::Tcp(SocketAddr::new(ip, port)))
        }
        Endpoint::Inproc(_) => unreachable!("inproc endpoints have no listener"),
    }
}

fn name_to_bind(endpoint: &Endpoint, name: &str, port: u16, ipv6: bool) -> Result<Address, Error> {
    let found = look_up(name, port, ipv6).map_err(|why| Error::invalid_endpoint(endpoint, why))?;
    found.into_iter().next().ok_or_else(|| Error::invalid_endpoint(endpoint, "the name has no address"))
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
            Endpoint::Tcp { host: Host::Ip(address.ip()), port: Port::Number(address.port()) }
        }
        Address::Ipc(path) => Endpoint::Ipc(path.clone()),
    }
}
