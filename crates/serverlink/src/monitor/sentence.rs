//! Events as sentences.

use std::fmt;

use serverlink_message::SocketType;

use super::event::{Event, EventKind};
use crate::endpoint::Endpoint;
use crate::error::show_bytes;

/// A line for people: the socket, and what happened.
impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {}", self.socket_type, self.socket, self.kind)
    }
}

/// What happened, as a sentence.
impl fmt::Display for EventKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            EventKind::Listening { endpoint } => write!(f, "listens on {endpoint}"),
            EventKind::ListenerClosed { endpoint } => write!(f, "does not listen on {endpoint} any more"),
            EventKind::Accepted { endpoint, peer_address, .. } => {
                write!(f, "{} connected to {endpoint}", someone(peer_address.as_ref()))
            }
            EventKind::AcceptFailed { endpoint, error } => {
                write!(f, "accepting on {endpoint} failed: {error}")
            }
            EventKind::Connected { endpoint, peer_address, .. } => {
                write!(f, "reached {endpoint}{}", at(endpoint, peer_address.as_ref()))
            }
            EventKind::Established { endpoint, peer_address, socket_type, routing_id, version, .. } => {
                let (major, minor) = version;
                let peer = at(endpoint, peer_address.as_ref());
                if *major == 0 {
                    return write!(f, "established over {endpoint}{peer}, without ZMTP");
                }
                write!(
                    f,
                    "established with a {}{} over {endpoint}{peer}, ZMTP {major}.{minor}",
                    type_of(*socket_type),
                    called(routing_id)
                )
            }
            EventKind::RoutingIdRefused { endpoint, routing_id, why } => {
                write!(f, "a peer{} over {endpoint} got no name: {why}", called(routing_id))
            }
            EventKind::HandedOver { endpoint, routing_id, discarded } => write!(
                f,
                "the name {} went from {endpoint} to a newer connection; unread messages dropped: {discarded}",
                show_bytes(routing_id)
            ),
            EventKind::HandshakeFailed { endpoint, peer_address, reason, .. } => {
                write!(f, "no connection over {endpoint}{}: {reason}", at(endpoint, peer_address.as_ref()))
            }
            EventKind::Disconnected { endpoint, peer_address, socket_type, routing_id, reason, .. } => {
                let (called, peer) = (called(routing_id), at(endpoint, peer_address.as_ref()));
                let lost = type_of(*socket_type);
                write!(f, "lost its {lost}{called} over {endpoint}{peer}: {reason}")
            }
            EventKind::AcceptPaused { endpoint, reason } => {
                write!(f, "accepts nobody on {endpoint} for now: {reason}")
            }
            EventKind::AcceptResumed { endpoint } => write!(f, "accepts on {endpoint} again"),
            EventKind::AcceptFiltered { endpoint, reason } => {
                write!(f, "turned a peer away from {endpoint}: {reason}")
            }
            EventKind::GaveUp { endpoint, trouble, .. } => write!(f, "tries {endpoint} no more: {trouble}"),
            EventKind::DriverFailed { error } => write!(f, "the system reports nothing any more: {error}"),
            EventKind::Retrying { endpoint, attempt, delay, trouble, .. } => {
                write!(f, "tries {endpoint} again in {delay:.1?}, after attempt {attempt}: {trouble}")
            }
        }
    }
}

/// A peer of ZMTP 1.0 does not say what it is.
fn type_of(peer: Option<SocketType>) -> &'static str {
    peer.map_or("peer", SocketType::as_str)
}

fn someone(peer: Option<&Endpoint>) -> String {
    peer.map_or_else(|| "a peer".to_owned(), Endpoint::to_string)
}

/// Says nothing that the endpoint says already.
fn at(endpoint: &Endpoint, peer: Option<&Endpoint>) -> String {
    peer.filter(|&peer| peer != endpoint).map_or_else(String::new, |peer| format!(" at {peer}"))
}

fn called(routing_id: &[u8]) -> String {
    if routing_id.is_empty() { String::new() } else { format!(" called {}", show_bytes(routing_id)) }
}
