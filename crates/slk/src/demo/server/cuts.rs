//! When a server cuts which of its links, if the user wants to see that.

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

    /// The peer to which the link is to be cut now that so many lines were sent.
    pub(super) fn poll(&mut self, sent: u64) -> Option<usize> {
        let (_, peer) = self.due.pop_front_if(|(after, _)| *after <= sent)?;
        Some(peer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
