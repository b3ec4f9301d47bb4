//! One direction of a socket behind its lock.
//!
//! Between two decisions of the pattern many small messages go the same way: to one connection's open segment, or out of one
//! connection's bytes. They take a *lane*, which holds that memory and knows for how long nothing has to be decided. Whoever else
//! takes the lock settles the lane first, so nobody but the lane ever sees what it has not accounted for.

use std::ops::{Deref, DerefMut};

use serverlink_driver::{BiasedGuard, BiasedLock};
use serverlink_patterns::Dialogue;

/// What a lane is taken from, and is brought back to.
pub(crate) trait Lanes {
    type Lane: Default;

    /// Takes the lane's memory back and accounts for what went through. A lane that is not open changes nothing.
    fn settle(&mut self, lane: &mut Self::Lane);
}

/// See the module's page.
pub(crate) struct Side<S: Lanes>(BiasedLock<Half<S>>);

/// The lock of one side, until this is dropped.
pub(crate) type HalfGuard<'a, S> = BiasedGuard<'a, Half<S>>;

/// What the lock holds: one side of the socket, its lane, and what stands in for the conversation where the pattern has none.
pub(crate) struct Half<S: Lanes> {
    pub(crate) lane: S::Lane,
    pub(crate) silent: Dialogue,
    pub(crate) side: S,
}

impl<S: Lanes> Side<S> {
    pub(crate) fn new(silent: Dialogue, side: S) -> Side<S> {
        Side(BiasedLock::new(Half { lane: S::Lane::default(), silent, side }))
    }

    /// The side as it is: everything that went through its lane is accounted for.
    #[inline]
    pub(crate) fn lock(&self) -> HalfGuard<'_, S> {
        self.lock_for_message()
    }

    /// The same, where each message comes by.
    #[expect(clippy::inline_always, reason = "a call of its own would be seen there")]
    #[inline(always)]
    pub(crate) fn lock_for_message(&self) -> HalfGuard<'_, S> {
        let mut half = self.0.lock();
        half.settle();
        half
    }

    /// For the next message, which may find the lane open. Look at nothing else before [`Half::settle`].
    #[inline]
    pub(crate) fn lock_lane(&self) -> HalfGuard<'_, S> {
        self.0.lock_often()
    }
}

impl<S: Lanes> Half<S> {
    #[inline]
    pub(crate) fn settle(&mut self) {
        self.side.settle(&mut self.lane);
    }
}

impl<S: Lanes> Deref for Half<S> {
    type Target = S;
    fn deref(&self) -> &S {
        &self.side
    }
}

impl<S: Lanes> DerefMut for Half<S> {
    fn deref_mut(&mut self) -> &mut S {
        &mut self.side
    }
}
