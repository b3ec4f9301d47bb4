//! What moves through ServerLink: messages and their parts, shared chunks of received bytes, and rings between threads.
//!
//! - [`Message`] is what an application sends and receives: one or more [`Part`]s.
//! - [`chunk`] is receive memory. A reader fills it at one end while messages are cut out of the other, without copies.
//! - [`front`] is an address in front of many messages.
//! - [`append`] writes short frames.
//! - [`ring`] is the queue between two sockets of one process.
//! - [`SocketType`] names the patterns and says which may talk to which.
//!
//! Nothing here does I/O, reads a clock or starts a thread.

#![deny(unsafe_op_in_unsafe_fn)]

pub mod append;
mod beside;
pub mod chunk;
mod copy;
mod cut;
pub mod front;
mod inline;
mod message;
mod owner;
mod part;
mod part_traits;
mod rest;
mod returns;
pub mod ring;
mod slice;
mod socket_type;
mod sync;

pub use message::{IntoParts, Message, Parts};
pub use part::Part;
pub use socket_type::{SocketType, UnknownSocketType};
