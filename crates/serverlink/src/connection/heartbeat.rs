//! Signs of life, both ways. Pure: times in, deadlines out.

use std::time::{Duration, Instant};

/// While we do not read, the peer's PINGs wait unanswered; it must not take us for dead. Where its own pace is not known it hears
/// from us this often.
const PACE_WHILE_PAUSED: Duration = Duration::from_secs(1);

/// However fast a peer's PINGs come, a paused connection sends no faster.
const FASTEST_PACE: Duration = Duration::from_millis(20);

/// When we last heard of a peer, when it is to hear of us, and when it is to be given up.
pub(super) struct Heartbeat {
    pub(super) last_heard: Instant,
    next_ping: Option<Instant>,
    /// When we are to look next.
    due: Option<Instant>,
    last_ping_of_peer: Option<Instant>,
    /// Between the peer's PINGs.
    gap_of_peer: Option<Duration>,
    /// The peer wants to be given up when nothing comes for so long after its last PING, which came at this time.
    ttl: Option<(Instant, Duration)>,
}

/// What the options say.
#[derive(Clone, Copy)]
pub(super) struct Pace {
    /// Zero: no PINGs, and silence is not noticed.
    pub(super) interval: Duration,
    pub(super) timeout: Duration,
}

/// What is to be done now.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Beat {
    /// The peer is to be given up.
    Over,
    Ping,
    Nothing,
}

impl Heartbeat {
    pub(super) fn new(now: Instant) -> Heartbeat {
        Heartbeat {
            last_heard: now,
            next_ping: None,
            due: None,
            last_ping_of_peer: None,
            gap_of_peer: None,
            ttl: None,
        }
    }

    /// The connection is established, with a peer that knows PING; gives the first deadline.
    pub(super) fn begin(&mut self, now: Instant, pace: Pace) -> Option<Instant> {
        self.next_ping = pace.every(false, None).map(|every| now + every);
        self.deadline(pace)
    }

    /// A PING came; gives the next deadline.
    pub(super) fn handle_ping(&mut self, now: Instant, ttl: Duration, pace: Pace) -> Option<Instant> {
        if let Some(last) = self.last_ping_of_peer.replace(now) {
            self.gap_of_peer = Some(now.saturating_duration_since(last));
        }
        self.ttl = (!ttl.is_zero()).then_some((self.last_heard, ttl));
        self.deadline(pace)
    }

    /// Reading stops: what the peer says is not heard, and what it asks is not answered. Gives the next deadline.
    pub(super) fn on_pause(&mut self, now: Instant, pace: Pace) -> Option<Instant> {
        if let Some(every) = pace.every(true, self.gap_of_peer) {
            let soon = now + every;
            self.next_ping = Some(self.next_ping.map_or(soon, |next| next.min(soon)));
        }
        self.deadline(pace)
    }

    /// A deadline has come, or may have.
    pub(super) fn handle_time(&mut self, now: Instant, paused: bool, pace: Pace) -> Beat {
        // While this process stood still, it heard nobody: that is not the peer's silence.
        let stood_still = self.due.map_or(Duration::ZERO, |due| now.saturating_duration_since(due));
        self.move_last_heard(if paused { now } else { now.min(self.last_heard + stood_still) });
        if self.gives_up_at(pace).is_some_and(|at| at <= now) {
            return Beat::Over;
        }
        if self.next_ping.is_none_or(|next| next > now) {
            return Beat::Nothing;
        }
        self.next_ping = pace.every(paused, self.gap_of_peer).map(|every| now + every);
        if self.next_ping.is_some() { Beat::Ping } else { Beat::Nothing }
    }

    /// When to look next.
    pub(super) fn deadline(&mut self, pace: Pace) -> Option<Instant> {
        self.due = [self.next_ping, self.gives_up_at(pace)].into_iter().flatten().min();
        self.due
    }

    /// The wish of the peer moves along, where nothing was said since.
    fn move_last_heard(&mut self, heard: Instant) {
        if let Some((at, _)) = &mut self.ttl
            && *at == self.last_heard
        {
            *at = heard;
        }
        self.last_heard = heard;
    }

    fn gives_up_at(&self, pace: Pace) -> Option<Instant> {
        let by_us = (!pace.interval.is_zero()).then(|| self.last_heard + pace.interval + pace.timeout);
        // Whatever came after the PING is a sign of life, too.
        let by_peer = self.ttl.filter(|(at, _)| *at == self.last_heard).map(|(at, ttl)| at + ttl);
        [by_us, by_peer].into_iter().flatten().min()
    }
}

impl Pace {
    /// How often the peer is to hear of us.
    fn every(self, paused: bool, gap_of_peer: Option<Duration>) -> Option<Duration> {
        let ours = (!self.interval.is_zero()).then_some(self.interval);
        if !paused {
            return ours;
        }
        let owed = gap_of_peer.map(|gap| (gap / 2).max(FASTEST_PACE));
        match (ours, owed) {
            (None, None) => None,
            (ours, owed) => [ours, owed, Some(PACE_WHILE_PAUSED)].into_iter().flatten().min(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);
    const PACE: Pace = Pace { interval: Duration::from_secs(5), timeout: Duration::from_secs(15) };
    const SILENT: Pace = Pace { interval: Duration::ZERO, timeout: Duration::from_secs(15) };

    #[test]
    fn pings_at_its_pace_and_gives_up_a_silent_peer() {
        let start = Instant::now();
        let mut heartbeat = Heartbeat::new(start);
        assert_eq!(heartbeat.begin(start, PACE), Some(start + 5 * SECOND));
        for second in 1..20 {
            let beat = heartbeat.handle_time(start + second * SECOND, false, PACE);
            heartbeat.deadline(PACE);
            let expected = if second % 5 == 0 { Beat::Ping } else { Beat::Nothing };
            assert_eq!(beat, expected, "after {second} s");
        }
        assert_eq!(heartbeat.handle_time(start + 20 * SECOND, false, PACE), Beat::Over);
    }

    #[test]
    fn any_sign_of_life_counts() {
        let start = Instant::now();
        let mut heartbeat = Heartbeat::new(start);
        heartbeat.begin(start, PACE);
        for second in 1..39 {
            if second == 19 {
                heartbeat.last_heard = start + 19 * SECOND;
            }
            assert_ne!(heartbeat.handle_time(start + second * SECOND, false, PACE), Beat::Over, "{second} s");
            heartbeat.deadline(PACE);
        }
        assert_eq!(heartbeat.handle_time(start + 39 * SECOND, false, PACE), Beat::Over);
    }

    #[test]
    fn the_time_in_which_we_stood_still_is_not_the_peers_silence() {
        let start = Instant::now();
        let mut heartbeat = Heartbeat::new(start);
        heartbeat.begin(start, PACE);
        let later = start + 3600 * SECOND;
        assert_eq!(heartbeat.handle_time(later, false, PACE), Beat::Ping);
        assert_eq!(heartbeat.deadline(PACE), Some(later + 5 * SECOND));
        for second in [5, 10] {
            assert_eq!(heartbeat.handle_time(later + second * SECOND, false, PACE), Beat::Ping);
            heartbeat.deadline(PACE);
        }
        assert_eq!(
            heartbeat.handle_time(later + 15 * SECOND, false, PACE),
            Beat::Over,
            "5 s before, 15 s after"
        );
    }

    #[test]
    fn a_peer_may_ask_to_be_given_up() {
        let start = Instant::now();
        let mut heartbeat = Heartbeat::new(start);
        assert_eq!(heartbeat.begin(start, SILENT), None);
        assert_eq!(heartbeat.handle_ping(start, 2 * SECOND, SILENT), Some(start + 2 * SECOND));
        assert_eq!(heartbeat.handle_time(start + SECOND, false, SILENT), Beat::Nothing);
        heartbeat.last_heard = start + SECOND;
        assert_eq!(heartbeat.handle_time(start + 3 * SECOND, false, SILENT), Beat::Nothing, "it spoke");
        heartbeat.handle_ping(start + 4 * SECOND, 2 * SECOND, SILENT);
        heartbeat.last_heard = start + 4 * SECOND;
        heartbeat.handle_ping(start + 4 * SECOND, 2 * SECOND, SILENT);
        assert_eq!(heartbeat.handle_time(start + 6 * SECOND, false, SILENT), Beat::Over);
    }

    #[test]
    fn who_does_not_read_is_heard_all_the_same() {
        let start = Instant::now();
        let mut heartbeat = Heartbeat::new(start);
        heartbeat.begin(start, PACE);
        assert_eq!(heartbeat.on_pause(start, PACE), Some(start + SECOND));
        assert_eq!(heartbeat.handle_time(start + SECOND, true, PACE), Beat::Ping);
        assert_eq!(heartbeat.deadline(PACE), Some(start + 2 * SECOND));

        let fast = SECOND / 10;
        heartbeat.handle_ping(start, Duration::ZERO, PACE);
        heartbeat.handle_ping(start + fast, Duration::ZERO, PACE);
        assert_eq!(heartbeat.on_pause(start + SECOND, PACE), Some(start + SECOND + fast / 2));
        assert_eq!(
            heartbeat.handle_time(start + 100 * SECOND, true, PACE),
            Beat::Ping,
            "its silence is ours"
        );

        let mut quiet = Heartbeat::new(start);
        assert_eq!(quiet.on_pause(start, SILENT), None, "nobody has asked for a sign of life");
    }
}
