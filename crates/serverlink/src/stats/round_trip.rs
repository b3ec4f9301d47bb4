//! How long a PING takes to come back as a PONG.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// PINGs without answer that are remembered: with more on the way, the eldest is given up.
const ON_THE_WAY: usize = 8;

/// Each new measurement counts for one part in so many of the smoothed value, as in TCP.
const SMOOTHING: u32 = 8;

/// From a PING to its PONG: the network, and until whoever drives the peer has answered. While an application is busy with
/// the messages in front of it, a PONG waits behind them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RoundTrip {
    /// The last one.
    pub last: Duration,
    /// Smoothed: an eighth of each new one.
    pub smoothed: Duration,
    /// When the last PONG came, by the clock of the context.
    pub at: Instant,
}

/// The PINGs of one connection, told apart by a number that the peer sends back.
#[derive(Default)]
pub(crate) struct Heartbeats {
    next: u32,
    on_the_way: VecDeque<(u32, Instant)>,
    round_trip: Option<RoundTrip>,
}

impl Heartbeats {
    /// The context of a PING that is sent now.
    pub(crate) fn begin(&mut self, now: Instant) -> [u8; 4] {
        let number = self.next;
        self.next = self.next.wrapping_add(1);
        if self.on_the_way.len() == ON_THE_WAY {
            self.on_the_way.pop_front();
        }
        self.on_the_way.push_back((number, now));
        number.to_be_bytes()
    }

    /// A PONG came. One that answers nothing of ours says nothing.
    pub(crate) fn end(&mut self, context: &[u8], now: Instant) {
        let Ok(number) = <[u8; 4]>::try_from(context).map(u32::from_be_bytes) else { return };
        let Some(index) = self.on_the_way.iter().position(|&(sent, _)| sent == number) else { return };
        let (_, sent_at) = self.on_the_way[index];
        // Answers come in order: who skipped one will not give it later.
        self.on_the_way.drain(..=index);
        let last = now.saturating_duration_since(sent_at);
        let smoothed = match self.round_trip {
            Some(before) => before.smoothed - before.smoothed / SMOOTHING + last / SMOOTHING,
            None => last,
        };
        self.round_trip = Some(RoundTrip { last, smoothed, at: now });
    }

    /// What is on the way will not be measured.
    pub(crate) fn give_up(&mut self) {
        self.on_the_way.clear();
    }

    pub(crate) fn round_trip(&self) -> Option<RoundTrip> {
        self.round_trip
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MILLI: Duration = Duration::from_millis(1);

    #[test]
    fn the_answer_ends_its_own_ping_and_those_before() {
        let mut heartbeats = Heartbeats::default();
        let start = Instant::now();
        let first = heartbeats.begin(start);
        let second = heartbeats.begin(start + MILLI * 10);
        heartbeats.end(&second, start + MILLI * 12);
        assert_eq!(heartbeats.round_trip().map(|trip| trip.last), Some(MILLI * 2));
        heartbeats.end(&first, start + MILLI * 50);
        assert_eq!(heartbeats.round_trip().map(|trip| trip.last), Some(MILLI * 2), "it was given up");
    }

    #[test]
    fn a_new_value_counts_for_an_eighth() {
        let mut heartbeats = Heartbeats::default();
        let start = Instant::now();
        for milliseconds in [80, 160] {
            let context = heartbeats.begin(start);
            heartbeats.end(&context, start + MILLI * milliseconds);
        }
        let trip = heartbeats.round_trip().expect("two answers");
        assert_eq!((trip.last, trip.smoothed, trip.at), (MILLI * 160, MILLI * 90, start + MILLI * 160));
    }

    #[test]
    fn foreign_contexts_and_missing_answers_do_no_harm() {
        let mut heartbeats = Heartbeats::default();
        let now = Instant::now();
        for context in [&b""[..], b"\0\0\0\0", b"longer than four"] {
            heartbeats.end(context, now);
        }
        assert_eq!(heartbeats.round_trip(), None);
        let contexts: Vec<_> = (0..20).map(|_| heartbeats.begin(now)).collect();
        heartbeats.end(&contexts[0], now);
        assert_eq!(heartbeats.round_trip(), None, "long given up");
        heartbeats.end(&contexts[19], now + MILLI);
        assert_eq!(heartbeats.round_trip().map(|trip| trip.last), Some(MILLI));
        let late = heartbeats.begin(now);
        heartbeats.give_up();
        heartbeats.end(&late, now + MILLI * 9);
        assert_eq!(heartbeats.round_trip().map(|trip| trip.last), Some(MILLI));
    }
}
