use super::primitives::{self, Mutex, MutexGuard};

/// A mutex whose data is consistent whenever it is unlocked, so that a panic elsewhere in the
/// holder's code must not take the other threads down with it.
#[derive(Default)]
pub(crate) struct Lock<T>(Mutex<T>);

/// What a [`Lock`] protects, until this is dropped.
pub(crate) type Guard<'a, T> = MutexGuard<'a, T>;

impl<T> Lock<T> {
    pub(crate) fn new(value: T) -> Lock<T> {
        Lock(Mutex::new(value))
    }

    #[inline]
    pub(crate) fn lock(&self) -> Guard<'_, T> {
        primitives::lock(&self.0)
    }

    pub(crate) fn try_lock(&self) -> Option<Guard<'_, T>> {
        primitives::try_lock(&self.0)
    }
}
