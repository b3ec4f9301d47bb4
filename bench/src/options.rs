//! What to measure, and for how long.

use std::{fmt, str::FromStr, time::Duration};

use crate::Error;

/// One benchmark run: which rows, which competitors, how often, how long.
#[derive(Clone, Debug)]
pub struct Options {
    /// How many interleaved runs the medians are of. Default 5; clamped to at least 1.
    pub runs: usize,
    /// Unmeasured time at the start of each measurement. Default 300 ms.
    pub warm_up: Duration,
    /// How long each figure is measured. Default 1 s.
    pub measure: Duration,
    /// The rows, in the order of the table. Default: all.
    pub rows: Vec<Row>,
    /// The competitors. Default: all.
    pub peers: Vec<Peer>,
    /// Keep every core from halting with an idle-priority spinner each. Default off.
    pub keep_awake: bool,
    /// Called with one line before each measurement, for progress. Default: does nothing.
    pub on_step: fn(&str),
}

impl Default for Options {
    fn default() -> Self {
        Options {
            runs: 5,
            warm_up: Duration::from_millis(300),
            measure: Duration::from_secs(1),
            rows: Row::ALL.to_vec(),
            peers: Peer::ALL.to_vec(),
            keep_awake: false,
            on_step: |_| {},
        }
    }
}

impl Options {
    /// Three short runs without the slow instruction count: half a minute instead of minutes.
    pub fn quick() -> Self {
        Options {
            runs: 3,
            warm_up: Duration::from_millis(100),
            measure: Duration::from_millis(300),
            rows: Row::ALL.into_iter().filter(|row| *row != Row::Instructions).collect(),
            ..Options::default()
        }
    }
}

/// How two ends reach each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// TCP over the loopback interface, two processes.
    Tcp,
    /// A Unix domain socket, two processes.
    Ipc,
    /// Threads of one process.
    Inproc,
}

impl Transport {
    /// Every transport.
    pub const ALL: [Transport; 3] = [Transport::Tcp, Transport::Ipc, Transport::Inproc];

    /// The name in endpoints and in the table.
    pub fn as_str(self) -> &'static str {
        match self {
            Transport::Tcp => "tcp",
            Transport::Ipc => "ipc",
            Transport::Inproc => "inproc",
        }
    }
}

/// One kind of measurement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Row {
    /// 64-byte PUSH to PULL: messages per second and CPU per million messages.
    Stream(Transport),
    /// 64-byte REQ/REP round trip: p50 and p99.
    RoundTrip(Transport),
    /// Four sending threads with a socket each to four receiving threads with a socket each, tcp.
    FourThreads,
    /// Sixteen threads with a REQ socket each that ask once per 10 ms, tcp: what that costs.
    Callers,
    /// A linked pair that does nothing, tcp: how often its processes wake up.
    Idle,
    /// Instructions per 64-byte message over tcp, both ends, counted by `perf` or `valgrind`.
    Instructions,
}

impl Row {
    /// Every row, in the order of the table.
    pub const ALL: [Row; 10] = [
        Row::Stream(Transport::Tcp),
        Row::Stream(Transport::Ipc),
        Row::Stream(Transport::Inproc),
        Row::RoundTrip(Transport::Tcp),
        Row::RoundTrip(Transport::Ipc),
        Row::RoundTrip(Transport::Inproc),
        Row::FourThreads,
        Row::Callers,
        Row::Idle,
        Row::Instructions,
    ];

    /// What the row is, for the table's heading.
    pub fn title(self) -> String {
        match self {
            Row::Stream(transport) => format!("64-byte PUSH to PULL, {}", transport.as_str()),
            Row::RoundTrip(transport) => {
                format!("64-byte REQ/REP round trip, {}", transport.as_str())
            }
            Row::FourThreads => "four threads with four sockets, 64-byte PUSH to PULL, tcp".into(),
            Row::Callers => "sixteen callers once per 10 ms, 64-byte REQ/REP, tcp".into(),
            Row::Idle => "idle linked pair, tcp".into(),
            Row::Instructions => "instructions in user mode per 64-byte message, tcp".into(),
        }
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Row::Stream(transport) => write!(f, "stream-{}", transport.as_str()),
            Row::RoundTrip(transport) => write!(f, "round-trip-{}", transport.as_str()),
            Row::FourThreads => f.write_str("four-threads"),
            Row::Callers => f.write_str("callers"),
            Row::Idle => f.write_str("idle"),
            Row::Instructions => f.write_str("instructions"),
        }
    }
}

impl FromStr for Row {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self, Error> {
        find("row", name, &Row::ALL)
    }
}

/// A competitor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Peer {
    /// The kernel without a library: pre-framed 64 KiB batches, blocking ping-pong; inside one
    /// process a bounded channel of the standard library.
    Raw,
    /// libzmq, loaded at run time.
    Libzmq,
    /// ServerLink.
    Serverlink,
}

impl Peer {
    /// Every competitor.
    pub const ALL: [Peer; 3] = [Peer::Raw, Peer::Libzmq, Peer::Serverlink];

    /// The name in the table.
    pub fn as_str(self) -> &'static str {
        match self {
            Peer::Raw => "raw",
            Peer::Libzmq => "libzmq",
            Peer::Serverlink => "serverlink",
        }
    }
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Peer {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self, Error> {
        find("peer", name, &Peer::ALL)
    }
}

impl fmt::Display for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Transport {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self, Error> {
        find("transport", name, &Transport::ALL)
    }
}

fn find<T: Copy + fmt::Display>(what: &'static str, name: &str, all: &[T]) -> Result<T, Error> {
    all.iter().copied().find(|known| known.to_string() == name).ok_or_else(|| Error::UnknownName {
        what,
        name: name.to_owned(),
        known: all.iter().map(T::to_string).collect::<Vec<_>>().join(" "),
    })
}
