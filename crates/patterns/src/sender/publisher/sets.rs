use std::collections::BTreeMap;
use std::num::NonZeroU64;

use crate::PipeId;
use crate::outcome::TargetSet;
use crate::trie::NodeId;

/// One subscriber is found as fast as it is remembered.
const REMEMBERED_FROM: usize = 2;
/// How much is remembered: sets, and pipes in all of them together.
const SETS: usize = 256;
const PIPES: usize = 64 * 1024;
/// For so many messages nothing is remembered, where remembering did not pay.
const REST: u32 = 10_000;

/// Who got what was sent before. Nearly every message goes to the same peers as some message before it, so they are found once and
/// have a name then, by which the shell knows them again.
#[derive(Debug)]
pub(super) struct Sets {
    sets: Vec<Set>,
    /// By the nodes of the tree of topics that a message meets.
    by_path: BTreeMap<Box<[NodeId]>, usize>,
    /// The one that was found last.
    last: Option<(Box<[NodeId]>, usize)>,
    /// Found otherwise than by topics alone: only compared.
    ruled: Option<Set>,
    next_name: NonZeroU64,
    pipes: usize,
    /// Since the last time that everything was forgotten for want of room.
    hits: usize,
    rest: u32,
}

#[derive(Debug)]
pub(super) struct Set {
    pub(super) name: TargetSet,
    pub(super) targets: Vec<PipeId>,
    pub(super) left_out: Vec<PipeId>,
}

/// Which of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Found {
    ByPath(usize),
    Ruled,
}

impl Default for Sets {
    fn default() -> Sets {
        Sets {
            sets: Vec::new(),
            by_path: BTreeMap::new(),
            last: None,
            ruled: None,
            next_name: NonZeroU64::MIN,
            pipes: 0,
            hits: 0,
            rest: 0,
        }
    }
}

impl Sets {
    #[inline]
    pub(super) fn get(&self, found: Found) -> Option<&Set> {
        match found {
            Found::ByPath(index) => self.sets.get(index),
            Found::Ruled => self.ruled.as_ref(),
        }
    }

    #[inline]
    pub(super) fn find(&mut self, path: &[NodeId]) -> Option<Found> {
        if let Some((last, index)) = &self.last
            && **last == *path
        {
            return Some(Found::ByPath(*index));
        }
        self.find_other(path)
    }

    #[inline(never)]
    fn find_other(&mut self, path: &[NodeId]) -> Option<Found> {
        let &index = self.by_path.get(path)?;
        self.hits += 1;
        match &mut self.last {
            Some((last, at)) if last.len() == path.len() => {
                last.copy_from_slice(path);
                *at = index;
            }
            last => *last = Some((path.into(), index)),
        }
        Some(Found::ByPath(index))
    }

    /// What was found for this path, to be known again, if that is worth it.
    pub(super) fn keep(&mut self, path: &[NodeId], targets: &[PipeId], left_out: &[PipeId]) -> Option<Found> {
        let pipes = targets.len() + left_out.len();
        if pipes < REMEMBERED_FROM {
            return None;
        }
        if self.rest > 0 {
            self.rest -= 1;
            return None;
        }
        if self.sets.len() == SETS || (self.pipes + pipes > PIPES && !self.sets.is_empty()) {
            self.rest = if self.hits < self.sets.len() { REST } else { 0 };
            self.forget();
        }
        self.pipes += pipes;
        let set = self.named(targets, left_out);
        self.sets.push(set);
        self.by_path.insert(path.into(), self.sets.len() - 1);
        Some(Found::ByPath(self.sets.len() - 1))
    }

    /// What a rule found: the same as last time, or not.
    pub(super) fn compare(&mut self, targets: &[PipeId], left_out: &[PipeId]) -> Option<Found> {
        if targets.len() + left_out.len() < REMEMBERED_FROM {
            return None;
        }
        let is_same = |set: &Set| set.targets == targets && set.left_out == left_out;
        if !self.ruled.as_ref().is_some_and(is_same) {
            self.ruled = Some(self.named(targets, left_out));
        }
        Some(Found::Ruled)
    }

    /// Something changed in who gets what.
    #[inline]
    pub(super) fn forget(&mut self) {
        if !self.sets.is_empty() {
            self.sets.clear();
            self.by_path.clear();
        }
        (self.last, self.ruled) = (None, None);
        (self.pipes, self.hits) = (0, 0);
    }

    fn named(&mut self, targets: &[PipeId], left_out: &[PipeId]) -> Set {
        let name = TargetSet(self.next_name);
        self.next_name = self.next_name.checked_add(1).expect("nobody counts so far");
        Set { name, targets: targets.to_vec(), left_out: left_out.to_vec() }
    }
}
