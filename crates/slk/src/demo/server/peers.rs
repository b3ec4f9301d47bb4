//! The links of one server to all the others.

use std::io;
use std::time::{Duration, Instant};

use serverlink::{Error, EventKind, Message, Monitor, Router};

use super::super::link::{Inbound, Outbound, Record};
use super::super::wire::{Packet, Status, Tallies};
use super::super::{SERVERS, server_name};
use super::cuts::Cuts;
use crate::exit::Failure;

pub(super) struct Peers {
    index: usize,
    links: Vec<Link>,
    /// Where each server listens, once that is known.
    roster: Vec<String>,
    cuts: Cuts,
    monitor: Monitor,
    /// Connections of our own making that came about, the first ones included.
    connected: u64,
    handovers: u64,
    text_ended: bool,
}

struct Link {
    peer: usize,
    routing_id: Vec<u8>,
    outbound: Outbound,
    inbound: Inbound,
}

impl Peers {
    pub(super) fn new(index: usize, router: &Router, cuts: Cuts, now: Instant) -> Peers {
        let link = |peer| Link {
            peer,
            routing_id: server_name(peer).into_bytes(),
            outbound: Outbound::new(now),
            inbound: Inbound::default(),
        };
        let links = (0..SERVERS).filter(|&peer| peer != index).map(link).collect();
        Peers {
            index,
            links,
            roster: Vec::new(),
            cuts,
            monitor: router.monitor(),
            connected: 0,
            handovers: 0,
            text_ended: false,
        }
    }

    /// One connection for each pair: the earlier server calls the later one.
    pub(super) fn connect(&mut self, router: &Router, endpoints: Vec<String>) -> Result<(), Failure> {
        self.roster = endpoints;
        self.called().iter().try_for_each(|endpoint| Ok(router.connect(endpoint)?))
    }

    /// Cuts a connection, with everything that is on its way in it, and makes a new one, if it is time to.
    pub(super) fn cut(&mut self, router: &Router) -> Result<(), Failure> {
        let sent = self.links.iter().map(|link| link.outbound.tally().lines).sum();
        while let Some(peer) = self.cuts.poll(sent) {
            if let Some(endpoint) = self.roster.get(peer) {
                router.disconnect(endpoint)?;
                router.connect(endpoint)?;
            }
        }
        Ok(())
    }

    /// Takes a packet; the latency if it acknowledges something. Nonsense is left out: it cannot make the tallies agree.
    pub(super) fn handle_message(
        &mut self,
        from: &[u8],
        message: &Message,
        now: Instant,
    ) -> Option<Duration> {
        let link = self.links.iter_mut().find(|link| link.routing_id == from)?;
        match Packet::parse(message.first())? {
            Packet::Acknowledgement(next) => link.outbound.handle_acknowledgement(next, now),
            Packet::Record(number, record) => {
                link.inbound.handle_record(number, &record);
                None
            }
        }
    }

    /// Gives the next lines to whichever link has room, so that a slow peer does not hold up the others.
    pub(super) fn fill(
        &mut self,
        now: Instant,
        mut next_line: impl FnMut() -> io::Result<Option<Vec<u8>>>,
    ) -> io::Result<()> {
        while !self.text_ended {
            let mut had_room = false;
            for link in self.links.iter_mut().filter(|link| link.outbound.has_room()) {
                let Some(line) = next_line()? else {
                    self.text_ended = true;
                    break;
                };
                link.outbound.handle_record(Record::Line(line), now);
                had_room = true;
            }
            if !had_room {
                return Ok(());
            }
        }
        for link in self.links.iter_mut().filter(|link| link.outbound.has_room()) {
            link.outbound.handle_record(Record::End, now);
        }
        Ok(())
    }

    pub(super) fn handle_time(&mut self, now: Instant) {
        self.links.iter_mut().for_each(|link| link.outbound.handle_time(now));
    }

    pub(super) fn poll_deadline(&self) -> Option<Instant> {
        self.links.iter().filter_map(|link| link.outbound.poll_deadline()).min()
    }

    /// Puts everything on the wire that is due; how many messages that were.
    pub(super) fn transmit(&mut self, router: &Router) -> Result<usize, Failure> {
        self.links.iter_mut().map(|link| link.transmit(router)).sum()
    }

    /// Whether every line went to its peer and every line of the peers came.
    pub(super) fn is_done(&self) -> bool {
        self.links.iter().all(|link| link.outbound.is_done() && link.inbound.is_done())
    }

    /// Takes in what happened to the connections, and tells how the links are doing.
    pub(super) fn poll_status(&mut self) -> Status {
        while let Some(event) = self.monitor.try_next() {
            self.on_event(&event);
        }
        let sum = |of: fn(&Link) -> u64| self.links.iter().map(of).sum();
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
        let tallies = |link: &Link| Tallies {
            peer: link.peer,
            sent: link.outbound.tally(),
            received: link.inbound.tally(),
        };
        self.links.iter().map(tallies).collect()
    }
}

impl Link {
    fn transmit(&mut self, router: &Router) -> Result<usize, Failure> {
        let mut count = 0;
        if let Some(next) = self.inbound.poll_acknowledgement() {
            if !put(router, &self.routing_id, Packet::acknowledgement(next))? {
                return Ok(count);
            }
            self.inbound.on_acknowledged();
            count += 1;
        }
        while let Some((number, record)) = self.outbound.poll_transmit() {
            if !put(router, &self.routing_id, Packet::record(number, record))? {
                break;
            }
            self.outbound.on_transmitted();
            count += 1;
        }
        Ok(count)
    }
}

/// False if the peer cannot take it now: its queue is full, or its connection is just being replaced.
fn put(router: &Router, routing_id: &[u8], packet: Vec<u8>) -> Result<bool, Failure> {
    match router.try_send_to(routing_id, packet) {
        Ok(()) => Ok(true),
        Err(failed) if matches!(failed.error, Error::WouldBlock | Error::Unroutable { .. }) => Ok(false),
        Err(failed) => Err(failed.error.into()),
    }
}
