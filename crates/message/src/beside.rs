//! What a message has beside its head, in one pointer: nothing, or parts behind it, or one part in front that other messages have too.

use std::{mem, ptr, ptr::NonNull};

use crate::{Part, owner::Owner, rest::Rest, returns};

/// The bit of a pointer that says: one in front.
const IN_FRONT: usize = 1;

/// With `IN_FRONT` it is an [`Owner`] that holds a part, and one reference to it; otherwise a [`Rest`].
#[repr(transparent)]
pub(crate) struct Beside(Option<NonNull<u8>>);

static NO_REST: Rest = Rest::EMPTY;

impl Beside {
    pub(crate) const NOTHING: Beside = Beside(None);

    /// # Safety
    /// `owner` holds a [`Part`], and the caller gives up one reference to it.
    #[inline]
    pub(crate) unsafe fn shared_front(owner: Owner) -> Beside {
        Beside(Some(owner.as_ptr().map_addr(|address| address | IN_FRONT)))
    }

    /// No memory belongs to it. An empty [`Rest`] may have some.
    #[inline]
    pub(crate) const fn is_nothing(&self) -> bool {
        self.0.is_none()
    }

    /// The part in front of the head.
    #[inline]
    pub(crate) fn front(&self) -> Option<&Part> {
        // SAFETY: such an owner holds a part, and the reference to it lasts as long as `self`, which is borrowed.
        self.front_owner().map(|owner| unsafe { owner.held() })
    }

    /// The parts behind the head: none where there is one in front.
    #[inline]
    pub(crate) fn rest(&self) -> &Rest {
        if self.has_front() {
            return &NO_REST;
        }
        // SAFETY: both are nothing but this pointer, and without the bit it is a rest's.
        unsafe { &*ptr::from_ref(self).cast::<Rest>() }
    }

    /// The parts behind the head, to be changed. `None` where there is one in front.
    #[inline]
    pub(crate) fn rest_mut(&mut self) -> Option<&mut Rest> {
        if self.has_front() {
            return None;
        }
        // SAFETY: as in `rest`, and what the rest becomes has no such bit either: its memory is aligned.
        Some(unsafe { &mut *ptr::from_mut(self).cast::<Rest>() })
    }

    #[inline]
    fn has_front(&self) -> bool {
        self.0.is_some_and(|pointer| pointer.addr().get() & IN_FRONT != 0)
    }

    #[inline]
    fn front_owner(&self) -> Option<Owner> {
        let pointer = self.0.filter(|_| self.has_front())?;
        // SAFETY: an owner's address is not zero, and the bit was none of it.
        let untagged =
            unsafe { NonNull::new_unchecked(pointer.as_ptr().map_addr(|address| address & !IN_FRONT)) };
        // SAFETY: `shared_front` made it of an owner.
        Some(unsafe { Owner::from_ptr(untagged) })
    }

    /// Apart, so that a message of one part pays for one comparison only.
    #[inline(never)]
    fn release(&mut self) {
        match self.front_owner() {
            // SAFETY: it is the one reference of this one, which is gone after this.
            Some(owner) => unsafe { returns::give_back(owner, &returns::FRONT) },
            None => drop(self.rest_mut().map(mem::take)),
        }
    }
}

impl Drop for Beside {
    #[inline]
    fn drop(&mut self) {
        if self.0.is_some() {
            self.release();
        }
    }
}

impl Clone for Beside {
    fn clone(&self) -> Beside {
        match self.front_owner() {
            Some(owner) => {
                // SAFETY: this one holds a reference.
                unsafe { owner.retain(1) };
                Beside(self.0)
            }
            None => Beside::from(self.rest().clone()),
        }
    }
}

impl From<Rest> for Beside {
    fn from(rest: Rest) -> Beside {
        Beside(rest.into_ptr())
    }
}

// SAFETY: it owns what is behind the pointer, and parts and owners are `Send`.
unsafe impl Send for Beside {}
// SAFETY: as above; nothing changes through `&Beside`.
unsafe impl Sync for Beside {}
