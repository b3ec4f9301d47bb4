//! What is counted: pairs of processes that move a fixed number of messages.

use std::time::Duration;

use super::Counter;
use crate::{
    Error, Peer, Setup, Transport,
    arguments::Arguments,
    child::{Child, PATIENCE},
};

const SMALL: usize = 64;
/// A counter may make everything fifty times slower.
const SLOW_PATIENCE: Duration = Duration::from_secs(120);

/// What is counted, always with 64 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Subject {
    /// PUSH to PULL, tcp.
    PushPull,
    /// REQ/REP, tcp: per round trip.
    ReqRep,
}

/// What both ends did from start to end.
pub(super) struct Ends {
    pub(super) sender: u64,
    pub(super) receiver: u64,
}

impl Subject {
    /// How many messages the difference is made of: few and many.
    pub(super) fn counts(self, counter: Counter) -> (u64, u64) {
        let few = match self {
            Subject::PushPull => 50_000,
            Subject::ReqRep => 5_000,
        };
        if counter.is_slow() { (few, few * 5) } else { (few * 4, few * 20) }
    }

    pub(super) fn run(self, counter: Counter, peer: Peer, messages: u64) -> Result<Ends, Error> {
        let run = Run { counter, peer, messages };
        match self {
            Subject::PushPull => run.two(
                ("receive", Arguments::new().with("kind", "pull").with("transport", Transport::Tcp)),
                ("send", Arguments::new().with("kind", "push")),
            ),
            Subject::ReqRep => run.two(
                ("answer", Arguments::new().with("transport", Transport::Tcp)),
                ("ask", Arguments::new()),
            ),
        }
    }
}

struct Run {
    counter: Counter,
    peer: Peer,
    messages: u64,
}

impl Run {
    fn start(&self, role: &str, arguments: Arguments) -> Result<Child, Error> {
        Child::start_under(self.counter.wrapper(), self.peer, role, &Setup::of_bytes(SMALL), arguments)
    }

    /// The bound end says when it has them all.
    fn two(&self, bound: (&str, Arguments), connected: (&str, Arguments)) -> Result<Ends, Error> {
        let receiver = self.start(bound.0, bound.1.with("announce", self.messages))?;
        let endpoints = receiver.endpoints()?;
        let sender =
            self.start(connected.0, connected.1.with("count", self.messages).with_endpoints(&endpoints))?;
        sender.endpoints()?;
        receiver.expect("reached", SLOW_PATIENCE)?;
        let [sender, receiver] = self.collected([sender, receiver])?;
        Ok(Ends { sender, receiver })
    }

    /// What the counter says of each, once they have ended.
    fn collected<const N: usize>(&self, mut ends: [Child; N]) -> Result<[u64; N], Error> {
        for end in &mut ends {
            // One that lost the other end has ended, and its count is there.
            let _ = end.say("end");
        }
        let mut counts = [0; N];
        for (end, count) in ends.into_iter().zip(&mut counts) {
            let diagnostics = end.finish(PATIENCE)?;
            *count = self
                .counter
                .read(&diagnostics)
                .ok_or_else(|| Error::child("counted", format!("left no count: {diagnostics}")))?;
        }
        Ok(counts)
    }
}
