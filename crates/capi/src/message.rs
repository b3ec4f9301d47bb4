//! The 64 bytes in which C programs keep a message.

use std::ffi::{CString, c_void};
use std::mem::MaybeUninit;
use std::ptr;
use std::sync::Arc;

use serverlink::{Part, Peer};

use crate::errno::{Answer, EFAULT, EINVAL, ENOMEM, Errno, fail};

/// How a message that was initialised, and not closed, can be told from other memory.
const LIVE: u32 = 0x5EC5_11A7;

/// Frees memory that a program gave, on whichever thread lets go of it last.
pub type FreeFn = unsafe extern "C" fn(*mut c_void, *mut c_void);

/// One part of a message, as the program holds it. What is not initialised is recognised by its last four bytes, most of the time.
#[repr(C, align(8))]
pub struct RawMessage {
    part: MaybeUninit<Part>,
    /// What few messages have.
    extra: MaybeUninit<Option<Box<Extra>>>,
    flags: u32,
    tag: u32,
}

const _: () = assert!(size_of::<RawMessage>() <= 64 && align_of::<RawMessage>() == 8);

const MORE: u32 = 1;
const SHARED: u32 = 2;

/// What a part has beside its bytes.
#[derive(Clone, Default)]
pub struct Extra {
    /// Who sent it.
    pub peer: Option<Arc<Peer>>,
    /// Which peer of a SERVER or PEER it is from or for; 0: none.
    pub routing_id: u32,
    /// Of RADIO and DISH.
    pub group: CString,
    /// Texts that were asked for, which stay as long as the message.
    texts: Vec<(CString, CString)>,
}

impl RawMessage {
    /// An initialised message.
    #[inline]
    pub fn new(part: Part, more: bool, peer: Option<Arc<Peer>>) -> RawMessage {
        let extra = peer.map(|peer| Box::new(Extra { peer: Some(peer), ..Extra::default() }));
        RawMessage {
            part: MaybeUninit::new(part),
            extra: MaybeUninit::new(extra),
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

    fn extra_place(&mut self) -> &mut Option<Box<Extra>> {
        // SAFETY: as above.
        unsafe { self.extra.assume_init_mut() }
    }

    /// What it has beside its bytes, if it has anything.
    #[inline]
    pub fn extra(&self) -> Option<&Extra> {
        // SAFETY: as above.
        unsafe { self.extra.assume_init_ref() }.as_deref()
    }

    /// The same, to be changed.
    pub fn extra_mut(&mut self) -> &mut Extra {
        self.extra_place().get_or_insert_default()
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
        if self.extra().is_some() {
            *self.extra_place() = None;
        }
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
            from.flags |= SHARED;
        }
        let copy = RawMessage {
            part: MaybeUninit::new(from.part().clone()),
            extra: MaybeUninit::new(from.extra().map(|extra| Box::new(extra.clone()))),
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
            message.extra.assume_init_drop();
        }
        Ok(())
    }

    /// A property of its sender: `None` if there is none.
    pub fn property(&mut self, name: &std::ffi::CStr) -> Option<*const std::ffi::c_char> {
        let extra = self.extra_place().as_deref_mut()?;
        if let Some((_, value)) = extra.texts.iter().find(|(known, _)| known.as_c_str() == name) {
            return Some(value.as_ptr());
        }
        let value = extra.find(name.to_str().ok()?)?;
        let end = value.iter().position(|&octet| octet == 0).unwrap_or(value.len());
        let text = CString::new(&value[..end]).expect("it ends at its first zero");
        extra.texts.push((name.to_owned(), text));
        extra.texts.last().map(|(_, value)| value.as_ptr())
    }
}

impl Drop for RawMessage {
    fn drop(&mut self) {
        if self.tag == LIVE {
            // SAFETY: the tag says that both are initialised, and nobody uses them any more.
            unsafe {
                self.part.assume_init_drop();
                self.extra.assume_init_drop();
            }
        }
    }
}

impl Extra {
    fn find(&self, name: &str) -> Option<Vec<u8>> {
        let peer = self.peer.as_ref()?;
        match name {
            "Peer-Address" => match peer.address.as_ref()? {
                serverlink::Endpoint::Tcp { host: serverlink::Host::Ip(address), .. } => {
                    Some(address.to_string().into_bytes())
                }
                _ => None,
            },
            "Routing-Id" => Some(peer.routing_id.clone()),
            _ => peer.property(name).map(<[u8]>::to_vec),
        }
    }
}

fn is_place(place: *mut RawMessage) -> bool {
    !place.is_null() && place.is_aligned()
}

/// A message of so many bytes, for the program to fill in.
pub fn sized(len: usize) -> Answer<RawMessage> {
    let part = Part::try_zeroed(len).ok_or(Errno(ENOMEM))?;
    Ok(RawMessage::new(part, false, None))
}

/// Memory of the program's, which is given back through its function.
struct Lent {
    start: *mut c_void,
    len: usize,
    free: Option<FreeFn>,
    hint: *mut c_void,
}

// SAFETY: the program gave the memory away, to be read and freed on any thread: that is what the call is documented to do.
unsafe impl Send for Lent {}
// SAFETY: as above; nothing in it changes.
unsafe impl Sync for Lent {}

impl AsRef<[u8]> for Lent {
    fn as_ref(&self) -> &[u8] {
        if self.start.is_null() {
            return &[];
        }
        // SAFETY: the program lent so many bytes until its function is called.
        unsafe { std::slice::from_raw_parts(self.start.cast(), self.len) }
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        if let Some(free) = self.free {
            // SAFETY: it is called once, when nobody reads the bytes any more, with what the program gave.
            unsafe { free(self.start, self.hint) };
        }
    }
}

/// A message on the program's own memory.
///
/// # Safety
/// `len` bytes can be read at `start`, by any thread, until `free` is called. Without `free` they live for ever.
pub unsafe fn lent(
    start: *mut c_void,
    len: usize,
    free: Option<FreeFn>,
    hint: *mut c_void,
) -> Answer<RawMessage> {
    if start.is_null() && len > 0 {
        return fail(EINVAL);
    }
    let part = Part::from_owner(Lent { start, len, free, hint });
    let mut message = RawMessage::new(part, false, None);
    if free.is_none() {
        // Nobody frees it, so it is everybody's.
        message.flags |= SHARED;
    }
    Ok(message)
}
