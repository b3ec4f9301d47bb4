mod arena;

use std::collections::{BTreeMap, BTreeSet};

use arena::Arena;
pub(crate) use arena::NodeId;

/// Topics and who holds them, for prefix matching.
///
/// A radix tree in an arena: nodes refer to each other by index, so neither walking nor dropping it recurses,
/// however long the topics are. Every node but the root is a topic or a fork, so there are at most two nodes for
/// each topic; cancelled ones are given back.
///
/// A holder may hold a topic several times and has to let go as often (RFC 37: subscriptions are not idempotent).
#[derive(Debug)]
pub(crate) struct Trie<K> {
    arena: Arena<K>,
    /// The nodes at which each holder stands, so that a departure costs what it held and not the whole tree.
    /// A node that is held keeps its index for as long as it is.
    held: BTreeMap<K, Holding>,
    topics: usize,
}

#[derive(Debug, Default)]
struct Holding {
    nodes: BTreeSet<NodeId>,
    bytes: u64,
}

/// What letting go of a topic led to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Removed {
    NotHeld,
    /// The same holder holds it still: it asked for it more than once.
    Repeated,
    /// Others hold it.
    Shared,
    /// Nobody holds it any more.
    Last,
}

/// Which of the topics that a holder leaves behind are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Told {
    Nothing,
    /// Those that nobody holds any more.
    Last,
    Each,
}

impl<K: Copy + Ord> Trie<K> {
    pub(crate) fn new() -> Trie<K> {
        Trie { arena: Arena::new(), held: BTreeMap::new(), topics: 0 }
    }

    /// True if nobody held the topic before.
    pub(crate) fn add(&mut self, topic: &[u8], key: K) -> bool {
        let node = self.arena.reach(topic);
        let holders = &mut self.arena[node].holders;
        let is_first = holders.is_empty();
        match holders.binary_search_by_key(&key, |holder| holder.0) {
            Ok(place) => holders[place].1 = holders[place].1.saturating_add(1),
            Err(place) => {
                holders.insert(place, (key, 1));
                let holding = self.held.entry(key).or_default();
                holding.nodes.insert(node);
                holding.bytes += topic.len() as u64;
            }
        }
        self.topics += usize::from(is_first);
        is_first
    }

    pub(crate) fn remove(&mut self, topic: &[u8], key: K) -> Removed {
        let Some(node) = self.arena.find(topic) else {
            return Removed::NotHeld;
        };
        let holders = &mut self.arena[node].holders;
        let Ok(place) = holders.binary_search_by_key(&key, |holder| holder.0) else {
            return Removed::NotHeld;
        };
        if holders[place].1 > 1 {
            holders[place].1 -= 1;
            return Removed::Repeated;
        }
        self.forget_holding(key, node, topic.len());
        let is_last = self.let_go(node, key);
        self.compact();
        if is_last { Removed::Last } else { Removed::Shared }
    }

    /// Removes everything `key` holds, and gives what of it is to be told.
    pub(crate) fn remove_all(&mut self, key: K, told: Told) -> Vec<Vec<u8>> {
        let mut named = Vec::new();
        for node in self.held.remove(&key).unwrap_or_default().nodes {
            if told == Told::Each || (told == Told::Last && self.arena[node].holders.len() == 1) {
                named.push(self.arena.topic(node));
            }
            self.let_go(node, key);
        }
        self.compact();
        named
    }

    /// Visits the holders of every topic that `message` begins with. A holder of several is visited for each.
    #[inline]
    pub(crate) fn for_each_match(&self, message: &[u8], mut visit: impl FnMut(K)) {
        for node in self.arena.along(message) {
            for &(key, _) in &node.holders {
                visit(key);
            }
        }
    }

    /// The nodes of those topics, shortest first. They mean the same until something is added or removed.
    #[inline]
    pub(crate) fn nodes_met_by<'a>(&'a self, message: &'a [u8]) -> impl Iterator<Item = NodeId> {
        self.arena.ids_along(message).filter(|&node| !self.arena[node].holders.is_empty())
    }

    /// The node of exactly this topic, if anyone holds it.
    pub(crate) fn node_of(&self, topic: &[u8]) -> Option<NodeId> {
        self.arena.find(topic).filter(|&node| !self.arena[node].holders.is_empty())
    }

    pub(crate) fn for_each_holder(&self, node: NodeId, visit: impl FnMut(K)) {
        self.arena[node].holders.iter().map(|&(key, _)| key).for_each(visit);
    }

    /// Whether anyone holds a topic that `message` begins with.
    #[inline]
    pub(crate) fn matches(&self, message: &[u8]) -> bool {
        self.arena.along(message).any(|node| !node.holders.is_empty())
    }

    /// Each topic once.
    pub(crate) fn topics(&self) -> impl Iterator<Item = Vec<u8>> + '_ {
        self.arena.held().map(|node| self.arena.topic(node))
    }

    /// Each topic once, and how many hold it.
    pub(crate) fn holders_of_each(&self) -> impl Iterator<Item = (Vec<u8>, usize)> + '_ {
        self.arena.held().map(|node| (self.arena.topic(node), self.arena[node].holders.len()))
    }

    /// Whether anyone holds exactly this topic.
    pub(crate) fn is_held(&self, topic: &[u8]) -> bool {
        self.node_of(topic).is_some()
    }

    pub(crate) fn is_held_by(&self, topic: &[u8], key: K) -> bool {
        let Some(node) = self.arena.find(topic) else { return false };
        self.arena[node].holders.binary_search_by_key(&key, |holder| holder.0).is_ok()
    }

    pub(crate) fn is_holder(&self, key: K) -> bool {
        self.held.contains_key(&key)
    }

    pub(crate) fn topic_count(&self) -> usize {
        self.topics
    }

    pub(crate) fn holder_count(&self) -> usize {
        self.held.len()
    }

    /// How many different topics `key` holds, and how many bytes they have.
    pub(crate) fn load(&self, key: K) -> (usize, u64) {
        self.held.get(&key).map_or((0, 0), |holding| (holding.nodes.len(), holding.bytes))
    }

    /// True if nobody holds the node's topic any more; then the node may be gone.
    fn let_go(&mut self, node: NodeId, key: K) -> bool {
        let holders = &mut self.arena[node].holders;
        if let Ok(place) = holders.binary_search_by_key(&key, |holder| holder.0) {
            holders.remove(place);
        }
        if holders.len() < holders.capacity() / 4 {
            holders.shrink_to(holders.len() * 2);
        }
        let is_last = holders.is_empty();
        if is_last {
            self.topics -= 1;
            self.arena.prune(node);
        }
        is_last
    }

    fn forget_holding(&mut self, key: K, node: NodeId, topic_len: usize) {
        let holding = self.held.get_mut(&key).expect("whoever is among a node's holders has a holding");
        holding.nodes.remove(&node);
        holding.bytes -= topic_len as u64;
        if holding.nodes.is_empty() {
            self.held.remove(&key);
        }
    }

    fn compact(&mut self) {
        if let Some(moved) = self.arena.compact() {
            for holding in self.held.values_mut() {
                holding.nodes = holding.nodes.iter().map(|&node| moved[node as usize]).collect();
            }
        }
    }
}

#[cfg(test)]
mod tests;
