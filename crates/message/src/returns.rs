//! References that a thread gives back together.
//!
//! Who drops one received message after the other gives back, each time, a reference to the memory that they were all cut out of, and to the address in
//! front of them all: an atomic operation, which is slow, and before which all that was written has to reach the cache. So a thread counts them
//! and gives them back many at a time, as [`Slice::split_to`](crate::chunk::Slice::split_to) buys them.
//!
//! Until then they keep the memory: of each thread that drops messages at most one block or chunk, never a large one, and one address. They keep none of a thread
//! that dropped a single message of it, waits for the next in a socket, which settles first, or has ended.

use std::cell::Cell;
use std::ptr;
use std::thread::LocalKey;

use crate::owner::Owner;

/// Most references that are given back at once.
const BATCH: usize = 64;

/// Memory of more bytes is given back at once.
pub(crate) const LARGEST: usize = 256 * 1024;

/// What a thread has not given back of one owner.
pub(crate) struct Account {
    /// Whose references are counted; null where there are none.
    owner: Cell<*mut u8>,
    count: Cell<usize>,
    /// Of whom one was given back last. Only the address is known: it may be somebody else's by now.
    last: Cell<*mut u8>,
}

thread_local! {
    /// For receive memory.
    pub(crate) static MEMORY: Account = const { Account::new() };
    /// For addresses in front of messages.
    pub(crate) static FRONT: Account = const { Account::new() };
}

/// Gives a reference back, now or with others.
///
/// # Safety
/// The caller holds that reference and uses neither it nor the bytes after this.
#[inline(always)]
pub(crate) unsafe fn give_back(owner: Owner, account: &'static LocalKey<Account>) {
    if cfg!(loom) {
        // SAFETY: the caller's.
        return unsafe { owner.release(1) };
    }
    let counted = account.try_with(|account| {
        let count = account.count.get();
        if account.owner.get() == owner.as_ptr().as_ptr() && count < BATCH {
            account.count.set(count + 1);
        } else {
            // SAFETY: the caller's.
            unsafe { account.turn_to(owner) }
        }
    });
    if counted.is_err() {
        // The thread is about to end, and its account was closed.
        // SAFETY: the caller's.
        unsafe { owner.release(1) };
    }
}

/// Gives back all that this thread has counted. See [`chunk::settle`](crate::chunk::settle()).
#[inline]
pub(crate) fn settle() {
    // A closed account was settled.
    let _ = MEMORY.try_with(Account::settle);
    let _ = FRONT.try_with(Account::settle);
}

impl Account {
    const fn new() -> Account {
        Account { owner: Cell::new(ptr::null_mut()), count: Cell::new(0), last: Cell::new(ptr::null_mut()) }
    }

    /// Settles, and counts for `owner` from now on if it is not the first of its references that comes.
    ///
    /// # Safety
    /// As for [`give_back`].
    #[inline(never)]
    unsafe fn turn_to(&self, owner: Owner) {
        self.settle();
        let its = owner.as_ptr().as_ptr();
        if self.last.replace(its) == its {
            self.owner.set(its);
            self.count.set(1);
        } else {
            // SAFETY: the caller's.
            unsafe { owner.release(1) };
        }
    }

    #[inline]
    fn settle(&self) {
        if let Some(owner) = ptr::NonNull::new(self.owner.replace(ptr::null_mut())) {
            let count = self.count.replace(0);
            // SAFETY: `turn_to` took the pointer from an owner of which this holds so many references, at least one; they are counted no more.
            unsafe { Owner::from_ptr(owner).release(count) };
        }
    }
}

impl Drop for Account {
    fn drop(&mut self) {
        self.settle();
    }
}
