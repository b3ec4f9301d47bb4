//! Handles: pointers that are given to C programs, and are recognised when they come back.
//!
//! A handle points into memory of this module that is never given back, so asking whether a pointer is one reads nothing that is not ours: a pointer
//! from elsewhere is in no slab, a closed one finds its slot shut. A slot is used again after many others were, so a stale handle hits no
//! newcomer soon.

use std::cell::UnsafeCell;
use std::collections::VecDeque;
use std::ffi::c_void;
use std::ops::Deref;
use std::ptr;
use std::sync::atomic::{AtomicPtr, AtomicU64, Ordering};

use parking_lot::Mutex;

/// Slots of the first slab; each further one has twice as many as the one before.
const FIRST_SLAB: usize = 256;
const SLABS: usize = 22;
/// So many slots are free before the first of them is used again.
const REST: usize = 4096;

const OPEN: u64 = 1 << 63;
const CLOSING: u64 = 1 << 62;

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
    state: AtomicU64,
    value: UnsafeCell<Option<Box<T>>>,
}

// SAFETY: the value is written only by whoever took the slot out of `free`, before it is opened, and taken out only by the one who ends its
// closing, when nobody is inside; in between it is shared.
unsafe impl<T: Handled> Sync for Slot<T> {}

/// The right to use what a handle stands for. The handle may be closed meanwhile; what it stands for lives until the last of these is gone.
pub struct Inside<T: Handled> {
    slot: &'static Slot<T>,
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
        let value = Box::new(value);
        let slot = self.take_slot()?;
        // SAFETY: the slot was free, so nobody else looks at its value before it is opened below.
        unsafe { *slot.value.get() = Some(value) };
        slot.state.fetch_or(OPEN, Ordering::Release);
        Some(ptr::from_ref(slot).cast_mut().cast())
    }

    /// What a handle stands for, or `None` if it is none, or closed.
    #[inline]
    pub fn enter(&self, handle: *const c_void) -> Option<Inside<T>> {
        let slot = self.find(handle)?;
        let inside = Inside { slot };
        // On leaving, `inside` takes the count back.
        (slot.state.fetch_add(1, Ordering::Acquire) & OPEN != 0).then_some(inside)
    }

    /// The handle is no handle any more. Gives what it stood for to the one call that closes it.
    pub fn close(&self, handle: *const c_void) -> Option<Inside<T>> {
        let inside = self.enter(handle)?;
        let shut = |state| (state & OPEN != 0).then_some(state & !OPEN | CLOSING);
        inside.slot.state.fetch_update(Ordering::AcqRel, Ordering::Relaxed, shut).is_ok().then_some(inside)
    }

    #[inline]
    fn find(&self, handle: *const c_void) -> Option<&'static Slot<T>> {
        let address = handle.addr();
        for (index, slab) in self.slabs.iter().enumerate() {
            let first = slab.load(Ordering::Acquire);
            if first.is_null() {
                return None;
            }
            let offset = address.wrapping_sub(first.addr());
            if offset < (FIRST_SLAB << index) * size_of::<Slot<T>>() {
                // SAFETY: the offset lies within the slab, which is never freed.
                return (offset % size_of::<Slot<T>>() == 0)
                    .then(|| unsafe { &*first.add(offset / size_of::<Slot<T>>()) });
            }
        }
        None
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
                .map(|_| Slot { state: AtomicU64::new(0), value: UnsafeCell::new(None) });
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

    /// Gives a slot back whose closing has ended.
    fn give_back(&self, slot: &'static Slot<T>) {
        self.free.lock().slots.push_back(slot);
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
        // SAFETY: the slot was open when this was made, and its value stays until the count that this holds is taken back.
        unsafe { (*self.slot.value.get()).as_deref().expect("an open slot has a value") }
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
        let before = self.slot.state.fetch_sub(1, Ordering::AcqRel);
        if before == CLOSING | 1 {
            self.slot.end();
        }
    }
}

impl<T: Handled> Slot<T> {
    /// Nobody is inside a slot that is closing, or somebody is again: then it is his to end.
    #[cold]
    fn end(&'static self) {
        if self.state.compare_exchange(CLOSING, 0, Ordering::AcqRel, Ordering::Relaxed).is_ok() {
            // SAFETY: the one exchange that succeeds gets here. Nobody was inside, and who enters now finds the slot shut and looks at nothing.
            let value = unsafe { (*self.value.get()).take() };
            T::table().give_back(self);
            drop(value);
        }
    }
}

#[cfg(test)]
mod tests {
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
}
