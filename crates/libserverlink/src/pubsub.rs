//! What subscribers of a context's publishers asked for.

use std::ffi::{CStr, c_char, c_int, c_void};

use serverlink::{Glob, Subscription};
use serverlink_capi::context;
use serverlink_capi::errno::{Answer, EFAULT, EINVAL, Errno, fail};
use serverlink_capi::guard::{answer, length, text};

use crate::border::{allocate, call, release, status};

fn subscriptions(context: *mut c_void) -> Answer<Vec<Subscription>> {
    Ok(context::of(context)?.library().map(|library| library.subscriptions()).unwrap_or_default())
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn slk_pubsub_channels(
    context: *mut c_void,
    pattern: *const c_char,
    place: *mut *mut *mut c_char,
    count: *mut usize,
) -> c_int {
    status(|| {
        let known = subscriptions(context)?;
        if place.is_null() || count.is_null() {
            return fail(EFAULT);
        }
        let pattern = match pattern.is_null() {
            true => &b""[..],
            // SAFETY: the caller passes a text.
            false => unsafe { CStr::from_ptr(pattern) }.to_bytes(),
        };
        let glob = Glob::parse(pattern).map_err(|_| Errno(EINVAL))?;
        let fits = |topic: &[u8]| pattern.is_empty() || glob.matches(topic);
        // What has a zero in it is no text of C.
        let topics = known.iter().filter(|known| !known.is_pattern && !known.subject.contains(&0));
        let found: Vec<&[u8]> = topics.map(|known| &known.subject[..]).filter(|topic| fits(topic)).collect();
        let octets = found.iter().map(|topic| topic.len() + 1).sum();
        let (list, mut tail) = allocate::<*mut c_char>(found.len(), octets)?;
        for (index, topic) in found.iter().enumerate() {
            // SAFETY: the memory has as many entries as there are topics, and behind them room for each with its zero.
            unsafe {
                tail.copy_from_nonoverlapping(topic.as_ptr(), topic.len());
                tail.add(topic.len()).write(0);
                list.add(index).write(tail.cast());
                tail = tail.add(topic.len() + 1);
            }
        }
        // SAFETY: the caller passes both places.
        unsafe { answer(place, list).and(answer(count, found.len())) }
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn slk_pubsub_channels_free(list: *mut *mut c_char, _count: usize) {
    // SAFETY: the caller gives back what `slk_pubsub_channels` gave; the texts lie in the same memory.
    unsafe { release(list) };
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn slk_pubsub_numsub(
    context: *mut c_void,
    names: *const *const c_char,
    count: usize,
    numbers: *mut usize,
) -> c_int {
    status(|| {
        let known = subscriptions(context)?;
        if count > 0 && (names.is_null() || numbers.is_null()) {
            return fail(EFAULT);
        }
        for index in 0..count {
            // SAFETY: the caller passes so many texts.
            let name = unsafe { text(names.add(index).read_unaligned()) }?.to_bytes();
            let found = known.iter().find(|known| !known.is_pattern && known.subject == name);
            // SAFETY: the caller has room for so many numbers.
            unsafe { numbers.add(index).write_unaligned(found.map_or(0, |found| found.peers)) };
        }
        Ok(())
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn slk_pubsub_numpat(context: *mut c_void) -> c_int {
    call(-1, || {
        let known = subscriptions(context)?;
        Ok(length(known.iter().filter(|known| known.is_pattern).map(|known| known.peers).sum()))
    })
}
