//! A queue from one thread to another: unbounded storage, limits by counting.
//!
//! Values lie one behind the other in linked blocks that are used again, so a steady stream allocates nothing. Small messages are there as
//! their bytes ([`Producer::try_push_bytes`]): what one processor has to fetch from the other is little more than these. Each end keeps its own copy of
//! the other end's index and looks at the shared one only when that copy says "empty" or "full".
//!
//! # Batched publishing
//!
//! A consumer that looks for each value separately makes both processors fetch a cache line for each value. So while the
//! consumer still has a backlog the producer moves the index that it polls (`published`) only once for up to 64 values and
//! says [`Pushed::Held`]. Every value is counted at once in a second index on the producer's own cache line (`written`).
//! [`Consumer::pop`] reads that one before it says that there is nothing: a held value is found, never stranded.
//!
//! # Waiting
//!
//! How an end sleeps is its user's business. The queue promises that this is sound, for a held push as well:
//!
//! - producer: push; `fence(SeqCst)`; if `parked` is set, wake the consumer.
//! - consumer: set `parked`; `fence(SeqCst)`; if [`Consumer::is_empty`], sleep.
//!
//! One of the two sees what the other wrote before its fence. The other way round, for a producer that waits for room, the
//! same holds between `pop` and [`Producer::backlog`]. A producer may skip fence and check after [`Pushed::Held`] only if
//! it makes up for it, once, before it turns to something else.
//!
//! ```
//! let (mut producer, mut consumer) = serverlink_message::ring::channel();
//! assert!(producer.try_push("first", 1).is_ok());
//! assert_eq!(producer.try_push("second", 1), Err("second"), "the limit is one");
//! assert_eq!(consumer.pop(), Some("first"));
//! assert!(producer.try_push("second", 1).is_ok());
//! drop(producer);
//! assert!(consumer.is_producer_gone());
//! assert_eq!(consumer.pop(), Some("second"), "what was pushed outlives its producer");
//! assert_eq!(consumer.pop(), None);
//! ```

mod block;
mod consumer;
mod producer;
mod shared;

use crate::sync::Arc;

pub use consumer::Consumer;
pub use producer::{Full, Producer, Pushed};

/// A queue and its two ends. Nothing is allocated for values before the first one.
pub fn channel<T: Send>() -> (Producer<T>, Consumer<T>) {
    let shared = Arc::new(shared::Shared::new());
    (Producer::new(Arc::clone(&shared)), Consumer::new(shared))
}
