//! Bounds of the library's own, beside those of the wire ([`serverlink_zmtp::Limits`]) and the options.

/// Notifications that wait for the application of an XPUB, in messages. Default 65,536: beyond that its subscribers are not
/// read until it receives, because a peer that subscribes and cancels in turn must not fill the memory.
pub(crate) const WAITING_NOTIFICATIONS: usize = 65_536;

/// The same in octets. Default 16 MiB.
pub(crate) const WAITING_NOTIFICATION_BYTES: usize = 16 * 1024 * 1024;

/// Octets that may be read for a caller who takes them, before it is looked whether he does. Default 1 MiB: several reads.
pub(crate) const UNSEEN_BYTES: usize = 1024 * 1024;

/// Octets of unread messages from peers that have left, over all of them. Default 256 MiB: beyond that the messages of a
/// peer that leaves are dropped and counted.
pub(crate) const ENDED_BYTES: usize = 256 * 1024 * 1024;

/// Octets that one read may bring for each message of the receive high-water mark. Default 1 KiB: with the usual mark of
/// 1,000 no bound, with a mark of 1 a worker takes little more than its share.
pub(crate) const READ_BYTES_PER_MESSAGE: usize = 1024;

/// Octets that one read may bring at least, however small the high-water mark in bytes is. Default 1 KiB: a frame's header and
/// some of what follows.
pub(crate) const LEAST_READ_BYTES: usize = 1024;

/// Octets of control frames that wait for a connection before PINGs are left unanswered. Default 64 KiB: thousands of PONGs,
/// which nobody reads.
pub(crate) const WAITING_CONTROL_BYTES: usize = 64 * 1024;
