//! ServerLink links servers: the socket patterns of ZeroMQ on the ZMTP 3.1 wire, without a broker and without a C library.
//!
//! A [`Context`] makes sockets. A socket has a type, which says what happens to messages, and endpoints, which say who its
//! peers are. Connections are made, kept and made again in the background. A socket speaks to other ServerLink sockets and
//! to those of libzmq: 4.x, and also 3.2 and 2.x.
//!
//! ```
//! use serverlink::{Context, Error};
//!
//! let context = Context::new()?;
//! let pull = context.pull().open()?;
//! let endpoint = pull.bind("tcp://127.0.0.1:*")?; // any free port; `endpoint` says which
//!
//! let push = context.push().open()?;
//! push.connect(&endpoint.to_string())?;
//! push.send("hello")?;
//! assert_eq!(pull.recv()?.first(), "hello");
//! # Ok::<(), Error>(())
//! ```
//!
//! # Which socket
//!
//! | Open with | Type | What it does | Talks to |
//! |---|---|---|---|
//! | [`Context::push`] | [`Push`] | deals messages out to its peers in turn; waits if all are full | PULL |
//! | [`Context::pull`] | [`Pull`] | takes messages from its peers in turn | PUSH |
//! | [`Context::request`] | [`Request`] | a question, then its answer | REP, ROUTER |
//! | [`Context::reply`] | [`Reply`] | answers whoever asked | REQ, DEALER |
//! | [`Context::dealer`] | [`Dealer`] | deals out and takes in without taking turns | REP, DEALER, ROUTER |
//! | [`Context::router`] | [`Router`] | sends to the peer that it names | REQ, DEALER, ROUTER |
//! | [`Context::publisher`] | [`Publisher`] | sends to all who subscribed; never waits | SUB, XSUB |
//! | [`Context::subscriber`] | [`Subscriber`] | receives what it subscribed to | PUB, XPUB |
//! | [`Context::xpublisher`] | [`XPublisher`] | a publisher that receives the subscriptions as messages | SUB, XSUB |
//! | [`Context::xsubscriber`] | [`XSubscriber`] | a subscriber that sends them as messages | PUB, XPUB |
//! | [`Context::pair`] | [`Pair`] | one peer, both directions | PAIR |
//! | [`Context::client`] | [`Client`] | a dealer whose messages have one part | SERVER |
//! | [`Context::server`] | [`Server`] | answers each client by its number | CLIENT |
//! | [`Context::peer`] | [`PeerSocket`] | a server that connects as well, to its own kind | PEER |
//! | [`Context::scatter`] | [`Scatter`] | a push whose messages have one part | GATHER |
//! | [`Context::gather`] | [`Gather`] | a pull whose messages have one part | SCATTER |
//! | [`Context::channel`] | [`Channel`] | a pair whose messages have one part | CHANNEL |
//! | [`Context::radio`] | [`Radio`] | sends to all who joined the message's group | DISH |
//! | [`Context::dish`] | [`Dish`] | receives the groups that it joined | RADIO |
//! | [`Context::dgram`] | [`Dgram`] | datagrams, each with its address | whoever has udp |
//! | [`Context::stream`] | [`Stream`] | octets, each connection by its name | programs without ZMTP |
//!
//! Those from [`Client`] to [`Dgram`] are drafts in libzmq, which talks to them if it was built with drafts.
//!
//! Each of these has only the methods that its pattern allows: receiving on a [`Publisher`] does not compile. [`Socket`] is
//! the same thing with the type chosen at run time.
//!
//! Options are set on the builder, before [`open`](SocketBuilder::open), and stay as they are. [`Options`] has them all, with
//! their defaults.
//!
//! # Endpoints
//!
//! - `tcp://host:port`, between machines. `*` binds every address, or any free port.
//! - `ipc://path`, between processes of one machine.
//! - `inproc://name`, between sockets of one context. Messages go through a ring in memory; nothing is encoded.
//! - `udp://host:port`, datagrams between machines, to one or to a group of multicast, for [`Radio`], [`Dish`] and [`Dgram`].
//!
//! Either side may bind and the other connect, in any order. Connecting returns at once, whether or not anybody listens. A
//! socket can do both, with many endpoints.
//!
//! # Four ways to wait
//!
//! | | Send | Receive |
//! |---|---|---|
//! | Wait, at most for the socket's own timeout | `send` | `recv` |
//! | Do not wait | `try_send` | `try_recv` |
//! | Wait until an instant | `send_deadline` | `recv_deadline` |
//! | As a future | `send_async` | `recv_async` |
//!
//! All of them take `&self`, and every socket is `Send` and `Sync`. Threads and tasks may share a socket and mix the forms. The
//! futures run on any executor; one that is dropped before it is ready has sent nothing and lost nothing. Who has several messages at hand, or
//! wants all that are here, may use `send_batch` and `recv_batch`: the same as one after the other, with less work for each small one.
//!
//! ```
//! use std::time::{Duration, Instant};
//! use serverlink::{Context, Error};
//!
//! let context = Context::new()?;
//! let pair = context.pair().open()?;
//! pair.bind("inproc://here")?;
//! assert!(matches!(pair.try_recv(), Err(Error::WouldBlock)));
//! let soon = Instant::now() + Duration::from_millis(10);
//! assert!(matches!(pair.recv_deadline(soon), Err(Error::TimedOut)));
//! # Ok::<(), Error>(())
//! ```
//!
//! A [`Poller`] waits for several sockets, and for descriptors of the system, in one call. A [`Proxy`] moves messages between two sockets.
//!
//! A thread that waits does the I/O of its socket itself. The context's I/O thread does it for sockets whose users are busy
//! elsewhere, or are tasks.
//!
//! # Messages
//!
//! A [`Message`] is one or more [`Part`]s, and arrives whole or not at all. Anything that is bytes can be sent: `&str`, `&[u8]`,
//! `String`, `Vec<u8>`, a [`Part`], a [`Message`], a list of parts; see [`Payload`]. A received part may share a larger receive
//! buffer: call [`Part::detach`] on what you keep for long.
//!
//! ```
//! use serverlink::{Context, Error, Message};
//!
//! let context = Context::new()?;
//! let publisher = context.publisher().open()?;
//! let endpoint = publisher.bind("tcp://127.0.0.1:*")?;
//! let subscriber = context.subscriber().open()?;
//! subscriber.subscribe("berlin")?;
//! subscriber.connect(&endpoint.to_string())?;
//!
//! // What is published before a subscription has come reaches nobody.
//! publisher.wait_for_subscribers(1, std::time::Duration::from_secs(10))?;
//! publisher.send(Message::from_parts(["berlin", "rain"]))?;
//! let report = subscriber.recv()?;
//! assert_eq!((&report[0], &report[1]), (&"berlin".into(), &"rain".into()));
//! # Ok::<(), Error>(())
//! ```
//!
//! # What is guaranteed
//!
//! - **Order.** What one thread sends to one peer arrives in that order, over one connection. Over reconnects too where the
//!   receiver is a ROUTER and the sender has a routing id; elsewhere nobody can know that it is the same peer. There is no
//!   order between peers.
//! - **Whole messages.** A peer sees all parts of a message or none, also when a connection breaks in between.
//! - **At most once.** No message arrives twice. What waits for a dialed peer survives its reconnects, and a message that the
//!   system had taken only in part is sent again from its start. What the system had taken in full is not sent again, and is
//!   lost if the peer did not read it. Applications that cannot lose messages acknowledge them.
//! - **A failed send gives the message back**, in [`SendError`], and no peer has seen any of it.
//! - **Queues are bounded**, in messages for each peer: [`Options::send_hwm`], [`Options::recv_hwm`]. At the mark a socket
//!   waits, or drops and counts in [`Stats`], as its type does.
//! - **Subscriptions come back** by themselves after a reconnect.
//! - **Dropping never blocks.** A dropped socket sends what is queued in the background, within its [`Linger`]. A process that
//!   exits must wait for that: [`Socket::close`] does and says what was left, [`Context::terminate`] waits for all sockets.
//! - **A peer can end no connection but its own**, whatever it sends, and it cannot make this side allocate ahead of bytes that
//!   came.
//!
//! "Delivered" means accepted by the operating system. Connections are neither authenticated nor encrypted unless their sockets are told
//! to be: see [`security`].
//!
//! # Looking inside
//!
//! [`Socket::monitor`] gives the events of a socket's connections, with reasons. [`Socket::stats`] counts messages and drops.
//! [`Context::report`] and [`Socket::connections`] tell the state of every connection at this moment.
//! [`sim`] runs a whole program on a simulated network from a seed.
#![forbid(unsafe_code)]

mod adopt;
mod connection;
mod context;
mod endpoint;
mod env;
mod error;
mod feed;
mod io_thread;
mod limits;
mod monitor;
mod options;
mod payload;
mod peer;
mod pipe;
#[cfg(any(unix, windows))]
mod poller;
mod proxy;
mod reactor;
mod report;
mod resolve;
mod resolver;
pub mod security;
pub mod sim;
mod socket;
mod stats;
mod sync;
mod typed;
mod zap;

pub use adopt::{AdoptError, AdoptRefusal, ForeignSocket, Holder, RefusalReason};
pub use context::{Context, ContextBuilder};
pub use endpoint::{Endpoint, Host, Port, SourceAddress};
pub use error::{Error, SendBatchError, SendError};
pub use feed::StatsServer;
pub use monitor::{Cause, Event, EventKind, EventStream, Events, Monitor};
pub use options::{AcceptFilter, BadAcceptFilter, Linger, Options, ReconnectStop, TcpOptions, UdpOptions};
pub use payload::Payload;
pub use peer::Peer;
#[cfg(any(unix, windows))]
pub use poller::{Alert, ForeignDescriptor, Interest, PollEvent, PollEvents, Poller};
pub use proxy::{Proxy, ProxyHandle, ProxyRun, ProxyStatistics, SideStatistics};
pub use report::{ConnectionReport, ConnectionState, ContextReport, ListenerReport, Origin, ReactorReport};
pub use serverlink_driver::Credentials as PeerCredentials;
pub use serverlink_driver::Kind as DriverKind;
pub use serverlink_driver::SystemSocket;
pub use serverlink_message::{Message, Part, SocketType};
pub use serverlink_patterns::{BadGlob, Glob, GlobFault};
pub use serverlink_zmtp::Version as ZmtpVersion;
pub use serverlink_zmtp::socks::{SocksFailure, SocksRefusal};
pub use socket::{CloseReport, Readiness, RecvFuture, SendFuture, Socket, SubscriberId, Subscription};
/// The version of this library.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

pub use stats::{ContextStats, PeerStats, RoundTrip, SocketStats, Stats};
pub use typed::*;
