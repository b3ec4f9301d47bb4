//! What a sender sends.

use std::hint::black_box;

use super::sequence::{self, HEAD_BYTES};

/// What a sender sends: bodies of one size, as many as are wanted.
pub struct Source {
    body: Vec<u8>,
    left: u64,
    topics: Option<Topics>,
}

/// The topics of numbered bodies, in turn.
struct Topics {
    count: u64,
    published: u64,
}

impl Source {
    /// So many bodies (0: without end).
    pub(crate) fn new(body_bytes: usize, count: u64) -> Source {
        let left = if count == 0 { u64::MAX } else { count };
        Source { body: vec![b'm'; body_bytes], left, topics: None }
    }

    /// Every body begins with one of so many topics, `0` to `9`, and its number.
    #[must_use]
    pub(crate) fn numbered(mut self, topics: u64) -> Source {
        self.body.resize(self.body.len().max(HEAD_BYTES), b'm');
        self.topics = Some(Topics { count: topics.clamp(1, 10), published: 0 });
        self
    }

    /// The next body, borrowed: a library that keeps bytes copies them. None when all are sent.
    #[inline]
    pub fn next_body(&mut self) -> Option<&[u8]> {
        if self.left == 0 {
            return None;
        }
        if let Some(topics) = &mut self.topics {
            let topic = b'0' + (topics.published % topics.count) as u8;
            sequence::write(&mut self.body, topic, topics.published / topics.count);
            topics.published += 1;
        }
        Some(black_box(&self.body))
    }

    /// So many were sent with the last body: one, except where the kernel itself is measured with batches.
    #[inline]
    pub fn sent(&mut self, messages: u64) {
        self.left = self.left.saturating_sub(messages);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_after_its_count() {
        let mut source = Source::new(64, 3);
        let mut bodies = 0;
        while let Some(body) = source.next_body() {
            assert_eq!(body.len(), 64);
            source.sent(1);
            bodies += 1;
        }
        assert_eq!(bodies, 3);
        assert!(Source::new(64, 0).next_body().is_some());
    }

    #[test]
    fn topics_take_turns_and_count_for_themselves() {
        let mut source = Source::new(16, 0).numbered(2);
        let heads: Vec<(u8, u8)> =
            (0..4).map(|_| source.next_body().map(|body| (body[0], body[1])).unwrap()).collect();
        assert_eq!(heads, [(b'0', 0), (b'1', 0), (b'0', 1), (b'1', 1)]);
    }
}
