//! The numbers in publications, by which a subscriber knows what it did not get.
//!
//! A numbered body begins with one byte, its topic, and eight bytes, its number among the messages of that topic.

/// What a numbered body has at least.
pub(super) const HEAD_BYTES: usize = 9;

/// Writes topic and number.
pub(super) fn write(body: &mut [u8], topic: u8, number: u64) {
    body[0] = topic;
    body[1..HEAD_BYTES].copy_from_slice(&number.to_le_bytes());
}

/// What one subscriber has seen of one topic.
#[derive(Default)]
pub(super) struct Sequence {
    expected: Option<u64>,
    lost: u64,
}

impl Sequence {
    pub(super) fn take(&mut self, body: &[u8]) {
        let Some(number) = body.get(1..HEAD_BYTES) else {
            return;
        };
        let number = u64::from_le_bytes(number.try_into().expect("eight bytes were cut"));
        // What was sent before the subscription arrived is not lost.
        let expected = self.expected.unwrap_or(number);
        self.lost += number.saturating_sub(expected);
        self.expected = Some(number + 1);
    }

    pub(super) fn lost(&self) -> u64 {
        self.lost
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_are_losses_and_the_beginning_is_none() {
        let mut sequence = Sequence::default();
        let mut body = [0; 16];
        for number in [5, 6, 9, 10] {
            write(&mut body, b'3', number);
            sequence.take(&body);
        }
        assert_eq!(sequence.lost(), 2);
        sequence.take(b"short");
        assert_eq!(sequence.lost(), 2);
    }
}
