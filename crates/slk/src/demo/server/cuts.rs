//! When a server cuts which of its links, and when it asks to be killed, if the user wants to see that.

use std::collections::VecDeque;

use super::super::SERVERS;

/// The server that made each connection, and the one that accepted it. Only the first can make it again.
const LINKS: [(usize, usize); 3] = [(0, 1), (1, 2), (0, 2)];

/// The cuts of one server, in the order of its lines.
pub(super) struct Cuts {
    /// After so many sent lines, the link to this peer.
    due: VecDeque<(u64, usize)>,
}

impl Cuts {
    /// All servers together make `cuts`, spread over the `total` lines and over the links.
    pub(super) fn of_server(index: usize, cuts: u64, total: u64) -> Cuts {
        let share = u128::from(total / SERVERS as u64);
        let nth = |cut: u64| {
            let (from, to) = LINKS[(cut % LINKS.len() as u64) as usize];
            let after = share * u128::from(cut + 1) / (u128::from(cuts) + 1);
            (from == index).then_some((after as u64, to))
        };
        Cuts { due: (0..cuts).filter_map(nth).collect() }
    }

    /// Without those of an earlier life, which ended after so many lines.
    pub(super) fn after(mut self, lines: u64) -> Cuts {
        self.due.retain(|(after, _)| *after > lines);
        self
    }

    /// The peer to which the link is to be cut now that so many lines were sent.
    pub(super) fn poll(&mut self, sent: u64) -> Option<usize> {
        let (_, peer) = self.due.pop_front_if(|(after, _)| *after <= sent)?;
        Some(peer)
    }
}

/// After how many sent lines a life ends, if it ends before the lines do. The servers take turns, the second first: it has called
/// one of the others and was called by one.
pub(super) fn end_of_life(index: usize, life: u64, restarts: u64, total: u64) -> Option<u64> {
    let nth = life * SERVERS as u64 + ((index + SERVERS - 1) % SERVERS) as u64;
    let share = u128::from(total / SERVERS as u64);
    (nth < restarts).then(|| (share * u128::from(nth + 1) / (u128::from(restarts) + 1)) as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_take_turns_in_dying() {
        let ends = |restarts| {
            let of = |life: u64| (0..SERVERS).map(move |index| end_of_life(index, life, restarts, 3000));
            (0..2).flat_map(of).collect::<Vec<_>>()
        };
        assert_eq!(ends(0), [None; 6]);
        assert_eq!(ends(1), [None, Some(500), None, None, None, None]);
        assert_eq!(ends(4), [Some(600), Some(200), Some(400), None, Some(800), None]);
    }

    #[test]
    fn the_cuts_are_spread_over_lines_and_links() {
        let mut first = Cuts::of_server(0, 3, 3000);
        assert_eq!(first.poll(249), None);
        assert_eq!(first.poll(250), Some(1));
        assert_eq!(first.poll(749), None);
        assert_eq!(first.poll(1000), Some(2));
        assert_eq!(first.poll(1000), None);
        assert_eq!(Cuts::of_server(1, 3, 3000).poll(500), Some(2));
        assert_eq!(Cuts::of_server(2, 3, 3000).poll(u64::MAX), None, "it only accepts");
    }
}
