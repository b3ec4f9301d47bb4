//! Counters as Prometheus reads them: its text format, version 0.0.4.

use std::fmt::Write;
use std::time::Duration;

use super::{ContextStats, PeerStats, SocketStats, Stats};
use crate::error::plain_bytes;

/// A metric of every `S`.
struct Metric<S> {
    name: &'static str,
    help: &'static str,
    kind: &'static str,
    value: fn(&S) -> Option<f64>,
}

const fn counter<S>(name: &'static str, help: &'static str, value: fn(&S) -> Option<f64>) -> Metric<S> {
    Metric { name, help, kind: "counter", value }
}

const fn gauge<S>(name: &'static str, help: &'static str, value: fn(&S) -> Option<f64>) -> Metric<S> {
    Metric { name, help, kind: "gauge", value }
}

/// A count of 2^53 and more loses its last digits, as every value in Prometheus does.
macro_rules! field {
    ($field:ident) => {
        |of| Some(of.$field as f64)
    };
}

const OF_SOCKETS: [Metric<Stats>; 14] = [
    counter("sent_messages_total", "Messages accepted by a send.", field!(sent)),
    counter("received_messages_total", "Messages given to the application.", field!(received)),
    counter("sent_bytes_total", "Bytes of frames that the system took.", field!(sent_bytes)),
    counter("received_bytes_total", "Bytes of frames that came in.", field!(received_bytes)),
    gauge("send_queue_messages", "Messages that wait for the system to take them.", field!(send_queue)),
    gauge("send_queue_bytes", "Bytes that wait for the system to take them.", field!(send_queue_bytes)),
    gauge("receive_queue_messages", "Messages that wait for the application.", field!(receive_queue)),
    gauge("receive_queue_bytes", "Bytes that wait for the application.", field!(receive_queue_bytes)),
    gauge("peers", "Peers that are connected and through the handshake.", field!(peers)),
    counter("connections_total", "Times a peer came, in either direction.", field!(connections)),
    counter("reconnects_total", "Connections of dialers after their first.", field!(reconnects)),
    counter("connection_attempts_total", "Attempts of dialers to connect.", field!(connection_attempts)),
    counter(
        "refused_subscriptions_total",
        "Subscriptions beyond what a peer may have.",
        field!(refused_subscriptions),
    ),
    counter("filtered_peers_total", "Peers that no accept filter let in.", field!(filtered)),
];

/// How many messages were dropped for a reason.
type Dropped = fn(&Stats) -> u64;

const DROPPED: [(&str, Dropped); 5] = [
    ("high_water_mark", |stats| stats.dropped_at_high_water_mark),
    ("no_receiver", |stats| stats.dropped_without_receiver),
    ("peer_gone", |stats| stats.dropped_with_peer),
    ("not_for_application", |stats| stats.discarded),
    ("handed_over", |stats| stats.discarded_at_handover),
];

const OF_PEERS: [Metric<PeerStats>; 14] = [
    counter("peer_sent_messages_total", "Messages to this peer that the system took.", field!(sent)),
    counter("peer_dropped_messages_total", "Messages that this peer had no room for.", field!(dropped)),
    counter("peer_received_messages_total", "Messages taken in from this peer.", field!(received)),
    counter("peer_sent_bytes_total", "Bytes to this peer that the system took.", field!(sent_bytes)),
    counter("peer_received_bytes_total", "Bytes that came from this peer.", field!(received_bytes)),
    gauge("peer_send_queue_messages", "Messages that wait for the system to take them.", field!(send_queue)),
    gauge("peer_send_queue_bytes", "Bytes that wait for the system to take them.", field!(send_queue_bytes)),
    gauge("peer_receive_queue_messages", "Messages that wait for the application.", field!(receive_queue)),
    gauge("peer_receive_queue_bytes", "Bytes that wait for the application.", field!(receive_queue_bytes)),
    counter("peer_connections_total", "Times this peer was connected.", field!(connections)),
    counter(
        "peer_connection_attempts_total",
        "Attempts to connect to this peer.",
        field!(connection_attempts),
    ),
    gauge("peer_connected_seconds", "How long this peer has been connected.", |peer| {
        peer.connected_for.map(|age| age.as_secs_f64())
    }),
    gauge("peer_round_trip_seconds", "From a PING to its PONG, the last one.", |peer| {
        peer.round_trip.map(|trip| trip.last).as_ref().map(Duration::as_secs_f64)
    }),
    gauge("peer_round_trip_smoothed_seconds", "From a PING to its PONG, smoothed.", |peer| {
        peer.round_trip.map(|trip| trip.smoothed).as_ref().map(Duration::as_secs_f64)
    }),
];

const PREFIX: &str = "serverlink_";

impl ContextStats {
    /// In the text format of Prometheus, version 0.0.4 (`Content-Type: text/plain; version=0.0.4`), which OpenMetrics readers
    /// take as well. Names begin with `serverlink_`; `docs/monitoring.md` lists them.
    ///
    /// Each peer has series of its own, so a socket with ten thousand peers makes a hundred thousand lines.
    pub fn to_prometheus(&self) -> String {
        let mut text = Text::default();
        text.head("sockets", "gauge", "Open sockets.");
        text.sample("sockets", "", self.sockets.len() as f64);
        let sockets: Vec<(String, &SocketStats)> =
            self.sockets.iter().map(|socket| (socket_labels(socket), socket)).collect();
        for metric in &OF_SOCKETS {
            let samples = sockets.iter().map(|(labels, socket)| (labels.as_str(), &socket.stats));
            text.metric(metric, samples);
        }
        text.head(
            "dropped_messages_total",
            "counter",
            "Messages that were given up or discarded, by reason.",
        );
        for (labels, socket) in &sockets {
            for (reason, count) in DROPPED {
                let labels = format!("{labels},reason=\"{reason}\"");
                text.sample("dropped_messages_total", &labels, count(&socket.stats) as f64);
            }
        }
        let peers: Vec<(String, &PeerStats)> = sockets
            .iter()
            .flat_map(|(labels, socket)| {
                socket.peers.iter().map(move |peer| (peer_labels(labels, peer), peer))
            })
            .collect();
        for metric in &OF_PEERS {
            text.metric(metric, peers.iter().map(|(labels, peer)| (labels.as_str(), *peer)));
        }
        text.0
    }
}

fn socket_labels(socket: &SocketStats) -> String {
    format!("socket=\"{}\",type=\"{}\"", socket.id, socket.socket_type)
}

fn peer_labels(socket: &str, peer: &PeerStats) -> String {
    let routing_id = escaped(&plain_bytes(&peer.routing_id));
    let endpoint = escaped(&peer.endpoint.to_string());
    format!("{socket},peer=\"{}\",endpoint=\"{endpoint}\",routing_id=\"{routing_id}\"", peer.id)
}

/// The three characters that mean something in a label's value.
fn escaped(value: &str) -> String {
    value.replace('\\', r"\\").replace('"', "\\\"").replace('\n', r"\n")
}

/// The text so far.
#[derive(Default)]
struct Text(String);

impl Text {
    fn metric<'a, S: 'a>(&mut self, metric: &Metric<S>, samples: impl Iterator<Item = (&'a str, &'a S)>) {
        self.head(metric.name, metric.kind, metric.help);
        for (labels, of) in samples {
            if let Some(value) = (metric.value)(of) {
                self.sample(metric.name, labels, value);
            }
        }
    }

    fn head(&mut self, name: &str, kind: &str, help: &str) {
        self.line(format_args!("# HELP {PREFIX}{name} {help}\n# TYPE {PREFIX}{name} {kind}\n"));
    }

    fn sample(&mut self, name: &str, labels: &str, value: f64) {
        match labels.is_empty() {
            true => self.line(format_args!("{PREFIX}{name} {value}\n")),
            false => self.line(format_args!("{PREFIX}{name}{{{labels}}} {value}\n")),
        }
    }

    fn line(&mut self, line: std::fmt::Arguments<'_>) {
        self.0.write_fmt(line).expect("a string takes everything");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_cannot_break_out() {
        assert_eq!(escaped("a\"b\\c\nd"), r#"a\"b\\c\nd"#);
    }
}
