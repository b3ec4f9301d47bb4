//! Network interfaces by their names.

use std::io;
use std::net::SocketAddr;

/// The addresses of a network interface of this machine (`eth0`), with port 0, in the system's order. Empty: there is no such interface,
/// or it has no address.
///
/// # Errors
/// The system does not tell; on Windows this version does not ask it.
pub fn interface_addresses(name: &str) -> io::Result<Vec<SocketAddr>> {
    #[cfg(unix)]
    return crate::unix::interface_addresses(name);
    #[cfg(not(unix))]
    {
        let message = format!(
            "whether {name} is a network interface cannot be asked on this system; write its address"
        );
        Err(io::Error::new(io::ErrorKind::Unsupported, message))
    }
}
