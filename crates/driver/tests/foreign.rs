//! Sockets from outside: what fits is registered once, what does not comes back as it was.
#![cfg(unix)]

#[path = "support/machine.rs"]
mod machine;

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::os::fd::OwnedFd;
use std::os::unix::net::{UnixDatagram, UnixListener, UnixStream};

use machine::{Machine, Network};
use rustix::fs::{OFlags, fcntl_getfl};
#[cfg(target_os = "linux")]
use serverlink_driver::Address;
use serverlink_driver::sim::Faults;
use serverlink_driver::{Kind, OsListener, OsStream, Unsuitable};

fn kinds() -> impl Iterator<Item = Kind> {
    [Kind::native(), Kind::Polling].into_iter()
}

fn is_blocking(fd: &OwnedFd) -> bool {
    !fcntl_getfl(fd).expect("an open descriptor").contains(OFlags::NONBLOCK)
}

fn tcp_pair() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let client = TcpStream::connect(listener.local_addr().expect("it is bound")).expect("it listens");
    (client, listener.accept().expect("it came").0)
}

/// It was not taken for this reason, and is blocking as before.
fn refused_stream(fd: impl Into<OwnedFd>) -> (OwnedFd, Unsuitable) {
    let refused = OsStream::try_from(fd.into()).expect_err("it does not fit");
    assert!(is_blocking(&refused.object), "a refused descriptor is not changed");
    let why = Unsuitable::in_error(&refused.error).expect("it has a reason");
    (refused.object, why)
}

#[test]
fn a_connected_stream_works_as_one_of_ours() {
    for kind in kinds() {
        let mut machine = Machine::real(kind, Network::V4);
        let (near, mut far) = UnixStream::pair().expect("descriptors enough");
        let (client, server) = tcp_pair();
        let peer = client.peer_addr().expect("it is connected");
        let near = OsStream::try_from(OwnedFd::from(near)).expect("it is connected");
        let near = machine.remote.adopt(near).expect("a first registration");
        let client = OsStream::try_from(OwnedFd::from(client)).expect("it is connected");
        let client = machine.remote.adopt(client).expect("a first registration");
        assert_eq!(client.peer_address(), Some(peer.into()));
        assert_eq!(near.peer_address(), None, "one of a pair has no name");
        for (ours, theirs) in [(near, &mut far as &mut dyn ReadWrite), (client, &mut &server)] {
            theirs.write_all(b"in").expect("it is read");
            assert_eq!(machine.read_exactly(&ours, 2), b"in");
            machine.write_all(&ours, b"out".to_vec());
            let mut out = [0; 3];
            theirs.read_exact(&mut out).expect("it was written");
            assert_eq!(&out, b"out");
        }
    }
}

trait ReadWrite: Read + Write {}
impl<T: Read + Write> ReadWrite for T {}

#[test]
fn a_listening_socket_accepts_as_one_of_ours() {
    let directory = tempfile::tempdir().expect("a directory for socket files");
    let path = directory.path().join("server.sock");
    for kind in kinds() {
        let mut machine = Machine::real(kind, Network::V4);
        let tcp = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let unix = UnixListener::bind(&path).expect("a free path");
        for fd in [OwnedFd::from(tcp), OwnedFd::from(unix)] {
            let listener = OsListener::try_from(fd).expect("it listens");
            let listener = machine.remote.listen(listener).expect("a first registration");
            let (client, accepted) = machine.connected(&listener);
            let server = machine.remote.adopt(accepted).expect("a first registration");
            machine.write_all(&client, vec![7]);
            assert_eq!(machine.read_exactly(&server, 1), [7]);
        }
        assert!(path.exists(), "its maker made the file, and may want it");
        std::fs::remove_file(&path).expect("it is there");
    }
}

#[test]
fn what_is_no_connected_stream_comes_back_unchanged() {
    let file = tempfile::tempfile().expect("a directory for files");
    let (file, why) = refused_stream(file);
    assert_eq!(why, Unsuitable::NotASocket);
    std::fs::File::from(file).write_all(b"still usable").expect("it is still a file");

    let (datagrams, why) = refused_stream(UdpSocket::bind("127.0.0.1:0").expect("a free port"));
    assert_eq!(why, Unsuitable::NotAStream);
    let datagrams = UdpSocket::from(datagrams);
    datagrams.send_to(b"x", datagrams.local_addr().expect("it is bound")).expect("still usable");
    let (one, _other) = UnixDatagram::pair().expect("descriptors enough");
    assert_eq!(refused_stream(one).1, Unsuitable::NotAStream);

    let family = rustix::net::AddressFamily::INET;
    let fresh =
        rustix::net::socket(family, rustix::net::SocketType::STREAM, None).expect("descriptors enough");
    let (fresh, why) = refused_stream(fresh);
    assert_eq!(why, Unsuitable::NotConnected);
    drop(fresh);

    let (listener, why) = refused_stream(TcpListener::bind("127.0.0.1:0").expect("a free port"));
    assert_eq!(why, Unsuitable::Listening);
    let listener = TcpListener::from(listener);
    let _client = TcpStream::connect(listener.local_addr().expect("it is bound")).expect("it still listens");
    listener.accept().expect("it still accepts");
}

#[test]
fn what_does_not_listen_comes_back_unchanged() {
    let (mut client, server) = tcp_pair();
    let refused = OsListener::try_from(OwnedFd::from(server)).expect_err("it is connected");
    assert_eq!(Unsuitable::in_error(&refused.error), Some(Unsuitable::NotListening));
    assert!(is_blocking(&refused.object));
    TcpStream::from(refused.object).write_all(b"x").expect("still connected");
    client.read_exact(&mut [0]).expect("still connected");

    let file = tempfile::tempfile().expect("a directory for files");
    let refused = OsListener::try_from(OwnedFd::from(file)).expect_err("it is a file");
    assert_eq!(Unsuitable::in_error(&refused.error), Some(Unsuitable::NotASocket));
}

#[cfg(target_os = "linux")]
#[test]
fn a_listener_with_an_abstract_name_is_taken_by_its_name() {
    use std::os::linux::net::SocketAddrExt;
    use std::os::unix::net::SocketAddr;
    let name = format!("slk-{}", std::process::id());
    let address = SocketAddr::from_abstract_name(&name).expect("a short name");
    let listener = UnixListener::bind_addr(&address).expect("a free name");
    let listener = OsListener::try_from(OwnedFd::from(listener)).expect("peers can be told where");
    assert_eq!(listener.local_address(), Address::Ipc(format!("@{name}").into()));
}

/// What a completion port refuses by itself.
#[test]
fn a_duplicate_of_what_is_registered_is_refused_by_every_driver() {
    for kind in kinds() {
        let mut machine = Machine::real(kind, Network::V4);
        let other = Machine::real(Kind::native(), Network::V4);
        let (ours, mut far) = UnixStream::pair().expect("descriptors enough");
        let duplicate = || OwnedFd::from(ours.try_clone().expect("descriptors enough"));
        let stream = OsStream::try_from(duplicate()).expect("it is connected");
        let stream = machine.remote.adopt(stream).expect("a first registration");
        for remote in [&machine.remote, &other.remote] {
            let again = OsStream::try_from(duplicate()).expect("it is connected");
            let refused = remote.adopt(again).expect_err("a second registration");
            assert_eq!(Unsuitable::in_error(&refused.error), Some(Unsuitable::Registered));
            let back = refused.object.into_system().expect("it is a real one");
            assert!(!is_blocking(&back), "the registered one needs it so");
            assert_eq!(machine.remote.key_of(&back), Some(stream.key()));
            assert_eq!(other.remote.key_of(&back), None);
        }
        far.write_all(b"unharmed").expect("it is read");
        assert_eq!(machine.read_exactly(&stream, 8), b"unharmed");

        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let again = OsListener::try_from(OwnedFd::from(listener.try_clone().expect("descriptors enough")));
        let listener = OsListener::try_from(OwnedFd::from(listener)).expect("it listens");
        let listener = machine.remote.listen(listener).expect("a first registration");
        let refused = other.remote.listen(again.expect("it listens")).expect_err("a second registration");
        assert_eq!(Unsuitable::in_error(&refused.error), Some(Unsuitable::Registered));
        let back = refused.object.into_system().expect("it is a real one");
        assert_eq!(machine.remote.key_of(&back), Some(listener.key()));
    }
}

#[test]
fn of_two_threads_with_two_duplicates_one_registers() {
    let machine = Machine::real(Kind::native(), Network::V4);
    let remote = &machine.remote;
    for _ in 0..200 {
        let (one, _far) = UnixStream::pair().expect("descriptors enough");
        let other = one.try_clone().expect("descriptors enough");
        let bring = |fd: UnixStream| {
            let stream = OsStream::try_from(OwnedFd::from(fd)).expect("it is connected");
            remote.adopt(stream).map_err(|refused| refused.object.into_system().expect("it is a real one"))
        };
        let outcomes = std::thread::scope(|scope| {
            [one, other]
                .map(|fd| scope.spawn(move || bring(fd)))
                .map(|thread| thread.join().expect("no panic"))
        });
        match outcomes {
            [Ok(stream), Err(back)] | [Err(back), Ok(stream)] => {
                assert_eq!(remote.key_of(&back), Some(stream.key()));
                assert!(!is_blocking(&back), "who lost the race must not make the winner's socket blocking");
            }
            outcomes => panic!("{outcomes:?}"),
        }
    }
}

#[test]
fn one_that_was_not_registered_is_given_up_as_it_came() {
    let (client, mut server) = tcp_pair();
    let stream = OsStream::try_from(OwnedFd::from(client)).expect("it is connected");
    let machine = Machine::simulated(Faults::NONE, Network::V4);
    let refused = machine.remote.adopt(stream).expect_err("that machine is not this one");
    let back = refused.object.into_system().expect("it is a real one");
    assert!(is_blocking(&back));
    TcpStream::from(back).write_all(b"x").expect("still connected");
    server.read_exact(&mut [0]).expect("still connected");
}
