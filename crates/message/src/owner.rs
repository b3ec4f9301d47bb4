//! Counted memory: what keeps the bytes of a slice alive.
//!
//! This is `Arc` with two differences that the receive path pays for. References are bought in batches, so cutting a
//! message out of a chunk costs no atomic operation; and header and bytes are one allocation behind a thin pointer.

use std::{
    alloc::{Layout, alloc, alloc_zeroed, dealloc, handle_alloc_error},
    any::Any,
    panic::{AssertUnwindSafe, catch_unwind},
    ptr::NonNull,
};

use crate::sync::{AtomicUsize, Ordering, fence};

/// A pointer to counted memory. Copying it does not count: whoever stores one also stores how many references it holds.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Owner(NonNull<Header>);

#[repr(C)]
struct Header {
    refs: AtomicUsize,
    /// How many bytes stay in memory as long as anyone holds a reference.
    bytes: usize,
    /// Frees the allocation this header is the beginning of.
    free: unsafe fn(NonNull<Header>),
}

#[repr(C)]
struct Holder<O> {
    header: Header,
    owner: O,
}

/// Where the bytes of a private copy begin: right behind the header.
pub(crate) const COPY_OFFSET: usize = size_of::<Header>();

/// Where the bytes of a chunk begin: a cache line away from the count, which other threads keep writing while the reader
/// fills the bytes.
pub(crate) const CHUNK_OFFSET: usize = if size_of::<Header>() > 64 { size_of::<Header>() } else { 64 };

/// Up to here we zero memory ourselves: the C library's way to get it zeroed can be several times as long as its way to get it.
const ZEROED_HERE: usize = 4096;

/// References beyond this are a leak in a loop; going on would wrap the count and free memory that is in use.
const MAX_REFS: usize = isize::MAX as usize;

impl Owner {
    /// Memory for `bytes` zeroed bytes, `OFFSET` behind the header. The caller holds the one reference.
    pub(crate) fn zeroed<const OFFSET: usize>(bytes: usize) -> (Owner, NonNull<u8>) {
        // SAFETY: the layout holds at least the header, so its size is not zero.
        Self::allocate::<OFFSET>(bytes, |layout| unsafe { alloc_zeroed(layout) })
    }

    /// The same, and `None` where there is no memory for so many.
    pub(crate) fn try_zeroed<const OFFSET: usize>(bytes: usize) -> Option<(Owner, NonNull<u8>)> {
        let layout = try_layout::<OFFSET>(bytes)?;
        if bytes > ZEROED_HERE {
            // SAFETY: the layout holds at least the header, so its size is not zero.
            return Self::try_allocate::<OFFSET>(bytes, layout, |layout| unsafe { alloc_zeroed(layout) });
        }
        // SAFETY: as above.
        let made = Self::try_allocate::<OFFSET>(bytes, layout, |layout| unsafe { alloc(layout) })?;
        // SAFETY: behind it are so many bytes that nobody else knows of.
        unsafe { made.1.write_bytes(0, bytes) };
        Some(made)
    }

    /// A private copy of `source`. The caller holds the one reference.
    pub(crate) fn copy_of(source: &[u8]) -> (Owner, NonNull<u8>) {
        let (owner, start) =
            // SAFETY: the layout holds at least the header, so its size is not zero.
            Self::allocate::<COPY_OFFSET>(source.len(), |layout| unsafe { alloc(layout) });
        // SAFETY: `start` begins `source.len()` fresh bytes that nobody else knows of, so they cannot overlap `source`.
        unsafe { start.as_ptr().copy_from_nonoverlapping(source.as_ptr(), source.len()) };
        (owner, start)
    }

    /// Takes `owner` in and asks it for its bytes, once. They stay valid because it is neither moved nor changed any more.
    /// The caller holds the one reference.
    pub(crate) fn hold<O: AsRef<[u8]> + Send + Sync + 'static>(owner: O) -> (Owner, NonNull<[u8]>) {
        let header = Header { refs: AtomicUsize::new(1), bytes: 0, free: free_holder::<O> };
        let holder = NonNull::from(Box::leak(Box::new(Holder { header, owner })));
        // SAFETY: `holder` was leaked above and is freed only with the last reference. Nobody borrows the owner mutably
        // before that, so what it lends here stays lent.
        let bytes = NonNull::from(unsafe { (*holder.as_ptr()).owner.as_ref() });
        // SAFETY: nobody else knows the header yet.
        unsafe { (*holder.as_ptr()).header.bytes = bytes.len() };
        (Owner(holder.cast()), bytes)
    }

    /// What `hold` took in.
    ///
    /// # Safety
    /// That was an `O`, and a reference to this owner lasts as long as `'a`.
    #[inline]
    pub(crate) unsafe fn held<'a, O>(self) -> &'a O {
        // SAFETY: the header is the first field of such a holder, which is neither moved nor borrowed mutably before the last reference is gone.
        unsafe { &(*self.0.cast::<Holder<O>>().as_ptr()).owner }
    }

    /// As a pointer, whose lowest bits are zero.
    #[inline]
    pub(crate) fn as_ptr(self) -> NonNull<u8> {
        self.0.cast()
    }

    /// # Safety
    /// The pointer is one of `as_ptr`.
    #[inline]
    pub(crate) unsafe fn from_ptr(pointer: NonNull<u8>) -> Owner {
        Owner(pointer.cast())
    }

    fn allocate<const OFFSET: usize>(
        bytes: usize,
        allocate: impl FnOnce(Layout) -> *mut u8,
    ) -> (Owner, NonNull<u8>) {
        let layout = layout::<OFFSET>(bytes);
        Self::try_allocate::<OFFSET>(bytes, layout, allocate).unwrap_or_else(|| handle_alloc_error(layout))
    }

    fn try_allocate<const OFFSET: usize>(
        bytes: usize,
        layout: Layout,
        allocate: impl FnOnce(Layout) -> *mut u8,
    ) -> Option<(Owner, NonNull<u8>)> {
        let memory = NonNull::new(allocate(layout))?;
        let header = memory.cast::<Header>();
        let value = Header { refs: AtomicUsize::new(1), bytes, free: free_bytes::<OFFSET> };
        // SAFETY: the allocation is fresh, aligned for a header and large enough for it.
        unsafe { header.write(value) };
        // SAFETY: the allocation has `OFFSET + bytes` bytes.
        Some((Owner(header), unsafe { memory.add(OFFSET) }))
    }

    /// Buys `count` more references.
    ///
    /// # Safety
    /// The caller holds at least one reference.
    #[inline]
    pub(crate) unsafe fn retain(self, count: usize) {
        // SAFETY: the caller's reference keeps the header alive. Only the atomic is borrowed, never the whole header.
        let refs = unsafe { &(*self.0.as_ptr()).refs };
        // Relaxed: a new reference is made from one that is already held, and whoever gets it gets it by other means.
        if refs.fetch_add(count, Ordering::Relaxed) > MAX_REFS {
            refs.fetch_sub(count, Ordering::Relaxed);
            too_many_references();
        }
    }

    /// Gives `count` references back; the last one frees the memory.
    ///
    /// # Safety
    /// The caller holds `count` references and uses neither them nor the bytes after this.
    #[inline]
    pub(crate) unsafe fn release(self, count: usize) {
        // SAFETY: the references given back keep the header alive until the subtraction.
        let before = unsafe { &(*self.0.as_ptr()).refs }.fetch_sub(count, Ordering::Release);
        if before == count {
            // SAFETY: the count reached zero, so this was the last holder.
            unsafe { self.free() };
        }
    }

    /// As [`release`](Owner::release), for references that are probably the only ones: then no atomic operation is needed but a load.
    ///
    /// # Safety
    /// As there.
    #[inline]
    pub(crate) unsafe fn release_the_last(self, count: usize) {
        // SAFETY: the caller's promise. Who holds all references is the only one who could make more.
        unsafe {
            if self.is_unique(count) {
                self.free();
            } else {
                self.release(count);
            }
        }
    }

    /// Whether the caller's `count` references are the only ones. Then everything other holders did with the bytes has happened.
    ///
    /// # Safety
    /// The caller holds exactly `count` references, at least one.
    #[inline]
    pub(crate) unsafe fn is_unique(self, count: usize) -> bool {
        // SAFETY: the caller's reference keeps the header alive.
        unsafe { &(*self.0.as_ptr()).refs }.load(Ordering::Acquire) == count
    }

    /// How many bytes stay in memory because of a reference.
    ///
    /// # Safety
    /// The caller holds at least one reference.
    pub(crate) unsafe fn pinned_bytes(self) -> usize {
        // SAFETY: the caller's reference keeps the header alive, and `bytes` is never written after the memory was made.
        unsafe { (*self.0.as_ptr()).bytes }
    }

    #[cold]
    unsafe fn free(self) {
        // Pairs with the release in `release`: what other threads read from the bytes happens before they are freed.
        fence(Ordering::Acquire);
        // SAFETY: nobody else holds a reference, and `free` is the function made for this allocation.
        unsafe { ((*self.0.as_ptr()).free)(self.0) }
    }
}

#[cold]
#[inline(never)]
fn too_many_references() -> ! {
    panic!("references to one buffer are being leaked without end");
}

fn layout<const OFFSET: usize>(bytes: usize) -> Layout {
    try_layout::<OFFSET>(bytes).expect("a buffer must be smaller than half the address space")
}

fn try_layout<const OFFSET: usize>(bytes: usize) -> Option<Layout> {
    let size = OFFSET.checked_add(bytes)?;
    Layout::from_size_align(size, align_of::<Header>()).ok()
}

/// # Safety
/// `header` came from `Owner::allocate::<OFFSET>`, and nobody uses it any more.
unsafe fn free_bytes<const OFFSET: usize>(header: NonNull<Header>) {
    // SAFETY: the header is valid until the deallocation below.
    let bytes = unsafe { (*header.as_ptr()).bytes };
    // SAFETY: as above; dropping matters only to a modelled atomic.
    unsafe { header.drop_in_place() };
    // SAFETY: the same layout as at the allocation.
    unsafe { dealloc(header.as_ptr().cast(), layout::<OFFSET>(bytes)) };
}

/// # Safety
/// `header` came from `Owner::hold::<O>`, and nobody uses it any more.
unsafe fn free_holder<O>(header: NonNull<Header>) {
    // SAFETY: it was made by leaking a `Box<Holder<O>>`, of which the header is the first field.
    let holder = unsafe { Box::from_raw(header.cast::<Holder<O>>().as_ptr()) };
    // An owner that panics has said so. Going on would abort the process where a second one in the same message or queue
    // does so too, while that unwinds.
    if let Err(payload) = catch_unwind(AssertUnwindSafe(|| drop(holder))) {
        drop_payload(payload);
    }
}

/// What a panic carried may panic in its turn when it is dropped; what that one carries is left to be.
fn drop_payload(payload: Box<dyn Any + Send>) {
    if let Err(again) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
        std::mem::forget(again);
    }
}

// SAFETY: the count is atomic, the bytes are only read through shared references, and what `hold` takes in is `Send + Sync`.
unsafe impl Send for Owner {}
// SAFETY: as above.
unsafe impl Sync for Owner {}
