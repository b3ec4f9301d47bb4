//! I/O under one contract: epoll, completion ports, kqueue (through the `polling` crate) and a simulated machine.
//!
//! A [`Driver`] is the waiting half: whoever owns it mutably takes events from the operating system. A [`Remote`] is the
//! submitting half: any thread listens, connects, adopts and wakes through it, also while the other half waits.
//!
//! # What always holds
//! - A source is registered once in its life. Registering takes the OS object by value ([`OsListener`], [`OsStream`]) and
//!   gives back the only handle through which it can be used ([`Listener`], [`Stream`]); there is no way to register it
//!   again, to move it to another driver or to forget it. A retry is a new OS object.
//! - A source is named by a [`Key`], never by a raw handle: the OS reuses handle values the moment they are closed, a key is
//!   never reused. An event that was already taken when its source was closed names a key that no newer source has.
//! - Readiness is *marked until it would block*: [`Event::Readable`], [`Event::Writable`] and [`Event::Acceptable`] are
//!   edges. The caller keeps a mark for each, reads, writes or accepts until the call would block, clears the mark and
//!   calls `rearm`. Whoever stops earlier keeps the mark, because no second event will come.
//! - A socket for [datagrams](datagram) is a stream whose reads and writes have borders: same registration, same marks.
//! - A write gives its memory to the driver by value ([`Batch`]) and gets it back when the driver is done with it.
//!
//! ```
//! use serverlink_driver::{Address, Batch, Driver, Event, Events, Kind, ListenOptions, Read, StreamOptions};
//!
//! let mut driver = Driver::open(Kind::native())?;
//! let remote = driver.remote();
//! let address = Address::Tcp("127.0.0.1:0".parse()?);
//! let listener = remote.listen(remote.bind(&address, &ListenOptions::default())?)?;
//! let client = remote.connect(&listener.local_address(), &StreamOptions::default())?;
//!
//! let mut events = Events::new();
//! let mut server = None;
//! let mut buffer = [0; 64];
//! let received = 'received: loop {
//!     driver.wait(&mut events, None)?;
//!     for event in events.by_ref() {
//!         match (event, &server) {
//!             (Event::Connected(_, outcome), _) => {
//!                 outcome?;
//!                 let _done = client.write(Batch::from(b"hello".to_vec()));
//!             }
//!             (Event::Acceptable(_), None) => {
//!                 if let Some((stream, _peer)) = listener.accept()? {
//!                     server = Some(remote.adopt(stream)?);
//!                 }
//!             }
//!             (Event::Readable(key), Some(server)) if server.key() == key => {
//!                 if let Read::Bytes(count) = server.read(&mut buffer)? {
//!                     break 'received &buffer[..count];
//!                 }
//!             }
//!             _ => {}
//!         }
//!     }
//! };
//! assert_eq!(received, b"hello");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Completion ports keep the same contract: there `rearm` starts the next operation, [`Written::Pending`] keeps the batch
//! until [`Event::Written`] brings it back, and [`Event::Closed`] says that the last operation of a closed source came home.

#![allow(
    clippy::result_large_err,
    reason = "a failed registration gives back as much as a successful one returns"
)]

mod address;
pub mod barrier;
mod batch;
mod biased;
mod borrowed;
mod credentials;
pub mod datagram;
mod driver;
mod event;
mod foreign;
pub mod fork;
mod interfaces;
mod kind;
mod options;
mod outer;
mod processors;
mod source;

#[cfg(any(windows, test))]
mod port;
pub mod sim;
#[cfg(unix)]
mod unix;
#[cfg(any(unix, windows))]
mod watch;
#[cfg(windows)]
mod windows;

pub use address::Address;
pub use batch::{Batch, Buffer};
pub use biased::{BiasedGuard, BiasedLock, Door, Left, Visit};
pub use credentials::{Credentials, is_member};
pub use datagram::{DatagramOptions, Interface};
pub use driver::{Driver, Remote};
pub use event::{Event, Events, Key};
pub use foreign::{SystemSocket, Unsuitable, addresses_of, handle_of};
pub use interfaces::interface_addresses;
pub use kind::{Kind, UnknownKind};
pub use options::{ListenOptions, StreamOptions};
pub use outer::{Outer, OuterWaker};
pub use processors::{pin_thread, why_not_processor};
pub use source::{Interest, Listener, OsListener, OsStream, Read, Stream, Unregistered, Writer, Written};
#[cfg(any(unix, windows))]
pub use watch::{Watch, Watched};

/// Threads hand these to each other.
const _: () = {
    const fn send<T: Send>() {}
    const fn shared<T: Send + Sync>() {}
    send::<(Driver, Outer, Events, Batch, OsListener, OsStream, sim::World)>();
    shared::<(Remote, OuterWaker, Listener, Stream, Writer)>();
    #[cfg(any(unix, windows))]
    shared::<Watch>();
};
