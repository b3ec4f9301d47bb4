//! The ZMTP 3.1 wire (RFC 37, with peers of 3.0, 2.0 and 1.0 after RFC 23, 15 and 13) as pure state machines.
//!
//! Bytes in, bytes and decisions out: nothing here does I/O, reads a clock or starts a thread. There is one parser and
//! one emitter for each construct of the wire, every length a peer names is checked before it is used, and nothing is
//! allocated for bytes that have not come.
//!
//! A connection uses the parts in this order: a [`Handshake`](handshake::Handshake) until both sides are ready, then
//! [`frame`] for everything that follows, with [`command`] and [`subscription`] for what is not a message. With a peer of
//! ZMTP 1.0 what follows goes through [`v1`] first. Where a proxy stands between, [`socks`] comes before all of it.
//!
//! ```
//! use serverlink_message::SocketType;
//! use serverlink_zmtp::Version;
//! use serverlink_zmtp::handshake::{Config, Handshake};
//!
//! # fn main() -> Result<(), serverlink_zmtp::error::WireError> {
//! let mut dealer = Handshake::new(Config::new(SocketType::Dealer));
//! let mut router = Handshake::new(Config::new(SocketType::Router));
//! let (mut to_router, mut to_dealer) = (Vec::new(), Vec::new());
//! while !(dealer.is_done() && router.is_done()) {
//!     dealer.poll_output(&mut to_router);
//!     router.poll_output(&mut to_dealer);
//!     router.handle_input(&std::mem::take(&mut to_router))?;
//!     dealer.handle_input(&std::mem::take(&mut to_dealer))?;
//! }
//! let peer = router.poll_peer().expect("the handshake is done");
//! assert_eq!((peer.socket_type, peer.version), (Some(SocketType::Dealer), Version::V3_1));
//! # Ok(())
//! # }
//! ```
#![forbid(unsafe_code)]

pub mod command;
pub mod datagram;
pub mod error;
pub mod frame;
pub mod greeting;
pub mod handshake;
pub mod keys;
pub mod limits;
pub mod mechanism;
pub mod meter;
pub mod raw;
pub mod socks;
pub mod subscription;
pub mod v1;
mod version;
pub mod z85;

pub use error::{Fault, WireError};
pub use limits::Limits;
pub use version::Version;
