//! The options, in the groups that the patterns share.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::time::duration;
use crate::format::Format;

/// Where the socket goes, how long it may take, how much it may hold.
#[derive(Args, Debug)]
#[command(next_help_heading = "Socket")]
pub(crate) struct Wiring {
    /// Listen on ENDPOINT: tcp://*:5555, tcp://127.0.0.1:* (any free port), ipc:///run/x.sock. Repeatable
    #[arg(long, value_name = "ENDPOINT", required_unless_present = "connect")]
    pub(crate) bind: Vec<String>,

    /// Connect to ENDPOINT, where a peer listens or will listen. Repeatable
    #[arg(long, value_name = "ENDPOINT")]
    pub(crate) connect: Vec<String>,

    /// Connect over tcp through a SOCKS5 proxy, which resolves the names of peers
    #[arg(long, value_name = "HOST:PORT")]
    pub(crate) socks_proxy: Option<String>,

    /// The name by which ROUTER peers know this socket, up to 255 bytes
    #[arg(long, value_name = "ID")]
    pub(crate) routing_id: Option<String>,

    /// End after COUNT messages: received ones where the pattern receives, else sent ones
    #[arg(short = 'n', long, value_name = "COUNT")]
    pub(crate) count: Option<u64>,

    /// Give up when nothing could be sent or received for so long: 5, 1.5s, 300ms, 2m
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub(crate) timeout: Option<Duration>,

    /// At the end, wait so long for messages that are not sent yet; after --timeout at most as long as that
    #[arg(long, value_name = "TIME", value_parser = duration, default_value = "30s")]
    pub(crate) linger: Duration,

    /// High-water mark: messages that may wait for each peer, in either direction; 0 is no limit
    #[arg(long, value_name = "MESSAGES", default_value_t = 1000)]
    pub(crate) hwm: u32,

    /// Let others follow this socket at ENDPOINT: slk top, slk monitor and slk stats connect there
    #[arg(long, value_name = "ENDPOINT")]
    pub(crate) stats: Option<String>,

    /// Say nothing on standard error unless something is wrong
    #[arg(short, long)]
    pub(crate) quiet: bool,
}

/// What to send.
#[derive(Args, Debug, Default)]
#[command(next_help_heading = "What is sent (without -m and --file: standard input)")]
pub(crate) struct Input {
    /// Send TEXT. Repeatable; with -n the messages are sent again and again until there were COUNT
    #[arg(short, long, value_name = "TEXT")]
    pub(crate) message: Vec<String>,

    /// Send the whole FILE as one message. Repeatable, as -m
    #[arg(long, value_name = "FILE")]
    pub(crate) file: Vec<PathBuf>,

    /// How messages stand on standard input
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t)]
    pub(crate) input: Format,

    /// Lines: SEP stands between the parts of a message. Without it a line is one part
    #[arg(long, value_name = "SEP")]
    pub(crate) split: Option<String>,
}

/// What to do with what is received.
#[derive(Args, Debug, Default)]
#[command(next_help_heading = "What is received (to standard output)")]
pub(crate) struct Output {
    /// How messages are written
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t)]
    pub(crate) output: Format,

    /// Lines: write SEP between the parts of a message
    #[arg(long, value_name = "SEP", default_value = "\t", hide_default_value = true)]
    pub(crate) join: String,

    /// Write each message into a file of its own in DIR: 000001, 000002, ... Only its last part: the rest are addresses and topics
    #[arg(long, value_name = "DIR")]
    pub(crate) save: Option<PathBuf>,
}

/// How to answer requests.
#[derive(Args, Debug, Default)]
#[group(multiple = false)]
#[command(next_help_heading = "What is answered (without any of these: the request itself)")]
pub(crate) struct Replies {
    /// Answer every request with TEXT
    #[arg(long, value_name = "TEXT")]
    pub(crate) reply: Option<String>,

    /// Answer each request with the next message of standard input, which stands there as FORMAT says
    #[arg(long, value_name = "FORMAT", value_enum)]
    pub(crate) replies: Option<Format>,
}

/// Topics of a subscriber.
#[derive(Args, Debug)]
pub(crate) struct Subscribe {
    /// Receive messages that start with TOPIC. Repeatable; without it and --pattern: everything
    #[arg(long, value_name = "TOPIC")]
    pub(crate) topic: Vec<String>,

    /// Receive messages whose first part fits PATTERN: 'prices.*', 'room.[0-9]?'. Repeatable
    #[arg(long, value_name = "PATTERN")]
    pub(crate) pattern: Vec<String>,
}

/// The topic of a publisher.
#[derive(Args, Debug)]
pub(crate) struct Publish {
    /// Put TOPIC in front of every message, as a part of its own
    #[arg(long, value_name = "TOPIC")]
    pub(crate) topic: Option<String>,

    /// Send only when so many subscribers are there; earlier messages would reach nobody
    #[arg(long, value_name = "PEERS", default_value_t = 1)]
    pub(crate) subscribers: usize,
}

/// push, scatter
#[derive(Args, Debug)]
pub(crate) struct Sending {
    #[command(flatten)]
    pub(super) wiring: Wiring,
    #[command(flatten)]
    pub(super) input: Input,
}

/// pull, gather
#[derive(Args, Debug)]
pub(crate) struct Receiving {
    #[command(flatten)]
    pub(super) wiring: Wiring,
    #[command(flatten)]
    pub(super) output: Output,
}

/// req, dealer, pair, client, channel
#[derive(Args, Debug)]
pub(crate) struct Both {
    #[command(flatten)]
    pub(super) wiring: Wiring,
    #[command(flatten)]
    pub(super) input: Input,
    #[command(flatten)]
    pub(super) output: Output,
}

/// pub
#[derive(Args, Debug)]
pub(crate) struct Publishing {
    #[command(flatten)]
    pub(super) wiring: Wiring,
    #[command(flatten)]
    pub(super) input: Input,
    #[command(flatten)]
    pub(super) publish: Publish,
}

/// sub
#[derive(Args, Debug)]
pub(crate) struct Subscribing {
    #[command(flatten)]
    pub(super) wiring: Wiring,
    #[command(flatten)]
    pub(super) output: Output,
    #[command(flatten)]
    pub(super) subscribe: Subscribe,
}

/// rep
#[derive(Args, Debug)]
pub(crate) struct Answering {
    #[command(flatten)]
    pub(super) wiring: Wiring,
    #[command(flatten)]
    pub(super) output: Output,
    #[command(flatten)]
    pub(super) replies: Replies,
}

/// router
#[derive(Args, Debug)]
pub(crate) struct Routing {
    #[command(flatten)]
    pub(super) both: Both,
    /// Send everything to the peer called ID. Otherwise each message begins with its peer: in lines, what stands before the first
    /// tab (or the separator of --split)
    #[arg(long, value_name = "ID")]
    pub(super) to: Option<String>,
}

/// xpub
#[derive(Args, Debug)]
pub(crate) struct XPublishing {
    #[command(flatten)]
    pub(super) both: Both,
    #[command(flatten)]
    pub(super) publish: Publish,
}

/// xsub
#[derive(Args, Debug)]
pub(crate) struct XSubscribing {
    #[command(flatten)]
    pub(super) both: Both,
    #[command(flatten)]
    pub(super) subscribe: Subscribe,
}

/// radio
#[derive(Args, Debug)]
pub(crate) struct Broadcasting {
    #[command(flatten)]
    pub(super) wiring: Wiring,
    #[command(flatten)]
    pub(super) input: Input,
    /// Send everything to this group. Otherwise each message begins with its group: in lines, what stands before the first tab (or
    /// the separator of --split)
    #[arg(long, value_name = "GROUP")]
    pub(super) group: Option<String>,
    /// Send only when so many have joined a group; earlier messages would reach nobody
    #[arg(long, value_name = "PEERS", default_value_t = 1)]
    pub(super) subscribers: usize,
}

/// dish
#[derive(Args, Debug)]
pub(crate) struct Joining {
    #[command(flatten)]
    pub(super) wiring: Wiring,
    #[command(flatten)]
    pub(super) output: Output,
    /// Receive the messages of GROUP. Repeatable; without it: the group whose name is empty
    #[arg(long, value_name = "GROUP")]
    pub(super) group: Vec<String>,
}
