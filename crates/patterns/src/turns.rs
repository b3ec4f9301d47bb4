use slotmap::SecondaryMap;

use crate::PipeId;

/// Round robin over the pipes that are ready; the one schedule behind load balancing and fair queueing.
///
/// The ready pipes are linked into a ring. Who becomes ready joins it behind everyone who already waits, so nobody
/// is passed over by more than each other pipe once, however often those come and go.
#[derive(Debug, Default)]
pub(crate) struct Turns {
    current: Option<PipeId>,
    links: SecondaryMap<PipeId, Link>,
}

/// The neighbours mean something only while the pipe is ready.
#[derive(Debug)]
struct Link {
    next: PipeId,
    previous: PipeId,
    is_ready: bool,
}

impl Turns {
    /// The pipe whose turn it is, if any is ready. It keeps it until it used it or is not ready any more.
    #[inline]
    pub(crate) fn current(&self) -> Option<PipeId> {
        self.current
    }

    /// The one pipe that is ready, if there is exactly one.
    #[inline]
    pub(crate) fn sole(&self) -> Option<PipeId> {
        let current = self.current?;
        (self.links.get(current)?.next == current).then_some(current)
    }

    /// Passes the turn on, if it is still `pipe`'s.
    #[inline]
    pub(crate) fn advance(&mut self, pipe: PipeId) {
        if self.current == Some(pipe)
            && let Some(link) = self.links.get(pipe)
        {
            self.current = Some(link.next);
        }
    }

    /// Who passed the turn on last, as long as nobody has joined or left since.
    pub(crate) fn previous(&self) -> Option<PipeId> {
        self.links.get(self.current?).map(|link| link.previous)
    }

    /// Idempotent; unknown pipes are ignored.
    #[inline]
    pub(crate) fn set_ready(&mut self, pipe: PipeId, ready: bool) {
        if let Some(link) = self.links.get(pipe)
            && link.is_ready != ready
        {
            if ready { self.join(pipe) } else { self.leave(pipe) }
        }
    }

    pub(crate) fn insert(&mut self, pipe: PipeId, ready: bool) {
        if !self.links.contains_key(pipe) {
            self.links.insert(pipe, Link { next: pipe, previous: pipe, is_ready: false });
        }
        self.set_ready(pipe, ready);
    }

    pub(crate) fn remove(&mut self, pipe: PipeId) {
        self.set_ready(pipe, false);
        self.links.remove(pipe);
    }

    pub(crate) fn len(&self) -> usize {
        self.links.len()
    }

    /// In no particular order.
    pub(crate) fn ready(&self) -> impl Iterator<Item = PipeId> + '_ {
        self.links.iter().filter(|(_, link)| link.is_ready).map(|(pipe, _)| pipe)
    }

    pub(crate) fn contains(&self, pipe: PipeId) -> bool {
        self.links.contains_key(pipe)
    }

    fn join(&mut self, pipe: PipeId) {
        // Right before whose turn it is: that is the end of the round.
        let next = *self.current.get_or_insert(pipe);
        let previous = if next == pipe { pipe } else { self.link(next).previous };
        self.link(previous).next = pipe;
        self.link(next).previous = pipe;
        *self.link(pipe) = Link { next, previous, is_ready: true };
    }

    fn leave(&mut self, pipe: PipeId) {
        let &mut Link { next, previous, .. } = self.link(pipe);
        self.link(previous).next = next;
        self.link(next).previous = previous;
        self.link(pipe).is_ready = false;
        if self.current == Some(pipe) {
            self.current = (next != pipe).then_some(next);
        }
    }

    fn link(&mut self, pipe: PipeId) -> &mut Link {
        self.links.get_mut(pipe).expect("a pipe leaves the ring before it is removed")
    }
}

#[cfg(test)]
mod tests;
