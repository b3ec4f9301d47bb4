//! A write that keeps nothing: a batch and, behind it, bytes that somebody else owns.

use std::io::IoSlice;

use crate::Batch;
use crate::batch::{MAX_SLICE_BYTES, MAX_SLICES};

/// What is left of both. The batch goes first.
pub(crate) struct Borrowed<'a, 'b> {
    batch: &'a mut Batch,
    body: &'a mut &'b [u8],
}

impl<'a, 'b> Borrowed<'a, 'b> {
    pub(crate) fn new(batch: &'a mut Batch, body: &'a mut &'b [u8]) -> Borrowed<'a, 'b> {
        Borrowed { batch, body }
    }

    /// Bytes not yet written.
    pub(crate) fn remaining_bytes(&self) -> usize {
        self.batch.remaining_bytes() + self.body.len()
    }

    /// Fills `slices` with what is to be written next: how many it filled, and their bytes.
    pub(crate) fn fill_slices<'s>(&'s self, slices: &mut [IoSlice<'s>; MAX_SLICES]) -> (usize, usize) {
        let mut count = self.batch.fill_slices(slices);
        let mut bytes = slices[..count].iter().map(|slice| slice.len()).sum();
        // Behind a batch of which a part has to wait, the body has to wait as well.
        if bytes == self.batch.remaining_bytes() && count < MAX_SLICES && !self.body.is_empty() {
            slices[count] = IoSlice::new(&self.body[..self.body.len().min(MAX_SLICE_BYTES)]);
            bytes += slices[count].len();
            count += 1;
        }
        (count, bytes)
    }

    /// The same, in one piece.
    pub(crate) fn current(&self) -> &[u8] {
        match self.batch.remaining_bytes() {
            0 => self.body,
            _ => self.batch.pending().next().unwrap_or_default(),
        }
    }

    /// Notes that `count` more bytes were written.
    pub(crate) fn advance(&mut self, count: usize) {
        let of_batch = count.min(self.batch.remaining_bytes());
        self.batch.advance(of_batch);
        *self.body = &self.body[count - of_batch..];
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Buffer;

    fn gathered(borrowed: &Borrowed<'_, '_>) -> Vec<u8> {
        let mut slices = [IoSlice::new(&[]); MAX_SLICES];
        let (count, bytes) = borrowed.fill_slices(&mut slices);
        let gathered: Vec<u8> = slices[..count].iter().flat_map(|slice| slice.to_vec()).collect();
        assert_eq!(gathered.len(), bytes);
        gathered
    }

    #[test]
    fn the_body_follows_the_batch_wherever_a_write_is_cut() {
        let all = [1, 2, 3, 4, 5, 6];
        for cut in 0..=all.len() {
            let mut batch = Batch::from(vec![Buffer::Owned(vec![1]), Buffer::Owned(vec![2, 3])]);
            let mut body = &all[3..];
            let mut borrowed = Borrowed::new(&mut batch, &mut body);
            borrowed.advance(cut);
            assert_eq!(gathered(&borrowed), &all[cut..]);
            assert_eq!(borrowed.remaining_bytes(), all.len() - cut);
            assert!(cut == all.len() || borrowed.current()[0] == all[cut]);
            assert_eq!(batch.written_bytes() + 3 - body.len(), cut);
        }
    }

    #[test]
    fn the_body_waits_for_a_batch_that_one_call_does_not_take() {
        let mut batch = Batch::from((0..=MAX_SLICES).map(|_| Buffer::Owned(vec![7])).collect::<Vec<_>>());
        let mut body = &[8u8][..];
        let mut borrowed = Borrowed::new(&mut batch, &mut body);
        assert_eq!(gathered(&borrowed), [7; MAX_SLICES]);
        borrowed.advance(MAX_SLICES);
        assert_eq!(gathered(&borrowed), [7, 8]);
    }
}
