//! From a message to its peer's outbox or ring.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use serverlink_driver::fork;
use serverlink_message::{Message, Part, SocketType};
use serverlink_patterns::{Dialogue, DropReason, Framing, PipeId, Refusal, Reserve};
use serverlink_zmtp::frame;
use slotmap::Key as _;

use super::announce::wake;
use super::core::{Core, PeerEnd, SendSide};
use super::large::Large;
use super::side::{Half, Lanes};
use crate::error::Error;
use crate::payload::Outgoing;
use crate::pipe::arena::ArenaPool;
use crate::pipe::bump::Bump;
use crate::pipe::lane::SendLane;
use crate::pipe::outbox::{Next, Outbox};
use crate::pipe::{Outlet, RingOutlet};
use crate::stats::Sent;
use crate::sync::later::{drop_later, later};

/// Bodies up to this size have a short header, and are always copied.
pub(super) const SHORT_BODY_MAX: usize = u8::MAX as usize;

/// What has to happen after the send lock is released.
pub(super) enum After {
    Nothing,
    Write(PipeId),
    /// Rare enough to be boxed: it keeps the usual answer small.
    More(Box<More>),
}

#[derive(Default)]
pub(super) struct More {
    pub(super) write: Vec<PipeId>,
    ask: Vec<PipeId>,
    /// The I/O thread flushes all that was published.
    pub(super) ask_to_flush: bool,
    pub(super) wake: Vec<PeerEnd>,
    /// Whoever waits to receive in this conversation looks again.
    watched: bool,
    /// A large body that is written from its caller's memory.
    large: Option<Large>,
}

impl Half<SendSide> {
    /// The lane leads into a ring: all that is left to ask is whether it has room, and who sleeps at its end. `None`: it has none. Not with the guard of
    /// the lock, which would be moved through memory.
    #[inline(never)]
    fn push_to_ring(&mut self, outgoing: &mut Outgoing<'_>) -> Option<Option<PeerEnd>> {
        let Half { lane, side, .. } = self;
        let Some(Outlet::Ring(outlet)) = side.outlets.get_mut(lane.pipe) else { return None };
        if !push_whole(outlet, outgoing) {
            return None;
        }
        side.sent.messages += 1;
        Some(outlet.sleeper())
    }
}

impl Core {
    /// A message of one short part, if nothing has to be decided for it. It was copied, and the caller drops it without a lock. False: it
    /// has to be placed.
    #[expect(clippy::inline_always, reason = "a call of its own would cost as much again")]
    #[inline(always)]
    pub(crate) fn send_in_lane(&self, outgoing: &mut Outgoing<'_>) -> bool {
        if !self.sends_in_lanes || fork::generation() != 0 {
            return false;
        }
        let mut half = self.send.lock_lane();
        if let Some(body) = outgoing.only_part()
            && half.lane.push(body)
        {
            return true;
        }
        if !half.lane.ring {
            return false;
        }
        let Some(sleeper) = half.push_to_ring(outgoing) else { return false };
        drop(half);
        if let Some(peer) = sleeper {
            peer.core.readers.notify_one();
        }
        true
    }

    /// As [`send_in_lane`](Core::send_in_lane) for several with one lock: how many, from the first on. None where the lane leads into a ring,
    /// which wakes its reader for each.
    pub(super) fn push_in_lane<'a>(&self, outgoing: impl Iterator<Item = Outgoing<'a>>) -> usize {
        if !self.sends_in_lanes || fork::generation() != 0 {
            return 0;
        }
        let mut half = self.send.lock_lane();
        outgoing.take_while(|outgoing| outgoing.only_part().is_some_and(|body| half.lane.push(body))).count()
    }

    /// One attempt. `Ok(false)`: no peer can take it now, and `outgoing` is as it was.
    #[inline]
    pub(crate) fn try_send_once(
        self: &Arc<Self>,
        outgoing: &mut Outgoing<'_>,
        may_wait: bool,
    ) -> Result<bool, Error> {
        self.check_process()?;
        if self.kind == SocketType::Req && self.is_writable() {
            self.forget_old_replies();
        }
        // A message that conflation replaces may be owned by foreign code.
        let _later = self.options.conflate.then(later);
        let mut half = self.send.lock();
        let placed = {
            let Half { silent, side, .. } = &mut *half;
            match &self.dialogue {
                None => side.place(self, silent, outgoing),
                Some(dialogue) => side.place(self, &mut dialogue.lock(), outgoing),
            }
        }?;
        if self.sends_in_lanes && matches!(placed, Some(After::Nothing)) {
            let Half { lane, side, .. } = &mut *half;
            side.open_lane(lane);
        }
        drop(half);
        match placed {
            None => return Ok(false),
            Some(After::Nothing) => {}
            Some(After::Write(pipe)) => self.write_pipe(pipe),
            Some(After::More(more)) => self.follow_up(*more, outgoing, may_wait),
        }
        if let Outgoing::Message(message) = outgoing {
            // What was sent by copy or by reference is dropped here, because that may run foreign code.
            drop(std::mem::take(*message));
        }
        Ok(true)
    }

    #[cold]
    fn follow_up(self: &Arc<Self>, more: More, outgoing: &Outgoing<'_>, may_wait: bool) {
        // First: from the moment at which it was decided, everybody else relies on the I/O thread's coming.
        if more.ask_to_flush {
            self.ask_io_thread(PipeId::null());
        }
        if more.watched {
            self.readers.notify_all();
        }
        if !more.wake.is_empty() {
            wake(&more.wake);
            self.note_wakes();
        }
        more.write.iter().for_each(|&pipe| self.write_pipe(pipe));
        more.ask.iter().for_each(|&pipe| self.ask_io_thread(pipe));
        if let Some(large) = more.large {
            self.finish_large(large, outgoing, may_wait);
        }
    }

    /// A publisher that woke somebody has not been quiet.
    fn note_wakes(&self) {
        if self.fans_out() {
            self.send.lock().fan_out.last_delivery = Some(self.now());
        }
    }

    fn ask_io_thread(self: &Arc<Self>, pipe: PipeId) {
        match self.home.get() {
            Some(home) => home.io().ask_to_flush(self, pipe),
            // It has peers in this process only.
            None => self.context.any_io().ask_to_flush(self, pipe),
        }
    }
}

impl After {
    #[cold]
    pub(super) fn more(more: More) -> After {
        After::More(Box::new(more))
    }
}

impl Lanes for SendSide {
    type Lane = SendLane;

    #[inline]
    fn settle(&mut self, lane: &mut SendLane) {
        if lane.is_open() {
            self.close_lane(std::mem::take(lane));
        }
    }
}

impl SendSide {
    /// Where only one peer is there to be sent to, what comes next goes where this message went.
    #[inline]
    fn open_lane(&mut self, lane: &mut SendLane) {
        let Some(pipe) = self.sender.sole_target() else { return };
        if !self.full_rings.is_empty() {
            return;
        }
        match self.outlets.get_mut(pipe) {
            Some(Outlet::Wire(outbox)) => *lane = outbox.open_lane(pipe).unwrap_or_default(),
            Some(Outlet::Ring(_)) => *lane = SendLane { pipe, ring: true, ..SendLane::default() },
            None => {}
        }
    }

    #[cold]
    fn close_lane(&mut self, lane: SendLane) {
        if lane.ring {
            return;
        }
        self.sent.messages += lane.taken as u64;
        self.outbox(lane.pipe).expect("a lane is settled before its pipe can go").settle(lane);
    }

    pub(crate) fn outbox(&mut self, pipe: PipeId) -> Option<&mut Outbox> {
        match self.outlets.get_mut(pipe) {
            Some(Outlet::Wire(outbox)) => Some(outbox),
            _ => None,
        }
    }

    /// Puts the message where its pattern says. `None`: wait.
    #[inline]
    fn place(
        &mut self,
        core: &Core,
        dialogue: &mut Dialogue,
        outgoing: &mut Outgoing<'_>,
    ) -> Result<Option<After>, Error> {
        if core.is_closing() || core.context.is_shut_down() {
            core.check_open()?;
        }
        if !self.full_rings.is_empty() {
            self.look_at_full_rings();
            if self.watched {
                return self.place_watched(core, dialogue, outgoing);
            }
        }
        loop {
            match self.sender.reserve(outgoing.first(), dialogue) {
                Reserve::One { pipe, framing } => {
                    if framing == Framing::SkipFirst && is_address_only(outgoing) {
                        self.sender.rollback(dialogue);
                        self.count_drop(DropReason::AddressOnly);
                        return Ok(Some(After::Nothing));
                    }
                    let Some(after) = self.deliver(core, pipe, framing, dialogue, outgoing) else {
                        self.sender.rollback(dialogue);
                        self.sender.set_writable(pipe, false);
                        self.full_rings.push(pipe);
                        continue;
                    };
                    self.sender.commit(dialogue);
                    self.sent.messages += 1;
                    return Ok(Some(after));
                }
                Reserve::Many => {
                    let after = self.deliver_to_many(core, outgoing);
                    self.sender.commit(dialogue);
                    self.sent.messages += 1;
                    return Ok(Some(after));
                }
                Reserve::All => {
                    if !self.have_all_room() {
                        self.sender.rollback(dialogue);
                        continue;
                    }
                    let after = self.deliver_to_many(core, outgoing);
                    self.sender.commit(dialogue);
                    self.sent.messages += 1;
                    return Ok(Some(after));
                }
                Reserve::WouldBlock => return Ok(None),
                Reserve::Nobody(reason) => {
                    self.count_drop(reason);
                    return Ok(Some(After::Nothing));
                }
                Reserve::Refused(refusal) => return Err(refused(core, refusal, outgoing)),
            }
        }
    }

    /// As [`place`](SendSide::place), where somebody waits for what comes of it.
    #[cold]
    fn place_watched(
        &mut self,
        core: &Core,
        dialogue: &mut Dialogue,
        outgoing: &mut Outgoing<'_>,
    ) -> Result<Option<After>, Error> {
        self.watched = false;
        let mut more = match self.place(core, dialogue, outgoing) {
            Ok(Some(After::Nothing)) => More::default(),
            Ok(Some(After::Write(pipe))) => More { write: vec![pipe], ..More::default() },
            Ok(Some(After::More(more))) => *more,
            nothing_sent => {
                self.watch();
                return nothing_sent;
            }
        };
        more.watched = true;
        Ok(Some(After::more(more)))
    }

    /// To one pipe. `None`: it is a ring, and it is full.
    #[inline]
    fn deliver(
        &mut self,
        core: &Core,
        pipe: PipeId,
        framing: Framing,
        dialogue: &Dialogue,
        outgoing: &mut Outgoing<'_>,
    ) -> Option<After> {
        let SendSide { sender, outlets, pool, bump, dirty, sent, .. } = self;
        match outlets.get_mut(pipe).expect("the pattern only names pipes that are attached") {
            Outlet::Wire(outbox) => {
                if core.options.conflate {
                    replace_queued(outbox, sent);
                }
                let is_whole = match outgoing {
                    // One comparison: it is also the one by which the frame's form is chosen.
                    Outgoing::Bytes(bytes) if framing == Framing::AsIs && bytes.len() <= SHORT_BODY_MAX => {
                        outbox.append_bytes(bytes, pool);
                        true
                    }
                    _ => append(outbox, outgoing, framing, sender.prefix(dialogue), pool),
                };
                if !is_whole {
                    core.fresh.store(false, Ordering::Relaxed);
                    let write = outbox.lend(outgoing.last().len(), pool);
                    if !outbox.has_credit() && !core.options.conflate {
                        sender.set_writable(pipe, false);
                    }
                    let large = Some(Large { pipe, write });
                    return Some(After::more(More { large, ..More::default() }));
                }
                let next = outbox.after_append(|| core.fresh.swap(false, Ordering::Relaxed), || core.now());
                // Also where we write it at once: somebody else may send before we do.
                if !outbox.has_credit() && !core.options.conflate {
                    sender.set_writable(pipe, false);
                }
                Some(match next {
                    Next::Nothing => After::Nothing,
                    Next::WriteNow => After::Write(pipe),
                    Next::Leave => {
                        leave(core, outbox, dirty, pipe);
                        After::Nothing
                    }
                    Next::AskIoThread => {
                        leave(core, outbox, dirty, pipe);
                        After::more(More { ask: vec![pipe], ..More::default() })
                    }
                })
            }
            Outlet::Ring(outlet) => {
                if !outlet.has_room() {
                    return None;
                }
                if framing != Framing::AsIs || !push_whole(outlet, outgoing) {
                    let message = framed(outgoing, framing, sender.prefix(dialogue), bump);
                    outlet.push(message).expect("there is room, and nobody else pushes");
                }
                Some(match outlet.sleeper() {
                    None => After::Nothing,
                    Some(peer) => After::more(More { wake: vec![peer], ..More::default() }),
                })
            }
        }
    }

    /// Nobody tells when a ring has room again, so the next send looks.
    #[cold]
    pub(crate) fn look_at_full_rings(&mut self) {
        let SendSide { sender, outlets, full_rings, watched, .. } = self;
        full_rings.retain(|&pipe| match outlets.get_mut(pipe) {
            Some(Outlet::Ring(outlet)) => {
                let has_room = outlet.has_room_again();
                if has_room {
                    sender.set_writable(pipe, true);
                }
                !has_room
            }
            // See `watch`.
            _ => *watched && pipe.is_null(),
        });
    }

    fn count_drop(&mut self, reason: DropReason) {
        self.sent.messages += 1;
        match reason {
            // Those of publishers are counted by the pattern, for each peer that was left out.
            DropReason::HighWaterMark if self.fans_out => {}
            DropReason::HighWaterMark => self.sent.at_high_water_mark += 1,
            _ => self.sent.without_receiver += 1,
        }
    }
}

/// Conflation: what nobody has begun to write gives way to the newest message.
#[cold]
pub(super) fn replace_queued(outbox: &mut Outbox, sent: &mut Sent) {
    let mut replaced = Vec::new();
    let count = outbox.discard_queued(&mut replaced) as u64;
    sent.at_high_water_mark += count;
    outbox.missed += count;
    drop_later(replaced);
}

/// Whoever receives on this socket flushes it first.
pub(super) fn leave(core: &Core, outbox: &mut Outbox, dirty: &mut Vec<PipeId>, pipe: PipeId) {
    core.unflushed.store(true, Ordering::Relaxed);
    if !std::mem::replace(&mut outbox.listed, true) {
        dirty.push(pipe);
    }
}

fn is_address_only(outgoing: &Outgoing<'_>) -> bool {
    match outgoing {
        Outgoing::Bytes(_) => true,
        Outgoing::Message(message) => !message.is_multipart(),
    }
}

/// The message itself, into a ring. False: there is no room, or it has to be made first.
#[inline]
fn push_whole(outlet: &mut RingOutlet, outgoing: &mut Outgoing<'_>) -> bool {
    match outgoing {
        Outgoing::Bytes(bytes) => outlet.push_bytes(bytes),
        Outgoing::Message(message) => push_message(outlet, message),
    }
}

#[inline(never)]
fn push_message(outlet: &mut RingOutlet, message: &mut Message) -> bool {
    if !message.is_multipart()
        && message.first().len() <= SHORT_BODY_MAX
        && !message.first().is_lent()
        && outlet.push_bytes(message.first())
    {
        return true;
    }
    if !outlet.has_room() || (outlet.one_part_only && message.is_multipart()) {
        return false;
    }
    outlet.push(std::mem::take(message)).expect("there is room, and nobody else pushes");
    true
}

/// The message itself, to go through a ring. An address that is left out stays with the caller, who drops it.
fn framed(outgoing: &mut Outgoing<'_>, framing: Framing, prefix: &[Part], bump: &mut Bump) -> Message {
    let message = match outgoing {
        Outgoing::Bytes(bytes) => Message::from(bump.part(bytes)),
        Outgoing::Message(message) => std::mem::take(*message),
    };
    match framing {
        Framing::AsIs => message,
        Framing::SkipFirst => {
            let (address, rest) = message.split_first();
            if let Outgoing::Message(place) = outgoing {
                **place = Message::from(address);
            }
            rest.expect("an address alone was turned away before")
        }
        Framing::Prefix => Message::from_parts(prefix.iter().cloned().chain(message.into_parts())),
    }
}

/// Frames the message; the caller keeps it, so that nothing is dropped under the lock. False: all but its last part, which is large
/// and can be written from where it lies.
fn append(
    outbox: &mut Outbox,
    outgoing: &Outgoing<'_>,
    framing: Framing,
    prefix: &[Part],
    pool: &mut ArenaPool,
) -> bool {
    if framing == Framing::Prefix {
        prefix.iter().for_each(|part| outbox.append_part(part.clone(), true, pool));
    }
    match outgoing {
        Outgoing::Bytes(bytes) => {
            if outbox.can_lend(bytes.len()) {
                return false;
            }
            outbox.append_bytes(bytes, pool);
        }
        Outgoing::Message(message) => {
            let skipped = usize::from(framing == Framing::SkipFirst);
            let mut left = message.part_count() - skipped;
            for part in message.iter().skip(skipped) {
                left -= 1;
                if left == 0 && outbox.can_lend(part.len()) {
                    return false;
                }
                outbox.append_part(part.clone(), left > 0, pool);
            }
        }
    }
    true
}

pub(super) fn encode(outgoing: &Outgoing<'_>, into: &mut Vec<u8>) {
    match outgoing {
        Outgoing::Bytes(bytes) => frame::put_frame(into, false, bytes),
        Outgoing::Message(message) => {
            let mut left = message.part_count();
            for part in message.iter() {
                left -= 1;
                frame::put_frame(into, left > 0, part);
            }
        }
    }
}

#[cold]
pub(super) fn refused(core: &Core, refusal: Refusal, outgoing: &Outgoing<'_>) -> Error {
    match refusal {
        Refusal::WrongState(why) => Error::WrongState { why },
        Refusal::Unroutable => Error::Unroutable { routing_id: outgoing.first().to_vec() },
        _ => Error::NotSupported { what: "send", socket_type: core.kind },
    }
}
