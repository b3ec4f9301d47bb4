//! A socket as its threads share it.
//!
//! Two locks carry the traffic: `send` and `recv`; neither is ever held together with the other. `topology` puts
//! what changes rarely (pipes, listeners, dialers, subscriptions) in one order and may be held while one of the two
//! is taken, never the other way round. No lock is held while taking a reactor's role, writing to the
//! system, or calling foreign code.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, AtomicUsize, Ordering, fence};
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use serverlink_driver::{Key, fork};
use serverlink_message::{Message, Part, SocketType};
use serverlink_patterns::{Dialogue, PatternOptions, PipeId, Receiver, Sender};
use serverlink_zmtp::error::WireError;
use serverlink_zmtp::limits::Limits;
use slotmap::{SecondaryMap, SlotMap};

use super::close::CloseReport;
use super::fan_out::FanOut;
use super::heirs::Heir;
use super::side::Side;
use super::subscribers::Queued;
use crate::context::core::ContextCore;
use crate::endpoint::Endpoint;
use crate::env::Env;
use crate::error::Error;
use crate::monitor::{EventKind, MonitorHub};
use crate::options::Options;
use crate::peer::Peer;
use crate::pipe::arena::ArenaPool;
use crate::pipe::bump::Bump;
use crate::pipe::high_water::HighWater;
use crate::pipe::{Inlet, Outlet};
use crate::reactor::Reactor;
use crate::reactor::failure::Failure;
use crate::stats::{ConnectionCounts, LinkRecord, Received, Sent};
use crate::sync::{Lock, Spins, Waiters};

/// See the module's page.
pub(crate) struct Core {
    /// Its number in the context, from 1.
    pub(crate) id: u64,
    pub(crate) kind: SocketType,
    /// The library's own: not counted, listed or told of as one of the application's.
    pub(crate) is_internal: bool,
    /// Runs of small messages may be sent, or received, without asking the pattern for each.
    pub(crate) sends_in_lanes: bool,
    pub(crate) receives_in_lanes: bool,
    /// What is sent has to be looked at before the pattern is asked.
    pub(crate) examines_sends: bool,
    pub(crate) options: Options,
    /// The same, as they were changed since.
    pub(crate) settings: Lock<Arc<Options>>,
    pub(crate) env: Env,
    pub(crate) context: Arc<ContextCore>,
    pub(crate) send: Side<SendSide>,
    pub(crate) recv: Side<RecvSide>,
    /// REQ and REP only: what both sides know of the conversation.
    pub(crate) dialogue: Option<Lock<Dialogue>>,
    pub(crate) topology: Lock<Topology>,
    /// The reactor of all its connections, made with the first one.
    pub(crate) home: OnceLock<Arc<Reactor>>,
    pub(crate) readers: Arc<Waiters>,
    pub(crate) writers: Arc<Waiters>,
    /// Who waits for peers, subscribers, or the end of closing.
    pub(crate) observers: Arc<Waiters>,
    /// Whether waiting for rings is worth a look or two.
    pub(crate) spins: Spins,
    /// Something was read from the system since the last send.
    pub(crate) fresh: AtomicBool,
    /// Some outbox holds what nobody has begun to write.
    pub(crate) unflushed: AtomicBool,
    /// Outboxes that wait for their connection to be writable.
    pub(crate) blocked: AtomicUsize,
    /// Connections that came to its listeners and are open.
    pub(crate) accepted: AtomicUsize,
    /// RADIO: some of what it sends goes out as datagrams.
    pub(crate) sends_datagrams: AtomicBool,
    /// Peers that no accept filter let in.
    pub(crate) filtered: AtomicU64,
    /// Set when nothing is heard of its connections any more.
    failure: OnceLock<Failure>,
    pub(crate) state: AtomicU8,
    pub(crate) monitor: MonitorHub,
}

/// Behind the send lock.
pub(crate) struct SendSide {
    pub(crate) sender: Sender,
    /// PUB, XPUB, XSUB, RADIO: one message to many.
    pub(crate) fans_out: bool,
    pub(crate) outlets: SecondaryMap<PipeId, Outlet>,
    pub(crate) pool: ArenaPool,
    pub(crate) bump: Bump,
    /// Outboxes that were appended to and not written.
    pub(crate) dirty: Vec<PipeId>,
    /// Rings that were full at the last attempt.
    pub(crate) full_rings: Vec<PipeId>,
    /// REP: somebody waits for what a send makes possible, to receive. A null pipe stands among the full rings then, so that
    /// looking for it costs those nothing who do not wait.
    pub(crate) watched: bool,
    /// One message, framed once for many connections.
    pub(crate) encoded: Vec<u8>,
    pub(crate) fan_out: FanOut,
    pub(crate) sent: Sent,
}

/// Behind the receive lock.
pub(crate) struct RecvSide {
    pub(crate) receiver: Receiver,
    pub(crate) inlets: SecondaryMap<PipeId, Inlet>,
    /// The inlets that are rings: nobody tells when one fills, so they are asked.
    pub(crate) rings: Vec<PipeId>,
    pub(crate) takes_since_look: u32,
    /// Unread octets of inlets whose connection is gone.
    pub(crate) ended_bytes: usize,
    /// Messages that come from the library: subscriptions for XPUB, notifications of ROUTER.
    pub(crate) queued: VecDeque<Queued>,
    pub(crate) queued_bytes: usize,
    /// Subscribers that are not read until the application takes notifications.
    pub(crate) paused_upstream: Vec<PipeId>,
    /// ROUTER: for an inlet whose connection is gone, the pipe of the same name that is read after it.
    pub(crate) heirs: SecondaryMap<PipeId, Heir>,
    /// What is told behind the last message of a pipe whose connection is gone, in this order.
    pub(crate) farewells: SecondaryMap<PipeId, Vec<Message>>,
    /// Whose message a look found, as long as that is in front of `queued`.
    pub(crate) found_by_look: Option<PipeId>,
    /// Whose messages the open lane leads to, once somebody asked.
    pub(crate) lane_peer: Option<Option<Arc<Peer>>>,
    /// What was met while taking and has to be dealt with after unlocking.
    pub(crate) met: Vec<Met>,
    pub(crate) received: Received,
}

/// What peers of connections that are made with these settings may send.
pub(crate) fn limits_of(settings: &Options) -> Limits {
    let max_message_bytes = settings.max_message_bytes;
    Limits { max_frame_bytes: max_message_bytes, max_message_bytes, ..Limits::default() }
}

/// The sender's mark and the receiver's together, exactly; none where either has none.
pub(super) fn ring_limit(sender: &Core, receiver: &Core) -> HighWater {
    sender.marks().send.together(receiver.marks().recv)
}

/// Something other than a message that came out of an inlet.
pub(crate) enum Met {
    Command(PipeId, Part),
    Broken(PipeId, WireError),
    /// Its connection is gone and its last message was taken.
    Retired(PipeId),
    /// Its reader was paused and may go on.
    Drained(PipeId),
    /// A ring has room again, and its producer may be waiting.
    RoomFor(PeerEnd),
    /// Somebody waits for what this receive may have made possible: to send, in a conversation.
    Watched,
    /// XPUB in manual mode: the application received what this subscriber asked for.
    Told(Option<PipeId>),
    /// Not for the application; dropped without a lock, because its owner may be foreign code.
    Discarded(Message),
}

/// The other end of an inproc pipe.
#[derive(Clone)]
pub(crate) struct PeerEnd {
    pub(crate) core: Arc<Core>,
    /// The pipe as that socket knows it.
    pub(crate) pipe: PipeId,
}

/// What changes rarely.
#[derive(Default)]
pub(crate) struct Topology {
    pub(crate) pipes: SlotMap<PipeId, PipeEntry>,
    pub(crate) bound: Vec<Bound>,
    /// Listeners that were asked to close and have not yet.
    pub(crate) unlistening: Vec<Key>,
    pub(crate) dialed: Vec<Dialed>,
    pub(crate) last_endpoint: Option<Endpoint>,
    /// ROUTER: peers over inproc that wait for their name to be free.
    pub(crate) nameless: Vec<PipeId>,
    /// Pipes whose peer is there.
    pub(crate) peers: usize,
    pub(crate) counts: ConnectionCounts,
    pub(crate) closed: Option<CloseReport>,
}

/// One pipe.
pub(crate) struct PipeEntry {
    /// Its connection, where it is on a wire and established.
    pub(crate) key: Option<Key>,
    /// The minor version of ZMTP its peer speaks; 0 for older ones as well.
    pub(crate) minor: u8,
    /// Who is at its other end, or was last.
    pub(crate) peer: Option<Arc<Peer>>,
    /// When a PING of the peer was last noted.
    pub(crate) pinged_at: Option<Instant>,
    /// It knows glob subscriptions.
    pub(crate) globs: bool,
    pub(crate) endpoint: Endpoint,
    /// A dialer's pipe outlives its connections.
    pub(crate) dialed: bool,
    pub(crate) has_peer: bool,
    /// The pattern knew it before anybody was connected, and knows it between connections.
    pub(crate) attached: bool,
    /// ROUTER: the name that our side gave to it.
    pub(crate) connect_routing_id: Option<Vec<u8>>,
    /// For the counters of this peer.
    pub(crate) record: LinkRecord,
}

/// One endpoint that this socket is bound to.
pub(crate) struct Bound {
    pub(crate) endpoint: Endpoint,
    /// `None` for inproc.
    pub(crate) listener: Option<Key>,
}

/// One endpoint that this socket connects to.
pub(crate) struct Dialed {
    pub(crate) endpoint: Endpoint,
    pub(crate) pipe: PipeId,
}

const OPEN: u8 = 0;
const CLOSING: u8 = 1;

impl Core {
    pub(crate) fn new(
        kind: SocketType,
        options: Options,
        context: Arc<ContextCore>,
        is_internal: bool,
    ) -> Arc<Core> {
        use SocketType::{
            Channel, Client, Dealer, Dgram, Dish, Pair, Pub, Push, Radio, Rep, Req, Scatter, Xpub,
        };
        let env = context.env.clone();
        let id = if is_internal { 0 } else { context.next_socket() };
        let listeners = (!is_internal).then(|| Arc::clone(&context.audience));
        let seed = u64::from(env.random_u32()) << 32 | u64::from(env.random_u32());
        let patterns = pattern_options(&options, seed);
        let conversation = || Dialogue::new(kind, &patterns, env.random_u32());
        let talks = matches!(kind, SocketType::Req | SocketType::Rep);
        Arc::new(Core {
            id,
            kind,
            is_internal,
            sends_in_lanes: !options.conflate
                && matches!(kind, Push | Dealer | Pair | Scatter | Client | Channel),
            receives_in_lanes: !options.conflate
                && !matches!(kind, Push | Pub | Xpub | Req | Rep | Radio | Dish | Scatter | Dgram),
            examines_sends: kind == SocketType::Xsub || kind.has_single_part(),
            send: Side::new(
                conversation(),
                SendSide {
                    sender: Sender::new(kind, &patterns),
                    fans_out: fans_out(kind),
                    outlets: SecondaryMap::new(),
                    pool: ArenaPool::default(),
                    bump: Bump::new(),
                    dirty: Vec::new(),
                    full_rings: Vec::new(),
                    watched: false,
                    encoded: Vec::new(),
                    fan_out: FanOut::default(),
                    sent: Sent::default(),
                },
            ),
            recv: Side::new(
                conversation(),
                RecvSide {
                    receiver: Receiver::new(kind, &patterns),
                    inlets: SecondaryMap::new(),
                    rings: Vec::new(),
                    takes_since_look: 0,
                    ended_bytes: 0,
                    queued: VecDeque::new(),
                    queued_bytes: 0,
                    paused_upstream: Vec::new(),
                    heirs: SecondaryMap::new(),
                    farewells: SecondaryMap::new(),
                    found_by_look: None,
                    lane_peer: None,
                    met: Vec::new(),
                    received: Received::default(),
                },
            ),
            dialogue: talks.then(|| Lock::new(conversation())),
            topology: Lock::default(),
            home: OnceLock::new(),
            readers: Arc::default(),
            writers: Arc::default(),
            observers: Arc::default(),
            spins: Spins::default(),
            fresh: AtomicBool::new(false),
            unflushed: AtomicBool::new(false),
            blocked: AtomicUsize::new(0),
            accepted: AtomicUsize::new(0),
            sends_datagrams: AtomicBool::new(false),
            filtered: AtomicU64::new(0),
            failure: OnceLock::new(),
            state: AtomicU8::new(OPEN),
            monitor: MonitorHub::new(env.clone(), id, kind, listeners),
            settings: Lock::new(Arc::new(options.clone())),
            options,
            env,
            context,
        })
    }

    // ---- its life

    /// Whether this is a forked child, in which nothing of the socket may be touched, not even its locks. All that a message pays for it is a load.
    #[inline]
    pub(crate) fn check_process(&self) -> Result<(), Error> {
        if fork::generation() == 0 { Ok(()) } else { self.check_generation() }
    }

    #[cold]
    #[inline(never)]
    fn check_generation(&self) -> Result<(), Error> {
        self.context.check_process()
    }

    /// Why no call may go on, if so.
    pub(crate) fn check_open(&self) -> Result<(), Error> {
        self.context.check_process()?;
        if self.context.is_shut_down() {
            Err(Error::Terminated)
        } else if self.is_closing() {
            Err(Error::Closed)
        } else {
            Ok(())
        }
    }

    /// Whether the system still tells what happens to this socket's connections.
    pub(crate) fn check_driver(&self) -> Result<(), Error> {
        let Some(failure) = self.failure.get() else { return Ok(()) };
        let doing = "waiting for the system's events";
        Err(Error::Io { doing, endpoint: None, source: failure.to_error() })
    }

    /// It does not: whoever waits is told.
    pub(crate) fn driver_failed(&self, failure: &Failure) {
        if self.failure.set(failure.clone()).is_ok() {
            self.monitor.tell(|| EventKind::DriverFailed { error: failure.to_error().to_string() });
        }
        self.wake_everybody();
    }

    pub(crate) fn is_closing(&self) -> bool {
        self.state.load(Ordering::Acquire) != OPEN
    }

    /// True for the one call that closes it.
    pub(crate) fn set_closing(&self) -> bool {
        self.state.swap(CLOSING, Ordering::AcqRel) == OPEN
    }

    /// Everybody who waits looks again.
    pub(crate) fn wake_everybody(&self) {
        // A send that finds its lane open looks at nothing else.
        drop(self.send.lock());
        fence(Ordering::SeqCst);
        self.readers.notify_all();
        self.writers.notify_all();
        self.observers.notify_all();
    }

    // ---- what follows from its options

    pub(crate) fn send_high_water(&self) -> HighWater {
        match self.options.conflate {
            true => HighWater { messages: 1, ..HighWater::NONE },
            false => self.marks().send,
        }
    }

    pub(crate) fn recv_high_water(&self) -> HighWater {
        self.marks().recv
    }

    pub(crate) fn limits(&self) -> Limits {
        limits_of(&self.settings.lock())
    }

    /// Types that queue for a peer they dial before it is there.
    pub(crate) fn queues_before_ready(&self) -> bool {
        use SocketType::{Channel, Client, Dealer, Pair, Peer, Push, Req, Scatter, Stream};
        matches!(self.kind, Pair | Push | Dealer | Req | Client | Scatter | Channel | Peer | Stream)
            && !self.options.immediate
    }

    /// One message may go to many.
    pub(crate) fn fans_out(&self) -> bool {
        fans_out(self.kind)
    }

    /// It talks to programs without ZMTP.
    pub(crate) fn is_raw(&self) -> bool {
        self.kind == SocketType::Stream
    }

    /// Types for whose application nothing, or nothing but subscriptions, comes in: what peers send is
    /// dealt with as soon as it comes.
    pub(crate) fn takes_in_at_once(&self) -> bool {
        use SocketType::{Pub, Push, Radio, Scatter, Xpub};
        matches!(self.kind, Pub | Xpub | Push | Radio | Scatter)
    }

    pub(crate) fn subscribes(&self) -> bool {
        matches!(self.kind, SocketType::Sub | SocketType::Xsub | SocketType::Dish)
    }

    pub(crate) fn received_messages(&self) -> u64 {
        self.recv.lock().received.messages
    }

    pub(crate) fn now(&self) -> Instant {
        self.env.now()
    }
}

impl Drop for Core {
    /// Whoever waits for its events waits no more, also where it was never closed.
    fn drop(&mut self) {
        if !self.context.is_left_behind() {
            self.monitor.end();
        }
    }
}

fn fans_out(kind: SocketType) -> bool {
    matches!(kind, SocketType::Pub | SocketType::Xpub | SocketType::Xsub | SocketType::Radio)
}

pub(super) fn pattern_options(options: &Options, seed: u64) -> PatternOptions {
    PatternOptions {
        router_mandatory: options.router_mandatory,
        router_handover: options.router_handover,
        router_notify_connect: options.router_notify_connect,
        router_notify_disconnect: options.router_notify_disconnect,
        req_correlate: options.req_correlate,
        req_relaxed: options.req_relaxed,
        invert_matching: options.invert_matching,
        xpub_verbose: options.xpub_verbose,
        xpub_verboser: options.xpub_verboser,
        xpub_manual: options.xpub_manual,
        xpub_manual_last_value: options.xpub_manual_last_value,
        xpub_no_drop: options.xpub_no_drop,
        glob_messages: options.glob_messages,
        only_first_subscribe: options.only_first_subscribe,
        xsub_verbose_unsubscribe: options.xsub_verbose_unsubscribe,
        conflate: options.conflate,
        seed,
    }
}
