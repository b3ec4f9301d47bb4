//! What a handle may join, and what comes out of a port.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::os::windows::io::{AsRawSocket, FromRawSocket, OwnedSocket};

use windows_sys::Win32::Foundation::{ERROR_INVALID_PARAMETER, HANDLE};
use windows_sys::Win32::Networking::WinSock::{
    AF_INET, IPPROTO_TCP, SOCK_STREAM, WSADuplicateSocketW, WSAPROTOCOL_INFOW, WSASocketW,
};
use windows_sys::Win32::System::Threading::GetCurrentProcessId;

use super::port::CompletionPort;
use super::*;
use crate::datagram::{ADDRESS_BYTES, MAX_READ_BYTES, put_address};
use crate::port::{Driver, Port, Remote};
use crate::windows::datagram::OsDatagrams;
use crate::windows::error::check_socket;
use crate::windows::socket::{self, SocketOsStream};
use crate::windows::source::{OsListener, OsStream};
use crate::{Address, Batch, Buffer, DatagramOptions, Events, Interest, ListenOptions, Read, Written};

fn driver() -> Driver<Iocp> {
    Driver::open(&Port::new(Iocp::open().expect("handles enough")))
}

/// The next event of a test that expects no more than one.
fn next(driver: &mut Driver<Iocp>) -> Event {
    let mut events = Events::new();
    while events.is_empty() {
        driver.wait(&mut events, Some(Duration::from_secs(30))).expect("a port that works");
    }
    assert_eq!(events.len(), 1, "{events:?}");
    events.next().expect("there is one")
}

/// A connection that no driver knows.
fn connection() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let client = TcpStream::connect(listener.local_addr().expect("it is bound")).expect("it listens");
    (client, listener.accept().expect("it connected").0)
}

fn foreign(socket: TcpStream) -> OsStream {
    OsStream::from_foreign(socket.into()).expect("it is a socket")
}

fn handle(socket: &impl AsRawSocket) -> HANDLE {
    socket::raw(socket) as HANDLE
}

/// Another handle of the same socket.
fn duplicate(socket: &TcpStream) -> TcpStream {
    let mut info = WSAPROTOCOL_INFOW::default();
    // SAFETY: the socket is open while it is borrowed, and `info` outlives the call.
    check_socket(unsafe { WSADuplicateSocketW(socket::raw(socket), GetCurrentProcessId(), &mut info) })
        .expect("a duplicate for this process");
    // SAFETY: `info` describes a socket, and outlives the call.
    let raw = unsafe { WSASocketW(AF_INET.into(), SOCK_STREAM, IPPROTO_TCP, &info, 0, 0) };
    // SAFETY: the call above made it, and nobody else knows it.
    TcpStream::from(unsafe { OwnedSocket::from_raw_socket(raw as _) })
}

/// A second owner of the same handle value, as a program makes it that passes raw handles around. Not to be dropped.
fn same_handle(raw: u64) -> TcpStream {
    // SAFETY: it is not safe, which is what the test is about: the caller forgets it before the real owner closes it.
    TcpStream::from(unsafe { OwnedSocket::from_raw_socket(raw) })
}

#[test]
fn the_system_refuses_every_second_association() {
    let (socket, _peer) = connection();
    let copy = duplicate(&socket);
    let other = CompletionPort::open().expect("handles enough");
    let first = CompletionPort::open().expect("handles enough");
    first.associate(handle(&socket)).expect("its first association");
    let refused = |port: &CompletionPort, handle| {
        let error = port.associate(handle).expect_err("it is associated already");
        assert_eq!(error.raw_os_error(), Some(ERROR_INVALID_PARAMETER as i32));
    };
    refused(&first, handle(&socket));
    refused(&other, handle(&socket));
    refused(&first, handle(&copy));
    refused(&other, handle(&copy));
    drop(first);
    refused(&other, handle(&socket));
    refused(&other, handle(&copy));
}

#[test]
fn a_socket_of_a_strangers_port_is_given_back_as_good_as_before() {
    let (socket, mut peer) = connection();
    let number = handle(&socket) as usize;
    let strangers = CompletionPort::open().expect("handles enough");
    strangers.associate(handle(&socket)).expect("its first association");

    let driver = driver();
    let remote = driver.remote();
    let (given_back, error) = Stream::adopt(&remote, foreign(socket)).expect_err("it cannot join");
    assert_eq!(error.kind(), io::ErrorKind::AlreadyExists);
    let words = error.to_string();
    assert!(words.contains(&format!("handle {number} ")) && words.contains("not ours"), "{words}");
    assert_eq!(remote.port().well().source_count(remote.member()), 0);

    let OsStream::Socket(SocketOsStream { socket, .. }) = given_back else {
        panic!("it became {given_back:?}")
    };
    socket.set_nonblocking(false).expect("it is a socket");
    (&socket).write_all(b"alive").expect("its connection is unharmed");
    let mut received = [0; 5];
    peer.read_exact(&mut received).expect("its connection is unharmed");
    assert_eq!(&received, b"alive");
}

#[test]
fn a_socket_of_one_of_our_ports_is_refused_by_the_holders_name() {
    let (socket, _peer) = connection();
    let raw = socket.as_raw_socket();
    let (holder, other) = (driver(), driver());
    let stream = Stream::adopt(&holder.remote(), foreign(socket)).expect("its first registration");
    for second in [&holder, &other] {
        let (given_back, error) =
            Stream::adopt(&second.remote(), foreign(same_handle(raw))).expect_err("it cannot join twice");
        mem::forget(given_back);
        assert_eq!(error.kind(), io::ErrorKind::AlreadyExists);
        let words = error.to_string();
        assert!(words.contains(&format!("handle {raw} ")), "{words}");
        assert!(words.contains(&format!("{:?}", stream.key())) && words.contains("this process"), "{words}");
    }
    // The one registration is unharmed.
    assert!(matches!(stream.write(Batch::from(vec![1])), Written::Done(_)));

    // The system gives the value away at once; the new owner of it is nobody's.
    stream.close();
    let (mut newer, mut sockets) = (None, Vec::new());
    for _ in 0..64 {
        let (one, two) = connection();
        for socket in [one, two] {
            if socket.as_raw_socket() == raw { newer = Some(socket) } else { sockets.push(socket) }
        }
    }
    if let Some(newer) = newer {
        Stream::adopt(&other.remote(), foreign(newer)).expect("its first registration");
    }
}

#[test]
fn a_socket_for_synchronous_use_is_refused_as_such() {
    // Makes sure that sockets work at all.
    let _pair = connection();
    // SAFETY: the only pointer is null, which the call allows.
    let raw = unsafe { WSASocketW(AF_INET.into(), SOCK_STREAM, IPPROTO_TCP, std::ptr::null(), 0, 0) };
    // SAFETY: the call above made it, and nobody else knows it.
    let socket = TcpStream::from(unsafe { OwnedSocket::from_raw_socket(raw as _) });
    let driver = driver();
    // Past the door, which takes no socket that is not connected.
    let stream = OsStream::Socket(SocketOsStream { socket, peer: None, local: None });
    let (_, error) = Stream::adopt(&driver.remote(), stream).expect_err("it cannot join");
    assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
    assert!(error.to_string().contains("synchronous"), "{error}");
}

#[test]
fn packets_of_strangers_are_nothing_but_interrupts() {
    let mut driver = driver();
    let remote = driver.remote();
    let iocp = remote.port().well();
    let mut memory = OVERLAPPED::default();
    iocp.port.port.post(&mut memory).expect("a port that works");
    iocp.interrupt().expect("a port that works");
    let mut taken = Vec::new();
    iocp.take(&mut taken, Some(Duration::from_secs(30))).expect("a port that works");
    assert!(taken.is_empty(), "{taken:?}");

    // Nothing is confused by it.
    let (socket, mut peer) = connection();
    let stream = Stream::adopt(&remote, foreign(socket)).expect("its first registration");
    peer.write_all(b"input").expect("a connection that lives");
    assert!(matches!(next(&mut driver), Event::Readable(key) if key == stream.key()));
    assert_eq!(stream.read(&mut [0; 8]).expect("a connection that lives"), Read::Bytes(5));
}

#[test]
fn an_operation_outlives_the_thread_that_started_it() {
    let mut driver = driver();
    let remote = driver.remote();
    let (socket, mut peer) = connection();
    let stream =
        std::thread::spawn(move || Stream::adopt(&remote, foreign(socket)).map_err(|(_, error)| error))
            .join()
            .expect("no panic")
            .expect("its first registration");
    peer.write_all(b"input").expect("a connection that lives");
    assert!(matches!(next(&mut driver), Event::Readable(key) if key == stream.key()));
    assert_eq!(stream.read(&mut [0; 8]).expect("a connection that lives"), Read::Bytes(5));
}

/// Some systems cancel what a thread started when it ends, and other code may cancel what it should not.
#[test]
fn a_receive_that_was_cancelled_is_started_again() {
    let mut driver = driver();
    let remote = driver.remote();
    let (socket, mut peer) = connection();
    let stream = Stream::adopt(&remote, foreign(socket)).expect("its first registration");
    let iocp = remote.port().well();
    for _ in 0..3 {
        stream.cancel();
        let mut taken = Vec::new();
        iocp.take(&mut taken, Some(Duration::from_secs(30))).expect("a port that works");
        assert!(taken.is_empty(), "{taken:?}");
    }
    peer.write_all(b"input").expect("a connection that lives");
    assert!(matches!(next(&mut driver), Event::Readable(key) if key == stream.key()));
}

#[test]
fn accepting_that_was_cancelled_is_started_again() {
    let mut driver = driver();
    let remote = driver.remote();
    let any = Address::Tcp("127.0.0.1:0".parse().expect("an address"));
    let listener = OsListener::bind(&any, &ListenOptions::default()).expect("a free port");
    let listener = Listener::register(&remote, listener).expect("its first registration");
    let Address::Tcp(address) = *listener.local_address() else { panic!("it is a TCP listener") };
    let iocp = remote.port().well();
    listener.cancel();
    let mut taken = Vec::new();
    iocp.take(&mut taken, Some(Duration::from_secs(30))).expect("a port that works");
    assert!(taken.is_empty(), "{taken:?}");
    let _client = TcpStream::connect(address).expect("it listens");
    assert!(matches!(next(&mut driver), Event::Acceptable(key) if key == listener.key()));
    assert!(listener.accept().expect("handles enough").is_some());
}

#[test]
fn what_the_system_lacks_memory_for_is_tried_again() {
    let mut driver = driver();
    let remote = driver.remote();
    let iocp = remote.port().well();
    let (socket, mut peer) = connection();
    let stream = Stream::adopt(&remote, foreign(socket)).expect("its first registration");
    peer.write_all(b"input").expect("a connection that lives");
    next(&mut driver);
    let launched = iocp.launch(stream.home(), Role::Receive, true, |_| {
        Err(io::Error::from_raw_os_error(windows_sys::Win32::Networking::WinSock::WSAENOBUFS))
    });
    assert!(matches!(launched, Launched::Pending), "{launched:?}");
    assert!(matches!(next(&mut driver), Event::Readable(key) if key == stream.key()));
}

// ---- datagrams

fn datagrams(remote: &Remote<Iocp>) -> (Datagrams, SocketAddr) {
    let options = DatagramOptions::on("127.0.0.1:0".parse().expect("an address"));
    let (socket, local) = OsDatagrams::open(&options).expect("a free port");
    (Datagrams::adopt(remote, socket).map_err(|(_, error)| error).expect("its first registration"), local)
}

fn datagram(to: SocketAddr, body: &[u8]) -> Buffer {
    let mut octets = Vec::new();
    put_address(to, &mut octets);
    octets.extend_from_slice(body);
    Buffer::Owned(octets)
}

/// Waits for the edge, and reads one.
fn received(driver: &mut Driver<Iocp>, socket: &Datagrams) -> Vec<u8> {
    let mut buffer = vec![0; MAX_READ_BYTES];
    loop {
        match socket.read(&mut buffer).expect("an open socket") {
            Read::Bytes(count) => return buffer[ADDRESS_BYTES..count].to_vec(),
            _ => {
                socket.rearm(Interest::Readable);
                assert!(matches!(next(driver), Event::Readable(key) if key == socket.key()));
            }
        }
    }
}

#[test]
fn a_receive_of_datagrams_that_was_cancelled_is_started_again() {
    let mut driver = driver();
    let remote = driver.remote();
    let (socket, local) = datagrams(&remote);
    let iocp = remote.port().well();
    for _ in 0..3 {
        socket.cancel();
        let mut taken = Vec::new();
        iocp.take(&mut taken, Some(Duration::from_secs(30))).expect("a port that works");
        assert!(taken.is_empty(), "{taken:?}");
    }
    let stranger = UdpSocket::bind("127.0.0.1:0").expect("a free port");
    stranger.send_to(b"input", local).expect("loopback");
    assert_eq!(received(&mut driver, &socket), b"input");
}

#[test]
fn a_receive_of_datagrams_outlives_the_thread_that_started_it() {
    let mut driver = driver();
    let remote = driver.remote();
    let there = remote.clone();
    let (socket, local) = std::thread::spawn(move || datagrams(&there)).join().expect("no panic");
    let stranger = UdpSocket::bind("127.0.0.1:0").expect("a free port");
    for body in [b"one", b"two"] {
        stranger.send_to(body, local).expect("loopback");
        assert_eq!(received(&mut driver, &socket), body);
    }
}

/// Where the system has no room at once, it keeps what it was given until it has.
#[test]
fn datagrams_that_wait_go_out_one_after_the_other() {
    let mut driver = driver();
    let remote = driver.remote();
    let (socket, _) = datagrams(&remote);
    let stranger = UdpSocket::bind("127.0.0.1:0").expect("a free port");
    let to = stranger.local_addr().expect("it is bound");
    let batch = Batch::from(vec![
        datagram(to, b"one"),
        datagram(to, &[0; 65_508]),
        Buffer::Owned(b"no address".to_vec()),
        datagram(to, b""),
        datagram(to, b"three"),
    ]);
    let batch = match socket.write_overlapped(batch) {
        Written::Done(batch) => batch,
        Written::Pending => match next(&mut driver) {
            Event::Written(key, batch, Ok(())) if key == socket.key() => *batch,
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    };
    assert_eq!(batch.remaining_bytes(), 0);
    assert_eq!(socket.take_refused(), 2);
    let mut buffer = [0; 10];
    for body in [&b"one"[..], b"", b"three"] {
        let (count, _) = stranger.recv_from(&mut buffer).expect("a datagram");
        assert_eq!(&buffer[..count], body);
    }
}

#[test]
fn a_port_that_is_dropped_waits_for_datagrams() {
    for _ in 0..50 {
        let driver = driver();
        let remote = driver.remote();
        let (socket, _) = datagrams(&remote);
        let memory = std::sync::Arc::downgrade(&socket.home());
        drop((driver, remote, socket));
        assert!(memory.upgrade().is_none(), "the port gave up on an operation");
    }
}

#[test]
fn a_port_that_is_dropped_waits_for_what_is_in_flight() {
    for _ in 0..50 {
        let driver = driver();
        let remote = driver.remote();
        let (socket, peer) = connection();
        let stream = Stream::adopt(&remote, foreign(socket)).expect("its first registration");
        let pending = loop {
            match stream.write(Batch::from(vec![7; 100_000])) {
                Written::Done(_) => {}
                written => break written,
            }
        };
        assert!(matches!(pending, Written::Pending), "{pending:?}");
        let memory = std::sync::Arc::downgrade(&stream.home());
        drop((driver, remote, stream, peer));
        assert!(memory.upgrade().is_none(), "the port gave up on an operation");
    }
}
