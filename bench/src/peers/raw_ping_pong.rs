//! One frame to and fro over the bare kernel.

use super::raw::End;
use crate::{Error, load::Counter, wire};

/// The frame is made once; only its body changes.
pub(crate) struct PingPong {
    end: End,
    frame: Vec<u8>,
}

impl PingPong {
    pub(super) fn new(end: End, body_bytes: usize) -> PingPong {
        PingPong { end, frame: wire::message(&vec![0; body_bytes]) }
    }

    pub(super) fn send(&mut self, body: &[u8]) -> Result<u64, Error> {
        let head = self.frame.len() - body.len();
        self.frame[head..].copy_from_slice(body);
        self.end.stream()?.write_all(&self.frame).map_err(Error::io("writing"))?;
        Ok(1)
    }

    pub(super) fn recv(&mut self, counter: &mut Counter) -> Result<(), Error> {
        self.end.stream()?.read_exact(&mut self.frame).map_err(Error::io("reading"))?;
        counter.message(&self.frame);
        Ok(())
    }
}
