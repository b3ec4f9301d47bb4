//! A SOCKS5 proxy, on threads of its own, that lets through whom it is told to. It is the only one that resolves names: to itself they all mean this machine.
#![allow(dead_code, reason = "each test binary uses what it needs")]

use std::io::{self, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// Longer than anything takes on a loaded machine; only a failing test waits so long.
const PATIENCE: Duration = Duration::from_secs(20);

const NO_AUTHENTICATION: u8 = 0;
const USERNAME_PASSWORD: u8 = 2;

/// How a proxy behaves.
#[derive(Clone, Debug, Default)]
pub(crate) struct Conduct {
    /// It wants this user name and this password.
    pub(crate) wants: Option<(&'static str, &'static str)>,
    /// Every octet is a segment of its own.
    pub(crate) bytewise: bool,
    /// Its yes and the first octets of the peer are one segment.
    pub(crate) with_peer: bool,
    /// Its yes has a name where most proxies have an address.
    pub(crate) replies_name: bool,
    /// What it replies instead of connecting.
    pub(crate) refuses: Option<u8>,
}

/// Whom somebody wanted to reach, and as whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Asked {
    /// `host:port`, with an address of IPv6 in brackets.
    pub(crate) target: String,
    /// Whether the host came as a name.
    pub(crate) by_name: bool,
    pub(crate) user: Option<(String, String)>,
}

pub(crate) struct SocksProxy {
    address: SocketAddr,
    asked: Receiver<Asked>,
    desk: Arc<Desk>,
}

struct Desk {
    conduct: Conduct,
    tell: Mutex<Sender<Asked>>,
    /// Of those that are connected, both ends; `None` when it is over.
    streams: Mutex<Option<Vec<TcpStream>>>,
}

impl SocksProxy {
    pub(crate) fn start(conduct: Conduct) -> SocksProxy {
        SocksProxy::start_on(TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port"), conduct)
    }

    pub(crate) fn start_on(listener: TcpListener, conduct: Conduct) -> SocksProxy {
        let address = listener.local_addr().expect("it is bound");
        let (tell, asked) = channel();
        let desk = Arc::new(Desk { conduct, tell: Mutex::new(tell), streams: Mutex::new(Some(Vec::new())) });
        let shared = Arc::clone(&desk);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let desk = Arc::clone(&shared);
                if desk.is_over() {
                    return;
                }
                // Whoever goes in the middle is nothing to tell of.
                thread::spawn(move || desk.serve(stream?));
            }
        });
        SocksProxy { address, asked, desk }
    }

    /// `host:port`.
    pub(crate) fn address(&self) -> String {
        self.address.to_string()
    }

    /// Who asked next.
    pub(crate) fn asked(&self) -> Asked {
        self.asked.recv_timeout(PATIENCE).expect("somebody asks")
    }

    /// Who has asked already.
    pub(crate) fn try_asked(&self) -> Option<Asked> {
        self.asked.try_recv().ok()
    }

    /// All that go through it lose their connection.
    pub(crate) fn cut_all(&self) {
        if let Some(streams) = &mut *self.desk.streams.lock().expect("nobody panics") {
            streams.drain(..).for_each(|stream| drop(stream.shutdown(Shutdown::Both)));
        }
    }
}

impl Drop for SocksProxy {
    fn drop(&mut self) {
        self.cut_all();
        *self.desk.streams.lock().expect("nobody panics") = None;
        // It sits in `accept`.
        let _ = TcpStream::connect(self.address);
    }
}

impl Desk {
    fn is_over(&self) -> bool {
        self.streams.lock().expect("nobody panics").is_none()
    }

    fn serve(&self, mut client: TcpStream) -> io::Result<()> {
        client.set_nodelay(true)?;
        let user = self.meet(&mut client)?;
        let (asked, address) = read_request(&mut client, user)?;
        let _ = self.tell.lock().expect("nobody panics").send(asked);
        if let Some(code) = self.conduct.refuses {
            return self.say(&mut client, &[5, code, 0, 1, 0, 0, 0, 0, 0, 0]);
        }
        let Ok(mut peer) = TcpStream::connect(address) else {
            return self.say(&mut client, &[5, 5, 0, 1, 0, 0, 0, 0, 0, 0]);
        };
        peer.set_nodelay(true)?;
        let mut reply = match self.conduct.replies_name {
            true => b"\x05\x00\x00\x03\x09localhost\x00\x00".to_vec(),
            false => vec![5, 0, 0, 1, 127, 0, 0, 1, 0x15, 0xb3],
        };
        if self.conduct.with_peer {
            // A listener of ZMTP begins with ten octets when it has seen them from the other side, or by itself when nothing comes.
            let mut first = [0; 10];
            peer.read_exact(&mut first)?;
            reply.extend_from_slice(&first);
        }
        self.say(&mut client, &reply)?;
        self.relay(client, peer)
    }

    /// Methods, and who it is.
    fn meet(&self, client: &mut TcpStream) -> io::Result<Option<(String, String)>> {
        let [version, count] = read_array(client)?;
        assert_eq!(version, 5);
        let methods = read_some(client, count)?;
        let Some((username, password)) = self.conduct.wants else {
            assert!(methods.contains(&NO_AUTHENTICATION));
            self.say(client, &[5, NO_AUTHENTICATION])?;
            return Ok(None);
        };
        if !methods.contains(&USERNAME_PASSWORD) {
            self.say(client, &[5, 0xff])?;
            return Err(io::ErrorKind::PermissionDenied.into());
        }
        self.say(client, &[5, USERNAME_PASSWORD])?;
        let [version] = read_array(client)?;
        assert_eq!(version, 1);
        let mut text = || -> io::Result<String> {
            let [len] = read_array(client)?;
            Ok(String::from_utf8(read_some(client, len)?).expect("the test's own text"))
        };
        let user = (text()?, text()?);
        if (&user.0[..], &user.1[..]) != (username, password) {
            self.say(client, &[1, 1])?;
            return Err(io::ErrorKind::PermissionDenied.into());
        }
        self.say(client, &[1, 0])?;
        Ok(Some(user))
    }

    fn say(&self, to: &mut TcpStream, octets: &[u8]) -> io::Result<()> {
        let size = if self.conduct.bytewise { 1 } else { octets.len() };
        octets.chunks(size).try_for_each(|piece| to.write_all(piece))
    }

    /// Both ways until both ends are over.
    fn relay(&self, client: TcpStream, peer: TcpStream) -> io::Result<()> {
        let (mut from_client, mut to_peer) = (client.try_clone()?, peer.try_clone()?);
        let (mut from_peer, mut to_client) = (peer.try_clone()?, client.try_clone()?);
        match &mut *self.streams.lock().expect("nobody panics") {
            Some(streams) => streams.extend([client, peer]),
            None => return Ok(()),
        }
        let there = thread::spawn(move || {
            let _ = io::copy(&mut from_client, &mut to_peer);
            let _ = to_peer.shutdown(Shutdown::Write);
        });
        let _ = io::copy(&mut from_peer, &mut to_client);
        let _ = to_client.shutdown(Shutdown::Write);
        there.join().expect("nobody panics");
        Ok(())
    }
}

fn read_request(client: &mut TcpStream, user: Option<(String, String)>) -> io::Result<(Asked, SocketAddr)> {
    let [version, command, reserved, kind] = read_array(client)?;
    assert_eq!((version, command, reserved), (5, 1, 0));
    let (host, ip) = match kind {
        1 => {
            let ip = Ipv4Addr::from(read_array::<4>(client)?);
            (ip.to_string(), IpAddr::from(ip))
        }
        4 => {
            let ip = Ipv6Addr::from(read_array::<16>(client)?);
            (format!("[{ip}]"), IpAddr::from(ip))
        }
        3 => {
            let [len] = read_array(client)?;
            let name = String::from_utf8(read_some(client, len)?).expect("the test's own text");
            (name, IpAddr::from(Ipv4Addr::LOCALHOST))
        }
        other => panic!("an address of the type {other}"),
    };
    let port = u16::from_be_bytes(read_array(client)?);
    Ok((Asked { target: format!("{host}:{port}"), by_name: kind == 3, user }, (ip, port).into()))
}

fn read_array<const N: usize>(from: &mut TcpStream) -> io::Result<[u8; N]> {
    let mut octets = [0; N];
    from.read_exact(&mut octets)?;
    Ok(octets)
}

fn read_some(from: &mut TcpStream, len: u8) -> io::Result<Vec<u8>> {
    let mut octets = vec![0; usize::from(len)];
    from.read_exact(&mut octets)?;
    Ok(octets)
}
