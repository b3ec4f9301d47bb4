//! High-water marks and counters.

use serverlink::Stats;

use super::{Law, Verdict, demand};

/// What one socket was told, and what was done with it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Marks {
    pub(crate) send_hwm: u64,
    /// Peers that it dials: each has a queue from the beginning.
    pub(crate) dialed: u64,
    pub(crate) listens: bool,
    /// It sends and receives what counts: subscriptions that pass through an XSUB or XPUB do not.
    pub(crate) counts: bool,
    pub(crate) sent: u64,
    pub(crate) received: u64,
}

impl Marks {
    pub(crate) fn check(&self, stats: &Stats) -> Verdict {
        let queues = self.dialed + if self.listens { stats.peers } else { 0 };
        demand(stats.send_queue <= queues * self.send_hwm, Law::Marks, || {
            format!("{} messages are queued in {queues} queues: {self:?}", stats.send_queue)
        })?;
        let agree = (stats.sent, stats.received) == (self.sent, self.received);
        demand(agree || !self.counts, Law::Marks, || {
            format!("{self:?}, and the counters say sent {}, received {}", stats.sent, stats.received)
        })
    }

    /// A send would have blocked: every queue has as many messages as it may have, and no fewer.
    pub(crate) fn check_full(&self, stats: &Stats) -> Verdict {
        let room = self.dialed * self.send_hwm;
        demand(self.listens || stats.send_queue == room, Law::Marks, || {
            format!("it blocks with {} messages queued instead of {room}: {self:?}", stats.send_queue)
        })
    }
}
