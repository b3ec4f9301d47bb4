//! From the inlets to the application: the fair queue picks a pipe, a message is cut out of it, and
//! the pattern says what becomes of it.

use std::sync::Arc;

use serverlink_driver::fork;
use serverlink_message::chunk::Slice;
use serverlink_message::{Message, Part, SocketType};
use serverlink_patterns::{Dialogue, Passage, PipeId, Refusal, Subject, Verdict};
use serverlink_zmtp::command::Command as WireCommand;
use serverlink_zmtp::error::WireError;

use super::core::{Core, Met, PeerEnd, RecvSide};
use super::side::{Half, Lanes};
use super::subscribers::{About, Queued};
use crate::error::Error;
use crate::limits;
use crate::pipe::Inlet;
use crate::pipe::inbox::Taken;
use crate::pipe::lane::RecvLane;
use crate::reactor::{Command, Farewell};

/// Messages taken from peers that keep up before all rings are asked again.
const TAKES_BETWEEN_LOOKS: u32 = 16;

/// Where the next message for the application is.
#[derive(Clone, Copy)]
pub(super) enum Place {
    /// In front of `queued`.
    Queue,
    /// It was just taken from the pipe that was served last.
    Pipe,
}

impl Half<RecvSide> {
    /// What needs more than to be cut out of the lane, and a producer who is to be told that there is room again. `None`: that is not all it needs. Not
    /// with the guard of the lock, which would be moved through memory.
    #[inline(never)]
    pub(super) fn take_otherwise(&mut self, into: &mut Message) -> Option<Option<PeerEnd>> {
        if self.lane.cut_last(into) {
            return Some(None);
        }
        if self.lane.ring { self.take_from_ring(into) } else { None }
    }

    /// The lane leads out of a ring: all that is left to ask is whether something is there, and who waits for room.
    #[inline(never)]
    fn take_from_ring(&mut self, into: &mut Message) -> Option<Option<PeerEnd>> {
        let Half { lane, side, .. } = self;
        let Some(Inlet::Ring(inlet)) = side.inlets.get_mut(lane.pipe) else { return None };
        if lane.lent_bytes > 0 {
            inlet.settle(lane);
            side.received.messages += lane.taken as u64;
            (lane.front, lane.lent_bytes, lane.taken, lane.left) = (Slice::new(), 0, 0, 0);
        }
        if !matches!(lane.passage, Passage::AsItCame) || !inlet.pop(into) {
            return None;
        }
        side.received.messages += 1;
        let producer = inlet.waiting_producer();
        if let Some(open) = inlet.open_lane(lane.pipe) {
            *lane = open;
        }
        Some(producer)
    }
}

/// That there is room again.
#[inline]
pub(super) fn tell(producer: Option<PeerEnd>) {
    if let Some(peer) = producer {
        peer.core.notify_writers();
    }
}

impl Core {
    /// The next message, if nothing has to be decided for it.
    #[expect(clippy::inline_always, reason = "as `Message::cut_from`")]
    #[inline(always)]
    pub(crate) fn recv_in_lane(&self) -> Option<Message> {
        if !self.receives_in_lanes || fork::generation() != 0 {
            return None;
        }
        let mut half = self.recv.lock_lane();
        if let Some(message) = half.lane.cut() {
            return Some(message);
        }
        let mut message = Message::new();
        let producer = half.take_otherwise(&mut message)?;
        drop(half);
        tell(producer);
        Some(message)
    }

    /// As [`recv_in_lane`](Core::recv_in_lane) for several with one lock: how many were appended.
    pub(super) fn cut_in_lane(&self, into: &mut Vec<Message>, at_most: usize) -> usize {
        if !self.receives_in_lanes || fork::generation() != 0 {
            return 0;
        }
        let mut half = self.recv.lock_lane();
        let before = into.len();
        while into.len() - before < at_most {
            if let Some(message) = half.lane.cut() {
                into.push(message);
                continue;
            }
            let mut last = Message::new();
            if !half.lane.cut_last(&mut last) {
                break;
            }
            into.push(last);
        }
        into.len() - before
    }

    /// One that is here, the long way. What goes wrong is met again by whoever receives next.
    pub(super) fn recv_one_more(self: &Arc<Self>, into: &mut Vec<Message>) -> bool {
        let mut message = Message::new();
        let found = match self.recv_in_lane() {
            Some(found) => Some(found),
            None => matches!(self.try_recv_into(&mut message), Ok(true)).then_some(message),
        };
        let any = found.is_some();
        into.extend(found);
        any
    }

    /// One attempt. The message is written to where it is wanted: moving it through every layer costs more than
    /// cutting it out.
    #[inline]
    pub(crate) fn try_recv_into(self: &Arc<Self>, into: &mut Message) -> Result<bool, Error> {
        self.check_process()?;
        let mut half = self.recv.lock_for_message();
        let Half { lane, silent, side } = &mut *half;
        let found = match &self.dialogue {
            None => side.take(self, silent, into, |_, _| {}),
            Some(dialogue) => side.take(self, &mut dialogue.lock(), into, |_, _| {}),
        };
        if !side.met.is_empty() {
            let met = std::mem::take(&mut side.met);
            drop(half);
            self.deal_with(met);
        } else if self.receives_in_lanes && matches!(found, Ok(true)) {
            side.open_lane(lane);
        }
        found
    }

    /// As [`try_recv_into`](Core::try_recv_into), where a move does not matter.
    pub(crate) fn try_recv_once(self: &Arc<Self>) -> Result<Option<Message>, Error> {
        let mut message = Message::new();
        Ok(self.try_recv_into(&mut message)?.then_some(message))
    }

    /// REQ, before a new request: what is there answers an older one.
    pub(crate) fn forget_old_replies(self: &Arc<Self>) {
        let met = {
            let mut guard = self.recv.lock();
            let may_send = match &self.dialogue {
                Some(dialogue) => guard.receiver.check_receive(&dialogue.lock()).is_err(),
                None => false,
            };
            if may_send || self.options.req_relaxed {
                guard.discard_readable();
            }
            std::mem::take(&mut guard.met)
        };
        if !met.is_empty() {
            self.deal_with(met);
        }
    }

    /// Whether a receive would find a message now. What it finds is kept for that receive.
    pub(crate) fn poll_readable(self: &Arc<Self>) -> bool {
        let (readable, met) = {
            let mut guard = self.recv.lock();
            let Half { silent, side, .. } = &mut *guard;
            let mut conversation = self.dialogue.as_ref().map(|dialogue| dialogue.lock());
            let readable = side.look(self, conversation.as_deref_mut().unwrap_or(silent));
            let mut met = std::mem::take(&mut side.met);
            // Nothing was received, so whoever waits for that still does.
            side.met.extend(met.extract_if(.., |met| matches!(met, Met::Watched)));
            (readable, met)
        };
        if !met.is_empty() {
            self.deal_with(met);
        }
        readable
    }

    // ---- what is not a message

    /// Deals with what came out of the inlets beside messages. Call without locks.
    #[cold]
    pub(crate) fn deal_with(self: &Arc<Self>, met: Vec<Met>) {
        for met in met {
            match met {
                Met::Command(pipe, body) => self.handle_command(pipe, &body),
                Met::Broken(pipe, error) => self.break_pipe(pipe, error),
                Met::Retired(pipe) => {
                    self.end_dialogue(pipe);
                    self.forget_pipe(pipe);
                }
                Met::Drained(pipe) => {
                    if let (Some(key), Some(home)) = (self.key_of(pipe), self.home.get()) {
                        home.claim(Command::Resume(key), self.is_depended_on());
                    }
                }
                Met::RoomFor(peer) => peer.core.notify_writers(),
                Met::Watched => self.writers.notify_all(),
                Met::Told(pipe) => self.send.lock().sender.on_received(pipe),
                Met::Discarded(message) => drop(message),
            }
        }
    }

    fn handle_command(self: &Arc<Self>, pipe: PipeId, body: &Part) {
        let limits = self.limits();
        match WireCommand::parse(body, &limits) {
            Ok(WireCommand::Ping { ttl_deciseconds, context }) => {
                self.handle_ping(pipe, ttl_deciseconds, context);
            }
            // Groups and topics are not the same: who has the one knows nothing of the other.
            Ok(WireCommand::Join(group)) if self.kind == SocketType::Radio => {
                self.take_request(pipe, true, Subject::Topic(group));
            }
            Ok(WireCommand::Leave(group)) if self.kind == SocketType::Radio => {
                self.take_request(pipe, false, Subject::Topic(group));
            }
            Ok(
                WireCommand::Subscribe(_)
                | WireCommand::Cancel(_)
                | WireCommand::GlobSubscribe(_)
                | WireCommand::GlobCancel(_),
            ) if self.kind == SocketType::Radio => {}
            Ok(WireCommand::Subscribe(topic)) => self.take_request(pipe, true, Subject::Topic(topic)),
            Ok(WireCommand::Cancel(topic)) => self.take_request(pipe, false, Subject::Topic(topic)),
            Ok(WireCommand::GlobSubscribe(glob)) => self.take_request(pipe, true, Subject::Glob(glob)),
            Ok(WireCommand::GlobCancel(glob)) => self.take_request(pipe, false, Subject::Glob(glob)),
            Ok(WireCommand::Error { reason }) => {
                let reason = String::from_utf8_lossy(reason).into_owned();
                self.break_pipe(pipe, WireError::RefusedByPeer { reason });
            }
            Ok(WireCommand::Pong { context }) => self.note_pong(pipe, context),
            // Any traffic is a sign of life, and the reader has noted it.
            Ok(_) => {}
            Err(error) => self.break_pipe(pipe, error),
        }
    }

    pub(crate) fn break_pipe(&self, pipe: PipeId, error: WireError) {
        if let Some(key) = self.key_of(pipe) {
            self.post(Command::Break(key, Farewell::Wire(error)));
        }
    }

    pub(crate) fn break_pipe_because(&self, pipe: PipeId, why: String) {
        if let Some(key) = self.key_of(pipe) {
            self.post(Command::Break(key, Farewell::TurnedAway(why)));
        }
    }

    // ---- for the reader

    /// PUB and XPUB: takes in everything that a subscriber sent, as soon as it comes.
    pub(crate) fn take_in(self: &Arc<Self>, pipe: PipeId) -> Result<(), WireError> {
        let mut message = Message::new();
        loop {
            let taken = match self.recv.lock().inlets.get_mut(pipe) {
                Some(Inlet::Wire(inbox)) => inbox.take(&mut message)?,
                _ => return Ok(()),
            };
            match taken {
                Taken::Nothing => return Ok(()),
                Taken::Command(body) => self.handle_command(pipe, &body),
                Taken::Message => self.handle_upstream(pipe, std::mem::take(&mut message))?,
            }
        }
    }

    /// Looks ahead for an absent application: deals with commands and counts whole messages.
    pub(crate) fn scan(self: &Arc<Self>, pipe: PipeId) -> Result<(), WireError> {
        let mut commands = Vec::new();
        let scanned = match self.recv.lock().inlets.get_mut(pipe) {
            Some(Inlet::Wire(inbox)) => inbox.scan(|body| commands.push(body)),
            _ => Ok(()),
        };
        commands.into_iter().for_each(|body| self.handle_command(pipe, &body));
        scanned
    }
}

impl Lanes for RecvSide {
    type Lane = RecvLane;

    #[inline]
    fn settle(&mut self, lane: &mut RecvLane) {
        if lane.is_open() {
            self.close_lane(std::mem::take(lane));
        }
    }
}

impl RecvSide {
    /// Where nobody but one peer has something, what comes next comes from there.
    #[inline]
    pub(super) fn open_lane(&mut self, lane: &mut RecvLane) {
        let Some((pipe, passage)) = self.receiver.sole_source() else { return };
        if !self.queued.is_empty() {
            return;
        }
        match self.inlets.get_mut(pipe) {
            // Nobody tells when a ring fills, so rings beside it are asked again and again.
            Some(Inlet::Wire(inbox)) if self.rings.is_empty() => {
                let open = inbox.open_lane(pipe);
                *lane = open.map_or_else(RecvLane::default, |open| RecvLane { passage, ..open });
            }
            Some(Inlet::Ring(inlet)) if self.rings.len() == 1 => {
                *lane = match (inlet.open_lane(pipe), passage) {
                    (Some(open), passage) => RecvLane { passage, ..open },
                    (None, Passage::AsItCame) => RecvLane { pipe, ring: true, ..RecvLane::default() },
                    (None, _) => RecvLane::default(),
                };
            }
            _ => {}
        }
    }

    #[cold]
    fn close_lane(&mut self, lane: RecvLane) {
        self.lane_peer = None;
        self.received.messages += lane.taken as u64;
        match self.inlets.get_mut(lane.pipe) {
            Some(Inlet::Wire(inbox)) => inbox.settle(lane),
            Some(Inlet::Ring(inlet)) => inlet.settle(&lane),
            None => unreachable!("a lane is settled before its pipe can go"),
        }
    }

    /// The next message for the application. `on_found` may look where it is, or was just taken from.
    #[inline]
    pub(super) fn take(
        &mut self,
        core: &Core,
        dialogue: &mut Dialogue,
        into: &mut Message,
        mut on_found: impl FnMut(&RecvSide, Place),
    ) -> Result<bool, Error> {
        if let Err(refusal) = self.receiver.check_receive(dialogue) {
            return Err(refused(core, refusal));
        }
        let found = (!self.queued.is_empty() && {
            on_found(self, Place::Queue);
            self.take_queued(into)
        }) || (self.take_from_pipes(dialogue, into) && {
            on_found(self, Place::Pipe);
            true
        }) || (!self.queued.is_empty() && {
            on_found(self, Place::Queue);
            self.take_queued(into)
        });
        if !found {
            if core.is_closing() || core.context.is_shut_down() {
                core.check_open()?;
            }
            return Ok(false);
        }
        if core.options.conflate {
            let mut newer = Message::new();
            while self.take_from_pipes(dialogue, &mut newer) {
                on_found(self, Place::Pipe);
                let older = std::mem::replace(into, std::mem::take(&mut newer));
                self.discard(older);
            }
        }
        self.received.messages += 1;
        Ok(true)
    }

    #[cold]
    fn take_queued(&mut self, into: &mut Message) -> bool {
        let Some(Queued { message, about }) = self.queued.pop_front() else { return false };
        if let About::Subscriber(pipe) = about {
            self.met.push(Met::Told(pipe));
        }
        self.queued_bytes -= message.len_bytes();
        self.found_by_look = None;
        if !self.paused_upstream.is_empty() && !self.is_queue_full() {
            self.met.extend(self.paused_upstream.drain(..).map(Met::Drained));
        }
        *into = message;
        true
    }

    /// Finds a message and keeps it in front of all others.
    fn look(&mut self, core: &Core, dialogue: &mut Dialogue) -> bool {
        if self.receiver.check_receive(dialogue).is_err() {
            return false;
        }
        // What a conversation finds changes its state, so it is only looked for when it is taken.
        if core.dialogue.is_some() {
            return self.any_inlet_has_some();
        }
        let mut message = Message::new();
        if self.queued.is_empty() && self.take_from_pipes(dialogue, &mut message) {
            self.found_by_look = self.receiver.last_served();
            self.queue(message);
        }
        !self.queued.is_empty()
    }

    fn any_inlet_has_some(&mut self) -> bool {
        self.look_at_rings();
        while let Some(pipe) = self.receiver.next() {
            let has_message = match self.inlets.get_mut(pipe) {
                Some(Inlet::Wire(inbox)) => {
                    let met = &mut self.met;
                    let scanned = inbox.scan(|body| met.push(Met::Command(pipe, body)));
                    if let Err(error) = scanned {
                        met.push(Met::Broken(pipe, error));
                    }
                    inbox.whole_messages() > 0
                }
                Some(Inlet::Ring(inlet)) => !inlet.is_empty(),
                None => false,
            };
            if has_message {
                return true;
            }
            self.end_turn(pipe);
        }
        false
    }

    #[inline]
    fn take_from_pipes(&mut self, dialogue: &mut Dialogue, into: &mut Message) -> bool {
        if !self.rings.is_empty() {
            self.takes_since_look += 1;
            // A peer that keeps up must not keep the others' rings from their turn.
            if self.takes_since_look >= TAKES_BETWEEN_LOOKS {
                self.look_at_rings();
            }
        }
        loop {
            let Some(pipe) = self.receiver.next() else {
                if self.rings.is_empty() || !self.look_at_rings() {
                    return false;
                }
                continue;
            };
            if !self.take_from(pipe, into) {
                // What is to be told at the end of this inlet comes before anything of the next.
                match self.queued.is_empty() {
                    true => continue,
                    false => return false,
                }
            }
            self.receiver.took(pipe);
            match self.receiver.handle(pipe, into, dialogue) {
                Verdict::Deliver => return true,
                Verdict::Discard(_) => self.discard(std::mem::take(into)),
            }
        }
    }

    fn discard(&mut self, message: Message) {
        self.received.discarded += 1;
        self.met.push(Met::Discarded(message));
    }

    fn discard_readable(&mut self) {
        self.look_at_rings();
        while let Some(pipe) = self.receiver.next() {
            let mut message = Message::new();
            if self.take_from(pipe, &mut message) {
                self.receiver.took(pipe);
                self.discard(message);
            }
        }
    }

    /// One message out of one inlet. False: it has no whole one, and its turn is over.
    #[inline]
    fn take_from(&mut self, pipe: PipeId, into: &mut Message) -> bool {
        let RecvSide { inlets, met, .. } = self;
        match inlets.get_mut(pipe) {
            Some(Inlet::Wire(inbox)) => loop {
                match inbox.take(into) {
                    Ok(Taken::Message) => {
                        inbox.taken += 1;
                        if inbox.is_paused() && inbox.resume_if_drained() {
                            met.push(Met::Drained(pipe));
                        }
                        return true;
                    }
                    Ok(Taken::Command(body)) => met.push(Met::Command(pipe, body)),
                    Ok(Taken::Nothing) => {
                        if inbox.is_paused() && inbox.resume_if_drained() {
                            met.push(Met::Drained(pipe));
                        }
                        break;
                    }
                    Err(error) => {
                        met.push(Met::Broken(pipe, error));
                        break;
                    }
                }
            },
            Some(Inlet::Ring(inlet)) => {
                let found = inlet.pop(into);
                if found {
                    met.extend(inlet.waiting_producer().map(Met::RoomFor));
                    return true;
                }
            }
            None => {}
        }
        self.end_turn(pipe);
        false
    }

    /// An inlet has no whole message: its turn is over, and if its connection is gone, so is it.
    fn end_turn(&mut self, pipe: PipeId) {
        self.receiver.set_readable(pipe, false);
        let ended = match self.inlets.get(pipe) {
            Some(Inlet::Wire(inbox)) if inbox.has_ended() => {
                self.ended_bytes -= inbox.ended_with();
                true
            }
            Some(Inlet::Ring(inlet)) => inlet.ended,
            _ => false,
        };
        if ended {
            self.receiver.detach(pipe);
            self.remove_inlet(pipe);
            self.met.push(Met::Retired(pipe));
        }
        if !self.farewells.is_empty()
            && let Some(farewells) = self.farewells.remove(pipe)
        {
            farewells.into_iter().for_each(|farewell| self.queue(farewell));
        }
        if ended && !self.heirs.is_empty() {
            self.inherit(pipe);
        }
    }

    pub(crate) fn may_have_more(&mut self) -> bool {
        !self.queued.is_empty() || self.receiver.next().is_some() || self.look_at_rings()
    }

    /// A message of the library's own, for the application.
    pub(crate) fn queue(&mut self, message: Message) {
        self.queue_about(message, About::Nobody);
    }

    pub(crate) fn queue_about(&mut self, message: Message, about: About) {
        self.queued_bytes += message.len_bytes();
        self.queued.push_back(Queued { message, about });
    }

    /// So much waits for the application that nothing may be added on a peer's word.
    pub(crate) fn is_queue_full(&self) -> bool {
        self.queued.len() >= limits::WAITING_NOTIFICATIONS
            || self.queued_bytes >= limits::WAITING_NOTIFICATION_BYTES
    }

    /// Asks each ring; true if one has a message.
    fn look_at_rings(&mut self) -> bool {
        let RecvSide { receiver, inlets, rings, takes_since_look, .. } = self;
        *takes_since_look = 0;
        let mut any = false;
        rings.retain(|&pipe| match inlets.get_mut(pipe) {
            Some(Inlet::Ring(inlet)) => {
                if !inlet.is_empty() || inlet.ended {
                    receiver.set_readable(pipe, true);
                    any = true;
                }
                true
            }
            _ => false,
        });
        any
    }
}

#[cold]
fn refused(core: &Core, refusal: Refusal) -> Error {
    match refusal {
        Refusal::WrongState(why) => Error::WrongState { why },
        _ => Error::NotSupported { what: "receive", socket_type: core.kind },
    }
}
