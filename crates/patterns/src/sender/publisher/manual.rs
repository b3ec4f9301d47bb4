use super::interests::{Gone, Interests};
use crate::trie::Told;
use crate::{PatternOptions, PipeId};

/// XPUB's manual mode: peers ask, and the application decides what they get.
#[derive(Debug)]
pub(super) struct Manual {
    pub(super) asked: Interests,
    /// Whose subscription or cancellation the application received last.
    last: Option<PipeId>,
    /// To whom alone the next message goes.
    next: Option<PipeId>,
    /// What `next` was before the reservation of this number.
    taken: Option<(u64, PipeId)>,
    keeps_last_value: bool,
}

impl Manual {
    pub(super) fn new(options: &PatternOptions) -> Option<Box<Manual>> {
        let is_on = options.xpub_manual || options.xpub_manual_last_value;
        is_on.then(|| {
            Box::new(Manual {
                asked: Interests::default(),
                last: None,
                next: None,
                taken: None,
                keeps_last_value: options.xpub_manual_last_value,
            })
        })
    }

    pub(super) fn reconfigure(&mut self, options: &PatternOptions) {
        self.keeps_last_value = options.xpub_manual_last_value;
    }

    pub(super) fn on_received(&mut self, pipe: Option<PipeId>) {
        self.last = pipe;
        if self.keeps_last_value {
            self.next = pipe;
        }
    }

    pub(super) fn last(&self) -> Option<PipeId> {
        self.last
    }

    pub(super) fn has_next(&self) -> bool {
        self.next.is_some()
    }

    /// For one message; a later one goes to everybody again.
    pub(super) fn take_next(&mut self, round: u64) -> Option<PipeId> {
        let next = self.next.take();
        self.taken = next.map(|pipe| (round, pipe));
        next
    }

    /// The message of that reservation was not sent.
    pub(super) fn give_back_next(&mut self, round: u64) {
        if let Some((_, pipe)) = self.taken.take_if(|taken| taken.0 == round) {
            self.next.get_or_insert(pipe);
        }
    }

    /// Nothing can be taken back any more.
    pub(super) fn keep_taken(&mut self) {
        self.taken = None;
    }

    /// The peer is gone: what it had asked for.
    pub(super) fn forget(&mut self, pipe: PipeId) -> Gone {
        self.last.take_if(|last| *last == pipe);
        self.next.take_if(|next| *next == pipe);
        self.taken.take_if(|taken| taken.1 == pipe);
        self.asked.remove_all(pipe, Told::Each)
    }
}
