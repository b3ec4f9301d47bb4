//! A snapshot as a stats endpoint publishes it. What is not known here is passed over.

use serde::Deserialize;

use crate::exit::Failure;

/// The form that this program reads.
const VERSION: u32 = 1;

#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct Snapshot {
    #[serde(default)]
    version: u32,
    /// Seconds since 1970.
    pub(crate) time: f64,
    #[serde(default)]
    pub(crate) process: u32,
    pub(crate) sockets: Vec<Socket>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Socket {
    pub(crate) socket: u64,
    #[serde(rename = "type")]
    pub(crate) socket_type: String,
    pub(crate) bound: Vec<String>,
    pub(crate) dropped: Dropped,
    pub(crate) connected: u64,
    pub(crate) reconnects: u64,
    #[serde(flatten)]
    pub(crate) traffic: Traffic,
    pub(crate) peers: Vec<Peer>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Peer {
    pub(crate) peer: u64,
    #[serde(rename = "type")]
    pub(crate) socket_type: Option<String>,
    pub(crate) endpoint: String,
    pub(crate) peer_address: Option<String>,
    pub(crate) routing_id: String,
    pub(crate) dropped: u64,
    pub(crate) connected_seconds: Option<f64>,
    pub(crate) connections: u64,
    pub(crate) connection_attempts: u64,
    #[serde(flatten)]
    pub(crate) traffic: Traffic,
    pub(crate) round_trip: Option<RoundTrip>,
}

/// What sockets and peers have in common.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Traffic {
    pub(crate) sent: u64,
    pub(crate) received: u64,
    pub(crate) sent_bytes: u64,
    pub(crate) received_bytes: u64,
    pub(crate) send_queue: u64,
    pub(crate) send_queue_bytes: u64,
    pub(crate) receive_queue: u64,
    pub(crate) receive_queue_bytes: u64,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Dropped {
    high_water_mark: u64,
    no_receiver: u64,
    peer_gone: u64,
    not_for_application: u64,
    handed_over: u64,
}

/// In seconds.
#[derive(Clone, Copy, Debug, Deserialize)]
pub(crate) struct RoundTrip {
    pub(crate) smoothed: f64,
}

impl Snapshot {
    pub(crate) fn parse(body: &[u8]) -> Result<Snapshot, Failure> {
        let snapshot: Snapshot =
            serde_json::from_slice(body).map_err(|why| Failure::of("a snapshot could not be read", why))?;
        match snapshot.version {
            VERSION => Ok(snapshot),
            other => Err(Failure::of(
                "a snapshot could not be read",
                format_args!(
                    "it has version {other}, and this slk reads {VERSION}; use the slk of that program"
                ),
            )),
        }
    }
}

impl Dropped {
    pub(crate) fn total(&self) -> u64 {
        let Dropped { high_water_mark, no_receiver, peer_gone, not_for_application, handed_over } = self;
        high_water_mark + no_receiver + peer_gone + not_for_application + handed_over
    }
}
