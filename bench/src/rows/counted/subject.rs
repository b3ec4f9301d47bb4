//! What is counted: pairs of processes that move a fixed number of messages.

use std::{thread::sleep, time::Duration};

use super::Counter;
use crate::{
    Error, Peer, Setup, Transport,
    arguments::Arguments,
    child::{Child, PATIENCE},
};

const SMALL: usize = 64;
/// A counter may make everything fifty times slower.
const SLOW_PATIENCE: Duration = Duration::from_secs(120);
const SUBSCRIBERS: usize = 10;
const ENDLESS_MARK: u32 = 1 << 20;
/// Full after a few hundred messages.
const SMALL_BUFFERS: usize = 16 * 1024;
const BETWEEN_HELLOS: Duration = Duration::from_millis(50);

/// What is counted, always with 64 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Subject {
    /// PUSH to PULL, tcp.
    PushPull,
    /// DEALER to ROUTER, tcp.
    DealerRouter,
    /// REQ/REP, tcp: per round trip.
    ReqRep,
    /// PUB to ten SUB that take nothing, tcp: per publication.
    PubToTen,
    /// PUSH to PULL in one process, by one thread that sends some and takes them.
    Inproc,
}

/// What both ends did from start to end.
pub(super) struct Ends {
    pub(super) sender: u64,
    pub(super) receiver: u64,
}

impl Subject {
    pub(crate) const ALL: [Subject; 5] =
        [Subject::PushPull, Subject::DealerRouter, Subject::ReqRep, Subject::PubToTen, Subject::Inproc];

    /// The name in the file of counts.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Subject::PushPull => "push-pull-tcp-64",
            Subject::DealerRouter => "dealer-router-tcp-64",
            Subject::ReqRep => "req-rep-tcp-64",
            Subject::PubToTen => "pub-sub-tcp-10",
            Subject::Inproc => "push-pull-inproc-64",
        }
    }

    /// How many messages the difference is made of: few and many.
    pub(super) fn counts(self, counter: Counter) -> (u64, u64) {
        let few = match self {
            Subject::PushPull | Subject::DealerRouter | Subject::Inproc => 50_000,
            Subject::ReqRep => 5_000,
            // Beyond what the system's buffers take.
            Subject::PubToTen => 10_000,
        };
        if counter.is_slow() { (few, few * 5) } else { (few * 4, few * 20) }
    }

    pub(super) fn run(self, counter: Counter, peer: Peer, messages: u64) -> Result<Ends, Error> {
        let run = Run { counter, peer, messages };
        match self {
            Subject::PushPull => run.two(receive("pull"), ("send", Arguments::new().with("kind", "push"))),
            Subject::DealerRouter => {
                run.two(receive("router"), ("send", Arguments::new().with("kind", "dealer")))
            }
            Subject::ReqRep => run.two(
                ("answer", Arguments::new().with("transport", Transport::Tcp)),
                ("ask", Arguments::new()),
            ),
            Subject::PubToTen => run.fan_out(),
            Subject::Inproc => run.one(),
        }
    }
}

fn receive(kind: &str) -> (&'static str, Arguments) {
    ("receive", Arguments::new().with("kind", kind).with("transport", Transport::Tcp))
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

    /// What it costs to put a publication into ten queues: the subscribers take a hello, which tells that they are there, and
    /// nothing else, and the publisher's mark is far away. Who writes what when would be different each time.
    fn fan_out(&self) -> Result<Ends, Error> {
        let setup = Setup { buffer_bytes: Some(SMALL_BUFFERS), ..Setup::of_bytes(SMALL) };
        let endless = Setup { high_water_mark: ENDLESS_MARK, ..setup.clone() };
        let publish = Arguments::new()
            .with("transport", Transport::Tcp)
            .with("count", self.messages)
            .with("held", true);
        let mut publisher =
            Child::start_under(self.counter.wrapper(), self.peer, "publish", &endless, publish)?;
        let endpoints = publisher.endpoints()?;
        let subscribe =
            Arguments::new().with("sockets", SUBSCRIBERS).with("silent", true).with_endpoints(&endpoints);
        let subscribers = Child::start(self.peer, "subscribe", &setup, subscribe)?;
        subscribers.endpoints()?;
        while !subscribers.has_said("reached")? {
            publisher.say("hello")?;
            sleep(BETWEEN_HELLOS);
        }
        publisher.say("go")?;
        publisher.expect("reached", SLOW_PATIENCE)?;
        let [sender] = self.collected([publisher])?;
        Ok(Ends { sender, receiver: 0 })
    }

    /// One thread, so that nobody sleeps: who wakes whom would be different each time.
    fn one(&self) -> Result<Ends, Error> {
        let arguments = Arguments::new().with("announce", self.messages).with("count", self.messages);
        let both = self.start("turns-inproc", arguments)?;
        both.endpoints()?;
        both.expect("reached", SLOW_PATIENCE)?;
        let [receiver] = self.collected([both])?;
        Ok(Ends { sender: 0, receiver })
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
