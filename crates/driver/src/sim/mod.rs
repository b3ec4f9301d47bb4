//! A simulated machine: a virtual network on a virtual clock, repeatable from a seed.
//!
//! All drivers of one [`World`] share its network, so a whole library with many contexts runs in one process and one thread.
//! Nothing ever blocks: [`Driver::wait`](crate::Driver::wait) takes what is there at the virtual now, and the test moves the time:
//!
//! ```
//! use serverlink_driver::{Address, Event, Events, ListenOptions, StreamOptions, sim::World};
//!
//! let world = World::new(7);
//! let mut driver = world.driver();
//! let remote = driver.remote();
//! let address = Address::Tcp("127.0.0.1:5555".parse()?);
//! let listener = remote.listen(remote.bind(&address, &ListenOptions::default())?)?;
//! let stream = remote.connect(&address, &StreamOptions::default())?;
//!
//! let mut events = Events::new();
//! while let Some(due) = world.next_due() {
//!     world.advance_to(due);
//!     driver.wait(&mut events, None)?;
//! }
//! assert!(events.any(|event| matches!(event, Event::Connected(key, Ok(())) if key == stream.key())));
//! assert!(listener.accept()?.is_some());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! A write is taken by the virtual kernel up to its buffer and delivered after the latency; a delivery may be cut anywhere, delayed, or end in a reset
//! ([`Faults`]). With [`Faults::completions`] the machine keeps the stricter rules of a completion port.

mod driver;
mod faults;
mod network;
mod outer;
mod socket;
mod source;
mod state;
mod world;

pub(crate) use driver::{Driver, Remote};
pub use faults::Faults;
pub(crate) use outer::{Outer, OuterWaker};
pub(crate) use source::{Listener, OsListener, OsStream, Stream};
pub use world::World;
