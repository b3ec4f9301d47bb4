//! Moving messages between two sockets until somebody says stop.

mod control;
mod flow;
mod run;
mod statistics;

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Waker;

use serverlink_message::{Message, SocketType};

pub use self::run::ProxyRun;
pub use self::statistics::{ProxyStatistics, SideStatistics};

use self::control::Control;
use self::flow::Flow;
use self::statistics::Counters;
use crate::error::Error;
use crate::socket::Socket;
use crate::socket::core::Core;
use crate::sync::Lock;

/// Moves every message that one socket receives to the other, both ways where both types can.
///
/// | Frontend | Backend | What it makes |
/// |---|---|---|
/// | ROUTER | DEALER | a queue: requests are shared out among workers, and each reply finds its asker |
/// | XSUB | XPUB | a hub: publishers before, subscribers behind; subscriptions travel upstream |
/// | PULL | PUSH | a streamer |
///
/// Any other pair that has something to give to each other works too (PAIR, SUB and PUB, ROUTER and ROUTER), either way round, and one socket may be
/// both ends. REQ and REP, which take turns with one peer, cannot be.
///
/// Messages are moved and not copied, up to 256 at a time in each direction, so neither holds the other up. What cannot be sent on is
/// held, one message for each direction, and nothing more is received there until it went: back-pressure reaches the sender, and nothing is lost. Only
/// what has nobody to go to is dropped, and counted: a reply whose asker left, a subscription to a topic that is too long.
///
/// ```
/// use serverlink::{Context, Error, Proxy};
///
/// let context = Context::new()?;
/// let (frontend, backend) = (context.router().open()?, context.dealer().open()?);
/// frontend.bind("inproc://asked")?;
/// backend.bind("inproc://workers")?;
/// let mut proxy = Proxy::new(&frontend, &backend)?;
/// let handle = proxy.handle();
///
/// std::thread::scope(|scope| {
///     let running = scope.spawn(move || proxy.run());
///     let (asker, worker) = (context.request().open()?, context.reply().open()?);
///     asker.connect("inproc://asked")?;
///     worker.connect("inproc://workers")?;
///     asker.send("2 + 2")?;
///     assert_eq!(worker.recv()?, "2 + 2".into());
///     worker.send("4")?;
///     assert_eq!(asker.recv()?, "4".into());
///     handle.terminate();
///     running.join().expect("it does not panic")
/// })?;
/// # Ok::<(), Error>(())
/// ```
pub struct Proxy<'a> {
    shared: Arc<Shared>,
    flows: Vec<Flow>,
    capture: Option<Arc<Core>>,
    control: Option<Control>,
    /// It uses them as long as it lives.
    sockets: PhantomData<&'a Socket>,
}

/// Steers a running [`Proxy`] from any thread. Clones steer the same one.
#[derive(Clone)]
pub struct ProxyHandle {
    shared: Arc<Shared>,
}

/// What a proxy and its handles share.
#[derive(Default)]
struct Shared {
    paused: AtomicBool,
    terminated: AtomicBool,
    /// How the proxy is woken while it waits.
    waker: Lock<Option<Waker>>,
    counters: Counters,
}

impl<'a> Proxy<'a> {
    /// Between two sockets, which nobody else should receive from meanwhile. Nothing moves before [`run`](Proxy::run).
    ///
    /// # Errors
    /// [`Error::NotSupported`] for REQ and REP, and for two sockets neither of which can give anything to the other.
    pub fn new(
        frontend: &'a impl AsRef<Socket>,
        backend: &'a impl AsRef<Socket>,
    ) -> Result<Proxy<'a>, Error> {
        let (front, back) = (frontend.as_ref().core(), backend.as_ref().core());
        check_end(front)?;
        check_end(back)?;
        let mut flows = Vec::new();
        if gives_to(front, back) {
            flows.push(Flow::new(front, back, statistics::FRONT_TO_BACK));
        }
        // With one socket as both ends there is one direction.
        if gives_to(back, front) && !Arc::ptr_eq(front, back) {
            flows.push(Flow::new(back, front, statistics::BACK_TO_FRONT));
        }
        if flows.is_empty() {
            let what =
                "be one end of a proxy whose other end neither takes what it receives nor gives it anything";
            return Err(Error::NotSupported { what, socket_type: front.kind });
        }
        Ok(Proxy { shared: Arc::default(), flows, capture: None, control: None, sockets: PhantomData })
    }

    /// A copy of every message, of both directions, goes to this socket before the message is sent on.
    ///
    /// When nobody takes the copies, the type of the socket decides, as for any send: a PUB drops them for whoever is too slow, while PUSH, DEALER
    /// and PAIR hold the proxy up until there is room. Large parts are shared with the copy.
    ///
    /// # Errors
    /// [`Error::NotSupported`] for a type that cannot send freely: PULL, SUB, REQ, REP, ROUTER.
    pub fn capture(mut self, socket: &'a impl AsRef<Socket>) -> Result<Proxy<'a>, Error> {
        let core = socket.as_ref().core();
        let fits = matches!(
            core.kind,
            SocketType::Pub | SocketType::Xpub | SocketType::Push | SocketType::Dealer | SocketType::Pair
        );
        if !fits {
            return Err(Error::NotSupported { what: "capture a proxy's messages", socket_type: core.kind });
        }
        self.capture = Some(Arc::clone(core));
        Ok(self)
    }

    /// Takes commands from a socket too, as libzmq's steerable proxy does: messages of one part, `PAUSE`, `RESUME`, `TERMINATE` and `STATISTICS`.
    ///
    /// The last is answered with eight parts of eight octets, unsigned and in the machine's own order: messages received by the
    /// frontend, their bytes, messages sent by it, their bytes, and the same for the backend. A REP answers everything else with an empty message.
    /// Other words are ignored. A socket that cannot send, such as SUB or PULL, gets no answers.
    ///
    /// # Errors
    /// [`Error::NotSupported`] for a type that cannot receive, or that answers by address: PUSH, PUB, REQ, ROUTER.
    pub fn control(mut self, socket: &'a impl AsRef<Socket>) -> Result<Proxy<'a>, Error> {
        let core = socket.as_ref().core();
        let fits = matches!(
            core.kind,
            SocketType::Pair | SocketType::Rep | SocketType::Dealer | SocketType::Pull | SocketType::Sub
        );
        if !fits {
            return Err(Error::NotSupported { what: "steer a proxy", socket_type: core.kind });
        }
        self.control = Some(Control::new(core));
        Ok(self)
    }

    /// For other threads, before it runs and while it does.
    pub fn handle(&self) -> ProxyHandle {
        ProxyHandle { shared: Arc::clone(&self.shared) }
    }

    /// Moves messages until it is [terminated](ProxyHandle::terminate). Waits while there are none.
    ///
    /// Running it again goes on where it stopped, beginning with what it holds.
    ///
    /// # Errors
    /// [`Error::Terminated`] when the context of one of its sockets is shut down, [`Error::Closed`], and [`Error::Io`] when a driver failed. What
    /// had been received and not sent is still [held](Proxy::take_held).
    pub fn run(&mut self) -> Result<(), Error> {
        run::block_on(self.run_async())
    }

    /// As [`run`](Proxy::run), for any executor. Dropping the future stops it, and loses nothing.
    pub fn run_async(&mut self) -> ProxyRun<'_, 'a> {
        ProxyRun::new(self)
    }

    /// What it has moved so far.
    pub fn statistics(&self) -> ProxyStatistics {
        self.shared.counters.snapshot()
    }

    /// What it had received and could not send on when it stopped: one message at most for each direction, those for the backend first. Without
    /// this call the next run sends them.
    pub fn take_held(&mut self) -> Vec<Message> {
        self.flows.iter_mut().filter_map(Flow::take_held).collect()
    }
}

impl ProxyHandle {
    /// Nothing is received from now on; what is on its way through the proxy's hands may still go on. The peers' messages wait in their queues.
    pub fn pause(&self) {
        self.shared.pause(true);
    }

    /// It goes on.
    pub fn resume(&self) {
        self.shared.pause(false);
    }

    /// [`Proxy::run`] returns, also if it is paused; if it does not run, the next one returns at once.
    pub fn terminate(&self) {
        self.shared.terminate();
    }

    /// What it has moved so far.
    pub fn statistics(&self) -> ProxyStatistics {
        self.shared.counters.snapshot()
    }
}

impl Shared {
    fn pause(&self, paused: bool) {
        self.paused.store(paused, Ordering::SeqCst);
        self.wake();
    }

    fn terminate(&self) {
        self.terminated.store(true, Ordering::SeqCst);
        self.wake();
    }

    fn wake(&self) {
        let waker = self.waker.lock().clone();
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

fn check_end(core: &Core) -> Result<(), Error> {
    match core.kind {
        SocketType::Req | SocketType::Rep => {
            Err(Error::NotSupported { what: "be one end of a proxy", socket_type: core.kind })
        }
        _ => Ok(()),
    }
}

fn gives_to(from: &Core, to: &Core) -> bool {
    from.kind.can_receive() && to.kind.can_send()
}

impl fmt::Debug for Proxy<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Proxy").field("statistics", &self.statistics()).finish_non_exhaustive()
    }
}

impl fmt::Debug for ProxyHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProxyHandle").field("statistics", &self.statistics()).finish_non_exhaustive()
    }
}
