//! How the messages lie in a batch that is out, to give credit when parts of it are written.

use std::collections::VecDeque;

/// See the module's page.
#[derive(Default)]
pub(super) struct Layout {
    /// The frames have another form than what waits.
    pub(super) rewritten: bool,
    pub(super) control_bytes: usize,
    /// Where the first segment begins that is not written in full.
    from: usize,
    /// The segments in front of the last one, in order. A batch of one, as a round trip's, allocates nothing.
    front: VecDeque<Run>,
    last: Option<Run>,
}

/// A segment's place.
#[derive(Clone, Copy)]
struct Run {
    /// Bytes of the batch up to and including it.
    end: usize,
    messages: usize,
}

impl Layout {
    pub(super) fn new(rewritten: bool, control_bytes: usize) -> Layout {
        Layout { rewritten, control_bytes, from: control_bytes, ..Layout::default() }
    }

    /// A segment follows.
    pub(super) fn push(&mut self, bytes: usize, messages: usize) {
        let last = Run { end: self.end() + bytes, messages };
        self.front.extend(self.last.replace(last));
    }

    /// The last segment goes on.
    pub(super) fn lengthen(&mut self, bytes: usize) {
        let last = self.last.as_mut().expect("it has begun");
        last.end += bytes;
    }

    /// Takes the first segment off if the system has all of it: its bytes and messages.
    pub(super) fn pop_written(&mut self, written_bytes: usize) -> Option<(usize, usize)> {
        let first = *self.runs().next()?;
        if first.end > written_bytes {
            return None;
        }
        if self.front.pop_front().is_none() {
            self.last = None;
        }
        let bytes = first.end - std::mem::replace(&mut self.from, first.end);
        Some((bytes, first.messages))
    }

    pub(super) fn messages(&self) -> usize {
        self.runs().map(|run| run.messages).sum()
    }

    /// Of the segments that are left.
    pub(super) fn bytes(&self) -> usize {
        self.end() - self.from
    }

    /// Where the last segment ends, counted from the batch's first byte.
    pub(super) fn end(&self) -> usize {
        self.last.map_or(self.from, |run| run.end)
    }

    fn runs(&self) -> impl Iterator<Item = &Run> {
        self.front.iter().chain(&self.last)
    }
}
