use std::collections::BTreeMap;

use serverlink_message::{Message, Part};
use slotmap::SecondaryMap;

use crate::glob::GlobSet;
use crate::trie::{Removed, Trie};
use crate::{BadGlob, DropReason, Glob, Passage, PatternOptions, PipeId, Subject, Verdict};

/// The subscriptions of a SUB or XSUB socket.
#[derive(Debug)]
pub(super) struct Filter {
    topics: Trie<()>,
    globs: GlobSet<()>,
    /// For each glob the topic that all it fits begins with, for publishers that know no globs.
    covers: Trie<()>,
    /// How often publishers were told a topic or glob beyond the first time, and not told to cancel it.
    repeated: BTreeMap<(bool, Box<[u8]>), u32>,
    /// Publishers that know no globs.
    plain: SecondaryMap<PipeId, ()>,
    way: Way,
    /// What all topics have in common with this one: that a message begins so is all that can be asked. One alone, or the empty one.
    sole_topic: Option<Part>,
    /// XSUB passes on what publishers send: what it asked for is for others.
    is_active: bool,
    is_inverted: bool,
    /// XSUB: publishers are told every cancellation.
    tells_each_cancel: bool,
}

/// What decides of a message, so that the usual case asks for nothing else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// XSUB.
    TakeAll,
    TopicsAlone,
    ByRule,
}

/// What publishers have to be told of one subscription or cancellation.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[must_use]
pub struct Tell {
    /// Those that know globs: so many times. A subscriber that has told a topic more than once takes back as many.
    pub exactly: u32,
    /// Those that do not, once: the topic, or the one that covers the glob.
    pub plainly: Option<Vec<u8>>,
}

impl Filter {
    pub(super) fn for_sub(options: &PatternOptions) -> Filter {
        Filter::new(options, true)
    }

    pub(super) fn for_xsub(options: &PatternOptions) -> Filter {
        Filter::new(options, false)
    }

    fn new(options: &PatternOptions, is_active: bool) -> Filter {
        Filter {
            topics: Trie::new(),
            globs: GlobSet::new(),
            covers: Trie::new(),
            repeated: BTreeMap::new(),
            plain: SecondaryMap::new(),
            way: way(is_active, options.invert_matching, false),
            sole_topic: None,
            is_active,
            is_inverted: options.invert_matching,
            tells_each_cancel: options.xsub_verbose_unsubscribe && !is_active,
        }
    }

    pub(super) fn reconfigure(&mut self, options: &PatternOptions) {
        self.is_inverted = options.invert_matching;
        self.choose_way();
    }

    pub(super) fn handle(&mut self, pipe: PipeId, message: &Message) -> Verdict {
        let is_wanted = match self.way {
            Way::TopicsAlone => self.topics.matches(message.first()),
            Way::TakeAll => true,
            Way::ByRule => self.is_wanted(pipe, message.first()),
        };
        if is_wanted { Verdict::Deliver } else { Verdict::Discard(DropReason::NotSubscribed) }
    }

    /// What becomes of each message of one part, if that needs no more than its first bytes.
    pub(super) fn passage(&self) -> Option<Passage> {
        match (self.way, &self.sole_topic) {
            (Way::TakeAll, _) => Some(Passage::AsItCame),
            (Way::TopicsAlone, Some(topic)) if topic.is_empty() => Some(Passage::AsItCame),
            (Way::TopicsAlone, Some(topic)) => Some(Passage::IfItBegins(topic.clone())),
            (Way::TopicsAlone, None) | (Way::ByRule, _) => None,
        }
    }

    #[inline(never)]
    fn is_wanted(&mut self, pipe: PipeId, first: &[u8]) -> bool {
        if self.is_active {
            // Publishers filter too, but one may still send what was cancelled a moment ago.
            self.fits(first) != self.is_inverted
        } else {
            // What came for a covering topic alone was not asked for.
            !self.plain.contains_key(pipe) || !self.covers.matches(first) || self.fits(first)
        }
    }

    fn fits(&mut self, first: &[u8]) -> bool {
        self.topics.matches(first) || self.globs.matches(first)
    }

    fn choose_way(&mut self) {
        self.way = way(self.is_active, self.is_inverted, !self.globs.is_empty());
    }

    fn find_sole_topic(&mut self) {
        self.sole_topic = match self.topics.topic_count() {
            _ if self.topics.is_held(b"") => Some(Part::new()),
            1 => self.topics.topics().next().map(Part::from),
            _ => None,
        };
    }

    // ---- subscriptions

    pub(super) fn subscribe(&mut self, subject: Subject<'_>) -> Result<Tell, BadGlob> {
        let (is_first, plainly) = match subject {
            // As libzmq does: a publisher may tell its application each of them.
            Subject::Topic(topic) => {
                let is_first = self.topics.add(topic, ());
                self.find_sole_topic();
                (is_first, Some(topic.to_vec()))
            }
            Subject::Glob(source) => {
                let is_first = self.globs.add(source, ())?;
                self.choose_way();
                let cover = Glob::parse(source)?.literal_prefix();
                let is_new = is_first && self.covers.add(&cover, ()) && !self.topics.is_held(&cover);
                (is_first, is_new.then_some(cover))
            }
        };
        if !is_first {
            let repeated = self.repeated.entry(key_of(subject)).or_default();
            *repeated = repeated.saturating_add(1);
        }
        Ok(Tell { exactly: 1, plainly: plainly.filter(|_| self.is_told_plainly(subject)) })
    }

    pub(super) fn unsubscribe(&mut self, subject: Subject<'_>) -> Tell {
        let removed = match subject {
            Subject::Topic(topic) => self.topics.remove(topic, ()),
            Subject::Glob(source) => self.globs.remove(source, ()),
        };
        self.choose_way();
        self.find_sole_topic();
        if removed == Removed::Last {
            let exactly = self.repeated.remove(&key_of(subject)).unwrap_or(0).saturating_add(1);
            return Tell { exactly, plainly: self.uncovered(subject) };
        }
        if !self.tells_each_cancel {
            return Tell::default();
        }
        if let Some(repeated) = self.repeated.get_mut(&key_of(subject)) {
            *repeated = repeated.saturating_sub(1);
        }
        let plainly = match subject {
            Subject::Topic(topic) => Some(topic.to_vec()),
            Subject::Glob(_) => None,
        };
        Tell { exactly: 1, plainly }
    }

    /// The last need of this topic or glob is gone: the topic that a publisher without globs need not send any more.
    fn uncovered(&mut self, subject: Subject<'_>) -> Option<Vec<u8>> {
        let topic = match subject {
            Subject::Topic(topic) => {
                let is_covered = !self.is_inverted && self.covers.is_held(topic);
                (!is_covered).then(|| topic.to_vec())
            }
            Subject::Glob(source) => {
                let cover = Glob::parse(source).ok()?.literal_prefix();
                let is_last = self.covers.remove(&cover, ()) == Removed::Last;
                (is_last && !self.topics.is_held(&cover)).then_some(cover)
            }
        };
        topic.filter(|_| self.is_told_plainly(subject))
    }

    /// While matching is inverted a larger subscription means fewer messages, so nothing may stand in for a glob.
    fn is_told_plainly(&self, subject: Subject<'_>) -> bool {
        !self.is_inverted || matches!(subject, Subject::Topic(_))
    }

    pub(super) fn set_plain(&mut self, pipe: PipeId, plain: bool) {
        match plain {
            true => drop(self.plain.insert(pipe, ())),
            false => drop(self.plain.remove(pipe)),
        }
    }

    pub(super) fn forget(&mut self, pipe: PipeId) {
        self.plain.remove(pipe);
    }

    // ---- what there is

    pub(super) fn topics(&self) -> impl Iterator<Item = Vec<u8>> + '_ {
        self.topics.topics()
    }

    pub(super) fn globs(&self) -> impl Iterator<Item = Vec<u8>> + '_ {
        self.globs.globs().map(|glob| glob.as_bytes().to_vec())
    }

    pub(super) fn plain_topics(&self) -> impl Iterator<Item = Vec<u8>> + '_ {
        let is_extra = |cover: &Vec<u8>| !self.is_inverted && !self.topics.is_held(cover);
        self.topics.topics().chain(self.covers.topics().filter(is_extra))
    }

    pub(super) fn len(&self) -> usize {
        self.topics.topic_count() + self.globs.len()
    }
}

fn way(is_active: bool, is_inverted: bool, has_globs: bool) -> Way {
    match (is_active, is_inverted, has_globs) {
        (true, false, false) => Way::TopicsAlone,
        (true, _, _) | (false, false, true) => Way::ByRule,
        (false, _, _) => Way::TakeAll,
    }
}

fn key_of(subject: Subject<'_>) -> (bool, Box<[u8]>) {
    match subject {
        Subject::Topic(topic) => (false, topic.into()),
        Subject::Glob(source) => (true, source.into()),
    }
}
