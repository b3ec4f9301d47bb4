//! What tcp sockets are told: where a system has no such option, the one who asks is told.

use std::io;
use std::net::Ipv4Addr;
use std::os::fd::OwnedFd;

use rustix::net::sockopt;

use super::socket;
#[cfg(not(target_os = "linux"))]
use crate::options::not_here;
use crate::options::refused;
use crate::{Address, StreamOptions};

/// Before a socket connects or listens: the first packet shall have them, and a device cannot be chosen later. Accepted sockets
/// inherit the type of service, the device and polling from their listener.
pub(super) fn prepare(fd: &OwnedFd, ipv6: bool, options: &StreamOptions) -> io::Result<()> {
    if let Some(octet) = options.type_of_service {
        set_type_of_service(fd, ipv6, octet).map_err(|error| refused("type_of_service", error))?;
    }
    if let Some(device) = &options.device {
        bind_to_device(fd, device)?;
    }
    if let Some(time) = options.busy_poll {
        let micros = i32::try_from(time.as_micros()).unwrap_or(i32::MAX);
        set_busy_poll(fd, micros)?;
    }
    set(fd, options)
}

/// Whether a socket can be told all of this.
pub(crate) fn check(options: &StreamOptions) -> io::Result<()> {
    let any = Address::Tcp((Ipv4Addr::UNSPECIFIED, 0).into());
    // Without descriptors nobody can tell, and the attempt itself will.
    socket::create(&any).map_or(Ok(()), |fd| prepare(&fd, false, options))
}

/// What each stream is told, accepted ones too.
pub(super) fn set(fd: &OwnedFd, options: &StreamOptions) -> io::Result<()> {
    sockopt::set_tcp_nodelay(fd, options.nodelay)?;
    if let Some(keepalive) = options.keepalive {
        sockopt::set_socket_keepalive(fd, keepalive).map_err(|error| refused("keepalive", error))?;
    }
    // Behind the type of service, which chooses one too.
    if let Some(priority) = options.priority {
        set_priority(fd, priority)?;
    }
    set_probes(fd, options)?;
    if let Some(timeout) = options.user_timeout {
        let millis = u32::try_from(timeout.as_millis()).unwrap_or(u32::MAX);
        set_user_timeout(fd, millis)?;
    }
    Ok(())
}

#[cfg(not(target_os = "openbsd"))]
fn set_probes(fd: &OwnedFd, options: &StreamOptions) -> io::Result<()> {
    if let Some(idle) = options.keepalive_idle {
        sockopt::set_tcp_keepidle(fd, idle).map_err(|error| refused("keepalive_idle", error))?;
    }
    if let Some(interval) = options.keepalive_interval {
        sockopt::set_tcp_keepintvl(fd, interval).map_err(|error| refused("keepalive_interval", error))?;
    }
    if let Some(count) = options.keepalive_count {
        sockopt::set_tcp_keepcnt(fd, count).map_err(|error| refused("keepalive_count", error))?;
    }
    Ok(())
}

#[cfg(target_os = "openbsd")]
fn set_probes(_fd: &OwnedFd, options: &StreamOptions) -> io::Result<()> {
    let set = options.keepalive_idle.is_some()
        || options.keepalive_interval.is_some()
        || options.keepalive_count.is_some();
    if set { Err(not_here("keepalive_idle, keepalive_interval or keepalive_count")) } else { Ok(()) }
}

/// A socket for both families sends IPv4 packets, too.
pub(super) fn set_type_of_service(fd: &OwnedFd, ipv6: bool, octet: u8) -> rustix::io::Result<()> {
    if ipv6 {
        sockopt::set_ipv6_tclass(fd, octet.into())?;
    }
    match sockopt::set_ip_tos(fd, octet) {
        // Linux has the other for such a socket as well; the BSDs do not.
        Err(_) if ipv6 => Ok(()),
        outcome => outcome,
    }
}

#[cfg(target_os = "linux")]
fn set_user_timeout(fd: &OwnedFd, millis: u32) -> io::Result<()> {
    sockopt::set_tcp_user_timeout(fd, millis).map_err(|error| refused("user_timeout", error))
}

#[cfg(target_os = "linux")]
fn set_priority(fd: &OwnedFd, priority: u32) -> io::Result<()> {
    let priority = i32::try_from(priority).unwrap_or(i32::MAX);
    nix::sys::socket::setsockopt(fd, nix::sys::socket::sockopt::Priority, &priority)
        .map_err(|error| refused("priority", error))
}

#[cfg(target_os = "linux")]
pub(super) fn bind_to_device(fd: &OwnedFd, device: &str) -> io::Result<()> {
    nix::sys::socket::setsockopt(fd, nix::sys::socket::sockopt::BindToDevice, &device.into()).map_err(
        |error| match error {
            nix::errno::Errno::ENODEV => {
                let message = format!("this machine has no network device {device}; see `ip link`");
                io::Error::new(io::ErrorKind::NotFound, message)
            }
            error => refused("device", error),
        },
    )
}

#[cfg(target_os = "linux")]
fn set_busy_poll(fd: &OwnedFd, micros: i32) -> io::Result<()> {
    nix::sys::socket::setsockopt(fd, busy_poll::BusyPoll, &micros)
        .map_err(|error| refused("busy_poll", error))
}

/// The one option of Linux that neither crate knows.
#[cfg(target_os = "linux")]
pub(super) mod busy_poll {
    use nix::{getsockopt_impl, libc, setsockopt_impl, sockopt_impl};

    sockopt_impl!(
        /// Microseconds.
        BusyPoll, Both, libc::SOL_SOCKET, libc::SO_BUSY_POLL, i32
    );
}

#[cfg(not(target_os = "linux"))]
fn set_user_timeout(_fd: &OwnedFd, _millis: u32) -> io::Result<()> {
    Err(not_here("user_timeout"))
}

#[cfg(not(target_os = "linux"))]
fn set_priority(_fd: &OwnedFd, _priority: u32) -> io::Result<()> {
    Err(not_here("priority"))
}

#[cfg(not(target_os = "linux"))]
pub(super) fn bind_to_device(_fd: &OwnedFd, _device: &str) -> io::Result<()> {
    Err(not_here("device"))
}

#[cfg(not(target_os = "linux"))]
fn set_busy_poll(_fd: &OwnedFd, _micros: i32) -> io::Result<()> {
    Err(not_here("busy_poll"))
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::time::Duration;

    use nix::sys::socket::{getsockopt, sockopt as nix_options};

    use super::*;
    use crate::unix::OsListener;
    use crate::unix::driver::Driver;
    use crate::{Kind, ListenOptions};

    fn all(priority: Option<u32>) -> StreamOptions {
        StreamOptions {
            keepalive: Some(true),
            keepalive_idle: Some(Duration::from_secs(77)),
            keepalive_interval: Some(Duration::from_secs(7)),
            keepalive_count: Some(3),
            user_timeout: Some(Duration::from_millis(4321)),
            type_of_service: Some(0x20),
            priority,
            ..StreamOptions::default()
        }
    }

    fn check(fd: &OwnedFd, ipv6: bool, priority: Option<u32>) {
        if let Some(priority) = priority {
            assert_eq!(getsockopt(fd, nix_options::Priority).unwrap(), priority.cast_signed());
        }
        assert!(sockopt::socket_keepalive(fd).unwrap());
        assert_eq!(sockopt::tcp_keepidle(fd).unwrap(), Duration::from_secs(77));
        assert_eq!(sockopt::tcp_keepintvl(fd).unwrap(), Duration::from_secs(7));
        assert_eq!(sockopt::tcp_keepcnt(fd).unwrap(), 3);
        assert_eq!(sockopt::tcp_user_timeout(fd).unwrap(), 4321);
        assert_eq!(sockopt::ip_tos(fd).unwrap(), 0x20);
        assert!(sockopt::tcp_nodelay(fd).unwrap());
        if ipv6 {
            assert_eq!(sockopt::ipv6_tclass(fd).unwrap(), 0x20);
        }
    }

    #[test]
    fn both_ends_have_what_they_were_told() {
        // Without a priority, accepted sockets have all of it from their listener.
        for (text, ipv6, priority) in
            [("127.0.0.1:0", false, Some(5)), ("127.0.0.1:0", false, None), ("[::1]:0", true, None)]
        {
            let any = Address::Tcp(text.parse().expect("an address"));
            let options = ListenOptions { stream: all(priority), ..ListenOptions::default() };
            let listener = OsListener::bind(&any, &options).expect("a free port");
            let address = listener.local_address().clone();
            let remote = Driver::open(Kind::native()).expect("the native driver").remote();
            let listener = remote.listen(listener).map_err(|(_, error)| error).expect("a first registration");
            let client = remote.connect(&address, &all(priority)).expect("an attempt");
            check(client.fd(), ipv6, priority);
            let server = loop {
                if let Some((server, _)) = listener.accept().expect("descriptors enough") {
                    break server;
                }
                std::thread::yield_now();
            };
            check(&server.fd, ipv6, priority);
        }
    }

    /// Both need a privilege on most machines: either they are set, or the sentence names them.
    #[test]
    fn what_is_not_permitted_is_told_by_name() {
        let any = Address::Tcp("127.0.0.1:0".parse().expect("an address"));
        let fd = socket::create(&any).expect("descriptors enough");
        let busy = StreamOptions { busy_poll: Some(Duration::from_micros(50)), ..StreamOptions::default() };
        match prepare(&fd, false, &busy) {
            Ok(()) => assert_eq!(getsockopt(&fd, busy_poll::BusyPoll).unwrap(), 50),
            Err(error) => assert!(error.to_string().contains("busy_poll"), "{error}"),
        }
        let device = StreamOptions { device: Some("lo".into()), ..StreamOptions::default() };
        match prepare(&fd, false, &device) {
            Ok(()) => assert_eq!(getsockopt(&fd, nix_options::BindToDevice).unwrap(), "lo"),
            Err(error) => assert!(error.to_string().contains("device"), "{error}"),
        }
        let nowhere = StreamOptions { device: Some("nowhere0".into()), ..StreamOptions::default() };
        let error = prepare(&fd, false, &nowhere).expect_err("there is no such device");
        assert!(error.to_string().contains("device"), "{error}");
    }
}
