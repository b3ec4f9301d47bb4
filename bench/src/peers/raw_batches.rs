//! One way over the bare kernel.

use super::raw::End;
use crate::{Error, load::Counter, wire};

/// What is written and read at once, at least: larger messages are written whole.
const BUFFER_BYTES: usize = 64 * 1024;

/// Batches framed in advance; the receiver counts frames by their bytes, or makes a message of each.
pub(crate) struct Batches {
    pub(super) end: End,
    framed: Vec<u8>,
    frames_per_batch: u64,
    buffer: Vec<u8>,
    filled: usize,
    pub(super) body_bytes: usize,
    frame_bytes: usize,
    pub(super) owned: bool,
}

impl Batches {
    pub(super) fn new(end: End, body_bytes: usize, owned: bool) -> Batches {
        let frame = wire::message(&vec![b'm'; body_bytes]);
        let frames_per_batch = (BUFFER_BYTES / frame.len()).max(1);
        Batches {
            end,
            framed: frame.repeat(frames_per_batch),
            frames_per_batch: frames_per_batch as u64,
            buffer: vec![0; BUFFER_BYTES.max(frame.len())],
            filled: 0,
            body_bytes,
            frame_bytes: frame.len(),
            owned,
        }
    }

    pub(super) fn send(&mut self) -> Result<u64, Error> {
        self.end.stream()?.write_all(&self.framed).map_err(Error::io("writing"))?;
        Ok(self.frames_per_batch)
    }

    pub(super) fn recv(&mut self, counter: &mut Counter) -> Result<(), Error> {
        // Bytes that only count need no place of their own: the next read may overwrite them.
        let from = if self.owned { self.filled } else { 0 };
        let read = self.end.stream()?.read(&mut self.buffer[from..]).map_err(Error::io("reading"))?;
        if read == 0 {
            return Err(Error::child("raw", "lost its other end"));
        }
        self.filled += read;
        let whole = self.filled / self.frame_bytes;
        if self.owned {
            self.cut(whole, counter);
        } else if whole > 0 {
            counter.batch(whole as u64);
        }
        self.filled -= whole * self.frame_bytes;
        Ok(())
    }

    /// One owned message of each frame, and the rest to the front.
    fn cut(&mut self, whole: usize, counter: &mut Counter) {
        let head = wire::head_bytes(self.body_bytes);
        let bytes = whole * self.frame_bytes;
        for frame in self.buffer[..bytes].chunks_exact(self.frame_bytes) {
            let message = frame[head..].to_vec();
            counter.message(&message);
        }
        self.buffer.copy_within(bytes..self.filled, 0);
    }
}
