//! What is measured.

use std::{fmt, str::FromStr};

use super::Transport;
use crate::Error;

/// The sizes of one-way rows.
const ONE_WAY_BYTES: [usize; 7] = [16, 64, 256, 1 << 10, 8 << 10, 64 << 10, 1 << 20];
/// The sizes of round-trip rows.
const ROUND_TRIP_BYTES: [usize; 3] = [1, 64, 1 << 10];
/// How many subscribers fan-out rows have.
const SUBSCRIBERS: [usize; 3] = [1, 10, 100];
/// How many connections echo rows have.
const CONNECTIONS: [usize; 4] = [1, 100, 1_000, 10_000];

/// Who sends one way, and to whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pattern {
    /// PUSH to PULL.
    PushPull,
    /// DEALER to ROUTER, which learns from whom each message is.
    DealerRouter,
}

impl Pattern {
    fn as_str(self) -> &'static str {
        match self {
            Pattern::PushPull => "push-pull",
            Pattern::DealerRouter => "dealer-router",
        }
    }

    fn title(self) -> &'static str {
        match self {
            Pattern::PushPull => "PUSH to PULL",
            Pattern::DealerRouter => "DEALER to ROUTER",
        }
    }
}

/// What subscribers ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Topics {
    /// Everything.
    All,
    /// One of the ten topics that there are, each.
    Filtered,
    /// Everything, and 10,000 topics each that nothing begins with: 100,000 between ten subscribers.
    Many,
}

/// One kind of measurement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Row {
    /// Messages per second one way, and CPU per million messages.
    OneWay {
        /// Who sends to whom.
        pattern: Pattern,
        /// How they reach each other.
        transport: Transport,
        /// The size of the messages.
        bytes: usize,
    },
    /// REQ/REP round trip: p50, p99, p99.9 and CPU.
    RoundTrip {
        /// How the ends reach each other.
        transport: Transport,
        /// The size of questions and answers.
        bytes: usize,
    },
    /// 64-byte PUB to several SUB: deliveries per second, and what was lost.
    FanOut {
        /// How they reach each other.
        transport: Transport,
        /// How many subscribers, with a thread each.
        subscribers: usize,
        /// What they ask for.
        topics: Topics,
    },
    /// A ROUTER that echoes 64 bytes to so many connections with one question each under way: CPU of the server.
    Echo {
        /// How many connections.
        connections: usize,
    },
    /// Connections made, shaken hands on and closed again, per second.
    Connects,
    /// Memory per connection in the server, before and after it was used.
    Memory,
    /// A caller that asks once per millisecond, beside a flood between the same two processes over sockets of its own.
    Sparse,
    /// Four threads that send through one PUSH socket.
    SharedSocket,
    /// Four sending threads with a socket each to four receiving threads with a socket each, tcp.
    FourThreads,
    /// Sixteen threads with a REQ socket each that ask once per 10 ms, tcp: what that costs.
    Callers,
    /// A linked pair that does nothing, tcp: how often its processes wake up.
    Idle,
    /// System calls per 64-byte message or round trip over tcp, both ends, counted by `strace`.
    SystemCalls {
        /// REQ/REP in place of PUSH/PULL.
        round_trip: bool,
    },
    /// Instructions per 64-byte message over tcp, both ends, counted by `perf` or `valgrind`.
    Instructions,
}

impl Row {
    /// Every row, in the order of the table.
    pub fn all() -> Vec<Row> {
        let mut rows = Vec::new();
        for pattern in [Pattern::PushPull, Pattern::DealerRouter] {
            for transport in Transport::ALL {
                rows.extend(ONE_WAY_BYTES.map(|bytes| Row::OneWay { pattern, transport, bytes }));
            }
        }
        for transport in Transport::ALL {
            rows.extend(ROUND_TRIP_BYTES.map(|bytes| Row::RoundTrip { transport, bytes }));
        }
        for transport in [Transport::Tcp, Transport::Inproc] {
            for topics in [Topics::All, Topics::Filtered] {
                rows.extend(SUBSCRIBERS.map(|subscribers| Row::FanOut { transport, subscribers, topics }));
            }
            rows.push(Row::FanOut { transport, subscribers: 10, topics: Topics::Many });
        }
        rows.extend(CONNECTIONS.map(|connections| Row::Echo { connections }));
        rows.extend([
            Row::Connects,
            Row::Memory,
            Row::Sparse,
            Row::SharedSocket,
            Row::FourThreads,
            Row::Callers,
            Row::Idle,
        ]);
        rows.extend([false, true].map(|round_trip| Row::SystemCalls { round_trip }));
        rows.push(Row::Instructions);
        rows
    }

    /// What most want to see: 64-byte messages, and what waiting costs.
    pub fn common() -> Vec<Row> {
        let names = [
            "push-pull-tcp-64",
            "push-pull-ipc-64",
            "push-pull-inproc-64",
            "dealer-router-tcp-64",
            "req-rep-tcp-64",
            "req-rep-ipc-64",
            "req-rep-inproc-64",
            "pub-sub-tcp-10",
            "echo-100",
            "four-threads",
            "callers",
            "idle",
            "instructions",
        ];
        Row::all().into_iter().filter(|row| names.contains(&row.to_string().as_str())).collect()
    }

    /// The row of that name, or every row of the family of that name: `push-pull` and `push-pull-tcp` have several sizes.
    ///
    /// # Errors
    /// [`Error::UnknownName`] if there is neither.
    pub fn matching(name: &str) -> Result<Vec<Row>, Error> {
        let name = match name {
            "all" => return Ok(Row::all()),
            "stream-tcp" => "push-pull-tcp-64",
            "stream-ipc" => "push-pull-ipc-64",
            "stream-inproc" => "push-pull-inproc-64",
            "round-trip-tcp" => "req-rep-tcp-64",
            "round-trip-ipc" => "req-rep-ipc-64",
            "round-trip-inproc" => "req-rep-inproc-64",
            other => other,
        };
        let all = Row::all();
        if let Some(row) = all.iter().find(|row| row.to_string() == name) {
            return Ok(vec![*row]);
        }
        let beginning = format!("{name}-");
        let family: Vec<Row> =
            all.into_iter().filter(|row| row.to_string().starts_with(&beginning)).collect();
        if family.is_empty() { Err(unknown(name)) } else { Ok(family) }
    }

    /// The rows that differ in one quantity only share a table and a picture: its title.
    pub fn family(self) -> String {
        match self {
            Row::OneWay { pattern, transport, .. } => format!("{}, {transport}", pattern.title()),
            Row::RoundTrip { transport, .. } => format!("REQ/REP round trip, {transport}"),
            Row::FanOut { transport, .. } => format!("PUB to SUB, 64 bytes, {transport}"),
            Row::Echo { .. } => "ROUTER echo, 64 bytes, tcp".into(),
            Row::Connects => "connections made and closed again, tcp".into(),
            Row::Memory => "memory per connection in the server, tcp".into(),
            Row::Sparse => "a caller once per ms beside a flood, 64 bytes, tcp".into(),
            Row::SharedSocket => "four threads with one PUSH socket, 64 bytes, tcp".into(),
            Row::FourThreads => "four threads with a PUSH each, 64 bytes, tcp".into(),
            Row::Callers => "sixteen callers once per 10 ms, 64 bytes, tcp".into(),
            Row::Idle => "idle linked pair, tcp".into(),
            Row::SystemCalls { .. } => "system calls, 64 bytes, tcp".into(),
            Row::Instructions => "instructions per 64-byte message, tcp".into(),
        }
    }

    /// What sets it apart within its family; empty if it is alone there.
    pub fn variant(self) -> String {
        match self {
            Row::OneWay { bytes, .. } | Row::RoundTrip { bytes, .. } => shown_bytes(bytes),
            Row::FanOut { subscribers, topics: Topics::All, .. } => format!("{subscribers} SUB"),
            Row::FanOut { subscribers, topics: Topics::Filtered, .. } => {
                format!("{subscribers} SUB, filtered")
            }
            Row::FanOut { topics: Topics::Many, .. } => "10 SUB, 100,000 topics".into(),
            Row::Echo { connections: 1 } => "1 connection".into(),
            Row::Echo { connections } => format!("{connections} connections"),
            Row::SystemCalls { round_trip: true } => "per REQ/REP round trip".into(),
            Row::SystemCalls { round_trip: false } => "per PUSH/PULL message".into(),
            _ => String::new(),
        }
    }

    /// Family and variant, for the table's heading.
    pub fn title(self) -> String {
        let (family, variant) = (self.family(), self.variant());
        if variant.is_empty() { family } else { format!("{family}: {variant}") }
    }

    /// Whether it counts what hardly varies, so that once is enough.
    pub(crate) fn is_count(self) -> bool {
        matches!(self, Row::Instructions | Row::SystemCalls { .. } | Row::Memory)
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Row::OneWay { pattern, transport, bytes } => {
                write!(f, "{}-{transport}-{}", pattern.as_str(), short_bytes(*bytes))
            }
            Row::RoundTrip { transport, bytes } => write!(f, "req-rep-{transport}-{}", short_bytes(*bytes)),
            Row::FanOut { transport, subscribers, topics } => match topics {
                Topics::All => write!(f, "pub-sub-{transport}-{subscribers}"),
                Topics::Filtered => write!(f, "pub-sub-{transport}-{subscribers}-filtered"),
                Topics::Many => write!(f, "pub-sub-{transport}-topics"),
            },
            Row::Echo { connections } => write!(f, "echo-{connections}"),
            Row::Connects => f.write_str("connects"),
            Row::Memory => f.write_str("memory"),
            Row::Sparse => f.write_str("sparse"),
            Row::SharedSocket => f.write_str("shared-socket"),
            Row::FourThreads => f.write_str("four-threads"),
            Row::Callers => f.write_str("callers"),
            Row::Idle => f.write_str("idle"),
            Row::SystemCalls { round_trip: false } => f.write_str("system-calls-push-pull"),
            Row::SystemCalls { round_trip: true } => f.write_str("system-calls-req-rep"),
            Row::Instructions => f.write_str("instructions"),
        }
    }
}

impl FromStr for Row {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self, Error> {
        match Row::matching(name)?.as_slice() {
            [row] => Ok(*row),
            _ => Err(unknown(name)),
        }
    }
}

fn unknown(name: &str) -> Error {
    Error::UnknownName {
        what: "row",
        name: name.to_owned(),
        known: Row::all().iter().map(Row::to_string).collect::<Vec<_>>().join(" "),
    }
}

fn short_bytes(bytes: usize) -> String {
    match bytes {
        mebi if mebi >= 1 << 20 => format!("{}m", mebi >> 20),
        kibi if kibi >= 1 << 10 => format!("{}k", kibi >> 10),
        bytes => bytes.to_string(),
    }
}

fn shown_bytes(bytes: usize) -> String {
    match bytes {
        mebi if mebi >= 1 << 20 => format!("{} MiB", mebi >> 20),
        kibi if kibi >= 1 << 10 => format!("{} KiB", kibi >> 10),
        bytes => format!("{bytes} B"),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_row_has_a_name_of_its_own_that_finds_it() {
        let all = Row::all();
        let names: BTreeSet<String> = all.iter().map(Row::to_string).collect();
        assert_eq!(names.len(), all.len());
        for row in all {
            assert_eq!(row.to_string().parse::<Row>().unwrap(), row);
        }
    }

    #[test]
    fn families_are_chosen_by_their_beginning() {
        assert_eq!(Row::matching("push-pull-tcp").unwrap().len(), 7);
        assert_eq!(Row::matching("push-pull").unwrap().len(), 21);
        assert_eq!(Row::matching("pub-sub-tcp-10").unwrap().len(), 1);
        assert_eq!(Row::matching("echo").unwrap().len(), 4);
        assert_eq!(Row::matching("stream-tcp").unwrap(), Row::matching("push-pull-tcp-64").unwrap());
        assert_eq!(Row::matching("all").unwrap().len(), Row::all().len());
        assert_eq!(Row::matching("push").unwrap().len(), 21);
        let error = Row::matching("pushes").unwrap_err().to_string();
        assert!(error.contains("push-pull-tcp-64"), "{error}");
    }

    #[test]
    fn the_common_rows_are_all_there() {
        assert_eq!(Row::common().len(), 13);
    }
}
