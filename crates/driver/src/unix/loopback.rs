//! Connections that never leave the machine.
//!
//! A congestion control that paces, as BBR does, makes them wait for its own guesses: where it is the system's default, a stream of 64 KiB
//! messages over loopback is four to five times as slow as with any other. There is no line to be fair on, so there such a
//! connection gets the plain one that every system has and everybody may choose. Elsewhere the administrator's choice stays.

use std::os::fd::OwnedFd;

#[cfg(target_os = "linux")]
use rustix::net::sockopt;

use crate::Address;

/// `end`: where it is bound, or whom it talks to. What a listener has, its connections have too.
#[cfg(target_os = "linux")]
pub(super) fn unpace(fd: &OwnedFd, end: &Address) {
    // Where it cannot be told or chosen it stays as it is: nothing is wrong with it but its speed.
    if is_loopback(end) && sockopt::tcp_congestion(fd).is_ok_and(|name| name.starts_with("bbr")) {
        let _ = sockopt::set_tcp_congestion(fd, "reno");
    }
}

#[cfg(not(target_os = "linux"))]
pub(super) fn unpace(_fd: &OwnedFd, _end: &Address) {}

pub(super) fn is_loopback(address: &Address) -> bool {
    matches!(address, Address::Tcp(address) if address.ip().to_canonical().is_loopback())
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;
    use crate::unix::OsListener;
    use crate::unix::driver::Driver;
    use crate::{Kind, ListenOptions, StreamOptions};

    fn paces(fd: &OwnedFd) -> bool {
        sockopt::tcp_congestion(fd).expect("a tcp socket").starts_with("bbr")
    }

    fn address(text: &str) -> Address {
        Address::Tcp(text.parse().expect("an address"))
    }

    #[test]
    fn neither_end_of_a_local_connection_is_paced() {
        for (bound, target) in [("127.0.0.1:0", "127.0.0.1"), ("0.0.0.0:0", "127.0.0.1"), ("[::1]:0", "::1")]
        {
            let listener = OsListener::bind(&address(bound), &ListenOptions::default()).expect("a free port");
            let Address::Tcp(local) = *listener.local_address() else { panic!("it is tcp") };
            let target =
                Address::Tcp((target.parse::<std::net::IpAddr>().expect("an address"), local.port()).into());
            let remote = Driver::open(Kind::native()).expect("the native driver").remote();
            let listener = remote.listen(listener).map_err(|(_, error)| error).expect("a first registration");
            let client = remote.connect(&target, &StreamOptions::default()).expect("an attempt");
            let server = loop {
                if let Some((server, _)) = listener.accept().expect("a listener") {
                    break server;
                }
                std::thread::yield_now();
            };
            assert!(!paces(client.fd()) && !paces(&server.fd), "{bound}");
        }
    }

    /// Where the system has it at all.
    #[test]
    fn what_paced_paces_no_more() {
        let here = address("127.0.0.1:1");
        let fd = crate::unix::socket::create(&here).expect("a descriptor");
        if sockopt::set_tcp_congestion(&fd, "bbr").is_ok() {
            unpace(&fd, &here);
            assert!(!paces(&fd));
        }
    }

    #[test]
    fn what_leaves_the_machine_is_the_administrators() {
        let any = crate::unix::socket::create(&address("127.0.0.1:0")).expect("a descriptor");
        let before = sockopt::tcp_congestion(&any).expect("a tcp socket");
        unpace(&any, &address("192.0.2.1:1"));
        unpace(&any, &Address::Ipc("/tmp/x".into()));
        assert_eq!(sockopt::tcp_congestion(&any).expect("a tcp socket"), before);
    }
}
