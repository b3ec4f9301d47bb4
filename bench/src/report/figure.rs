//! The measured quantities, and how they are shown.

/// One measured quantity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Figure {
    /// Messages per second at the receiver; of publications, at all receivers together.
    MessagesPerSecond,
    /// Bytes of message bodies per second at the receiver.
    BytesPerSecond,
    /// CPU seconds per million messages, both ends.
    CpuPerMillion,
    /// How often a thread went to sleep per million messages, both ends.
    SwitchesPerMillion,
    /// Messages that the library dropped, in per cent of those that were due.
    LostPercent,
    /// Median latency in microseconds.
    P50,
    /// 99th percentile of the latency in microseconds.
    P99,
    /// 99.9th percentile of the latency in microseconds.
    P999,
    /// CPU microseconds per round trip, both ends.
    CpuPerRoundTrip,
    /// How often a thread went to sleep per round trip, both ends.
    SwitchesPerRoundTrip,
    /// How often a thread went to sleep per second, both ends.
    SwitchesPerSecond,
    /// CPU use in per cent of one core, both ends.
    CpuPercent,
    /// Echoes per second.
    EchoesPerSecond,
    /// CPU microseconds per echo, of the server alone.
    ServerCpuPerEcho,
    /// Connections made, shaken hands on and closed, per second.
    HandshakesPerSecond,
    /// CPU microseconds per connection, of the server alone.
    ServerCpuPerHandshake,
    /// Bytes of memory per connection that has said nothing yet.
    IdleBytes,
    /// Bytes of memory per connection over which messages went to and fro.
    ActiveBytes,
    /// System calls per message or round trip, both ends.
    SystemCalls,
    /// Instructions per message, both ends.
    Instructions,
    /// Per message, sending or asking end.
    Sender,
    /// Per message, receiving or answering end.
    Receiver,
}

impl Figure {
    /// The column's heading, with its unit.
    pub fn label(self) -> &'static str {
        match self {
            Figure::MessagesPerSecond => "million msg/s",
            Figure::BytesPerSecond => "MB/s",
            Figure::CpuPerMillion => "CPU s/million",
            Figure::SwitchesPerMillion => "sleeps/million",
            Figure::LostPercent => "lost %",
            Figure::P50 => "p50 us",
            Figure::P99 => "p99 us",
            Figure::P999 => "p99.9 us",
            Figure::CpuPerRoundTrip => "CPU us/round trip",
            Figure::SwitchesPerRoundTrip => "sleeps/round trip",
            Figure::SwitchesPerSecond => "wake-ups/s",
            Figure::CpuPercent => "CPU %",
            Figure::EchoesPerSecond => "thousand echoes/s",
            Figure::ServerCpuPerEcho => "server CPU us/echo",
            Figure::HandshakesPerSecond => "connections/s",
            Figure::ServerCpuPerHandshake => "server CPU us each",
            Figure::IdleBytes => "idle KiB",
            Figure::ActiveBytes => "active KiB",
            Figure::SystemCalls | Figure::Instructions => "both ends",
            Figure::Sender => "sender",
            Figure::Receiver => "receiver",
        }
    }

    /// Whether a larger value is the better one.
    pub fn more_is_better(self) -> bool {
        matches!(
            self,
            Figure::MessagesPerSecond
                | Figure::BytesPerSecond
                | Figure::EchoesPerSecond
                | Figure::HandshakesPerSecond
        )
    }

    /// Whether one competitor alone can be said to be best: many lose nothing.
    pub(super) fn is_cell_of_merit(self) -> bool {
        !matches!(self, Figure::LostPercent | Figure::SwitchesPerSecond)
    }

    /// The value in the unit of the heading.
    pub fn in_unit(self, value: f64) -> f64 {
        match self {
            Figure::MessagesPerSecond | Figure::BytesPerSecond => value / 1e6,
            Figure::EchoesPerSecond => value / 1e3,
            Figure::IdleBytes | Figure::ActiveBytes => value / 1024.0,
            _ => value,
        }
    }

    /// The value as the tables show it: in the heading's unit, with three or four digits that mean something.
    pub fn shown(self, value: f64) -> String {
        let value = self.in_unit(value);
        let decimals = match value.abs() {
            large if large >= 100.0 => 0,
            medium if medium >= 10.0 => 1,
            small if small >= 1.0 => 2,
            0.0 => 0,
            _ => 3,
        };
        format!("{value:.decimals$}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_shown_in_their_unit_with_few_digits() {
        assert_eq!(Figure::MessagesPerSecond.shown(12_345_678.0), "12.3");
        assert_eq!(Figure::BytesPerSecond.shown(4_176_000_000.0), "4176");
        assert_eq!(Figure::CpuPerMillion.shown(0.0954), "0.095");
        assert_eq!(Figure::IdleBytes.shown(2048.0), "2.00");
        assert_eq!(Figure::SwitchesPerSecond.shown(0.0), "0");
        assert_eq!(Figure::Instructions.shown(733.6), "734");
    }
}
