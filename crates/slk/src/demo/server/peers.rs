//! The links of one server to all the others.

use std::time::{Duration, Instant};

use serverlink::{EventKind, Message, Monitor, Router};

use super::super::wire::{Status, Tallies};
use super::super::{SERVERS, ServerArgs};
use super::cuts::Cuts;
use super::peer_link::PeerLink;
use crate::exit::Failure;

pub(super) struct Peers {
    index: usize,
    links: Vec<PeerLink>,
    /// Where each server listens, once that is known.
    roster: Vec<String>,
    cuts: Cuts,
    monitor: Monitor,
    /// Connections of our own making that came about, the first ones included.
    connected: u64,
    handovers: u64,
}

impl Peers {
    pub(super) fn open(
        args: &ServerArgs,
        router: &Router,
        cuts: Cuts,
        now: Instant,
    ) -> Result<Peers, Failure> {
        let index = args.index;
        let others = (0..SERVERS).filter(|&peer| peer != index);
        Ok(Peers {
            index,
            links: others.map(|peer| PeerLink::open(args, peer, now)).collect::<Result<_, _>>()?,
            roster: Vec::new(),
            cuts,
            monitor: router.monitor(),
            connected: 0,
            handovers: 0,
        })
    }

    /// One connection for each pair: the earlier server calls the later one.
    pub(super) fn connect(&mut self, router: &Router, endpoints: Vec<String>) -> Result<(), Failure> {
        self.roster = endpoints;
        self.called().iter().try_for_each(|endpoint| Ok(router.connect(endpoint)?))
    }

    /// Cuts a connection, with everything that is on its way in it, and makes a new one, if it is time to.
    pub(super) fn cut(&mut self, router: &Router) -> Result<(), Failure> {
        let sent = self.sent();
        while let Some(peer) = self.cuts.poll(sent) {
            if let Some(endpoint) = self.roster.get(peer) {
                router.disconnect(endpoint)?;
                router.connect(endpoint)?;
            }
        }
        Ok(())
    }

    /// How many lines were given to the links.
    pub(super) fn sent(&self) -> u64 {
        self.links.iter().map(|link| link.outbound.tally().lines).sum()
    }

    /// Takes a packet; the latency if it acknowledges something. Nonsense is left out: it cannot make the tallies agree.
    pub(super) fn handle_message(
        &mut self,
        from: &[u8],
        message: &Message,
        now: Instant,
    ) -> Result<Option<Duration>, Failure> {
        match self.links.iter_mut().find(|link| link.routing_id == from) {
            Some(link) => link.handle_message(message, now),
            None => Ok(None),
        }
    }

    /// Gives each link what it has room for.
    pub(super) fn fill(&mut self, now: Instant) -> Result<(), Failure> {
        self.links.iter_mut().try_for_each(|link| link.fill(now))
    }

    pub(super) fn handle_time(&mut self, now: Instant) {
        self.links.iter_mut().for_each(|link| link.outbound.handle_time(now));
    }

    pub(super) fn poll_deadline(&self) -> Option<Instant> {
        self.links.iter().filter_map(|link| link.outbound.poll_deadline()).min()
    }

    /// Puts everything on the wire that is due; how many messages that were.
    pub(super) fn transmit(&mut self, router: &Router, now: Instant) -> Result<usize, Failure> {
        self.links.iter_mut().map(|link| link.transmit(router, now)).sum()
    }

    /// Whether every line went to its peer and every line of the peers came.
    pub(super) fn is_done(&self) -> bool {
        self.links.iter().all(|link| link.outbound.is_done() && link.inbound.is_done())
    }

    /// Takes in what happened to the connections, and tells how the links are doing.
    pub(super) fn poll_status(&mut self) -> Status {
        while let Some(event) = self.monitor.try_next() {
            self.on_event(&event.kind);
        }
        let sum = |of: fn(&PeerLink) -> u64| self.links.iter().map(of).sum();
        Status {
            sent: sum(|link| link.outbound.tally().lines),
            received: sum(|link| link.inbound.tally().lines),
            resent: sum(|link| link.outbound.resent()),
            filtered: sum(|link| link.inbound.filtered()),
            reconnects: self.connected.saturating_sub(self.called().len() as u64),
            handovers: self.handovers,
            ..Status::default()
        }
    }

    fn on_event(&mut self, event: &EventKind) {
        match event {
            EventKind::Established { endpoint, .. } if self.called().contains(&endpoint.to_string()) => {
                self.connected += 1;
            }
            EventKind::HandedOver { .. } => self.handovers += 1,
            _ => {}
        }
    }

    /// Where the servers listen that this one connects to. The others connect to it.
    fn called(&self) -> &[String] {
        self.roster.get(self.index + 1..).unwrap_or_default()
    }

    pub(super) fn tallies(&self) -> Vec<Tallies> {
        let tallies = |link: &PeerLink| Tallies {
            peer: link.peer,
            sent: link.outbound.tally(),
            received: link.inbound.tally(),
        };
        self.links.iter().map(tallies).collect()
    }
}
