//! Rows that count what hardly varies: instructions and system calls.
//!
//! Each end runs twice, for few and for many messages; the difference leaves out starting up.

mod counter;
mod subject;

use super::Figures;
use crate::{Error, Peer, report::Figure};
pub(crate) use counter::Counter;
use subject::Subject;

/// What happened per message or round trip.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct PerMessage {
    pub(crate) sender: f64,
    pub(crate) receiver: f64,
}

pub(super) fn instructions(peer: Peer) -> Result<Figures, Error> {
    const HOW_TO_INSTALL: &str = "no instruction counter here; `apt-get install valgrind` (or linux-perf on a machine whose counters are visible) brings one";
    let counter = Counter::first_of(&[Counter::Perf, Counter::Callgrind], HOW_TO_INSTALL)?;
    let each = per_message(counter, peer, Subject::PushPull)?;
    Ok(figures(Figure::Instructions, each))
}

pub(super) fn system_calls(peer: Peer, round_trip: bool) -> Result<Figures, Error> {
    const HOW_TO_INSTALL: &str =
        "nothing here counts system calls; `apt-get install strace` brings what does";
    let counter = Counter::first_of(&[Counter::PerfCalls, Counter::Strace], HOW_TO_INSTALL)?;
    let each = per_message(counter, peer, if round_trip { Subject::ReqRep } else { Subject::PushPull })?;
    Ok(figures(Figure::SystemCalls, each))
}

fn figures(both: Figure, each: PerMessage) -> Figures {
    vec![
        (both, each.sender + each.receiver),
        (Figure::Sender, each.sender),
        (Figure::Receiver, each.receiver),
    ]
}

/// Both ends of a subject. What happens in one process is the receiver's.
fn per_message(counter: Counter, peer: Peer, subject: Subject) -> Result<PerMessage, Error> {
    let (few, many) = subject.counts(counter);
    let less = subject.run(counter, peer, few)?;
    let more = subject.run(counter, peer, many)?;
    let per = |more: u64, less: u64| more.saturating_sub(less) as f64 / (many - few) as f64;
    Ok(PerMessage { sender: per(more.sender, less.sender), receiver: per(more.receiver, less.receiver) })
}
