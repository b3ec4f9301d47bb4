//! A driver under test, and how time passes on its machine.

#![allow(dead_code, reason = "each test file uses what it needs")]

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::{Duration, Instant};

use serverlink_driver::sim::{Faults, World};
use serverlink_driver::{
    Address, Batch, Driver, Event, Events, Interest, Key, Kind, ListenOptions, Listener, OsStream, Outer,
    Read, Remote, Stream, StreamOptions, Written,
};

/// Long enough for any machine; only a failing test waits so long.
const PATIENCE: Duration = Duration::from_secs(30);

/// Which addresses a test uses.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Network {
    V4,
    V6,
    Ipc,
}

pub(crate) struct Machine {
    pub(crate) driver: Driver,
    pub(crate) remote: Remote,
    pub(crate) world: Option<World>,
    network: Network,
    events: Events,
    /// Taken and not asked for yet.
    seen: Vec<Event>,
    directory: tempfile::TempDir,
    sockets: u32,
    /// Events may come for sources that are closed.
    pub(crate) spurious: bool,
}

impl Machine {
    pub(crate) fn real(kind: Kind, network: Network) -> Machine {
        Machine::with(Driver::open(kind).expect("the system has this driver"), None, network)
    }

    /// A driver that can be added to this outer poller.
    pub(crate) fn under(outer: &Outer, network: Network) -> Machine {
        let driver = outer.waker().open_driver().expect("the system has this driver");
        Machine::with(driver, None, network)
    }

    pub(crate) fn simulated(faults: Faults, network: Network) -> Machine {
        let spurious = faults.spurious > 0.0;
        let world = World::with_faults(1, faults);
        Machine { spurious, ..Machine::with(world.driver(), Some(world), network) }
    }

    fn with(driver: Driver, world: Option<World>, network: Network) -> Machine {
        Machine {
            remote: driver.remote(),
            driver,
            world,
            network,
            events: Events::new(),
            seen: Vec::new(),
            directory: tempfile::tempdir().expect("a directory for socket files"),
            sockets: 0,
            spurious: false,
        }
    }

    /// Where a listener may listen: a free port or a path of its own.
    pub(crate) fn free_address(&mut self) -> Address {
        let tcp = |ip: IpAddr| Address::Tcp(SocketAddr::new(ip, 0));
        match self.network {
            Network::V4 => tcp(Ipv4Addr::LOCALHOST.into()),
            Network::V6 => tcp(Ipv6Addr::LOCALHOST.into()),
            Network::Ipc => {
                self.sockets += 1;
                Address::Ipc(self.directory.path().join(format!("{}.sock", self.sockets)))
            }
        }
    }

    pub(crate) fn is_simulated(&self) -> bool {
        self.world.is_some()
    }

    pub(crate) fn is_tcp(&self) -> bool {
        !matches!(self.network, Network::Ipc)
    }

    pub(crate) fn listener(&mut self) -> Listener {
        let address = self.free_address();
        let listener = self.remote.bind(&address, &ListenOptions::default()).expect("a free address");
        self.remote.listen(listener).expect("a first registration")
    }

    pub(crate) fn connect(&self, address: &Address) -> Stream {
        self.remote.connect(address, &StreamOptions::default()).expect("an attempt")
    }

    /// A stream that connected to the listener, and the accepted other end.
    pub(crate) fn connected(&mut self, listener: &Listener) -> (Stream, OsStream) {
        let client = self.connect(&listener.local_address());
        self.expect_connected(&client);
        (client, self.accept(listener))
    }

    pub(crate) fn accept(&mut self, listener: &Listener) -> OsStream {
        loop {
            if let Some((stream, _)) = listener.accept().expect("descriptors enough") {
                return stream;
            }
            listener.rearm();
            self.expect(
                "a connection to accept",
                |event| matches!(event, Event::Acceptable(key) if *key == listener.key()),
            );
        }
    }

    /// Both ends of a connection.
    pub(crate) fn pair(&mut self) -> (Stream, Stream) {
        let listener = self.listener();
        let (client, accepted) = self.connected(&listener);
        let server = self.remote.adopt(accepted).expect("a first registration");
        let key = listener.key();
        listener.close();
        self.expect_closed(key);
        (client, server)
    }

    /// Waits for the last event of a closed source, where there is one, and forgets the source. What came behind stays to be found.
    pub(crate) fn expect_closed(&mut self, key: Key) {
        let last = self.remote.reports_closed().then(|| {
            let is_last = |event: &Event| matches!(event, Event::Closed(of) if *of == key);
            self.wait_for("its last operation", is_last)
        });
        let mut position = 0;
        self.seen.retain(|event| {
            let is_behind = last.is_some_and(|last| position > last);
            position += 1;
            event.key() != Some(key) || is_behind
        });
    }

    pub(crate) fn expect_connected(&mut self, stream: &Stream) {
        let key = stream.key();
        match self.expect("an outcome", |event| matches!(event, Event::Connected(of, _) if *of == key)) {
            Event::Connected(_, outcome) => outcome.expect("somebody listens"),
            event => panic!("asked for an outcome and got {event:?}"),
        }
    }

    pub(crate) fn expect_readable(&mut self, stream: &Stream) {
        self.expect(
            "something to read",
            |event| matches!(event, Event::Readable(key) if *key == stream.key()),
        );
    }

    pub(crate) fn expect_writable(&mut self, stream: &Stream) {
        self.expect("room to write", |event| matches!(event, Event::Writable(key) if *key == stream.key()));
    }

    /// Waits for an event; others are kept for later.
    pub(crate) fn expect(&mut self, what: &str, matches: impl Fn(&Event) -> bool) -> Event {
        let index = self.wait_for(what, matches);
        self.seen.remove(index)
    }

    /// Waits for an event: its place among those that nobody asked for yet.
    fn wait_for(&mut self, what: &str, matches: impl Fn(&Event) -> bool) -> usize {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(index) = self.seen.iter().position(&matches) {
                return index;
            }
            self.step(deadline.saturating_duration_since(Instant::now()));
            assert!(Instant::now() < deadline, "waited for {what}, saw {:?}", self.seen);
        }
    }

    /// Takes events once, letting time pass if there are none.
    fn step(&mut self, patience: Duration) {
        self.driver.wait(&mut self.events, Some(patience)).expect("a driver that works");
        if let Some(world) = self.world.as_ref().filter(|_| self.events.is_empty()) {
            let due =
                world.next_due().unwrap_or_else(|| panic!("nothing will ever happen, saw {:?}", self.seen));
            world.advance_to(due);
        }
        self.seen.extend(self.events.by_ref());
    }

    /// Takes whatever happens until nothing more does.
    pub(crate) fn settle(&mut self) -> &mut Vec<Event> {
        loop {
            if let Some(world) = &self.world {
                world.next_due().into_iter().for_each(|due| world.advance_to(due));
            }
            let before = self.seen.len();
            // On a loopback network what was sent has, mostly, arrived when the call that sent it returns. Tests that need it wait for the event.
            self.driver.wait(&mut self.events, Some(Duration::ZERO)).expect("a driver that works");
            self.seen.extend(self.events.by_ref());
            let over = self.world.as_ref().is_none_or(|world| world.next_due().is_none());
            if over && before == self.seen.len() {
                return &mut self.seen;
            }
        }
    }

    /// Puts events back that are to be found later.
    pub(crate) fn seen_again(&mut self, events: Vec<Event>) {
        self.seen.extend(events);
    }

    /// Reads so many bytes, waiting for them.
    pub(crate) fn read_exactly(&mut self, stream: &Stream, count: usize) -> Vec<u8> {
        let mut bytes = vec![0; count];
        let mut filled = 0;
        while filled < count {
            match stream.read(&mut bytes[filled..]).expect("a connection that lives") {
                Read::Bytes(more) => filled += more,
                Read::WouldBlock => self.wait_readable(stream),
                Read::End => panic!("the stream ended after {filled} of {count} bytes"),
            }
        }
        bytes
    }

    /// Reads up to the end.
    pub(crate) fn read_to_end(&mut self, stream: &Stream) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut buffer = [0; 4096];
        loop {
            match stream.read(&mut buffer).expect("a connection that ends well") {
                Read::Bytes(count) => bytes.extend_from_slice(&buffer[..count]),
                Read::WouldBlock => self.wait_readable(stream),
                Read::End => return bytes,
            }
        }
    }

    pub(crate) fn wait_readable(&mut self, stream: &Stream) {
        stream.rearm(Interest::Readable);
        self.expect_readable(stream);
    }

    /// Writes everything, waiting for room.
    pub(crate) fn write_all(&mut self, stream: &Stream, batch: impl Into<Batch>) {
        let mut batch = batch.into();
        loop {
            match stream.write(batch) {
                Written::Done(_) => return,
                Written::Blocked(rest) => batch = rest,
                Written::Pending => {
                    self.expect_written(stream);
                    return;
                }
                other => panic!("writing ended with {other:?}"),
            }
            stream.rearm(Interest::Writable);
            self.expect_writable(stream);
        }
    }

    /// Waits for a batch that the driver keeps to be written.
    pub(crate) fn expect_written(&mut self, stream: &Stream) -> Batch {
        match self.expect_returned(stream.key()) {
            (batch, Ok(())) => batch,
            (batch, Err(error)) => panic!("writing ended after {} bytes: {error}", batch.written_bytes()),
        }
    }

    /// Waits for a batch that the driver keeps, and how its writing ended.
    pub(crate) fn expect_returned(&mut self, key: Key) -> (Batch, std::io::Result<()>) {
        match self.expect("a batch", |event| matches!(event, Event::Written(of, ..) if *of == key)) {
            Event::Written(_, batch, outcome) => (*batch, outcome),
            event => panic!("asked for a batch and got {event:?}"),
        }
    }
}
