//! Connections on a simulated machine, and what their peers make of the bytes.

use serverlink_driver::sim::{Faults, World};
use serverlink_driver::{
    Address, Driver, ListenOptions, Listener, Read, Remote, Stream, StreamOptions, Writer,
};
use serverlink_zmtp::frame::{Parsed, parse_header};
use serverlink_zmtp::mechanism::curve::Opener;
use serverlink_zmtp::v1::Incoming;

/// A machine on which an outbox is connected to one peer after the other.
pub(crate) struct Wire {
    world: World,
    remote: Remote,
    listener: Listener,
    peers: Vec<Peer>,
    /// A machine without a driver has no connections.
    #[cfg_attr(
        not(loom),
        expect(dead_code, reason = "only the models of `tests/loom.rs` look at its events")
    )]
    driver: Driver,
}

struct Peer {
    /// Our end, until it is closed.
    ours: Option<Stream>,
    stream: Stream,
    received: Vec<u8>,
    /// It speaks ZMTP 1.0.
    old: bool,
    /// What comes to it is sealed.
    opener: Option<Opener>,
}

/// What a peer understood: whole messages, commands, and nothing of a cut frame at the end.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Understood {
    pub(crate) messages: Vec<Vec<Vec<u8>>>,
    pub(crate) commands: Vec<Vec<u8>>,
}

impl Wire {
    pub(crate) fn new(seed: u64) -> Wire {
        let world = World::with_faults(seed, roomy());
        let driver = world.driver();
        let remote = driver.remote();
        let listener = remote.bind(&address(), &ListenOptions::default()).expect("a free address");
        let listener =
            remote.listen(listener).map_err(|refused| refused.error).expect("it is on this machine");
        Wire { world, remote, listener, peers: Vec::new(), driver }
    }

    /// A connection to a new peer.
    pub(crate) fn connect(&mut self) -> Writer {
        self.connect_with(&StreamOptions::default())
    }

    /// A connection whose kernel takes so many bytes, and no more before they are delivered.
    pub(crate) fn connect_taking(&mut self, bytes: usize) -> Writer {
        self.connect_with(&StreamOptions { send_buffer: Some(bytes), ..StreamOptions::default() })
    }

    /// A connection to a new peer of ZMTP 1.0.
    #[cfg(not(loom))]
    pub(crate) fn connect_old(&mut self) -> Writer {
        let writer = self.connect();
        self.peers.last_mut().expect("it was just connected").old = true;
        writer
    }

    /// The same, and its kernel takes only so many bytes.
    #[cfg(not(loom))]
    pub(crate) fn connect_old_taking(&mut self, bytes: usize) -> Writer {
        let writer = self.connect_taking(bytes);
        self.peers.last_mut().expect("it was just connected").old = true;
        writer
    }

    /// What comes to the peer that was connected last is sealed for it.
    #[cfg(not(loom))]
    pub(crate) fn open_with(&mut self, opener: Opener) {
        self.peers.last_mut().expect("it was just connected").opener = Some(opener);
    }

    fn connect_with(&mut self, options: &StreamOptions) -> Writer {
        let stream = self.remote.connect(&address(), options).expect("a connection");
        self.pass_time();
        let (accepted, _) = self.listener.accept().expect("room for it").expect("it arrived");
        let accepted = self.remote.adopt(accepted).map_err(|refused| refused.error);
        let writer = stream.writer();
        self.peers.push(Peer {
            ours: Some(stream),
            stream: accepted.expect("it is on this machine"),
            received: Vec::new(),
            old: false,
            opener: None,
        });
        writer
    }

    /// Closes our end of a connection.
    pub(crate) fn close(&mut self, writer: &Writer) {
        let is_its = |ours: &mut Stream| ours.key() == writer.key();
        self.peers.iter_mut().for_each(|peer| drop(peer.ours.take_if(is_its)));
    }

    /// Whether a write is cut at any byte from now on.
    pub(crate) fn cut_writes(&self, cut: bool) {
        self.world.set_faults(Faults { short_write: if cut { 1.0 } else { 0.0 }, ..roomy() });
    }

    /// Everything that was written arrives.
    pub(crate) fn deliver(&mut self) {
        self.pass_time();
        let mut buffer = vec![0; 256 * 1024];
        for peer in &mut self.peers {
            while let Ok(Read::Bytes(count)) = peer.stream.read(&mut buffer) {
                match &mut peer.opener {
                    Some(opener) => {
                        opener.handle_input(&buffer[..count], &mut peer.received).expect("sealed for it");
                    }
                    None => peer.received.extend_from_slice(&buffer[..count]),
                }
            }
        }
    }

    /// Whether a connection that had no room says that it has some again. It says so once.
    #[cfg(loom)]
    pub(crate) fn has_become_writable(&mut self) -> bool {
        let mut events = serverlink_driver::Events::new();
        self.driver
            .wait(&mut events, Some(std::time::Duration::ZERO))
            .expect("a simulated driver never fails");
        events.any(|event| matches!(event, serverlink_driver::Event::Writable(_)))
    }

    fn pass_time(&self) {
        while let Some(due) = self.world.next_due() {
            self.world.advance_to(due);
        }
    }

    /// Peer by peer, in the order of their connections.
    pub(crate) fn understood(&self) -> Vec<Understood> {
        self.peers.iter().map(|peer| understand(&peer.in_current_form())).collect()
    }
}

impl Peer {
    fn in_current_form(&self) -> Vec<u8> {
        if !self.old {
            return self.received.clone();
        }
        let mut frames = Vec::new();
        Incoming::new().handle_input(&self.received, &mut frames).expect("frames of ZMTP 1.0");
        frames
    }
}

fn address() -> Address {
    Address::Tcp(([10, 0, 0, 1], 5555).into())
}

fn roomy() -> Faults {
    Faults { buffer_bytes: 16 * 1024 * 1024, ..Faults::NONE }
}

fn understand(mut wire: &[u8]) -> Understood {
    let (mut understood, mut parts) = (Understood::default(), Vec::new());
    while let Parsed::Complete { header, header_len } = parse_header(wire).expect("frames, and nothing else")
    {
        let end = header_len + usize::try_from(header.body_len).expect("a small test");
        let Some(body) = wire.get(header_len..end) else { break };
        if header.command {
            assert!(parts.is_empty(), "a control frame stands in the middle of a message");
            understood.commands.push(body.to_vec());
        } else {
            parts.push(body.to_vec());
            if !header.more {
                understood.messages.push(std::mem::take(&mut parts));
            }
        }
        wire = &wire[end..];
    }
    understood
}
