//! Handles: pointers that are given to C programs, and are recognised when they come back.
//!
//! A handle points into memory of this module that is never given back, so asking whether a pointer is one reads nothing that is not ours: a pointer
//! from elsewhere is in no slab, a closed one finds its slot shut. A slot is used again after many others were, so a stale handle hits no
//! newcomer soon.

use std::cell::UnsafeCell;
use std::collections::VecDeque;
use std::ffi::c_void;
use std::marker::PhantomData;
use std::mem::ManuallyDrop;
use std::ops::Deref;
use std::ptr::{self, NonNull};
use std::sync::atomic::{AtomicPtr, Ordering};

use parking_lot::Mutex;
use serverlink_driver::{Door, Left, Visit};

/// Slots of the first slab; each further one has twice as many as the one before.
const FIRST_SLAB: usize = 256;
const SLABS: usize = 22;
/// So many slots are free before the first of them is used again.
const REST: usize = 4096;

/// All handles of one kind.
pub struct Table<T: Handled> {
    slabs: [AtomicPtr<Slot<T>>; SLABS],
    free: Mutex<Free<T>>,
}

struct Free<T: Handled> {
    slots: VecDeque<&'static Slot<T>>,
    used_of_last: usize,
    slabs: usize,
}

/// Programs that peek at a handle's memory find at least a cache line of it.
#[repr(C, align(64))]
struct Slot<T: Handled> {
    /// Who is inside, and whether it is open.
    door: Door,
    /// From `Box::into_raw`, behind a door that is open or not ended yet.
    value: UnsafeCell<NonNull<T>>,
}

// SAFETY: the value is written only by whoever took the slot out of `free`, before it is opened, and taken out only by the one who ends its
// closing, when nobody is inside; in between it is shared.
unsafe impl<T: Handled> Sync for Slot<T> {}

/// The right to use what a handle stands for. The handle may be closed meanwhile; what it stands for lives until the last of these is gone. It stays on its thread.
pub struct Inside<T: Handled> {
    slot: &'static Slot<T>,
    visit: ManuallyDrop<Visit>,
    value: NonNull<T>,
    _stays: PhantomData<*const ()>,
}

impl<T: Handled> Table<T> {
    /// Without handles.
    pub const fn new() -> Table<T> {
        Table {
            slabs: [const { AtomicPtr::new(ptr::null_mut()) }; SLABS],
            free: Mutex::new(Free { slots: VecDeque::new(), used_of_last: 0, slabs: 0 }),
        }
    }

    /// A handle for `value`. `None`: there are two thousand million of them.
    pub fn insert(&self, value: T) -> Option<*mut c_void> {
        let slot = self.take_slot()?;
        // SAFETY: the slot was free, so nobody else looks at its value before it is opened below.
        unsafe { *slot.value.get() = NonNull::from(Box::leak(Box::new(value))) };
        slot.door.open();
        Some(ptr::from_ref(slot).cast_mut().cast())
    }

    /// What a handle stands for, or `None` if it is none, or closed.
    #[expect(
        clippy::inline_always,
        reason = "every call begins with it, and asks once more which thread it is on"
    )]
    #[inline(always)]
    pub fn enter(&self, handle: *const c_void) -> Option<Inside<T>> {
        let slot = self.find(handle)?;
        match slot.door.enter() {
            Ok(visit) => {
                // SAFETY: it is written only while the slot is not open, and nobody ends it while somebody is inside.
                let value = unsafe { *slot.value.get() };
                Some(Inside { slot, visit: ManuallyDrop::new(visit), value, _stays: PhantomData })
            }
            Err(left) => {
                slot.after(left);
                None
            }
        }
    }

    /// The handle is no handle any more. Gives what it stood for to the one call that closes it.
    pub fn close(&self, handle: *const c_void) -> Option<Inside<T>> {
        let inside = self.enter(handle)?;
        inside.slot.door.shut().then_some(inside)
    }

    #[expect(clippy::inline_always, reason = "as `enter`")]
    #[inline(always)]
    fn find(&self, handle: *const c_void) -> Option<&'static Slot<T>> {
        match self.find_in(0, handle) {
            // Few programs have more than the first slab.
            None => self.find_in_others(handle),
            found => found,
        }
    }

    #[cold]
    #[inline(never)]
    fn find_in_others(&self, handle: *const c_void) -> Option<&'static Slot<T>> {
        (1..SLABS).find_map(|slab| self.find_in(slab, handle))
    }

    #[inline]
    fn find_in(&self, slab: usize, handle: *const c_void) -> Option<&'static Slot<T>> {
        let first = self.slabs[slab].load(Ordering::Acquire);
        let offset = handle.addr().wrapping_sub(first.addr());
        let is_slot = !first.is_null()
            && offset < (FIRST_SLAB << slab) * size_of::<Slot<T>>()
            && offset.is_multiple_of(size_of::<Slot<T>>());
        // SAFETY: the offset lies within the slab, which is never freed.
        is_slot.then(|| unsafe { &*first.byte_add(offset) })
    }

    fn take_slot(&self) -> Option<&'static Slot<T>> {
        let mut free = self.free.lock();
        if free.slots.len() > REST {
            return free.slots.pop_front();
        }
        if free.slabs == 0 || free.used_of_last == FIRST_SLAB << (free.slabs - 1) {
            if free.slabs == SLABS {
                return free.slots.pop_front();
            }
            let slots = (0..FIRST_SLAB << free.slabs)
                .map(|_| Slot { door: Door::new(), value: UnsafeCell::new(NonNull::dangling()) });
            let slab = Box::leak(slots.collect::<Vec<_>>().into_boxed_slice());
            self.slabs[free.slabs].store(slab.as_mut_ptr(), Ordering::Release);
            free.slabs += 1;
            free.used_of_last = 0;
        }
        let first = self.slabs[free.slabs - 1].load(Ordering::Relaxed);
        // SAFETY: `used_of_last` is below the number of slots in this slab, which is never freed.
        let slot = unsafe { &*first.add(free.used_of_last) };
        free.used_of_last += 1;
        Some(slot)
    }

    /// Takes what a slot held out of it and gives the slot back, if its closing has come to an end.
    fn end(&self, slot: &'static Slot<T>) -> Option<Box<T>> {
        let mut free = self.free.lock();
        if !slot.door.end() {
            return None;
        }
        free.slots.push_back(slot);
        // SAFETY: the one call for which the door ends gets here, before the slot is given to anybody. Nobody is inside, and who enters now finds it
        // shut and looks at nothing. It came from a box.
        Some(unsafe { Box::from_raw((*slot.value.get()).as_ptr()) })
    }
}

impl<T: Handled> Default for Table<T> {
    fn default() -> Table<T> {
        Table::new()
    }
}

/// Which table the handles of a type are in.
pub trait Handled: Send + Sync + Sized + 'static {
    /// That table.
    fn table() -> &'static Table<Self>;
}

impl<T: Handled> Deref for Inside<T> {
    type Target = T;
    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: the slot was open when this was made, and its value stays until this leaves.
        unsafe { self.value.as_ref() }
    }
}

impl<T: Handled> Inside<T> {
    /// The handle that it was entered by.
    pub fn handle(&self) -> *mut c_void {
        ptr::from_ref(self.slot).cast_mut().cast()
    }
}

impl<T: Handled> Drop for Inside<T> {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: nobody takes it out before or after this.
        let visit = unsafe { ManuallyDrop::take(&mut self.visit) };
        self.slot.after(self.slot.door.leave(visit));
    }
}

impl<T: Handled> Slot<T> {
    #[inline]
    fn after(&'static self, left: Left) {
        if left == Left::Shut {
            self.look_for_its_end();
        }
    }

    #[cold]
    #[inline(never)]
    fn look_for_its_end(&'static self) {
        // Dropped without a lock: it may run foreign code.
        drop(T::table().end(self));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;
    use std::sync::atomic::{AtomicBool, AtomicUsize};

    use super::*;

    struct Number(u32);

    static NUMBERS: Table<Number> = Table::new();

    impl Handled for Number {
        fn table() -> &'static Table<Number> {
            &NUMBERS
        }
    }

    #[test]
    fn only_open_handles_are_recognised() {
        let one = NUMBERS.insert(Number(1)).expect("a handle");
        let two = NUMBERS.insert(Number(2)).expect("a handle");
        assert_eq!(NUMBERS.enter(one).map(|number| number.0), Some(1));
        let inside = NUMBERS.enter(one).expect("it is open");
        assert_eq!(NUMBERS.close(one).map(|number| number.0), Some(1));
        assert!(NUMBERS.close(one).is_none() && NUMBERS.enter(one).is_none());
        assert_eq!(inside.0, 1, "who was inside still is");
        drop(inside);
        assert_eq!(NUMBERS.enter(two).map(|number| number.0), Some(2));
        for stranger in
            [ptr::null(), ptr::from_ref(&one).cast(), one.cast::<u8>().wrapping_add(8).cast_const().cast()]
        {
            assert!(NUMBERS.enter(stranger).is_none());
        }
        assert_ne!(NUMBERS.insert(Number(3)), Some(one), "a stale handle hits no newcomer soon");
    }

    #[test]
    fn one_of_many_closes_and_what_it_stood_for_is_dropped_once() {
        for _ in 0..200 {
            let handle = NUMBERS.insert(Number(7)).expect("a handle") as usize;
            let closed: usize = std::thread::scope(|scope| {
                let close = || {
                    let handle = std::ptr::without_provenance::<c_void>(handle);
                    drop(NUMBERS.enter(handle));
                    usize::from(NUMBERS.close(handle).is_some())
                };
                let threads = [scope.spawn(close), scope.spawn(close), scope.spawn(close)];
                threads.into_iter().map(|thread| thread.join().expect("it does not panic")).sum()
            });
            assert_eq!(closed, 1);
        }
    }

    static LETTERS: Table<Letter> = Table::new();

    /// Reads as long as nobody burns it.
    struct Letter(AtomicBool);

    static BURNT: AtomicUsize = AtomicUsize::new(0);

    impl Handled for Letter {
        fn table() -> &'static Table<Letter> {
            &LETTERS
        }
    }

    impl Drop for Letter {
        fn drop(&mut self) {
            self.0.store(false, Ordering::Relaxed);
            BURNT.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[test]
    fn who_comes_again_and_again_never_finds_it_gone() {
        for round in 1..=100 {
            let handle = LETTERS.insert(Letter(AtomicBool::new(true))).expect("a handle") as usize;
            let (comes_often, reads) = (Barrier::new(2), AtomicUsize::new(0));
            std::thread::scope(|scope| {
                scope.spawn(|| {
                    while let Some(letter) = LETTERS.enter(ptr::without_provenance(handle)) {
                        assert!(letter.0.load(Ordering::Relaxed));
                        if reads.fetch_add(1, Ordering::Relaxed) == 1000 {
                            comes_often.wait();
                        }
                    }
                });
                comes_often.wait();
                assert!(LETTERS.close(ptr::without_provenance(handle)).is_some());
            });
            assert_eq!(BURNT.load(Ordering::Relaxed), round);
        }
    }
}
