//! ServerLink's C interface.
//!
//! Here are the names and numbers of `include/serverlink/serverlink.h`, and what the pointers of its functions mean. What the functions do is in
//! `serverlink-capi`, which `libzmq` stands on as well. The header says what a caller has to know; `ci/capi` holds the two to each other.

// Their documentation is the header.
#![allow(clippy::missing_safety_doc, missing_docs)]

pub mod addressed;
pub mod border;
mod codes;
pub mod context;
pub mod messages;
pub mod monitor;
pub mod options;
pub mod peers;
pub mod polling;
pub mod pubsub;
pub mod security;
pub mod sharded;
pub mod sockets;
pub mod spot;
pub mod timers;
pub mod utilities;
