//! Where the large frames of one connection land: in one piece, so that a message is a slice of what was read.
//!
//! The shared chunk is for what is small. When a large frame does not fit into the rest of it, what is here of the frame moves to memory
//! of the connection's own, and reads go there until no frame is cut. Reads end a little behind the end of a frame: with the header that
//! is found there the next frame can be given its place before most of it comes.

use serverlink_message::chunk::{Chunk, Slice};

use super::Connection;
use super::landing::Landing;
use crate::pipe::inbox::Cut;

/// So much of what follows a frame is read with it, and moves to the next frame's place.
const AHEAD_BYTES: usize = 1024;

/// With frames that are shorter, several share a piece of memory and a read.
const SHARED_BYTES: usize = 512 * 1024;

/// For the beginning of a frame less is not worth a piece of memory.
const LEAST_BYTES: usize = 64 * 1024;

/// How many times what a peer has sent may be reserved for what it announces.
const ADVANCE: usize = 4;

/// Memory that one connection reads into.
pub(super) struct Own {
    chunk: Chunk,
}

impl Own {
    /// Room for a read that ends behind a frame, if the frames to come are as long as this one.
    pub(super) fn spare(&mut self, most_bytes: usize, cut: Cut) -> &mut [u8] {
        let spare = self.chunk.spare();
        let lacks = cut.need - cut.have;
        let frames = spare.len().saturating_sub(lacks + AHEAD_BYTES) / cut.need.max(1);
        let room = match cut.need {
            0 => most_bytes,
            need => lacks + (frames * need).min(most_bytes) + AHEAD_BYTES,
        };
        let room = room.min(spare.len());
        &mut spare[..room]
    }

    /// The first `count` bytes of the spare room.
    pub(super) fn take(&mut self, count: usize) -> Slice {
        self.chunk.commit(count)
    }
}

impl Connection {
    /// Before a read: a large frame that is cut gets memory in which it has room.
    #[cold]
    pub(super) fn make_room(&mut self, landing: &mut Landing, cut: Cut) {
        let remaining = match &self.own {
            Some(own) => own.chunk.remaining(),
            None => landing.remaining(),
        };
        let fits = cut.need - cut.have <= remaining;
        // A piece that was reserved for as much as may be is filled before the frame moves on to a larger one.
        let is_filling = || self.own.is_some() && remaining >= LEAST_BYTES && is_growing(cut);
        if cut.need > 0 && (fits || is_filling()) {
            return;
        }
        if cut.need > 0 && !self.is_special {
            self.move_cut(landing, cut);
        } else if let Some(own) = self.own.take() {
            landing.keep(own.chunk);
        }
    }

    /// Through memory of the reactor's, because the piece that it leaves is often the best one to move to.
    fn move_cut(&mut self, landing: &mut Landing, cut: Cut) {
        let Some(pipe) = self.pipe else { return };
        let Some(bytes) = bytes_to_reserve(cut) else { return self.leave_own(landing) };
        let Some(mut scratch) = landing.take_scratch(cut.have) else { return self.leave_own(landing) };
        self.core.take_cut(pipe, &mut scratch);
        self.leave_own(landing);
        match landing.piece(bytes) {
            Some(mut chunk) => {
                chunk.spare()[..scratch.len()].copy_from_slice(&scratch);
                self.core.put_back_cut(pipe, chunk.commit(scratch.len()));
                self.own = Some(Box::new(Own { chunk }));
                landing.give_scratch_back(scratch);
            }
            None => self.core.put_back_cut(pipe, Slice::from(scratch)),
        }
    }

    fn leave_own(&mut self, landing: &mut Landing) {
        if let Some(own) = self.own.take() {
            landing.keep(own.chunk);
        }
    }
}

/// Nothing is reserved for what was only announced. `None`: too little came yet.
fn bytes_to_reserve(cut: Cut) -> Option<usize> {
    let frames = (SHARED_BYTES / cut.need).max(1);
    let wanted = (frames * cut.need).saturating_add(AHEAD_BYTES);
    let bound = cut.have.saturating_mul(ADVANCE).max(cut.earned);
    let bytes = wanted.min(bound);
    (bytes >= cut.need || bytes >= LEAST_BYTES).then_some(bytes)
}

/// Too little of the frame is here for memory that holds all of it.
fn is_growing(cut: Cut) -> bool {
    bytes_to_reserve(cut).is_some_and(|bytes| bytes < cut.need)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KIB: usize = 1024;
    const MIB: usize = 1024 * KIB;

    #[test]
    fn what_is_reserved_grows_with_what_came() {
        let bytes = |have, need, earned| bytes_to_reserve(Cut { have, need, earned });
        assert_eq!(bytes(19, 60 * MIB, 19), None, "an announcement");
        assert_eq!(bytes(200 * KIB, 60 * MIB, 200 * KIB), Some(800 * KIB));
        assert_eq!(
            bytes(200 * KIB, 500 * KIB, 200 * KIB),
            Some(501 * KIB),
            "the whole frame and what follows"
        );
        assert_eq!(bytes(1000, MIB, 5 * MIB), Some(MIB + AHEAD_BYTES), "its peer has sent more than that");
        assert_eq!(bytes(1000, 100 * KIB, 5 * MIB), Some(501 * KIB), "several share a piece");
        assert_eq!(bytes(20 * KIB, 30 * KIB, 20 * KIB), Some(80 * KIB));
    }

    #[test]
    fn a_frame_moves_seldom() {
        let (need, mut have, mut room, mut moved) = (2 * 1024 * MIB, 200 * KIB, 0, 0);
        while have < need {
            let cut = Cut { have, need, earned: have };
            if need - have > room && !(room >= LEAST_BYTES && is_growing(cut)) {
                moved += have;
                room = bytes_to_reserve(cut).expect("enough came") - have;
            }
            let read = room.min(256 * KIB);
            (have, room) = (have + read, room - read);
        }
        assert!(moved < need / 2, "{moved} octets");
    }

    #[test]
    fn a_read_ends_behind_a_frame() {
        let mut own = Own { chunk: Chunk::with_capacity(500 * KIB) };
        let mut room = |have, need, most| own.spare(most, Cut { have, need, earned: 0 }).len();
        assert_eq!(room(60 * KIB, 100 * KIB, usize::MAX), 440 * KIB + AHEAD_BYTES, "this one and four more");
        assert_eq!(room(60 * KIB, 100 * KIB, 10 * KIB), 50 * KIB + AHEAD_BYTES, "a small mark");
        assert_eq!(room(0, 500 * KIB, usize::MAX), 500 * KIB, "what there is");
        assert_eq!(room(0, 0, 7 * KIB), 7 * KIB, "no frame is cut");
    }
}
