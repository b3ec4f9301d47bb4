//! Snapshots and events as JSON, in the form that `docs/stats.md` describes.
//!
//! The form is written out here, and not derived from the types: types may change, what is published may only grow.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use serde_json::{Map, Value, json};

use crate::endpoint::Endpoint;
use crate::error::plain_bytes;
use crate::monitor::{Event, EventKind};
use crate::stats::{ContextStats, PeerStats, RoundTrip, SocketStats};

/// Goes up when something that was there before is gone or means something else.
const VERSION: u32 = 1;

pub(super) fn snapshot(stats: &ContextStats) -> String {
    let sockets: Vec<Value> = stats.sockets.iter().map(socket).collect();
    json!({
        "version": VERSION,
        "time": unix_seconds(stats.at),
        "process": std::process::id(),
        "sockets": sockets,
    })
    .to_string()
}

pub(super) fn event(event: &Event) -> String {
    let mut object = Map::new();
    let mut put = |name: &str, value: Value| object.insert(name.to_owned(), value);
    put("version", json!(VERSION));
    put("time", json!(unix_seconds(wall_clock(event.at))));
    put("process", json!(std::process::id()));
    put("socket", json!(event.socket));
    put("type", json!(event.socket_type.as_str()));
    put("event", json!(event.kind.name()));
    put("text", json!(event.kind.to_string()));
    if let Some(endpoint) = event.kind.endpoint() {
        put("endpoint", json!(endpoint.to_string()));
    }
    if let Some(registration) = event.kind.registration() {
        put("registration", json!(registration));
    }
    if let Some(address) = event.kind.peer_address() {
        put("peer_address", json!(address.to_string()));
    }
    if let Some(routing_id) = event.kind.routing_id() {
        put("routing_id", json!(plain_bytes(routing_id)));
    }
    if let Some(cause) = event.kind.cause() {
        put("cause", json!(cause.as_str()));
    }
    match &event.kind {
        EventKind::Established { socket_type, version: (major, minor), .. } => {
            put("peer_type", json!(socket_type.map(|socket_type| socket_type.as_str())));
            put("zmtp", json!(format!("{major}.{minor}")));
        }
        EventKind::Disconnected { socket_type, reason, .. } => {
            put("peer_type", json!(socket_type.map(|socket_type| socket_type.as_str())));
            put("reason", json!(reason));
        }
        EventKind::HandshakeFailed { reason, .. } => {
            put("reason", json!(reason));
        }
        EventKind::Retrying { attempt, delay, trouble, .. } => {
            put("attempt", json!(attempt));
            put("delay", json!(delay.as_secs_f64()));
            put("reason", json!(trouble));
        }
        EventKind::RoutingIdRefused { why, .. } => {
            put("reason", json!(why));
        }
        EventKind::AcceptPaused { reason, .. } | EventKind::AcceptFiltered { reason, .. } => {
            put("reason", json!(reason));
        }
        EventKind::GaveUp { trouble, .. } => {
            put("reason", json!(trouble));
        }
        EventKind::AcceptFailed { error, .. } | EventKind::DriverFailed { error } => {
            put("reason", json!(error));
        }
        EventKind::HandedOver { discarded, .. } => {
            put("discarded", json!(discarded));
        }
        _ => {}
    }
    Value::Object(object).to_string()
}

fn socket(socket: &SocketStats) -> Value {
    let SocketStats { id, socket_type, bound, stats, peers } = socket;
    json!({
        "socket": id,
        "type": socket_type.as_str(),
        "bound": bound.iter().map(Endpoint::to_string).collect::<Vec<_>>(),
        "sent": stats.sent,
        "received": stats.received,
        "sent_bytes": stats.sent_bytes,
        "received_bytes": stats.received_bytes,
        "dropped": {
            "high_water_mark": stats.dropped_at_high_water_mark,
            "no_receiver": stats.dropped_without_receiver,
            "peer_gone": stats.dropped_with_peer,
            "not_for_application": stats.discarded,
            "handed_over": stats.discarded_at_handover,
        },
        "send_queue": stats.send_queue,
        "send_queue_bytes": stats.send_queue_bytes,
        "receive_queue": stats.receive_queue,
        "receive_queue_bytes": stats.receive_queue_bytes,
        "connected": stats.peers,
        "connections": stats.connections,
        "reconnects": stats.reconnects,
        "connection_attempts": stats.connection_attempts,
        "refused_subscriptions": stats.refused_subscriptions,
        "filtered_peers": stats.filtered,
        "peers": peers.iter().map(peer).collect::<Vec<_>>(),
    })
}

fn peer(peer: &PeerStats) -> Value {
    json!({
        "peer": peer.id,
        "endpoint": peer.endpoint.to_string(),
        "peer_address": peer.peer_address.as_ref().map(Endpoint::to_string),
        "type": peer.socket_type.map(|socket_type| socket_type.as_str()),
        "routing_id": plain_bytes(&peer.routing_id),
        "connected_seconds": peer.connected_for.map(|age| age.as_secs_f64()),
        "sent": peer.sent,
        "dropped": peer.dropped,
        "received": peer.received,
        "sent_bytes": peer.sent_bytes,
        "received_bytes": peer.received_bytes,
        "send_queue": peer.send_queue,
        "send_queue_bytes": peer.send_queue_bytes,
        "receive_queue": peer.receive_queue,
        "receive_queue_bytes": peer.receive_queue_bytes,
        "connections": peer.connections,
        "connection_attempts": peer.connection_attempts,
        "round_trip": peer.round_trip.map(round_trip),
    })
}

fn round_trip(trip: RoundTrip) -> Value {
    json!({ "last": trip.last.as_secs_f64(), "smoothed": trip.smoothed.as_secs_f64() })
}

/// The machine's other clock, which people read.
fn wall_clock(at: Instant) -> SystemTime {
    let age = Instant::now().saturating_duration_since(at);
    SystemTime::now().checked_sub(age).unwrap_or(UNIX_EPOCH)
}

fn unix_seconds(at: SystemTime) -> f64 {
    at.duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64())
}
