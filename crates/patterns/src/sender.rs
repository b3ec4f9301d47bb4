mod balancer;
mod broadcaster;
mod publisher;
mod replier;
mod router;
mod server;

use serverlink_message::{Message, Part, SocketType};

use crate::{
    AttachRefusal, Attached, BadGlob, Detached, Dialogue, Framing, PatternOptions, PeerInfo, PipeId, Refusal,
    Reserve, Subject, TargetSet,
};
use balancer::Balancer;
use broadcaster::Broadcaster;
use publisher::Publisher;
use replier::Replier;
use router::Router;
use server::Server;

/// The sending half of a socket: which pipe or pipes a message goes to, and who is there to be sent to.
///
/// Sending has two steps, because only the shell can write. [`reserve`](Self::reserve) looks at the message's first
/// part and names where it goes; then [`commit`](Self::commit) if it was written and [`rollback`](Self::rollback) if
/// not. Pipes may come, go and fill up in between, which makes a commit no less valid.
#[derive(Debug)]
pub struct Sender {
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    /// PAIR, PUSH, DEALER; CHANNEL, SCATTER, CLIENT; DGRAM.
    Balancer(Balancer),
    Request(Balancer),
    Replier(Replier),
    /// ROUTER, STREAM.
    Router(Box<Router>),
    /// SERVER, PEER.
    Server(Box<Server>),
    /// PUB, XPUB, RADIO.
    Publisher(Box<Publisher>),
    /// XSUB.
    Broadcaster(Broadcaster),
    /// SUB, PULL, DISH, GATHER.
    Mute,
}

/// What one subscriber makes the publisher keep.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SubscriptionLoad {
    /// Different topics and globs.
    pub topics: usize,
    /// Their bytes.
    pub bytes: u64,
}

impl Sender {
    /// A sending half without pipes.
    pub fn new(socket_type: SocketType, options: &PatternOptions) -> Sender {
        let kind = match socket_type {
            SocketType::Pair | SocketType::Channel | SocketType::Dgram => {
                Kind::Balancer(Balancer::exclusive())
            }
            SocketType::Push | SocketType::Dealer | SocketType::Scatter | SocketType::Client => {
                Kind::Balancer(Balancer::default())
            }
            SocketType::Req => Kind::Request(Balancer::default()),
            SocketType::Rep => Kind::Replier(Replier::default()),
            SocketType::Router => Kind::Router(Box::new(Router::new(options))),
            SocketType::Stream => Kind::Router(Box::new(Router::of_streams(options))),
            SocketType::Server | SocketType::Peer => Kind::Server(Box::new(Server::new(options))),
            SocketType::Radio => Kind::Publisher(Box::new(Publisher::of_groups(options))),
            SocketType::Pub => Kind::Publisher(Box::new(Publisher::new(options, false))),
            SocketType::Xpub => Kind::Publisher(Box::new(Publisher::new(options, true))),
            SocketType::Xsub => Kind::Broadcaster(Broadcaster::default()),
            SocketType::Sub | SocketType::Pull | SocketType::Dish | SocketType::Gather => Kind::Mute,
        };
        Sender { kind }
    }

    /// The pipe may be sent to; it counts as writable. For ROUTER, call it when the peer's routing id is known, or at
    /// once for a connection that our side names. Attaching a pipe again changes nothing, except that a ROUTER's
    /// nameless pipe may get a name this time.
    pub fn attach(&mut self, pipe: PipeId, peer: &PeerInfo) -> Attached {
        match &mut self.kind {
            Kind::Balancer(balancer) | Kind::Request(balancer) => return balancer.attach(pipe),
            Kind::Replier(replier) => replier.attach(pipe),
            Kind::Router(router) => return router.attach(pipe, peer),
            Kind::Server(server) => return server.attach(pipe),
            Kind::Publisher(publisher) => publisher.attach(pipe),
            Kind::Broadcaster(broadcaster) => broadcaster.attach(pipe),
            Kind::Mute => {}
        }
        Attached::default()
    }

    /// RADIO: an attached pipe behind which nobody says what he wants gets everything from now on.
    pub fn send_everything_to(&mut self, pipe: PipeId) {
        if let Some(publisher) = self.publisher_mut() {
            publisher.send_everything_to(pipe);
        }
    }

    /// Whether a new peer would be taken in, before anything changes for it.
    ///
    /// # Errors
    /// What [`attach`](Self::attach) would answer.
    pub fn judge(&self, peer: &PeerInfo) -> Result<(), AttachRefusal> {
        match &self.kind {
            Kind::Balancer(balancer) => balancer.judge(),
            Kind::Router(router) => router.judge(peer),
            _ => Ok(()),
        }
    }

    /// The pipe is gone. For REQ and REP tell [`Dialogue::on_detach`] as well.
    pub fn detach(&mut self, pipe: PipeId) -> Detached {
        match &mut self.kind {
            Kind::Balancer(balancer) | Kind::Request(balancer) => balancer.detach(pipe),
            Kind::Replier(replier) => replier.detach(pipe),
            Kind::Router(router) => return Detached { notify: router.detach(pipe), upstream: Vec::new() },
            Kind::Server(server) => server.detach(pipe),
            Kind::Publisher(publisher) => return Detached { notify: None, upstream: publisher.detach(pipe) },
            Kind::Broadcaster(broadcaster) => broadcaster.detach(pipe),
            Kind::Mute => {}
        }
        Detached::default()
    }

    /// The pipe reached its high-water mark, or has credit again. Idempotent; unknown pipes are ignored.
    #[inline]
    pub fn set_writable(&mut self, pipe: PipeId, writable: bool) {
        match &mut self.kind {
            Kind::Balancer(balancer) | Kind::Request(balancer) => balancer.set_writable(pipe, writable),
            Kind::Replier(replier) => replier.set_writable(pipe, writable),
            Kind::Router(router) => router.set_writable(pipe, writable),
            Kind::Server(server) => server.set_writable(pipe, writable),
            Kind::Publisher(publisher) => publisher.set_writable(pipe, writable),
            Kind::Broadcaster(broadcaster) => broadcaster.set_writable(pipe, writable),
            Kind::Mute => {}
        }
    }

    /// Where the message that begins with `first` goes. Reserving again replaces an earlier reservation.
    ///
    /// REQ: replies that nobody waits for must not outlive the next request. After a reservation and before writing,
    /// the shell takes whatever is readable and drops it.
    #[inline]
    pub fn reserve(&mut self, first: &[u8], dialogue: &mut Dialogue) -> Reserve {
        if let Kind::Balancer(balancer) = &mut self.kind {
            return balancer
                .reserve()
                .map_or(Reserve::WouldBlock, |pipe| Reserve::One { pipe, framing: Framing::AsIs });
        }
        self.reserve_by_rule(first, dialogue)
    }

    /// PAIR, PUSH, DEALER, CHANNEL, SCATTER, CLIENT: the pipe that every message goes to, unframed by the pattern, as long as no pipe comes, goes, fills up or has room again. `None`:
    /// each message has to be asked for.
    #[inline]
    pub fn sole_target(&self) -> Option<PipeId> {
        match &self.kind {
            Kind::Balancer(balancer) => balancer.sole(),
            _ => None,
        }
    }

    /// Apart from the balancer, whose few instructions belong in the caller: these do not.
    #[inline(never)]
    fn reserve_by_rule(&mut self, first: &[u8], dialogue: &mut Dialogue) -> Reserve {
        match &mut self.kind {
            Kind::Balancer(_) => unreachable!("reserve() answers for the balancer"),
            Kind::Request(balancer) => reserve_request(balancer, dialogue),
            Kind::Replier(replier) => replier.reserve(dialogue.reply_mut()),
            Kind::Router(router) => router.reserve(first),
            Kind::Server(server) => server.reserve(first),
            Kind::Publisher(publisher) => publisher.reserve(first),
            Kind::Broadcaster(broadcaster) => broadcaster.reserve(),
            Kind::Mute => Reserve::Refused(Refusal::NotSendable),
        }
    }

    /// The pipes of the last [`Reserve::Many`] or [`Reserve::All`], without those that were detached since.
    #[inline]
    pub fn targets(&self) -> &[PipeId] {
        match &self.kind {
            Kind::Publisher(publisher) => publisher.targets(),
            Kind::Broadcaster(broadcaster) => broadcaster.targets(),
            _ => &[],
        }
    }

    /// The name of these pipes, if the pattern remembers them: the next messages probably go to the same. `None` for few, and where
    /// remembering does not pay.
    #[inline]
    pub fn target_set(&self) -> Option<TargetSet> {
        match &self.kind {
            Kind::Publisher(publisher) => publisher.target_set(),
            _ => None,
        }
    }

    /// The parts to be written in front of the message, for [`Framing::Prefix`]. Valid until commit or rollback.
    pub fn prefix<'a>(&self, dialogue: &'a Dialogue) -> &'a [Part] {
        dialogue.prefix()
    }

    /// The message of the last reservation was written.
    #[inline]
    pub fn commit(&mut self, dialogue: &mut Dialogue) {
        if let Kind::Balancer(balancer) = &mut self.kind {
            return balancer.commit();
        }
        self.commit_by_rule(dialogue);
    }

    #[inline(never)]
    fn commit_by_rule(&mut self, dialogue: &mut Dialogue) {
        match &mut self.kind {
            Kind::Request(balancer) => {
                balancer.commit();
                dialogue.request_mut().commit();
            }
            Kind::Replier(replier) => replier.commit(dialogue.reply_mut()),
            Kind::Publisher(publisher) => publisher.commit(),
            Kind::Broadcaster(broadcaster) => broadcaster.commit(),
            Kind::Balancer(_) | Kind::Router(_) | Kind::Server(_) | Kind::Mute => {}
        }
    }

    /// The message of the last reservation was not written: as if it had never been made.
    #[inline]
    pub fn rollback(&mut self, dialogue: &mut Dialogue) {
        match &mut self.kind {
            Kind::Balancer(balancer) => balancer.rollback(),
            Kind::Request(balancer) => {
                balancer.rollback();
                dialogue.request_mut().rollback();
            }
            Kind::Replier(replier) => replier.rollback(),
            Kind::Publisher(publisher) => publisher.rollback(),
            Kind::Broadcaster(broadcaster) => broadcaster.rollback(),
            Kind::Router(_) | Kind::Server(_) | Kind::Mute => {}
        }
    }

    /// Whether a message could be sent now without waiting; what a poller reports as writable. ROUTER, PUB, XPUB and
    /// XSUB never wait, except a mandatory ROUTER and a publisher without drops, which are ready when any peer can be sent to. SERVER and
    /// PEER are ready then too, and without peers, because a message to nobody is refused at once.
    pub fn is_ready(&self, dialogue: &Dialogue) -> bool {
        match &self.kind {
            Kind::Balancer(balancer) => balancer.is_ready(),
            Kind::Request(balancer) => balancer.is_ready() && dialogue.request().check_send().is_ok(),
            Kind::Replier(_) => dialogue.reply().check_send().is_ok(),
            Kind::Router(router) => router.is_ready(),
            Kind::Server(server) => server.is_ready(),
            Kind::Publisher(publisher) => publisher.is_ready(),
            Kind::Broadcaster(_) => true,
            Kind::Mute => false,
        }
    }

    /// Messages that were accepted and did not reach a peer they should have gone to, counted once for each such
    /// peer. A message that no subscription asks for is not among them.
    pub fn dropped(&self) -> u64 {
        match &self.kind {
            Kind::Replier(replier) => replier.dropped(),
            Kind::Router(router) => router.dropped(),
            Kind::Publisher(publisher) => publisher.dropped(),
            Kind::Broadcaster(broadcaster) => broadcaster.dropped(),
            Kind::Balancer(_) | Kind::Request(_) | Kind::Server(_) | Kind::Mute => 0,
        }
    }

    /// How many of them this peer had no room for. Publishers and ROUTER know.
    pub fn missed(&self, pipe: PipeId) -> u64 {
        match &self.kind {
            Kind::Router(router) => router.missed(pipe),
            Kind::Publisher(publisher) => publisher.missed(pipe),
            _ => 0,
        }
    }
}

/// Routing ids: ROUTER and STREAM, and of SERVER and PEER their numbers; `None` and no effect elsewhere.
impl Sender {
    /// The name under which the pipe is known.
    pub fn routing_id(&self, pipe: PipeId) -> Option<&Part> {
        match &self.kind {
            Kind::Router(router) => router.routing_id(pipe),
            Kind::Server(server) => server.routing_id(pipe),
            _ => None,
        }
    }

    /// The pipe that is known under this name. Ask before naming a connection: a duplicate is the caller's mistake.
    pub fn pipe_of(&self, routing_id: &[u8]) -> Option<PipeId> {
        match &self.kind {
            Kind::Router(router) => router.pipe_of(routing_id),
            Kind::Server(server) => server.pipe_of(routing_id),
            _ => None,
        }
    }

    /// Whether a message to this peer would find room, as far as [`set_writable`](Self::set_writable) told. False for a pipe without a routing id.
    pub fn is_writable(&self, pipe: PipeId) -> bool {
        match &self.kind {
            Kind::Router(router) => router.is_writable(pipe),
            Kind::Server(server) => server.is_writable(pipe),
            _ => false,
        }
    }

    /// A new connection stands behind a pipe that outlived its last one, or had none yet. Gives the connect
    /// notification, if it is asked for; `attach` already gave the one for the first.
    pub fn on_connected(&mut self, pipe: PipeId) -> Option<Message> {
        self.router_mut()?.on_connected(pipe)
    }

    /// The connection behind a pipe that stays attached is lost. Gives the disconnect notification, if it is asked
    /// for; `detach` will not give it again.
    pub fn on_disconnected(&mut self, pipe: PipeId) -> Option<Message> {
        self.router_mut()?.on_disconnected(pipe)
    }

    /// Takes over those options that can be changed while there are peers: of a ROUTER all, of a publisher which notices there are and
    /// whether it waits. Manual mode can be turned on and not off.
    pub fn reconfigure(&mut self, options: &PatternOptions) {
        match &mut self.kind {
            Kind::Router(router) => router.reconfigure(options),
            Kind::Publisher(publisher) => publisher.reconfigure(options),
            _ => {}
        }
    }

    fn router_mut(&mut self) -> Option<&mut Router> {
        match &mut self.kind {
            Kind::Router(router) => Some(router),
            _ => None,
        }
    }
}

/// Subscriptions of peers: PUB and XPUB, and RADIO, whose groups are topics of which every octet counts; nothing elsewhere.
impl Sender {
    /// A subscriber asks for a topic or a glob. They add up: each needs a [`handle_cancel`](Self::handle_cancel) of its own.
    ///
    /// `Some`: XPUB's application should receive it, `[1 topic]`, because it is the first for this topic, or because it is told more. For a
    /// glob that is `[2 glob]` or, without [`PatternOptions::glob_messages`], the topic that covers it. Ignored if the pipe is not attached.
    ///
    /// # Errors
    /// What is no pattern. Nothing changed.
    pub fn handle_subscribe(
        &mut self,
        pipe: PipeId,
        subject: Subject<'_>,
    ) -> Result<Option<Message>, BadGlob> {
        self.publisher_mut().map_or(Ok(None), |publisher| publisher.handle_subscribe(pipe, subject))
    }

    /// A subscriber takes a subscription back. `Some`: XPUB's application should receive it, `[0 topic]` or `[3 glob]`, because it
    /// was the last, or because it is told more. Otherwise one that was never made is ignored.
    pub fn handle_cancel(&mut self, pipe: PipeId, subject: Subject<'_>) -> Option<Message> {
        self.publisher_mut()?.handle_cancel(pipe, subject)
    }

    /// The connection behind the pipe is lost, but the pipe stays: what the peer had subscribed to is void, since
    /// it will say so again. Gives the `[0 topic]` messages that XPUB's application should receive.
    pub fn cancel_all(&mut self, pipe: PipeId) -> Vec<Message> {
        self.publisher_mut().map(|publisher| publisher.cancel_all(pipe)).unwrap_or_default()
    }

    /// Peers that have at least one subscription.
    pub fn subscriber_count(&self) -> usize {
        self.publisher().map_or(0, Publisher::subscriber_count)
    }

    /// Different topics and globs that are in force.
    pub fn subscription_count(&self) -> usize {
        self.publisher().map_or(0, Publisher::subscription_count)
    }

    /// Each topic and glob that is in force, and how many peers have it.
    pub fn for_each_subscription(&self, visit: impl FnMut(Subject<'_>, usize)) {
        if let Some(publisher) = self.publisher() {
            publisher.for_each_subscription(visit);
        }
    }

    /// What one peer's subscriptions cost, so that the shell can hold it to a limit.
    pub fn subscription_load(&self, pipe: PipeId) -> SubscriptionLoad {
        self.publisher().map(|publisher| publisher.load(pipe)).unwrap_or_default()
    }

    /// Whether the peer has asked for exactly this.
    pub fn has_asked(&self, pipe: PipeId, subject: Subject<'_>) -> bool {
        self.publisher().is_some_and(|publisher| publisher.has_asked(pipe, subject))
    }

    fn publisher(&self) -> Option<&Publisher> {
        match &self.kind {
            Kind::Publisher(publisher) => Some(publisher),
            _ => None,
        }
    }

    fn publisher_mut(&mut self) -> Option<&mut Publisher> {
        match &mut self.kind {
            Kind::Publisher(publisher) => Some(publisher),
            _ => None,
        }
    }
}

/// XPUB in manual mode only: subscriptions have no effect before its application gives them one.
impl Sender {
    /// Whether it is in that mode.
    pub fn is_manual(&self) -> bool {
        self.publisher().is_some_and(Publisher::is_manual)
    }

    /// The application received a subscription or a cancellation of this peer; `None`: of one that is gone.
    pub fn on_received(&mut self, pipe: Option<PipeId>) {
        if let Some(publisher) = self.publisher_mut() {
            publisher.on_received(pipe);
        }
    }

    /// The peer whose subscription or cancellation the application received last, if it is still there.
    pub fn last_subscriber(&self) -> Option<PipeId> {
        self.publisher()?.last_subscriber()
    }

    /// From now on the peer gets what fits. Counts as [`handle_subscribe`](Self::handle_subscribe) does. False if the peer is gone.
    ///
    /// # Errors
    /// What is no pattern. Nothing changed.
    pub fn subscribe_peer(&mut self, pipe: PipeId, subject: Subject<'_>) -> Result<bool, BadGlob> {
        self.publisher_mut().map_or(Ok(false), |publisher| publisher.subscribe_peer(pipe, subject))
    }

    /// Takes one of those back. False if the peer is gone.
    pub fn unsubscribe_peer(&mut self, pipe: PipeId, subject: Subject<'_>) -> bool {
        self.publisher_mut().is_some_and(|publisher| publisher.unsubscribe_peer(pipe, subject))
    }
}

fn reserve_request(balancer: &mut Balancer, dialogue: &mut Dialogue) -> Reserve {
    let request = dialogue.request_mut();
    balancer.rollback();
    request.rollback();
    if let Err(refusal) = request.check_send() {
        return Reserve::Refused(refusal);
    }
    match balancer.reserve() {
        Some(pipe) => {
            request.reserve(pipe);
            Reserve::One { pipe, framing: Framing::Prefix }
        }
        None => Reserve::WouldBlock,
    }
}
