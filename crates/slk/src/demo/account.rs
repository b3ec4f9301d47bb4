//! Whether what was sent is what was received, link by link.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use indicatif::HumanCount;

use super::link::Tally;
use super::wire::{Status, Tallies};
use super::{SERVERS, server_name};
use crate::exit::{Exit, Failure};

/// The servers' own counts. A sender's tally and its receiver's were made apart from each other, so they prove something.
#[derive(Debug, Default)]
pub(super) struct Account {
    statuses: BTreeMap<usize, Status>,
    /// By sender and receiver.
    sent: BTreeMap<(usize, usize), Tally>,
    received: BTreeMap<(usize, usize), Tally>,
    pub(super) took: Duration,
    /// Servers that were killed and started again.
    pub(super) restarts: u64,
}

impl Account {
    pub(super) fn add(&mut self, server: usize, status: Status, tallies: Vec<Tallies>) {
        self.statuses.insert(server, status);
        for Tallies { peer, sent, received } in tallies {
            self.sent.insert((server, peer), sent);
            self.received.insert((peer, server), received);
        }
    }

    /// The server lives again, and reports anew.
    pub(super) fn forget(&mut self, server: usize) {
        self.statuses.remove(&server);
        self.sent.retain(|(from, _), _| *from != server);
        self.received.retain(|(_, to), _| *to != server);
    }

    pub(super) fn is_complete(&self) -> bool {
        self.statuses.len() == SERVERS
    }

    /// What is wrong, if anything is.
    pub(super) fn verdict(&self) -> Result<(), Failure> {
        let fail = |sentence: String| Err(Failure::new(Exit::Failed, format!("demo: {sentence}")));
        if self.lost() + self.duplicated() > 0 {
            return fail("the links lost or repeated lines".into());
        }
        for (&(from, to), sent) in &self.sent {
            if self.received(from, to).digest != sent.digest {
                let (from, to) = (server_name(from), server_name(to));
                return fail(format!("what {to} received is not what {from} sent"));
            }
        }
        Ok(())
    }

    /// For people: how fast it was, and what it took to lose nothing.
    pub(super) fn summary(&self) -> String {
        let lines = self.total(&self.received);
        let rate = HumanCount((lines as f64 / self.took.as_secs_f64()) as u64);
        let worst =
            |of: fn(&Status) -> u64| Duration::from_micros(self.statuses.values().map(of).max().unwrap_or(0));
        let repairs = match (self.sum(|status| status.resent), self.sum(|status| status.filtered)) {
            (0, 0) => String::new(),
            (resent, filtered) => {
                format!("; {resent} records were sent again, {filtered} came out of turn and were filtered")
            }
        };
        format!(
            "{SERVERS} servers moved {} lines in {:.2?}: {rate}/s; acknowledged in {:.1?} (p50), {:.1?} (p99){repairs}",
            HumanCount(lines),
            self.took,
            worst(|status| status.p50_us),
            worst(|status| status.p99_us),
        )
    }

    fn lost(&self) -> u64 {
        self.sent
            .iter()
            .map(|(&(from, to), sent)| sent.lines.saturating_sub(self.received(from, to).lines))
            .sum()
    }

    fn duplicated(&self) -> u64 {
        self.sent
            .iter()
            .map(|(&(from, to), sent)| self.received(from, to).lines.saturating_sub(sent.lines))
            .sum()
    }

    fn received(&self, from: usize, to: usize) -> Tally {
        self.received.get(&(from, to)).copied().unwrap_or_default()
    }

    fn total(&self, tallies: &BTreeMap<(usize, usize), Tally>) -> u64 {
        tallies.values().map(|tally| tally.lines).sum()
    }

    fn sum(&self, of: fn(&Status) -> u64) -> u64 {
        self.statuses.values().map(of).sum()
    }
}

/// The demo's last line, for people and scripts.
impl fmt::Display for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (sent, received) = (self.total(&self.sent), self.total(&self.received));
        let (lost, duplicated) = (self.lost(), self.duplicated());
        let (reconnects, handovers) =
            (self.sum(|status| status.reconnects), self.sum(|status| status.handovers));
        write!(
            f,
            "demo: sent {sent}, received {received}, lost {lost}, duplicated {duplicated}, reconnects {reconnects}, handovers {handovers}, restarts {}",
            self.restarts
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally(lines: u64, digest: u64) -> Tally {
        Tally { lines, digest }
    }

    /// Server 0 sent `sent` to server 1, which says it received `received`.
    fn account(sent: Tally, received: Tally) -> Account {
        let mut account = Account::default();
        let nothing = Tally::default();
        account.add(0, Status::default(), vec![Tallies { peer: 1, sent, received: nothing }]);
        account.add(1, Status::default(), vec![Tallies { peer: 0, sent: nothing, received }]);
        account
    }

    #[test]
    fn agreement_is_success_and_one_line() {
        let account = account(tally(5, 1), tally(5, 1));
        assert!(account.verdict().is_ok());
        let line = "demo: sent 5, received 5, lost 0, duplicated 0, reconnects 0, handovers 0, restarts 0";
        assert_eq!(account.to_string(), line);
    }

    #[test]
    fn losses_repeats_and_changes_are_failures() {
        let lossy = account(tally(5, 1), tally(3, 2));
        assert!(lossy.to_string().contains("lost 2, duplicated 0"));
        assert!(lossy.verdict().is_err());
        let repeating = account(tally(5, 1), tally(6, 2));
        assert!(repeating.to_string().contains("lost 0, duplicated 1"));
        assert!(repeating.verdict().is_err());
        let changed = account(tally(5, 1), tally(5, 2));
        assert!(
            changed.verdict().unwrap_err().sentence.contains("server-2 received is not what server-1 sent")
        );
    }

    #[test]
    fn it_is_complete_when_every_server_has_reported() {
        let mut account = account(tally(1, 1), tally(1, 1));
        assert!(!account.is_complete());
        account.add(2, Status::default(), Vec::new());
        assert!(account.is_complete());
    }
}
