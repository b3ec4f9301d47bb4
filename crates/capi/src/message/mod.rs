//! The 64 bytes in which C programs keep a message.

mod beside;
mod lent;

use std::ffi::{CStr, CString, c_char, c_void};
use std::mem::MaybeUninit;
use std::ptr;
use std::sync::Arc;

use serverlink::{Part, Peer};

pub use self::beside::Extra;
pub use self::lent::{FreeFn, lent};

use self::beside::Beside;
use crate::errno::{Answer, EFAULT, EINVAL, ENOMEM, Errno, fail};

/// Longest name of a group.
const GROUP_MAX: usize = 255;

/// How a message that was initialised, and not closed, can be told from other memory.
const LIVE: u32 = 0x5EC5_11A7;

/// One part of a message, as the program holds it. What is not initialised is recognised by its last four bytes, most of the time.
#[repr(C, align(8))]
pub struct RawMessage {
    part: MaybeUninit<Part>,
    /// What few messages have.
    beside: MaybeUninit<Beside>,
    flags: u32,
    tag: u32,
}

const _: () = assert!(size_of::<RawMessage>() <= 64 && align_of::<RawMessage>() == 8);

const MORE: u32 = 1;
const SHARED: u32 = 2;

impl RawMessage {
    /// An initialised message.
    #[inline]
    pub fn new(part: Part, more: bool, peer: Option<Arc<Peer>>) -> RawMessage {
        RawMessage {
            part: MaybeUninit::new(part),
            beside: MaybeUninit::new(Beside::sender(peer)),
            flags: if more { MORE } else { 0 },
            tag: LIVE,
        }
    }

    /// Without bytes.
    #[inline]
    pub fn empty() -> RawMessage {
        RawMessage::new(Part::new(), false, None)
    }

    /// With a copy of bytes.
    pub fn copy_of(bytes: &[u8]) -> RawMessage {
        RawMessage::new(Part::from(bytes), false, None)
    }

    /// Whether a message can be put there: `EFAULT` if not.
    pub fn check_place(place: *mut RawMessage) -> Answer<()> {
        if is_place(place) { Ok(()) } else { fail(EFAULT) }
    }

    /// Puts an initialised message where the program wants it. What was there is not looked at.
    ///
    /// # Safety
    /// `place` is null or has room for 64 bytes.
    #[inline]
    pub unsafe fn init(place: *mut RawMessage, message: RawMessage) -> Answer<()> {
        RawMessage::check_place(place)?;
        // SAFETY: the caller's; it is aligned.
        unsafe { place.write(message) };
        Ok(())
    }

    /// Puts a message of so many zero bytes there, for the program to fill in. `EFAULT` as [`check_place`](RawMessage::check_place), `ENOMEM`.
    ///
    /// # Safety
    /// As [`init`](RawMessage::init).
    #[inline]
    pub unsafe fn init_sized(place: *mut RawMessage, len: usize) -> Answer<()> {
        RawMessage::check_place(place)?;
        let part = Part::try_zeroed(len).ok_or(Errno(ENOMEM))?;
        // SAFETY: the caller's; it is aligned.
        unsafe { place.write(RawMessage::new(part, false, None)) };
        Ok(())
    }

    /// A message of the program's. `EFAULT` if it is recognisably none.
    ///
    /// # Safety
    /// `place` is null or has 64 bytes that nobody else uses during this call.
    #[inline]
    pub unsafe fn at<'a>(place: *mut RawMessage) -> Answer<&'a mut RawMessage> {
        // SAFETY: the caller's; the tag alone is read before it says that the rest is initialised.
        if is_place(place) && unsafe { ptr::addr_of!((*place).tag).read() } == LIVE {
            // SAFETY: it was initialised by `init`, and moves as bytes do.
            Ok(unsafe { &mut *place })
        } else {
            fail(EFAULT)
        }
    }

    /// The bytes.
    #[inline]
    pub fn part(&self) -> &Part {
        // SAFETY: a `RawMessage` that a reference leads to is initialised.
        unsafe { self.part.assume_init_ref() }
    }

    #[inline]
    fn part_mut(&mut self) -> &mut Part {
        // SAFETY: as above.
        unsafe { self.part.assume_init_mut() }
    }

    #[inline]
    fn beside(&self) -> &Beside {
        // SAFETY: as above.
        unsafe { self.beside.assume_init_ref() }
    }

    #[inline]
    fn beside_mut(&mut self) -> &mut Beside {
        // SAFETY: as above.
        unsafe { self.beside.assume_init_mut() }
    }

    /// What it has beside its bytes and its sender, if it has anything.
    #[inline]
    pub fn extra(&self) -> Option<&Extra> {
        self.beside().extra()
    }

    /// The same, to be changed.
    pub fn extra_mut(&mut self) -> &mut Extra {
        self.beside_mut().extra_mut()
    }

    /// The group that a RADIO sends it to; `EINVAL` for a longer name than there can be.
    pub fn set_group(&mut self, group: &CStr) -> Answer<()> {
        if group.count_bytes() > GROUP_MAX {
            return fail(EINVAL);
        }
        self.extra_mut().group = CString::from(group);
        Ok(())
    }

    /// Where the bytes are, for the program to read and write.
    pub fn data(&mut self) -> *mut c_void {
        self.part_mut().as_ptr_for_c().cast()
    }

    /// Whether parts of the same message follow.
    #[inline]
    pub const fn more(&self) -> bool {
        self.flags & MORE != 0
    }

    /// Whether its bytes are shared with a copy.
    pub const fn is_shared(&self) -> bool {
        self.flags & SHARED != 0
    }

    /// Its bytes are somebody else's too from now on.
    fn share(&mut self) {
        self.flags |= SHARED;
    }

    /// The bytes taken out; an empty message stays.
    #[inline]
    pub fn take(&mut self) -> Part {
        std::mem::take(self.part_mut())
    }

    /// Puts bytes in that were taken out.
    #[inline]
    pub fn put_back(&mut self, part: Part) {
        *self.part_mut() = part;
    }

    /// Was sent: an empty message stays.
    #[inline]
    pub fn clear(&mut self) {
        self.flags = 0;
        // Most of those that are sent have nothing there.
        if !self.beside().is_nothing() {
            *self.beside_mut() = Beside::NOTHING;
        }
    }

    /// Was sent by copy: its bytes are let go, and an empty message stays.
    #[inline]
    pub fn become_empty(&mut self) {
        self.take().drop_alone();
        self.clear();
    }

    /// Has the part and its sender exchanged where they are, by a function that takes the sender it has and gives a new one if it has none. Without
    /// asking it if there is more beside the part. False: it was not asked, or did nothing.
    #[inline]
    pub fn refill(
        &mut self,
        receive: impl FnOnce(&mut Part, Option<&Peer>) -> Option<Option<Arc<Peer>>>,
    ) -> bool {
        // SAFETY: a `RawMessage` that a reference leads to is initialised.
        let (part, beside) = unsafe { (self.part.assume_init_mut(), self.beside.assume_init_mut()) };
        if beside.is_boxed() {
            return false;
        }
        match receive(part, beside.peer()) {
            None => return false,
            Some(None) => {}
            Some(sender) => *beside = Beside::sender(sender),
        }
        self.flags = 0;
        true
    }

    /// A message takes the place of this one, whose own bytes are let go.
    #[inline]
    pub fn replace(&mut self, message: RawMessage) {
        drop(std::mem::replace(self, message));
    }

    /// The other one's content comes here, and an empty message stays there.
    pub fn move_from(&mut self, from: &mut RawMessage) {
        let taken = std::mem::replace(from, RawMessage::empty());
        self.replace(taken);
    }

    /// The other one's content comes here, and stays there; long bytes are shared.
    pub fn copy_from(&mut self, from: &mut RawMessage) {
        if !from.part().is_inline() {
            from.share();
        }
        let copy = RawMessage {
            part: MaybeUninit::new(from.part().clone()),
            beside: MaybeUninit::new(from.beside().clone()),
            flags: from.flags,
            tag: LIVE,
        };
        self.replace(copy);
    }

    /// Lets go of the content. The memory is no message afterwards.
    ///
    /// # Safety
    /// As [`at`](RawMessage::at).
    pub unsafe fn close(place: *mut RawMessage) -> Answer<()> {
        // SAFETY: the caller's.
        let message = unsafe { RawMessage::at(place) }?;
        message.tag = 0;
        // SAFETY: it was initialised, and with the tag gone nobody takes it for a message again.
        unsafe {
            message.part.assume_init_drop();
            message.beside.assume_init_drop();
        }
        Ok(())
    }

    /// A property of its sender: `None` if there is none.
    pub fn property(&mut self, name: &CStr) -> Option<*const c_char> {
        self.beside_mut().property(name)
    }
}

impl Drop for RawMessage {
    fn drop(&mut self) {
        if self.tag == LIVE {
            // SAFETY: the tag says that both are initialised, and nobody uses them any more.
            unsafe {
                self.part.assume_init_drop();
                self.beside.assume_init_drop();
            }
        }
    }
}

fn is_place(place: *mut RawMessage) -> bool {
    !place.is_null() && place.is_aligned()
}
