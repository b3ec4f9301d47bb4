use crate::glob::GlobSet;
use crate::sender::SubscriptionLoad;
use crate::trie::{NodeId, Removed, Told, Trie};
use crate::{BadGlob, PipeId, Subject};

/// Who wants what: topics and globs.
#[derive(Debug)]
pub(super) struct Interests {
    topics: Trie<PipeId>,
    globs: GlobSet<PipeId>,
}

/// What a peer that is gone leaves behind, as far as it is to be told.
#[derive(Debug, Default)]
pub(super) struct Gone {
    pub(super) topics: Vec<Vec<u8>>,
    pub(super) globs: Vec<Vec<u8>>,
}

impl Default for Interests {
    fn default() -> Interests {
        Interests { topics: Trie::new(), globs: GlobSet::new() }
    }
}

impl Interests {
    /// True if nobody wanted it before.
    pub(super) fn add(&mut self, pipe: PipeId, subject: Subject<'_>) -> Result<bool, BadGlob> {
        match subject {
            Subject::Topic(topic) => Ok(self.topics.add(topic, pipe)),
            Subject::Glob(glob) => self.globs.add(glob, pipe),
        }
    }

    pub(super) fn remove(&mut self, pipe: PipeId, subject: Subject<'_>) -> Removed {
        match subject {
            Subject::Topic(topic) => self.topics.remove(topic, pipe),
            Subject::Glob(glob) => self.globs.remove(glob, pipe),
        }
    }

    pub(super) fn remove_all(&mut self, pipe: PipeId, told: Told) -> Gone {
        Gone { topics: self.topics.remove_all(pipe, told), globs: self.globs.remove_all(pipe, told) }
    }

    /// The nodes of the topics that somebody wants and a message begins with. They name the same holders until something changes.
    #[inline]
    pub(super) fn topics_met_by<'a>(&'a self, first: &'a [u8]) -> impl Iterator<Item = NodeId> {
        self.topics.nodes_met_by(first)
    }

    /// The node of exactly this topic, if somebody wants it.
    pub(super) fn topic_named(&self, topic: &[u8]) -> Option<NodeId> {
        self.topics.node_of(topic)
    }

    pub(super) fn for_each_holder(&self, node: NodeId, visit: impl FnMut(PipeId)) {
        self.topics.for_each_holder(node, visit);
    }

    pub(super) fn for_each_match(&mut self, first: &[u8], mut visit: impl FnMut(PipeId)) {
        self.topics.for_each_match(first, &mut visit);
        self.globs.for_each_match(first, visit);
    }

    pub(super) fn has_globs(&self) -> bool {
        !self.globs.is_empty()
    }

    pub(super) fn is_topic_held(&self, topic: &[u8]) -> bool {
        self.topics.is_held(topic)
    }

    pub(super) fn is_held_by(&self, pipe: PipeId, subject: Subject<'_>) -> bool {
        match subject {
            Subject::Topic(topic) => self.topics.is_held_by(topic, pipe),
            Subject::Glob(glob) => self.globs.is_held_by(glob, pipe),
        }
    }

    /// Peers that want something.
    pub(super) fn holder_count(&self) -> usize {
        let by_globs_alone = self.globs.holders().filter(|&pipe| !self.topics.is_holder(pipe)).count();
        self.topics.holder_count() + by_globs_alone
    }

    pub(super) fn len(&self) -> usize {
        self.topics.topic_count() + self.globs.len()
    }

    /// What is wanted, and by how many.
    pub(super) fn for_each(&self, mut visit: impl FnMut(Subject<'_>, usize)) {
        self.topics.holders_of_each().for_each(|(topic, holders)| visit(Subject::Topic(&topic), holders));
        self.globs.holders_of_each().for_each(|(glob, holders)| visit(Subject::Glob(glob), holders));
    }

    pub(super) fn load(&self, pipe: PipeId) -> SubscriptionLoad {
        let ((topics, topic_bytes), (globs, glob_bytes)) = (self.topics.load(pipe), self.globs.load(pipe));
        SubscriptionLoad { topics: topics + globs, bytes: topic_bytes + glob_bytes }
    }
}
