//! From the octets of a ZMTP 1.0 peer to the frames that everything else understands.

use super::{MAX_HEADER_LEN, parse_header};
use crate::error::WireError;
use crate::frame::{self, Parsed};

/// Rewrites what comes from one peer, in pieces of any size, into frames of ZMTP 3.x.
///
/// It holds a cut header and nothing else: bodies pass through. What comes out is never longer than what went in so far,
/// so a peer cannot make it grow. Lengths are judged where the frames are read, by their headers, as for every peer.
#[derive(Debug, Default)]
pub struct Incoming {
    /// The header that is not whole yet.
    header: [u8; MAX_HEADER_LEN],
    header_len: usize,
    /// Octets of the current body that have not come.
    body_left: u64,
}

impl Incoming {
    /// At the start of a frame.
    pub fn new() -> Incoming {
        Incoming::default()
    }

    /// Whether everything so far was whole frames.
    pub fn is_at_frame_start(&self) -> bool {
        self.header_len == 0 && self.body_left == 0
    }

    /// Appends `input` to `out` in the other form.
    ///
    /// # Errors
    /// Those of [`parse_header`], the peer's fault. What came before the wrong header is in `out`. Close the connection.
    pub fn handle_input(&mut self, mut input: &[u8], out: &mut Vec<u8>) -> Result<(), WireError> {
        out.reserve(self.header_len + input.len());
        while !input.is_empty() {
            if self.body_left == 0 {
                self.take_header(&mut input, out)?;
            }
            let here = usize::try_from(self.body_left).map_or(input.len(), |left| left.min(input.len()));
            let (body, rest) = input.split_at(here);
            out.extend_from_slice(body);
            self.body_left -= here as u64;
            input = rest;
        }
        Ok(())
    }

    fn take_header(&mut self, input: &mut &[u8], out: &mut Vec<u8>) -> Result<(), WireError> {
        loop {
            match parse_header(&self.header[..self.header_len])? {
                Parsed::Complete { header, .. } => {
                    frame::put_header(out, header);
                    self.header_len = 0;
                    self.body_left = header.body_len;
                    return Ok(());
                }
                Parsed::Incomplete { need } => {
                    let taken = input.len().min(need - self.header_len);
                    if taken == 0 {
                        return Ok(());
                    }
                    let (octets, rest) = input.split_at(taken);
                    self.header[self.header_len..self.header_len + taken].copy_from_slice(octets);
                    self.header_len += taken;
                    *input = rest;
                }
            }
        }
    }
}
