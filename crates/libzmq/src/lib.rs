//! libzmq's C interface on ServerLink.
//!
//! Programs that were built for libzmq 4 find every function of its public header here, stable and draft, with the same constants, structures and
//! error codes, and run on ServerLink without being built again. What differs stands in `docs/coming-from-libzmq.md`. What the functions do
//! is in `serverlink-capi`; here are their names, and what their pointers mean.

// Their documentation is libzmq's own.
#![allow(clippy::missing_safety_doc, missing_docs)]

pub mod context;
pub mod messages;
pub mod polling;
pub mod sockets;
pub mod timers;
pub mod utilities;
