//! Every bound this crate holds a peer to, in one place.

use crate::error::{Limited, WireError, check_limit};

/// What a peer may make us read, hold and count.
///
/// All bounds are finite by default, because memory that a stranger can size is a stranger's memory. A peer that goes
/// past one loses its own connection and nothing else.
///
/// ```
/// use serverlink_zmtp::Limits;
/// let limits = Limits { max_frame_bytes: 1024, ..Limits::default() };
/// assert!(limits.max_command_bytes > limits.max_subscription_bytes);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Octets in the body of one message frame. Default 64 MiB: above what messages usually carry, below what hurts a
    /// small machine.
    pub max_frame_bytes: u64,
    /// Octets in all the frames of one message. Default 64 MiB, as one frame: splitting a message must not be a way
    /// around the bound on its size.
    pub max_message_bytes: u64,
    /// Frames in one message. Default 65,536: an empty frame costs its sender two octets and us a whole part, so bytes
    /// alone do not bound the memory.
    pub max_message_parts: u32,
    /// Octets in the body of one command. Default 128 KiB: the longest command in use carries a topic.
    pub max_command_bytes: u64,
    /// Octets of a topic in SUBSCRIBE or CANCEL, in either form. Default 64 KiB: each is held for as long as its peer
    /// stays. Keep it at least ten octets below `max_command_bytes`, which counts the command's name as well.
    pub max_subscription_bytes: u64,
    /// Octets of greeting and handshake together, before a peer has shown who it is. Default 64 KiB: an honest NULL
    /// handshake takes about a hundred.
    pub max_handshake_bytes: u64,
    /// Properties in one READY. Default 64: three are defined, applications add a few.
    pub max_metadata_properties: usize,
}

impl Limits {
    /// Holds a topic to `max_subscription_bytes`, whatever form it came in.
    ///
    /// # Errors
    /// [`WireError::LimitExceeded`], the peer's fault.
    pub fn check_topic(&self, topic: &[u8]) -> Result<(), WireError> {
        check_limit(Limited::Subscription, topic.len() as u64, self.max_subscription_bytes)
    }
}

impl Default for Limits {
    fn default() -> Self {
        const KIB: u64 = 1024;
        Limits {
            max_frame_bytes: 64 * KIB * KIB,
            max_message_bytes: 64 * KIB * KIB,
            max_message_parts: 65_536,
            max_command_bytes: 128 * KIB,
            max_subscription_bytes: 64 * KIB,
            max_handshake_bytes: 64 * KIB,
            max_metadata_properties: 64,
        }
    }
}
