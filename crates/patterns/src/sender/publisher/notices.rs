use serverlink_message::Message;

use super::interests::{Gone, Interests};
use crate::trie::{Removed, Told, Trie};
use crate::upstream::told;
use crate::{Glob, PatternOptions, PipeId, Subject};

/// What XPUB's application is told of its subscribers.
#[derive(Debug)]
pub(super) struct Notices {
    /// XPUB.
    is_on: bool,
    /// Every subscription, and not only the first to a topic.
    each_subscription: bool,
    /// Every cancellation, and not only the last.
    each_cancellation: bool,
    /// Globs as such.
    with_globs: bool,
    /// Otherwise, for each glob the topic that all it fits begins with: the application sees a plain subscription to that, which is right
    /// to be passed on to any publisher. None while matching is inverted, where a larger subscription means fewer messages.
    covers: Option<Trie<PipeId>>,
}

impl Notices {
    pub(super) fn new(options: &PatternOptions, is_on: bool) -> Notices {
        let has_covers = is_on && !options.glob_messages && !options.invert_matching;
        Notices {
            is_on,
            each_subscription: options.xpub_verbose || options.xpub_verboser,
            each_cancellation: options.xpub_verboser,
            with_globs: options.glob_messages,
            covers: has_covers.then(Trie::new),
        }
    }

    pub(super) fn reconfigure(&mut self, options: &PatternOptions) {
        self.each_subscription = options.xpub_verbose || options.xpub_verboser;
        self.each_cancellation = options.xpub_verboser;
    }

    pub(super) fn on_subscribe(
        &mut self,
        pipe: PipeId,
        subject: Subject<'_>,
        is_first: bool,
        interests: &Interests,
    ) -> Option<Message> {
        if !self.is_on {
            return None;
        }
        let is_first = match (subject, &mut self.covers) {
            (Subject::Topic(topic), Some(covers)) => is_first && !covers.is_held(topic),
            (Subject::Glob(glob), Some(covers)) => {
                let cover = cover_of(glob);
                covers.add(&cover, pipe) && !interests.is_topic_held(&cover)
            }
            (Subject::Glob(_), None) if !self.with_globs => return None,
            (_, None) => is_first,
        };
        (is_first || self.each_subscription).then(|| self.of_each(true, subject))
    }

    pub(super) fn on_cancel(
        &mut self,
        pipe: PipeId,
        subject: Subject<'_>,
        removed: Removed,
        interests: &Interests,
    ) -> Option<Message> {
        if !self.is_on {
            return None;
        }
        let is_last = match (subject, &mut self.covers) {
            (_, Some(_)) if removed == Removed::NotHeld => false,
            (Subject::Topic(topic), Some(covers)) => removed == Removed::Last && !covers.is_held(topic),
            (Subject::Glob(glob), Some(covers)) => {
                let cover = cover_of(glob);
                covers.remove(&cover, pipe) == Removed::Last && !interests.is_topic_held(&cover)
            }
            (Subject::Glob(_), None) if !self.with_globs => return None,
            (_, None) => removed == Removed::Last,
        };
        (is_last || self.each_cancellation).then(|| self.of_each(false, subject))
    }

    /// What has to be known of what a peer leaves behind.
    pub(super) fn of_departures(&self, is_manual: bool) -> Told {
        match self.is_on && !is_manual {
            false => Told::Nothing,
            true if self.each_cancellation => Told::Each,
            true => Told::Last,
        }
    }

    pub(super) fn on_departure(&mut self, pipe: PipeId, gone: Gone, interests: &Interests) -> Vec<Message> {
        let told_of = self.of_departures(false);
        let mut topics = gone.topics;
        if let Some(covers) = &mut self.covers {
            let covered = covers.remove_all(pipe, told_of);
            topics.extend(covered);
            if told_of == Told::Last {
                topics.retain(|topic| !covers.is_held(topic) && !interests.is_topic_held(topic));
            }
            topics.sort_unstable();
            topics.dedup();
        }
        let globs = if self.with_globs { gone.globs } else { Vec::new() };
        let topics = topics.iter().map(|topic| told(false, Subject::Topic(topic)));
        topics.chain(globs.iter().map(|glob| told(false, Subject::Glob(glob)))).collect()
    }

    /// In manual mode everything is told, one by one.
    pub(super) fn on_manual_departure(&self, gone: Gone) -> Vec<Message> {
        let topics = gone.topics.iter().map(|topic| self.of_each(false, Subject::Topic(topic)));
        topics.chain(gone.globs.iter().map(|glob| self.of_each(false, Subject::Glob(glob)))).collect()
    }

    /// A subscription or cancellation as the application sees it.
    pub(super) fn of_each(&self, subscribe: bool, subject: Subject<'_>) -> Message {
        match subject {
            Subject::Glob(glob) if !self.with_globs => told(subscribe, Subject::Topic(&cover_of(glob))),
            subject => told(subscribe, subject),
        }
    }
}

/// Nothing for what is no pattern: it was never subscribed to.
fn cover_of(glob: &[u8]) -> Vec<u8> {
    Glob::parse(glob).map(|glob| glob.literal_prefix()).unwrap_or_default()
}
