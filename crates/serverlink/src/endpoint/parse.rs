//! The one parser of endpoint strings. Its errors are the second half of a sentence that starts with the endpoint.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::PathBuf;

use super::{Endpoint, Host, Port, SourceAddress};

type Why = String;

/// Longest host name that DNS allows, in bytes.
const MAX_NAME_BYTES: usize = 253;

/// What a path looks like here, for who wrote none.
const IPC_EXAMPLE: &str = if cfg!(windows) { r"ipc://C:\app\feed.sock" } else { "ipc:///run/app/feed.sock" };

/// Names of ipc sockets outside of the file system.
const HAS_ABSTRACT_NAMES: bool = cfg!(any(target_os = "linux", target_os = "android"));

pub(super) fn endpoint(text: &str) -> Result<Endpoint, Why> {
    let Some((transport, address)) = text.split_once("://") else {
        return Err(format!("it names no transport; write tcp://{text}, ipc://{text} or inproc://{text}"));
    };
    match transport {
        "tcp" => tcp(address),
        "ipc" => ipc(address),
        "inproc" => inproc(address),
        "udp" => udp(address),
        other => Err(format!("the transport `{other}` is not known; there are tcp, ipc, inproc and udp")),
    }
}

fn tcp(address: &str) -> Result<Endpoint, Why> {
    let (source, address) = match address.split_once(';') {
        Some((source, address)) => (Some(Box::new(self::source(source)?)), address),
        None => (None, address),
    };
    let (host_text, port_text) = split_port("tcp", address)?;
    Ok(Endpoint::Tcp { source, host: host(host_text)?, port: port(port_text)? })
}

fn udp(address: &str) -> Result<Endpoint, Why> {
    let (interface, address) = match address.split_once(';') {
        Some((interface, address)) => {
            let of_interface = |why: Why| format!("the network interface `{interface}` before `;`: {why}");
            (Some(Box::new(host(interface).map_err(of_interface)?)), address)
        }
        None => (None, address),
    };
    let (host_text, port_text) = split_port("udp", address)?;
    let (host, port) = (host(host_text)?, port(port_text)?);
    if interface.is_some() && matches!(host, Host::Ip(ip) if !ip.is_multicast()) {
        return Err(format!(
            "a network interface before `;` is for groups of multicast, and {host} is none; write udp://{host}:{port}"
        ));
    }
    Ok(Endpoint::Udp { interface, host, port })
}

fn source(address: &str) -> Result<SourceAddress, Why> {
    let of_source = |why: Why| format!("the source address `{address}` before `;`: {why}");
    let Some((host_text, port_text)) = address.rsplit_once(':').filter(|(_, after)| !after.contains(']'))
    else {
        return Err(of_source("it names no port; write 0 behind a colon for any".into()));
    };
    let host = host(host_text).map_err(of_source)?;
    let port = port(port_text).map_err(of_source)?;
    Ok(SourceAddress { host, port })
}

/// The port is what follows the last colon, unless that colon is inside the brackets of an IPv6 address.
fn split_port<'a>(transport: &str, address: &'a str) -> Result<(&'a str, &'a str), Why> {
    let no_port = || {
        format!(
            "it names no port; write {transport}://{address}:5555, or {transport}://{address}:* to bind any free one"
        )
    };
    match address.rsplit_once(':') {
        None => Err(no_port()),
        Some((_, after)) if after.contains(']') => Err(no_port()),
        Some((host, port)) => Ok((host, port)),
    }
}

fn host(text: &str) -> Result<Host, Why> {
    if text.is_empty() {
        return Err("it names no host; write the peer's name or address, or `*` to bind every address".into());
    }
    if text == "*" {
        return Ok(Host::Any);
    }
    if let Some(inner) = text.strip_prefix('[') {
        let inner = inner.strip_suffix(']').ok_or("the bracket of the IPv6 address is not closed")?;
        return bracketed(inner);
    }
    if text.contains(':') {
        return Err(format!("an IPv6 address stands in brackets: [{text}]"));
    }
    match text.parse::<Ipv4Addr>() {
        Ok(address) => Ok(Host::Ip(IpAddr::V4(address))),
        Err(_) => name(text),
    }
}

fn bracketed(inner: &str) -> Result<Host, Why> {
    let (address, zone) = match inner.split_once('%') {
        Some((address, zone)) => (address, Some(zone)),
        None => (inner, None),
    };
    let parsed: Ipv6Addr = address.parse().map_err(|_| format!("`{address}` is not an IPv6 address"))?;
    match zone {
        None => Ok(Host::Ip(IpAddr::V6(parsed))),
        Some(zone) if is_name(zone) => Ok(Host::Name(inner.to_owned())),
        Some(zone) => Err(format!("`{zone}` is not the name or number of a network interface")),
    }
}

fn name(text: &str) -> Result<Host, Why> {
    if text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') {
        return Err(format!("`{text}` is not an IPv4 address: four numbers from 0 to 255 with dots between"));
    }
    if !is_name(text) {
        return Err(format!(
            "`{text}` is not a host name: letters, digits, `-`, `_` and `.`, at most 253 bytes"
        ));
    }
    Ok(Host::Name(text.to_owned()))
}

/// Letters of any script: the resolver knows which of them it can encode.
fn is_name(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= MAX_NAME_BYTES
        && text.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | '.'))
}

fn port(text: &str) -> Result<Port, Why> {
    if text == "*" {
        return Ok(Port::Any);
    }
    // `u16::from_str` takes a sign, which no port has.
    let digits_only = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    match text.parse() {
        Ok(0) if digits_only => Ok(Port::Any),
        Ok(number) if digits_only => Ok(Port::Number(number)),
        _ => Err(format!("`{text}` is not a port; use a number up to 65535, or `*` to bind any free one")),
    }
}

fn ipc(path: &str) -> Result<Endpoint, Why> {
    let limit = Endpoint::MAX_IPC_PATH_BYTES;
    if path.is_empty() {
        return Err(format!("it names no path; write {IPC_EXAMPLE}"));
    }
    if let Some(name) = path.strip_prefix('@') {
        if name.is_empty() {
            return Err("there is no name behind the @".into());
        }
        if !HAS_ABSTRACT_NAMES {
            return Err(format!(
                "abstract names are Linux's; name a path ({IPC_EXAMPLE}, or ./{path} for this one)"
            ));
        }
    }
    if path.contains('\0') {
        return Err("a path holds no zero byte".into());
    }
    if path.len() > limit {
        return Err(format!(
            "the path has {} bytes and the system takes {limit}; use a shorter directory",
            path.len()
        ));
    }
    Ok(Endpoint::Ipc(PathBuf::from(path)))
}

fn inproc(name: &str) -> Result<Endpoint, Why> {
    let limit = Endpoint::MAX_INPROC_NAME_BYTES;
    if name.is_empty() {
        return Err("it has no name; write inproc://anything-you-like".into());
    }
    if name.len() > limit {
        return Err(format!("the name has {} bytes and may have {limit}", name.len()));
    }
    Ok(Endpoint::Inproc(name.to_owned()))
}
