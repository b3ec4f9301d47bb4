//! Appending a few bytes behind a short head, as a frame is written.

use std::ptr;

use crate::copy::copy_short;

/// Appends `head` and `body` if `out` has room for both without growing. False: `out` is as it was.
///
/// Bodies up to 128 bytes are copied in place: calling `memcpy` costs more than they do.
///
/// ```
/// let mut out = Vec::with_capacity(6);
/// assert!(serverlink_message::append::append_within(&mut out, [0, 4], b"body"));
/// assert!(!serverlink_message::append::append_within(&mut out, [0, 4], b"more"));
/// assert_eq!(out, b"\0\x04body");
/// ```
#[inline]
pub fn append_within(out: &mut Vec<u8>, head: [u8; 2], body: &[u8]) -> bool {
    let len = out.len();
    let room = out.capacity() - len;
    if body.len() + head.len() > room {
        return false;
    }
    // SAFETY: there is room for both behind `len`, nobody else has the vector, and what it lends cannot overlap `body`. All bytes up
    // to the new length are written.
    unsafe {
        let end = out.as_mut_ptr().add(len);
        ptr::write_unaligned(end.cast::<[u8; 2]>(), head);
        copy_short(body.as_ptr(), end.add(head.len()), body.len());
        out.set_len(len + head.len() + body.len());
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_length_is_copied_whole_and_nothing_beside_it() {
        let body: Vec<u8> = (0..300).map(|i| i as u8 | 1).collect();
        for len in 0..=body.len() {
            for spare in [0, 1, 40] {
                let mut out = Vec::with_capacity(3 + 2 + len + spare);
                out.extend_from_slice(b"abc");
                assert!(append_within(&mut out, [7, 9], &body[..len]), "{len}");
                assert_eq!((&out[..5], &out[5..]), (&b"abc\x07\x09"[..], &body[..len]));
            }
        }
    }

    #[test]
    fn without_room_nothing_changes() {
        for len in 1..100 {
            let mut out = Vec::with_capacity(len + 1);
            let room = out.capacity();
            assert!(!append_within(&mut out, [0, 0], &vec![1; room - 1]));
            assert!(out.is_empty());
        }
    }
}
