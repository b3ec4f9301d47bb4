//! How much may wait in one direction of a pipe.

/// A high-water mark, in messages and in bytes: whichever is reached first.
///
/// Only what waits is asked, never what is to come: a message that finds room is taken whole, however large.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct HighWater {
    pub(crate) messages: usize,
    pub(crate) bytes: usize,
}

impl HighWater {
    pub(crate) const NONE: HighWater = HighWater { messages: usize::MAX, bytes: usize::MAX };

    /// From the options, where 0 means no limit.
    pub(crate) fn from_options(messages: u32, bytes: u64) -> HighWater {
        let messages = if messages == 0 { usize::MAX } else { messages as usize };
        let bytes = if bytes == 0 { usize::MAX } else { usize::try_from(bytes).unwrap_or(usize::MAX) };
        HighWater { messages, bytes }
    }

    /// Both ends' marks over one queue; none where either has none.
    pub(crate) fn together(self, other: HighWater) -> HighWater {
        HighWater {
            messages: self.messages.saturating_add(other.messages),
            bytes: self.bytes.saturating_add(other.bytes),
        }
    }

    #[inline]
    pub(crate) fn has_room(self, messages: usize, bytes: usize) -> bool {
        messages < self.messages && bytes < self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nought_is_no_limit_and_stays_none_together() {
        let (some, none) = (HighWater::from_options(10, 100), HighWater::from_options(0, 0));
        assert_eq!(none, HighWater::NONE);
        assert_eq!(some.together(some), HighWater { messages: 20, bytes: 200 });
        assert_eq!(some.together(none), HighWater::NONE);
        assert!(some.has_room(9, 99) && !some.has_room(10, 0) && !some.has_room(0, 100));
    }
}
