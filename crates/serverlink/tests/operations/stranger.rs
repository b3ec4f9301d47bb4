//! A peer of bytes on the simulated machine: it dials listeners, listens where dialers call, and says what it likes.

use serverlink::sim::World;
use serverlink_driver::{
    Address, Batch, Driver, Event, Events, Interest, Key, ListenOptions, Listener, Read, Remote, Stream,
    StreamOptions, Written,
};

use crate::choices::Choices;

pub(crate) struct Stranger {
    driver: Driver,
    remote: Remote,
    events: Events,
    lines: Vec<Line>,
    listener: Option<Listener>,
    /// Sources that were closed and whose last operation is on its way.
    leaving: usize,
}

/// One of its connections.
struct Line {
    stream: Stream,
    connected: bool,
    /// What the system has not taken yet. While the driver has a batch nothing else may be written.
    unsent: Vec<u8>,
    pending: bool,
    hangs_up: bool,
}

const MAX_LINES: usize = 4;

impl Stranger {
    pub(crate) fn new(world: &World) -> Stranger {
        let driver = world.driver();
        let remote = driver.remote();
        Stranger { driver, remote, events: Events::new(), lines: Vec::new(), listener: None, leaving: 0 }
    }

    /// Dials somebody, listens somewhere, speaks or hangs up.
    pub(crate) fn act(&mut self, choices: &mut Choices<'_>, addresses: &[Address]) {
        match choices.index(6) {
            0 => self.dial(&addresses[choices.index(addresses.len())]),
            1 if self.listener.is_none() => self.listen(&addresses[choices.index(addresses.len())]),
            1 => self.stop_listening(),
            2 => {
                if let Some(line) = self.line(choices) {
                    line.hangs_up = true;
                }
            }
            _ => {
                if let Some(line) = self.line(choices) {
                    line.unsent.extend(words(choices));
                }
            }
        }
        self.speak();
    }

    fn line(&mut self, choices: &mut Choices<'_>) -> Option<&mut Line> {
        let count = self.lines.len();
        (count > 0).then(|| &mut self.lines[choices.index(count)])
    }

    fn dial(&mut self, address: &Address) {
        if self.lines.len() < MAX_LINES
            && let Ok(stream) = self.remote.connect(address, &StreamOptions::default())
        {
            self.lines.push(Line::new(stream, false));
        }
    }

    fn listen(&mut self, address: &Address) {
        let bound = self.remote.bind(address, &ListenOptions::default());
        self.listener = bound.ok().and_then(|bound| self.remote.listen(bound).ok());
    }

    fn stop_listening(&mut self) {
        if let Some(listener) = self.listener.take() {
            listener.close();
            self.leaving += usize::from(self.remote.reports_closed());
        }
    }

    /// Takes what the network has for it. To be called whenever the machine has gone on.
    pub(crate) fn go_on(&mut self) {
        self.driver.wait(&mut self.events, None).expect("a simulated driver does not fail");
        while let Some(event) = self.events.next() {
            self.handle(event);
        }
        self.speak();
    }

    fn handle(&mut self, event: Event) {
        match event {
            Event::Connected(key, outcome) => match (self.find(key), outcome) {
                (Some(at), Ok(())) => self.lines[at].connected = true,
                (Some(at), Err(_)) => self.hang_up(at),
                (None, _) => {}
            },
            Event::Readable(key) => {
                if let Some(at) = self.find(key)
                    && !self.lines[at].hear()
                {
                    self.hang_up(at);
                }
            }
            Event::Written(key, _, outcome) => {
                if let Some(at) = self.find(key) {
                    self.lines[at].pending = false;
                    self.lines[at].hangs_up |= outcome.is_err();
                }
            }
            Event::Error(key, _) => {
                if let Some(at) = self.find(key) {
                    self.hang_up(at);
                }
            }
            Event::Acceptable(_) => self.accept(),
            Event::Closed(_) => self.leaving -= 1,
            Event::Writable(_) | Event::Woken => {}
        }
    }

    fn accept(&mut self) {
        let Some(listener) = &self.listener else { return };
        loop {
            match listener.accept() {
                Ok(Some((stream, _))) if self.lines.len() < MAX_LINES => {
                    if let Ok(stream) = self.remote.adopt(stream) {
                        self.lines.push(Line::new(stream, true));
                    }
                }
                Ok(Some(_)) => {}
                Ok(None) => return listener.rearm(),
                // Out of descriptors; it does not wait for better times.
                Err(_) => return self.stop_listening(),
            }
        }
    }

    fn find(&self, key: Key) -> Option<usize> {
        self.lines.iter().position(|line| line.stream.key() == key)
    }

    fn speak(&mut self) {
        self.lines.iter_mut().for_each(Line::speak);
        while let Some(at) = self.lines.iter().position(Line::is_over) {
            self.hang_up(at);
        }
    }

    fn hang_up(&mut self, at: usize) {
        self.lines.swap_remove(at).stream.close();
        self.leaving += usize::from(self.remote.reports_closed());
    }

    pub(crate) fn hang_up_all(&mut self) {
        while !self.lines.is_empty() {
            self.hang_up(0);
        }
        self.stop_listening();
    }

    pub(crate) fn has_left(&self) -> bool {
        self.leaving == 0
    }
}

impl Line {
    fn new(stream: Stream, connected: bool) -> Line {
        Line { stream, connected, unsent: Vec::new(), pending: false, hangs_up: false }
    }

    fn is_over(&self) -> bool {
        self.hangs_up && (self.unsent.is_empty() || !self.connected)
    }

    fn speak(&mut self) {
        if !self.connected || self.pending || self.unsent.is_empty() {
            return;
        }
        let batch = Batch::from(std::mem::take(&mut self.unsent));
        match self.stream.write(batch) {
            Written::Done(_) => {}
            // It is not patient: what does not fit is not said.
            Written::Blocked(_) => {}
            Written::Pending => self.pending = true,
            Written::Failed(..) => self.hangs_up = true,
        }
    }

    /// Whether more may come.
    fn hear(&mut self) -> bool {
        let mut buffer = [0; 4096];
        loop {
            match self.stream.read(&mut buffer) {
                Ok(Read::Bytes(_)) => {}
                Ok(Read::WouldBlock) => {
                    self.stream.rearm(Interest::Readable);
                    return true;
                }
                Ok(Read::End) | Err(_) => return false,
            }
        }
    }
}

/// Pieces of ZMTP, right and wrong, and bytes of the input itself.
fn words(choices: &mut Choices<'_>) -> Vec<u8> {
    match choices.index(12) {
        0..3 => [greeting(choices.byte() & 1), ready(choices)].concat(),
        3 => greeting(choices.of(&[0, 1, 1, 7])),
        4 => ready(choices),
        5 => frame(4, b"\x04PING\0\x0ahello"),
        6 => frame(4, &[b"\x09SUBSCRIBE", choices.take(2)].concat()),
        7 => frame(0, &[&[choices.byte() & 1], choices.take(2)].concat()),
        8 => frame(choices.byte() & 1, choices.take(5)),
        // Announced, and never said.
        9 => [&[choices.byte() & 7 | 2][..], &choices.word().to_be_bytes()].concat(),
        10 => frame(4, choices.take(8)),
        _ => {
            let count = choices.index(24);
            choices.take(count).to_vec()
        }
    }
}

fn greeting(minor: u8) -> Vec<u8> {
    let mut greeting = vec![0; 64];
    (greeting[0], greeting[9], greeting[10], greeting[11]) = (0xff, 0x7f, 3, minor);
    greeting[12..16].copy_from_slice(b"NULL");
    greeting
}

fn ready(choices: &mut Choices<'_>) -> Vec<u8> {
    let kind = choices.of(&serverlink::SocketType::ALL).as_str().as_bytes();
    let name = choices.of(&crate::setting::NAMES).as_bytes();
    let property = |name: &[u8], value: &[u8]| {
        [&[name.len() as u8], name, &(value.len() as u32).to_be_bytes(), value].concat()
    };
    let mut body = [b"\x05READY".to_vec(), property(b"Socket-Type", kind)].concat();
    if choices.once_in(2) {
        body.extend(property(b"Identity", name));
    }
    frame(4, &body)
}

fn frame(flags: u8, body: &[u8]) -> Vec<u8> {
    [&[flags, body.len() as u8], body].concat()
}
