use std::collections::{BTreeMap, BTreeSet};

use super::automaton::Automaton;
use super::{BadGlob, Glob};
use crate::trie::{Removed, Told};

/// Globs and who holds them. As in the trie of topics, a holder may hold one several times and has to let go as often.
#[derive(Debug)]
pub(crate) struct GlobSet<K> {
    entries: Vec<Entry<K>>,
    vacant: Vec<u32>,
    by_source: BTreeMap<Box<[u8]>, u32>,
    held: BTreeMap<K, Holding>,
    /// Made when something is looked for after a change.
    automaton: Option<Box<Automaton>>,
}

#[derive(Debug)]
struct Entry<K> {
    glob: Glob,
    /// Sorted. Empty for a vacant entry.
    holders: Vec<(K, u32)>,
}

#[derive(Debug, Default)]
struct Holding {
    globs: BTreeSet<u32>,
    bytes: u64,
}

impl<K: Copy + Ord> GlobSet<K> {
    pub(crate) fn new() -> GlobSet<K> {
        GlobSet {
            entries: Vec::new(),
            vacant: Vec::new(),
            by_source: BTreeMap::new(),
            held: BTreeMap::new(),
            automaton: None,
        }
    }

    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.by_source.is_empty()
    }

    /// True if nobody held the glob before.
    pub(crate) fn add(&mut self, source: &[u8], key: K) -> Result<bool, BadGlob> {
        let (number, is_first) = match self.by_source.get(source) {
            Some(&number) => (number, false),
            None => (self.occupy(Glob::parse(source)?), true),
        };
        let holders = &mut self.entries[number as usize].holders;
        match holders.binary_search_by_key(&key, |holder| holder.0) {
            Ok(index) => holders[index].1 = holders[index].1.saturating_add(1),
            Err(index) => {
                holders.insert(index, (key, 1));
                let holding = self.held.entry(key).or_default();
                holding.globs.insert(number);
                holding.bytes += source.len() as u64;
            }
        }
        Ok(is_first)
    }

    pub(crate) fn remove(&mut self, source: &[u8], key: K) -> Removed {
        let Some(&number) = self.by_source.get(source) else { return Removed::NotHeld };
        let holders = &mut self.entries[number as usize].holders;
        let Ok(index) = holders.binary_search_by_key(&key, |holder| holder.0) else {
            return Removed::NotHeld;
        };
        if holders[index].1 > 1 {
            holders[index].1 -= 1;
            return Removed::Repeated;
        }
        let holding = self.held.get_mut(&key).expect("whoever is among a glob's holders has a holding");
        holding.globs.remove(&number);
        holding.bytes -= source.len() as u64;
        if holding.globs.is_empty() {
            self.held.remove(&key);
        }
        if self.let_go(number, key) { Removed::Last } else { Removed::Shared }
    }

    /// Removes everything `key` holds, and gives what of it is to be told.
    pub(crate) fn remove_all(&mut self, key: K, told: Told) -> Vec<Vec<u8>> {
        let mut named = Vec::new();
        for number in self.held.remove(&key).unwrap_or_default().globs {
            let entry = &self.entries[number as usize];
            if told == Told::Each || (told == Told::Last && entry.holders.len() == 1) {
                named.push(entry.glob.as_bytes().to_vec());
            }
            self.let_go(number, key);
        }
        named
    }

    /// Visits the holders of every glob that fits `topic`, some perhaps more than once.
    #[inline]
    pub(crate) fn for_each_match(&mut self, topic: &[u8], mut visit: impl FnMut(K)) {
        if self.is_empty() {
            return;
        }
        let GlobSet { entries, automaton, .. } = self;
        let automaton = automaton.get_or_insert_with(|| Box::new(compile(entries)));
        automaton.for_each_match(topic, |number| {
            entries[number as usize].holders.iter().for_each(|&(key, _)| visit(key));
        });
    }

    /// Whether anyone holds a glob that fits `topic`.
    pub(crate) fn matches(&mut self, topic: &[u8]) -> bool {
        let mut any = false;
        self.for_each_match(topic, |_| any = true);
        any
    }

    /// Each glob once.
    pub(crate) fn globs(&self) -> impl Iterator<Item = &Glob> + '_ {
        self.by_source.values().map(|&number| &self.entries[number as usize].glob)
    }

    /// Each glob once, as it was written, and how many hold it.
    pub(crate) fn holders_of_each(&self) -> impl Iterator<Item = (&[u8], usize)> + '_ {
        self.by_source
            .iter()
            .map(|(source, &number)| (&**source, self.entries[number as usize].holders.len()))
    }

    pub(crate) fn len(&self) -> usize {
        self.by_source.len()
    }

    pub(crate) fn holders(&self) -> impl Iterator<Item = K> + '_ {
        self.held.keys().copied()
    }

    pub(crate) fn is_held_by(&self, source: &[u8], key: K) -> bool {
        let entry = self.by_source.get(source).map(|&number| &self.entries[number as usize]);
        entry.is_some_and(|entry| entry.holders.binary_search_by_key(&key, |holder| holder.0).is_ok())
    }

    /// How many different globs `key` holds, and how many bytes they have.
    pub(crate) fn load(&self, key: K) -> (usize, u64) {
        self.held.get(&key).map_or((0, 0), |holding| (holding.globs.len(), holding.bytes))
    }

    fn occupy(&mut self, glob: Glob) -> u32 {
        self.automaton = None;
        let source = glob.as_bytes().into();
        let entry = Entry { glob, holders: Vec::new() };
        let number = match self.vacant.pop() {
            Some(number) => {
                self.entries[number as usize] = entry;
                number
            }
            None => {
                self.entries.push(entry);
                u32::try_from(self.entries.len() - 1).expect("memory ends before four thousand million globs")
            }
        };
        self.by_source.insert(source, number);
        number
    }

    /// True if nobody holds the glob any more.
    fn let_go(&mut self, number: u32, key: K) -> bool {
        let entry = &mut self.entries[number as usize];
        entry.holders.retain(|holder| holder.0 != key);
        let is_last = entry.holders.is_empty();
        if is_last {
            self.automaton = None;
            self.by_source.remove(entry.glob.as_bytes());
            entry.glob = Glob::parse(b"").expect("nothing is a pattern");
            self.vacant.push(number);
        }
        is_last
    }
}

fn compile<K>(entries: &[Entry<K>]) -> Automaton {
    let held = entries.iter().zip(0..).filter(|(entry, _)| !entry.holders.is_empty());
    Automaton::new(held.map(|(entry, number)| (number, &entry.glob)))
}
