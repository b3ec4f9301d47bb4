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
//! A write is taken by the virtual kernel up to its buffer and delivered after the latency; a delivery may be cut anywhere, delayed, or
//! end in a reset ([`Faults`]).
//!
//! # Hosts
//! A world may have several [`Host`]s, with one process on each. The network between two of them can be cut and healed, a process can be
//! suspended or killed, a host can lose its power, and each may have few descriptors: see [`World::host`].
//!
//! # Laws
//! A machine keeps one of two sets of laws for its life. Those of **epoll**: edges without being asked, a closed source is gone at once, and
//! stale or doubled events may come. Those of a **completion port**, with [`Faults::completions`]:
//! - A socket joins one port for life. A second association fails with error 87: with the same port or another one, through a duplicated
//!   handle, and also after the first port was closed. [`World::associations`] is the ledger; under both laws drivers leave one entry of
//!   one for each socket.
//! - Handle values are used again as soon as they are closed, the lowest first.
//! - `Readable` and `Acceptable` complete an operation, which `rearm` starts again.
//! - A write that does not fit is [`Pending`](crate::Written::Pending) and owns its memory until
//!   [`Event::Written`](crate::Event::Written). Writing again before that panics: a real driver would mix the bytes of the two.
//! - Closing cancels what is in flight. Each operation comes home in its own time, stale events may come meanwhile, and
//!   [`Event::Closed`](crate::Event::Closed) is last. A listener's address is free only then.
//! - Events of different operations come in any order ([`Faults::reorder`]).
//!
//! [`RawPort`] and [`RawSocket`] are the same laws without our types, for tests that show what a wrong design does.

mod driver;
mod faults;
mod handles;
mod host;
mod ledger;
mod network;
mod operations;
mod outer;
mod queue;
mod raw;
mod socket;
mod sockets;
mod source;
mod state;
mod world;

pub(crate) use driver::{Driver, Remote};
pub use faults::Faults;
pub use host::Host;
pub use ledger::Association;
pub(crate) use outer::{Outer, OuterWaker};
pub use raw::{RawPort, RawSocket};
pub(crate) use source::{Listener, OsListener, OsStream, Stream};
pub use world::World;
