//! Who was associated with a port, over the whole life of a world.

use std::collections::BTreeMap;

/// What the ledger says of one socket that was to be associated with a port at least once.
///
/// A program that does it right has one association and no refusal for each, whichever laws the machine keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Association {
    /// Which socket: a number that no other one ever has.
    pub socket: u64,
    /// The value of the handle that was shown first. Closed values are used again, so many sockets may have had the same.
    pub handle: u32,
    /// How often a port took it.
    pub associated: usize,
    /// How often a port refused it, because one had it already.
    pub refused: usize,
}

#[derive(Debug, Default)]
pub(super) struct Ledger(BTreeMap<u64, Association>);

impl Ledger {
    pub(super) fn entry(&mut self, socket: u64, handle: u32) -> &mut Association {
        self.0.entry(socket).or_insert(Association { socket, handle, associated: 0, refused: 0 })
    }

    pub(super) fn entries(&self) -> Vec<Association> {
        self.0.values().copied().collect()
    }

    pub(super) fn refused(&self) -> usize {
        self.0.values().map(|entry| entry.refused).sum()
    }
}
