//! What each socket type does with messages, without I/O.
//!
//! A pattern decides: which pipe a message goes to, whether the caller must wait, what is dropped and why, whose
//! turn it is to be read. It never holds a message, opens nothing and knows no time; the shell around it owns
//! pipes, locks and sleeping threads.
//!
//! A socket has three parts, each behind a lock of its own in the shell:
//!
//! - [`Sender`]: load balancing, routing, publishing. [`Sender::reserve`] names the pipe or pipes, the shell writes,
//!   [`Sender::commit`] makes it count.
//! - [`Receiver`]: fair queueing and filtering. [`Receiver::next`] names the pipe, the shell takes one message,
//!   [`Receiver::took`] passes the turn on, [`Receiver::handle`] gives the verdict.
//! - [`Dialogue`]: the one piece of state that both halves of REQ and REP share; empty for every other type.
//!
//! The rules are those of RFC 28 (REQ, REP, DEALER, ROUTER), RFC 29 (PUB, SUB, XPUB, XSUB), RFC 30 (PUSH, PULL) and
//! RFC 31 (PAIR), RFC 41 (CLIENT, SERVER), RFC 48 (RADIO, DISH), RFC 49 (SCATTER, GATHER), RFC 51 (PEER) and RFC 52 (CHANNEL); where they leave a
//! choice, the one of libzmq 4.3.
//!
//! ```
//! use serverlink_message::{Message, SocketType};
//! use serverlink_patterns::{Dialogue, PatternOptions, PeerInfo, PipeId, Reserve, Sender};
//! use slotmap::SlotMap;
//!
//! let options = PatternOptions::default();
//! let mut pipes: SlotMap<PipeId, &str> = SlotMap::with_key();
//! let (a, b) = (pipes.insert("worker a"), pipes.insert("worker b"));
//! let mut dialogue = Dialogue::new(SocketType::Push, &options, 0);
//! let mut sender = Sender::new(SocketType::Push, &options);
//! sender.attach(a, &PeerInfo::default());
//! sender.attach(b, &PeerInfo::default());
//!
//! let mut picked = Vec::new();
//! for _ in 0..3 {
//!     if let Reserve::One { pipe, .. } = sender.reserve(b"job", &mut dialogue) {
//!         picked.push(pipes[pipe]);
//!         sender.commit(&mut dialogue);
//!     }
//! }
//! assert_eq!(picked, ["worker a", "worker b", "worker a"]);
//! ```
#![forbid(unsafe_code)]

mod dialogue;
mod glob;
mod options;
mod outcome;
mod peer;
mod receiver;
mod sender;
mod siphash;
mod trie;
mod turns;
mod upstream;

pub use dialogue::Dialogue;
pub use glob::{BadGlob, Glob, GlobFault};
pub use options::PatternOptions;
pub use outcome::{DropReason, Framing, Passage, Refusal, Reserve, TargetSet, Verdict};
pub use peer::{AttachRefusal, Attached, Detached, PeerInfo};
pub use receiver::{Receiver, Tell};
pub use sender::{Sender, SubscriptionLoad};
pub use upstream::{Subject, Upstream};

slotmap::new_key_type! {
    /// Names one pipe of a socket: what stands between the socket and one peer. The shell hands them out; a key is
    /// never reused for another pipe, so a stale one is recognised everywhere.
    pub struct PipeId;
}
