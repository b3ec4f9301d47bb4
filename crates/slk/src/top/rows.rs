//! What the table shows: two snapshots become rates, sockets come with their peers under them.

use std::cmp::Ordering;
use std::collections::HashMap;

use clap::ValueEnum;

use super::numbers::{age, bytes, count, short_time};
use crate::watch::Snapshot;
use crate::watch::snapshot::{Peer, Socket, Traffic};

/// The table.
pub(super) struct Rows {
    pub(super) process: u32,
    pub(super) sockets: usize,
    pub(super) peers: u64,
    /// Over all sockets.
    pub(super) total: Rates,
    pub(super) rows: Vec<Row>,
    pub(super) order: Order,
}

/// One socket, or one of its peers.
#[derive(Clone, Debug)]
pub(super) struct Row {
    pub(super) is_socket: bool,
    pub(super) name: String,
    rates: Rates,
    traffic: Traffic,
    dropped: u64,
    reconnects: u64,
    round_trip: Option<f64>,
    /// `None` for sockets, and for peers that are not connected.
    connected_seconds: Option<f64>,
    /// How many peers, or what keeps this one away.
    state: String,
}

/// Per second, since the snapshot before.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Rates {
    pub(super) sent: f64,
    pub(super) received: f64,
    pub(super) sent_bytes: f64,
    pub(super) received_bytes: f64,
}

/// What rows are sorted by; all but the name begin with the largest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum Column {
    #[default]
    Name,
    Out,
    In,
    OutBytes,
    InBytes,
    OutQueue,
    InQueue,
    Dropped,
    Reconnects,
    Rtt,
    State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Order {
    pub(super) column: Column,
    pub(super) reversed: bool,
}

impl Order {
    pub(super) fn by(column: Column) -> Order {
        Order { column, reversed: false }
    }

    /// The column to the right or left.
    pub(super) fn moved(self, steps: isize) -> Order {
        let columns = Column::value_variants();
        let at = columns.iter().position(|&column| column == self.column).unwrap_or(0);
        let to = (at as isize + steps).rem_euclid(columns.len() as isize);
        Order::by(columns[to as usize])
    }

    fn compare(self, one: &Row, other: &Row) -> Ordering {
        let ordering = match self.column {
            Column::Name => one.name.cmp(&other.name),
            column => other.key(column).total_cmp(&one.key(column)),
        };
        if self.reversed { ordering.reverse() } else { ordering }
    }
}

impl Column {
    pub(super) fn title(self) -> &'static str {
        match self {
            Column::Name => "SOCKET / PEER",
            Column::Out => "OUT/s",
            Column::In => "IN/s",
            Column::OutBytes => "OUT B/s",
            Column::InBytes => "IN B/s",
            Column::OutQueue => "OUT QUEUE",
            Column::InQueue => "IN QUEUE",
            Column::Dropped => "DROPPED",
            Column::Reconnects => "RECONN",
            Column::Rtt => "RTT",
            Column::State => "STATE",
        }
    }
}

impl Rows {
    /// Without a snapshot before there are no rates.
    pub(super) fn between(before: Option<&Snapshot>, now: &Snapshot, order: Order) -> Rows {
        // Another process at the same endpoint counts from the beginning.
        let before = before.filter(|before| before.process == now.process);
        let seconds = before.map_or(0.0, |before| now.time - before.time);
        let sockets_before: HashMap<u64, &Socket> =
            before.iter().flat_map(|before| &before.sockets).map(|socket| (socket.socket, socket)).collect();
        let mut groups = Vec::new();
        let mut total = Rates::default();
        for socket in &now.sockets {
            let was = sockets_before.get(&socket.socket).copied();
            let rates = Rates::between(was.map(|was| &was.traffic), &socket.traffic, seconds);
            total = total.plus(rates);
            let peers_before: HashMap<u64, &Peer> =
                was.iter().flat_map(|was| &was.peers).map(|peer| (peer.peer, peer)).collect();
            let mut peers: Vec<Row> = socket
                .peers
                .iter()
                .map(|peer| {
                    let was = peers_before.get(&peer.peer).map(|was| &was.traffic);
                    Row::of_peer(peer, Rates::between(was, &peer.traffic, seconds))
                })
                .collect();
            peers.sort_by(|one, other| order.compare(one, other));
            groups.push((Row::of_socket(socket, rates), peers));
        }
        // By name is by number: the order in which they were opened.
        if order.column != Column::Name {
            groups.sort_by(|(one, _), (other, _)| order.compare(one, other));
        } else if order.reversed {
            groups.reverse();
        }
        Rows {
            process: now.process,
            sockets: now.sockets.len(),
            peers: now.sockets.iter().map(|socket| socket.connected).sum(),
            total,
            rows: groups
                .into_iter()
                .flat_map(|(socket, peers)| std::iter::once(socket).chain(peers))
                .collect(),
            order,
        }
    }
}

impl Rates {
    /// A counter that fell belongs to something new.
    fn between(before: Option<&Traffic>, now: &Traffic, seconds: f64) -> Rates {
        let Some(before) = before.filter(|_| seconds > 0.0) else { return Rates::default() };
        let rate = |of: fn(&Traffic) -> u64| of(now).saturating_sub(of(before)) as f64 / seconds;
        Rates {
            sent: rate(|traffic| traffic.sent),
            received: rate(|traffic| traffic.received),
            sent_bytes: rate(|traffic| traffic.sent_bytes),
            received_bytes: rate(|traffic| traffic.received_bytes),
        }
    }

    fn plus(self, other: Rates) -> Rates {
        Rates {
            sent: self.sent + other.sent,
            received: self.received + other.received,
            sent_bytes: self.sent_bytes + other.sent_bytes,
            received_bytes: self.received_bytes + other.received_bytes,
        }
    }
}

impl Row {
    fn of_socket(socket: &Socket, rates: Rates) -> Row {
        let bound = socket.bound.join(" ");
        Row {
            is_socket: true,
            name: format!("{} {} {bound}", socket.socket, socket.socket_type).trim_end().to_owned(),
            rates,
            traffic: socket.traffic,
            dropped: socket.dropped.total(),
            reconnects: socket.reconnects,
            round_trip: None,
            connected_seconds: None,
            state: match socket.connected {
                1 => "1 peer".to_owned(),
                peers => format!("{peers} peers"),
            },
        }
    }

    fn of_peer(peer: &Peer, rates: Rates) -> Row {
        let kind = peer.socket_type.as_deref().unwrap_or("?");
        let place = peer.peer_address.as_deref().unwrap_or(&peer.endpoint);
        let state = match peer.connected_seconds {
            Some(seconds) => age(seconds),
            None => format!("away, try {}", peer.connection_attempts),
        };
        Row {
            is_socket: false,
            name: [kind, &peer.routing_id, place].map(str::trim).join(" ").replace("  ", " "),
            rates,
            traffic: peer.traffic,
            dropped: peer.dropped,
            reconnects: peer.connections.saturating_sub(1),
            round_trip: peer.round_trip.map(|trip| trip.smoothed),
            connected_seconds: peer.connected_seconds,
            state,
        }
    }

    fn key(&self, column: Column) -> f64 {
        match column {
            Column::Name => 0.0,
            Column::Out => self.rates.sent,
            Column::In => self.rates.received,
            Column::OutBytes => self.rates.sent_bytes,
            Column::InBytes => self.rates.received_bytes,
            Column::OutQueue => self.traffic.send_queue as f64,
            Column::InQueue => self.traffic.receive_queue as f64,
            Column::Dropped => self.dropped as f64,
            Column::Reconnects => self.reconnects as f64,
            Column::Rtt => self.round_trip.unwrap_or(0.0),
            Column::State => self.connected_seconds.unwrap_or(0.0),
        }
    }

    pub(super) fn cell(&self, column: Column) -> String {
        let queue = |messages: u64, of_bytes: u64| match (messages, of_bytes) {
            (0, 0) => "0".to_owned(),
            _ => format!("{} {}B", count(messages as f64), bytes(of_bytes as f64)),
        };
        match column {
            Column::Name if self.is_socket => self.name.clone(),
            Column::Name => format!("  {}", self.name),
            Column::Out => count(self.rates.sent),
            Column::In => count(self.rates.received),
            Column::OutBytes => bytes(self.rates.sent_bytes),
            Column::InBytes => bytes(self.rates.received_bytes),
            Column::OutQueue => queue(self.traffic.send_queue, self.traffic.send_queue_bytes),
            Column::InQueue => queue(self.traffic.receive_queue, self.traffic.receive_queue_bytes),
            Column::Dropped => count(self.dropped as f64),
            Column::Reconnects => count(self.reconnects as f64),
            Column::Rtt => self.round_trip.map_or_else(String::new, short_time),
            Column::State => self.state.clone(),
        }
    }
}

#[cfg(test)]
pub(super) mod tests;
