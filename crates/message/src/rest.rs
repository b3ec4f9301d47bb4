//! The parts of a message after its first: a double-ended queue behind one pointer.
//!
//! Most messages have none and pay nothing. Two and three parts (an address, a delimiter, a body) cost one allocation.
//! Taking from the front is cheap at any length, so that an envelope of a million parts costs no more than it has parts.

use std::{
    alloc::{Layout, alloc, dealloc, handle_alloc_error},
    mem::ManuallyDrop,
    ptr,
    ptr::NonNull,
    slice,
};

use crate::Part;

/// Nothing but a pointer, which [`Beside`](crate::beside::Beside) counts on. It is `None` until the first part comes; an allocation, once made, is kept until the queue is dropped.
#[repr(transparent)]
pub(crate) struct Rest(Option<NonNull<Header>>);

/// Followed in memory by `capacity` places for parts, of which `len` beginning with `start` are initialised.
#[repr(C)]
struct Header {
    start: usize,
    len: usize,
    capacity: usize,
}

/// Where growth leaves the free places.
#[derive(Clone, Copy, PartialEq)]
enum Side {
    Front,
    Back,
}

const _: () = assert!(size_of::<Header>().is_multiple_of(align_of::<Part>()) && align_of::<Header>() > 1);

impl Rest {
    /// Room for this many parts comes with the first allocation.
    const FIRST_CAPACITY: usize = 2;

    pub(crate) const EMPTY: Rest = Rest(None);

    pub(crate) fn with_capacity(capacity: usize) -> Rest {
        Rest((capacity > 0).then(|| allocate(capacity, 0)))
    }

    /// The caller owns what is behind it.
    pub(crate) fn into_ptr(self) -> Option<NonNull<u8>> {
        ManuallyDrop::new(self).0.map(NonNull::cast)
    }

    #[inline]
    pub(crate) fn len(&self) -> usize {
        // SAFETY: the allocation lives as long as `self`.
        self.0.map_or(0, |header| unsafe { (*header.as_ptr()).len })
    }

    #[inline]
    pub(crate) fn as_slice(&self) -> &[Part] {
        let Some(header) = self.0 else { return &[] };
        // SAFETY: the `len` parts from `start` on are initialised and live as long as `self`, which is borrowed.
        unsafe {
            let start = (*header.as_ptr()).start;
            slice::from_raw_parts(place(header, start).as_ptr(), (*header.as_ptr()).len)
        }
    }

    #[inline]
    pub(crate) fn as_mut_slice(&mut self) -> &mut [Part] {
        let Some(header) = self.0 else { return &mut [] };
        // SAFETY: as in `as_slice`, and `self` is borrowed mutably.
        unsafe {
            let start = (*header.as_ptr()).start;
            slice::from_raw_parts_mut(place(header, start).as_ptr(), (*header.as_ptr()).len)
        }
    }

    pub(crate) fn push_front(&mut self, part: Part) {
        let header = self.make_room(Side::Front);
        // SAFETY: `make_room` left a free place before `start`.
        unsafe {
            let fields = &mut *header.as_ptr();
            fields.start -= 1;
            fields.len += 1;
            let index = fields.start;
            place(header, index).write(part);
        }
    }

    pub(crate) fn push_back(&mut self, part: Part) {
        let header = self.make_room(Side::Back);
        // SAFETY: `make_room` left a free place behind the last part.
        unsafe {
            let fields = &mut *header.as_ptr();
            let index = fields.start + fields.len;
            fields.len += 1;
            place(header, index).write(part);
        }
    }

    #[inline]
    pub(crate) fn pop_front(&mut self) -> Option<Part> {
        self.take(Side::Front)
    }

    #[inline]
    pub(crate) fn pop_back(&mut self) -> Option<Part> {
        self.take(Side::Back)
    }

    #[inline]
    fn take(&mut self, side: Side) -> Option<Part> {
        let header = self.0?;
        // SAFETY: `self` is borrowed mutably; the borrow ends before the place is touched.
        let fields = unsafe { &mut *header.as_ptr() };
        if fields.len == 0 {
            return None;
        }
        fields.len -= 1;
        let index = match side {
            Side::Front => {
                fields.start += 1;
                fields.start - 1
            }
            Side::Back => fields.start + fields.len,
        };
        // SAFETY: that part was initialised, and the changed fields no longer count it: it is moved out once.
        Some(unsafe { place(header, index).read() })
    }

    /// Makes sure that there is an allocation with a free place on `side`.
    #[inline]
    fn make_room(&mut self, side: Side) -> NonNull<Header> {
        if let Some(header) = self.0 {
            // SAFETY: the allocation lives as long as `self`.
            let Header { start, len, capacity } = unsafe { header.read() };
            let room = match side {
                Side::Front => start > 0,
                Side::Back => start + len < capacity,
            };
            if room {
                return header;
            }
        }
        self.grow(side)
    }

    #[inline(never)]
    fn grow(&mut self, side: Side) -> NonNull<Header> {
        match self.0 {
            Some(full) => self.relocate(full, side),
            None => {
                let start = if side == Side::Front { Self::FIRST_CAPACITY } else { 0 };
                *self.0.insert(allocate(Self::FIRST_CAPACITY, start))
            }
        }
    }

    /// Moves the parts to the far end of a larger allocation, or of the same one when it is at most half full.
    #[cold]
    fn relocate(&mut self, old: NonNull<Header>, side: Side) -> NonNull<Header> {
        // SAFETY: `old` is this queue's allocation.
        let Header { start: old_start, len, capacity } = unsafe { old.read() };
        let (new, capacity) = if capacity / 2 >= len.max(1) {
            (old, capacity)
        } else {
            let larger = (len * 2).max(Self::FIRST_CAPACITY);
            (allocate(larger, 0), larger)
        };
        let start = if side == Side::Front { capacity - len } else { 0 };
        // SAFETY: the target has `capacity >= len` places; the ranges may overlap, so `copy`. The parts are moved bit by
        // bit: the old places are not read or dropped again, because the fields or `free` forget them.
        unsafe {
            ptr::copy(place(old, old_start).as_ptr(), place(new, start).as_ptr(), len);
            (*new.as_ptr()).start = start;
            (*new.as_ptr()).len = len;
        }
        self.0 = Some(new);
        if new != old {
            // SAFETY: its parts were moved out above, and `self` no longer points to it.
            unsafe { free(old) };
        }
        new
    }
}

/// # Safety
/// `header` is valid, and `index` at most its capacity.
#[inline]
unsafe fn place(header: NonNull<Header>, index: usize) -> NonNull<Part> {
    // SAFETY: the places begin right behind the header, in the same allocation.
    unsafe { header.add(1).cast::<Part>().add(index) }
}

fn layout(capacity: usize) -> Layout {
    Layout::array::<Part>(capacity)
        .and_then(|parts| Layout::new::<Header>().extend(parts))
        .expect("parts that are in memory cannot fill more than half the address space")
        .0
}

fn allocate(capacity: usize, start: usize) -> NonNull<Header> {
    let layout = layout(capacity);
    // SAFETY: the layout holds at least the header, so its size is not zero.
    let memory = unsafe { alloc(layout) };
    let Some(header) = NonNull::new(memory.cast::<Header>()) else { handle_alloc_error(layout) };
    // SAFETY: the allocation is fresh and has the layout of a header with places behind it.
    unsafe { header.write(Header { start, len: 0, capacity }) };
    header
}

/// # Safety
/// `header` came from `allocate` and is not used again. Its parts are forgotten, not dropped.
unsafe fn free(header: NonNull<Header>) {
    // SAFETY: the caller's promise.
    unsafe {
        let layout = layout((*header.as_ptr()).capacity);
        dealloc(header.as_ptr().cast(), layout);
    }
}

impl Drop for Rest {
    #[inline]
    fn drop(&mut self) {
        if self.0.is_some() {
            drop_slow(self);
        }
    }
}

#[cold]
#[inline(never)]
fn drop_slow(rest: &mut Rest) {
    while let Some(part) = rest.pop_front() {
        drop(part);
    }
    if let Some(header) = rest.0.take() {
        // SAFETY: it is empty and no longer pointed to.
        unsafe { free(header) };
    }
}

impl Default for Rest {
    fn default() -> Rest {
        Rest::EMPTY
    }
}

impl Clone for Rest {
    fn clone(&self) -> Rest {
        let mut copy = Rest::with_capacity(self.len());
        for part in self.as_slice() {
            copy.push_back(part.clone());
        }
        copy
    }
}

// SAFETY: it owns its parts, as a `Vec<Part>` would, and parts are `Send`.
unsafe impl Send for Rest {}
// SAFETY: as above; nothing changes through `&Rest`.
unsafe impl Sync for Rest {}
