//! Adds up the frames of a message, so that splitting one is no way around the limits.

use crate::error::{Limited, WireError, check_limit};
use crate::frame::Header;
use crate::limits::Limits;

/// Holds the messages of one connection to [`Limits::max_frame_bytes`], [`Limits::max_message_bytes`] and
/// [`Limits::max_message_parts`].
///
/// Show it the header of every message frame before making room for the body; commands may come between the frames of
/// a message and are not its business.
#[derive(Clone, Debug, Default)]
pub struct MessageMeter {
    parts: u32,
    bytes: u64,
}

impl MessageMeter {
    /// A meter at the start of a message.
    pub fn new() -> Self {
        Self::default()
    }

    /// True between the first and the last frame of a message.
    #[inline]
    pub fn is_inside_message(&self) -> bool {
        self.parts != 0
    }

    /// Counts one message frame and gives its body's length.
    ///
    /// # Errors
    /// [`WireError::LimitExceeded`], the peer's fault. The frame was not counted; close the connection.
    #[inline]
    pub fn count(&mut self, header: Header, limits: &Limits) -> Result<usize, WireError> {
        debug_assert!(!header.command, "commands are no part of a message");
        let body_len = header.body_len_within(limits)?;
        if self.parts == 0 && !header.more && header.body_len <= limits.max_message_bytes {
            return Ok(body_len);
        }
        self.count_part(header, limits)?;
        Ok(body_len)
    }

    fn count_part(&mut self, header: Header, limits: &Limits) -> Result<(), WireError> {
        let parts = self.parts.saturating_add(1);
        let bytes = self.bytes.saturating_add(header.body_len);
        check_limit(Limited::MessageParts, u64::from(parts), u64::from(limits.max_message_parts))?;
        check_limit(Limited::Message, bytes, limits.max_message_bytes)?;
        *self = if header.more { MessageMeter { parts, bytes } } else { MessageMeter::default() };
        Ok(())
    }
}
