mod filter;
mod groups;

use serverlink_message::front::Front;
use serverlink_message::{Message, Part, SocketType};
use slotmap::SecondaryMap;

use crate::turns::Turns;
use crate::{BadGlob, Dialogue, DropReason, Passage, PatternOptions, PipeId, Refusal, Subject, Verdict};
use filter::Filter;
pub use filter::Tell;
use groups::Groups;

/// The receiving half of a socket: whose turn it is, and what becomes of what was taken.
#[derive(Debug)]
pub struct Receiver {
    turns: Turns,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    /// PAIR, PULL, DEALER, XPUB, DGRAM: everything is the application's.
    Plain,
    /// CLIENT, GATHER, CHANNEL: everything of one part is.
    Single,
    /// ROUTER, STREAM: each message gets its origin's routing id in front.
    Router(SecondaryMap<PipeId, Front>),
    /// SERVER, PEER: each message of one part does.
    Server(SecondaryMap<PipeId, Front>),
    Request,
    Reply,
    /// SUB, XSUB.
    Subscriber(Box<Filter>),
    /// DISH.
    Member(Groups),
    /// PUB, PUSH, RADIO, SCATTER: nothing is.
    Mute,
}

impl Receiver {
    /// A receiving half without pipes.
    pub fn new(socket_type: SocketType, options: &PatternOptions) -> Receiver {
        let kind = match socket_type {
            SocketType::Pair
            | SocketType::Pull
            | SocketType::Dealer
            | SocketType::Xpub
            | SocketType::Dgram => Kind::Plain,
            SocketType::Client | SocketType::Gather | SocketType::Channel => Kind::Single,
            SocketType::Router | SocketType::Stream => Kind::Router(SecondaryMap::new()),
            SocketType::Server | SocketType::Peer => Kind::Server(SecondaryMap::new()),
            SocketType::Req => Kind::Request,
            SocketType::Rep => Kind::Reply,
            SocketType::Sub => Kind::Subscriber(Box::new(Filter::for_sub(options))),
            SocketType::Xsub => Kind::Subscriber(Box::new(Filter::for_xsub(options))),
            SocketType::Dish => Kind::Member(Groups::default()),
            SocketType::Pub | SocketType::Push | SocketType::Radio | SocketType::Scatter => Kind::Mute,
        };
        Receiver { turns: Turns::default(), kind }
    }

    /// From now on. SUB, XSUB: inverted matching.
    pub fn reconfigure(&mut self, options: &PatternOptions) {
        if let Kind::Subscriber(filter) = &mut self.kind {
            filter.reconfigure(options);
        }
    }

    /// The pipe may be read from, once [`set_readable`](Self::set_readable) says that there is something.
    ///
    /// ROUTER, STREAM, SERVER, PEER: `routing_id` is what [`Attached`](crate::Attached) gave; a pipe without one is not read.
    pub fn attach(&mut self, pipe: PipeId, routing_id: Option<Part>) {
        if let Kind::Router(ids) | Kind::Server(ids) = &mut self.kind {
            let Some(id) = routing_id else { return };
            ids.insert(pipe, Front::new(id));
        }
        if !self.turns.contains(pipe) {
            self.turns.insert(pipe, false);
        }
    }

    /// ROUTER, STREAM, SERVER, PEER: under which name the pipe's messages are delivered.
    pub fn routing_id(&self, pipe: PipeId) -> Option<&Part> {
        match &self.kind {
            Kind::Router(ids) | Kind::Server(ids) => ids.get(pipe).map(Front::part),
            _ => None,
        }
    }

    /// The pipe is gone, with everything in it.
    pub fn detach(&mut self, pipe: PipeId) {
        self.turns.remove(pipe);
        match &mut self.kind {
            Kind::Router(ids) | Kind::Server(ids) => drop(ids.remove(pipe)),
            Kind::Subscriber(filter) => filter.forget(pipe),
            _ => {}
        }
    }

    /// Something may wait in the pipe, or nothing does. Idempotent; a pipe that is not attached is ignored, so
    /// say it again after attaching.
    #[inline]
    pub fn set_readable(&mut self, pipe: PipeId, readable: bool) {
        self.turns.set_ready(pipe, readable);
    }

    /// Whose turn it is. `None`: nothing is readable.
    ///
    /// If the pipe turns out to be empty, call `set_readable(pipe, false)` and ask again.
    #[inline]
    #[expect(clippy::should_implement_trait, reason = "it peeks: the turn passes on with `took`")]
    pub fn next(&mut self) -> Option<PipeId> {
        self.turns.current()
    }

    /// The pipe that every message comes from, and what becomes of each, as long as no pipe comes, goes, becomes readable or empty, and nothing is
    /// subscribed to or cancelled. `None`: each message has to be asked for and handled. It holds for messages of one part: one of several has to be
    /// handled in any case.
    #[inline]
    pub fn sole_source(&self) -> Option<(PipeId, Passage)> {
        let pipe = self.turns.sole()?;
        let passage = match &self.kind {
            Kind::Plain | Kind::Single => Passage::AsItCame,
            Kind::Router(ids) | Kind::Server(ids) => Passage::Behind(ids.get(pipe)?.clone()),
            Kind::Subscriber(filter) => filter.passage()?,
            _ => return None,
        };
        Some((pipe, passage))
    }

    /// One whole message was taken from the pipe: the turn passes to the next.
    #[inline]
    pub fn took(&mut self, pipe: PipeId) {
        self.turns.advance(pipe);
    }

    /// The pipe that [`took`](Self::took) was told of last. Ask right behind it: a pipe that becomes readable or empty meanwhile
    /// makes the answer worthless.
    pub fn last_served(&self) -> Option<PipeId> {
        self.turns.previous()
    }

    /// What becomes of a message taken from `pipe`. It may be edited: ROUTER puts the routing id in front, REQ and
    /// REP take the envelope off. A discarded message is left as it came.
    ///
    /// REQ and REP: ask [`check_receive`](Self::check_receive) first; a message that is handled out of turn is lost.
    #[inline]
    pub fn handle(&mut self, pipe: PipeId, message: &mut Message, dialogue: &mut Dialogue) -> Verdict {
        if matches!(self.kind, Kind::Plain) {
            return Verdict::Deliver;
        }
        self.handle_by_rule(pipe, message, dialogue)
    }

    /// Apart from the plain case, whose one comparison belongs in the caller: this does not.
    #[inline(never)]
    fn handle_by_rule(&mut self, pipe: PipeId, message: &mut Message, dialogue: &mut Dialogue) -> Verdict {
        match &mut self.kind {
            Kind::Plain => Verdict::Deliver,
            Kind::Single | Kind::Server(_) if message.is_multipart() => {
                Verdict::Discard(DropReason::PartCount)
            }
            Kind::Single => Verdict::Deliver,
            Kind::Router(ids) | Kind::Server(ids) => match ids.get_mut(pipe) {
                Some(id) => {
                    id.put_before(message);
                    Verdict::Deliver
                }
                None => Verdict::Discard(DropReason::PeerGone),
            },
            Kind::Request => dialogue.request_mut().handle(pipe, message),
            Kind::Reply => dialogue.reply_mut().handle(pipe, message),
            Kind::Subscriber(filter) => filter.handle(pipe, message),
            Kind::Member(groups) => groups.handle(message),
            Kind::Mute => Verdict::Discard(DropReason::NotReceivable),
        }
    }

    /// Whether the application may receive now.
    ///
    /// # Errors
    /// [`Refusal::WrongState`] for REQ before a request was sent and REP before the reply was;
    /// [`Refusal::NotReceivable`] for PUB, PUSH, RADIO and SCATTER. Nothing changes.
    pub fn check_receive(&self, dialogue: &Dialogue) -> Result<(), Refusal> {
        match &self.kind {
            Kind::Request => dialogue.request().check_receive(),
            Kind::Reply => dialogue.reply().check_receive(),
            Kind::Mute => Err(Refusal::NotReceivable),
            _ => Ok(()),
        }
    }

    /// SUB, XSUB: one more subscription. It says what to tell the publishers; nothing for the other types.
    ///
    /// # Errors
    /// What is no pattern. Nothing changed.
    pub fn subscribe(&mut self, subject: Subject<'_>) -> Result<Tell, BadGlob> {
        match &mut self.kind {
            Kind::Subscriber(filter) => filter.subscribe(subject),
            _ => Ok(Tell::default()),
        }
    }

    /// SUB, XSUB: one subscription less. One that was never made is ignored. It says what to tell the publishers.
    pub fn unsubscribe(&mut self, subject: Subject<'_>) -> Tell {
        match &mut self.kind {
            Kind::Subscriber(filter) => filter.unsubscribe(subject),
            _ => Tell::default(),
        }
    }

    /// SUB, XSUB: whether this publisher knows no globs, and is told the topics that cover them. What comes for such a topic
    /// alone is taken out here.
    pub fn set_plain(&mut self, pipe: PipeId, plain: bool) {
        if let Kind::Subscriber(filter) = &mut self.kind {
            filter.set_plain(pipe, plain);
        }
    }

    /// DISH: one more group, of which the RADIOs have to be told; false if it was joined already.
    pub fn join(&mut self, group: &[u8]) -> bool {
        self.groups_mut().is_some_and(|groups| groups.join(group))
    }

    /// DISH: one group less, of which the RADIOs have to be told; false if it was not joined.
    pub fn leave(&mut self, group: &[u8]) -> bool {
        self.groups_mut().is_some_and(|groups| groups.leave(group))
    }

    /// DISH: whether a message of this group would be the application's.
    pub fn has_joined(&self, group: &[u8]) -> bool {
        matches!(&self.kind, Kind::Member(groups) if groups.contains(group))
    }

    /// SUB, XSUB: each subscribed topic once, to be told to a publisher that has just been reached and knows globs. DISH: each group.
    pub fn subscriptions(&self) -> impl Iterator<Item = Vec<u8>> + '_ {
        self.filter().into_iter().flat_map(Filter::topics).chain(self.groups())
    }

    /// SUB, XSUB: each glob once, to be told to such a publisher.
    pub fn glob_subscriptions(&self) -> impl Iterator<Item = Vec<u8>> + '_ {
        self.filter().into_iter().flat_map(Filter::globs)
    }

    /// SUB, XSUB: each topic once, and those that cover the globs, to be told to a publisher that does not know globs. DISH: each group.
    pub fn plain_subscriptions(&self) -> impl Iterator<Item = Vec<u8>> + '_ {
        self.filter().into_iter().flat_map(Filter::plain_topics).chain(self.groups())
    }

    /// SUB, XSUB: how many different topics and globs are subscribed to. DISH: how many groups.
    pub fn subscription_count(&self) -> usize {
        match &self.kind {
            Kind::Subscriber(filter) => filter.len(),
            Kind::Member(groups) => groups.len(),
            _ => 0,
        }
    }

    fn groups(&self) -> impl Iterator<Item = Vec<u8>> + '_ {
        let groups = match &self.kind {
            Kind::Member(groups) => Some(groups),
            _ => None,
        };
        groups.into_iter().flat_map(Groups::names)
    }

    fn groups_mut(&mut self) -> Option<&mut Groups> {
        match &mut self.kind {
            Kind::Member(groups) => Some(groups),
            _ => None,
        }
    }

    fn filter(&self) -> Option<&Filter> {
        match &self.kind {
            Kind::Subscriber(filter) => Some(filter),
            _ => None,
        }
    }
}
