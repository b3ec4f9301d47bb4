//! The input of one connection: received bytes, out of which messages are cut when they are taken.
//!
//! Two cursors. *Take* hands messages out. *Scan* goes ahead of it for an absent application: it
//! validates, hands commands out once, and counts whole messages. An application that keeps taking
//! moves both together and looks at each header once.

use std::collections::VecDeque;

use serverlink_message::chunk::Slice;
use serverlink_message::{Message, Part};
use serverlink_patterns::PipeId;
use serverlink_zmtp::error::WireError;
use serverlink_zmtp::frame::{self, Header, MAX_HEADER_LEN, Parsed};
use serverlink_zmtp::limits::Limits;
use serverlink_zmtp::meter::MessageMeter;

use super::high_water::HighWater;
use super::lane::{RecvLane, cut_body};

/// A cut frame that waits for its rest is copied out of its chunk up to this size, so that a
/// connection that falls silent does not keep a chunk alive.
const COPY_OUT_BYTES: usize = 4096;

/// Segments below this length are worth joining.
const SHORT_BYTES: usize = 1024;

/// So many segments are worth a look whether they can be joined.
const SCATTERED: usize = 128;

/// Frames with bodies from this size on are read into one piece of memory.
const LARGE_BYTES: u64 = 16 * 1024;

/// See the module's page.
pub(crate) struct Inbox {
    segments: VecDeque<Slice>,
    /// Unread bytes in `segments`.
    bytes: usize,
    /// All that ever came, counted for each read.
    received_bytes: u64,
    /// Messages that were taken out; counted by whoever takes.
    pub(crate) taken: u64,
    /// How far scan is ahead of take, in bytes: a frame's boundary.
    scanned: usize,
    /// Whole messages in the scanned bytes.
    whole: usize,
    /// Holds the message that scan is in the middle of to the limits.
    meter: MessageMeter,
    limits: Limits,
    /// Where the reader stops for an absent application, in whole messages, or in bytes with a whole message among them.
    high_water: HighWater,
    /// The reader stopped there, and has to be told to go on.
    paused: bool,
    ended: bool,
    ended_with: usize,
    /// With so many segments short ones are joined.
    scattered_from: usize,
    /// Found while taking, not handed out yet.
    commands: VecDeque<Part>,
}

/// A large frame of which a part is here, at the end of what came.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Cut {
    /// Octets that are here, header included.
    pub(crate) have: usize,
    /// Octets of the whole frame. 0: no large frame is cut.
    pub(crate) need: usize,
    /// Octets that came in all, this frame's and others': what this peer may make us reserve grows with it.
    pub(crate) earned: usize,
}

/// What [`Inbox::take`] found.
pub(crate) enum Taken {
    /// A message, written to where the caller wants it: moving it through a return value costs more than cutting it
    /// out.
    Message,
    /// A command's body. Take again afterwards.
    Command(Part),
    /// No whole message.
    Nothing,
}

impl Inbox {
    pub(crate) fn new(mut limits: Limits, high_water: HighWater) -> Inbox {
        // Take looks only at this one where a message is one frame.
        limits.max_frame_bytes = limits.max_frame_bytes.min(limits.max_message_bytes);
        Inbox {
            segments: VecDeque::new(),
            bytes: 0,
            received_bytes: 0,
            taken: 0,
            scanned: 0,
            whole: 0,
            meter: MessageMeter::new(),
            limits,
            high_water,
            paused: false,
            ended: false,
            ended_with: 0,
            scattered_from: SCATTERED,
            commands: VecDeque::new(),
        }
    }

    pub(crate) fn set_high_water(&mut self, high_water: HighWater) {
        self.high_water = high_water;
    }

    /// For the connection that begins: before ZMTP 3.0 there are no commands, so each is longer than it may be.
    pub(crate) fn allow_commands(&mut self, allowed: bool) {
        self.limits.max_command_bytes = if allowed { Limits::default().max_command_bytes } else { 0 };
    }

    // ---- filling

    /// Takes in what was read, in order.
    #[inline]
    pub(crate) fn handle_input(&mut self, slice: Slice) {
        self.bytes += slice.len();
        self.received_bytes += slice.len() as u64;
        if let Some(last) = self.segments.back_mut()
            && last.try_join(&slice)
        {
            return;
        }
        self.segments.push_back(slice);
        self.gather_if_scattered();
    }

    /// For a datagram, which comes whole or not at all: whether it may wait here too. Scan to the end before.
    pub(crate) fn has_room_for_datagram(&self) -> bool {
        self.high_water.has_room(self.whole, self.bytes)
    }

    /// Whether a message of so many octets, all its parts together, is not too long.
    pub(crate) fn allows_message(&self, bytes: usize) -> bool {
        bytes as u64 <= self.limits.max_message_bytes
    }

    /// Looks ahead at everything received so far. Commands are handed out, once each.
    pub(crate) fn scan(&mut self, mut on_command: impl FnMut(Part)) -> Result<(), WireError> {
        // Take met these before scan came along.
        self.commands.drain(..).for_each(&mut on_command);
        while let Some((header, header_len)) = self.next_header()? {
            let Some(end) = self.frame_end(self.scanned, header, header_len) else {
                break;
            };
            if header.command {
                on_command(self.cut_out_command(header_len, end)?);
            } else {
                self.count_part(header)?;
                self.scanned = end;
            }
        }
        Ok(())
    }

    fn count_part(&mut self, header: Header) -> Result<(), WireError> {
        self.meter.count(header, &self.limits)?;
        self.whole += usize::from(!header.more);
        Ok(())
    }

    /// The connection is gone: what is not a whole message will never be one.
    /// Scan to the end before.
    pub(crate) fn cut_off(&mut self) {
        let mut keep = self.last_message_end();
        let (mut segments, mut kept) = (VecDeque::new(), 0);
        while let Some(mut slice) = self.segments.pop_front()
            && keep > 0
        {
            let part = slice.split_to(slice.len().min(keep));
            keep -= part.len();
            kept += part.len();
            segments.push_back(part);
        }
        self.segments = segments;
        self.bytes = kept;
        self.scanned = kept;
        self.meter = MessageMeter::new();
    }

    /// Nothing comes after what is here: the pipe goes when that is taken.
    pub(crate) fn end(&mut self) {
        self.ended = true;
        self.ended_with = self.bytes;
    }

    /// How much was unread when it ended.
    pub(crate) fn ended_with(&self) -> usize {
        self.ended_with
    }

    fn last_message_end(&self) -> usize {
        let (mut at, mut end) = (0, 0);
        while at < self.scanned {
            let (header, header_len) = self.scanned_header(at);
            at += header_len + body_len(header);
            if !header.more {
                end = at;
            }
        }
        end
    }

    // ---- taking

    /// Cuts the next message out.
    #[inline]
    pub(crate) fn take(&mut self, into: &mut Message) -> Result<Taken, WireError> {
        // Where scan went ahead, the message at the front is one that it counted.
        if (self.scanned == 0 || self.whole > 0)
            && self.commands.is_empty()
            && let Some(front) = self.segments.front_mut()
            && let Parsed::Complete { header, header_len } = frame::parse_header(front)?
            && !header.more
            && !header.command
            && let body_len = header.body_len_within(&self.limits)?
            && body_len <= front.len() - header_len
        {
            front.advance(header_len);
            cut_body(front, body_len, into);
            if front.is_empty() {
                self.segments.pop_front();
            }
            self.bytes -= header_len + body_len;
            if self.scanned > 0 {
                self.scanned -= header_len + body_len;
                self.whole -= 1;
            }
            return Ok(Taken::Message);
        }
        self.take_slowly(into)
    }

    /// Lends its first bytes out, if what is left of them needs nothing but cutting.
    #[inline]
    pub(crate) fn open_lane(&mut self, pipe: PipeId) -> Option<RecvLane> {
        if self.paused || !self.commands.is_empty() || self.limits.max_frame_bytes < u64::from(u8::MAX) {
            return None;
        }
        let left = match (self.scanned, self.whole) {
            (0, _) => usize::MAX,
            (_, whole) => whole,
        };
        let front = self.segments.pop_front()?;
        Some(RecvLane::over(pipe, front, left, self.limits.max_frame_bytes))
    }

    /// Takes back what it lent.
    pub(crate) fn settle(&mut self, lane: RecvLane) {
        let cut_bytes = lane.lent_bytes - lane.front.len();
        self.bytes -= cut_bytes;
        self.taken += lane.taken as u64;
        if self.scanned > 0 {
            self.scanned -= cut_bytes;
            self.whole -= lane.taken;
        }
        if !lane.front.is_empty() {
            self.segments.push_front(lane.front);
        }
    }

    /// Multipart messages, commands, frames that lie across chunks, and what scan went ahead of.
    fn take_slowly(&mut self, into: &mut Message) -> Result<Taken, WireError> {
        if let Some(end) = self.whole_message_in_front() {
            self.cut_parts(end, into);
            return Ok(Taken::Message);
        }
        let scanned = if self.whole == 0 { self.scan_one_message() } else { Ok(()) };
        if let Some(command) = self.commands.pop_front() {
            return Ok(Taken::Command(command));
        }
        // It comes again: scan stays before what is wrong.
        scanned?;
        if self.whole == 0 {
            self.copy_out_rest();
            return Ok(Taken::Nothing);
        }
        *into = self.cut_message()?;
        Ok(Taken::Message)
    }

    /// Where a message of several parts ends that lies in the first segment, and which scan has not seen. What is wrong
    /// with it, or in its way, is for scan to say.
    fn whole_message_in_front(&self) -> Option<usize> {
        if self.scanned > 0 || !self.commands.is_empty() {
            return None;
        }
        let front = self.segments.front()?;
        let (mut meter, mut at) = (MessageMeter::new(), 0);
        loop {
            match frame::parse_header(front.get(at..)?) {
                Ok(Parsed::Complete { header, header_len }) if !header.command => {
                    at += header_len + meter.count(header, &self.limits).ok()?;
                    if !header.more {
                        return (at <= front.len()).then_some(at);
                    }
                }
                _ => return None,
            }
        }
    }

    /// Cuts out the message that ends at `end` of the first segment.
    fn cut_parts(&mut self, end: usize, into: &mut Message) {
        let front = self.segments.front_mut().expect("the message lies there");
        let left = front.len() - end;
        *into = Message::from(cut_part(front));
        while front.len() > left {
            into.push_back(cut_part(front));
        }
        if front.is_empty() {
            self.segments.pop_front();
        }
        self.bytes -= end;
    }

    /// Moves scan over one whole message, if there is one. Commands on the way, which some peers
    /// also send between the parts of a message, are kept for take.
    fn scan_one_message(&mut self) -> Result<(), WireError> {
        while self.whole == 0
            && let Some((header, header_len)) = self.next_header()?
            && let Some(end) = self.frame_end(self.scanned, header, header_len)
        {
            if header.command {
                let command = self.cut_out_command(header_len, end)?;
                self.commands.push_back(command);
            } else {
                self.count_part(header)?;
                self.scanned = end;
            }
        }
        Ok(())
    }

    /// Takes the command that scan stands at out of what waits, so that commands fill no memory while nobody takes.
    fn cut_out_command(&mut self, header_len: usize, end: usize) -> Result<Part, WireError> {
        let command = self.copy_out(self.scanned + header_len, end)?;
        let (mut at, mut left) = (self.scanned, end - self.scanned);
        self.bytes -= left;
        let mut index = 0;
        while left > 0 {
            let slice = &mut self.segments[index];
            if at >= slice.len() {
                at -= slice.len();
                index += 1;
                continue;
            }
            let before = slice.split_to(at);
            let step = slice.len().min(left);
            slice.advance(step);
            left -= step;
            let rest_is_empty = slice.is_empty();
            if rest_is_empty {
                self.segments.remove(index);
            }
            if !before.is_empty() {
                self.segments.insert(index, before);
                index += 1;
            }
            at = 0;
        }
        self.gather_if_scattered();
        Ok(command)
    }

    /// A peer that sends octet by octet, or commands between tiny messages, leaves many short segments: they are
    /// joined, so that neither memory nor walking over them grows out of proportion.
    fn gather_if_scattered(&mut self) {
        if self.segments.len() < self.scattered_from {
            return;
        }
        let mut gathered = VecDeque::new();
        let mut short = Vec::new();
        for slice in self.segments.drain(..) {
            if slice.len() < SHORT_BYTES {
                short.extend_from_slice(&slice);
                continue;
            }
            if !short.is_empty() {
                gathered.push_back(Slice::from(std::mem::take(&mut short)));
            }
            gathered.push_back(slice);
        }
        if !short.is_empty() {
            gathered.push_back(Slice::from(short));
        }
        self.scattered_from = SCATTERED.max(2 * gathered.len());
        self.segments = gathered;
    }

    /// A message for which there is no memory is skipped, all its parts: what came behind it can still be taken.
    fn cut_message(&mut self) -> Result<Message, WireError> {
        let mut message: Option<Message> = None;
        let mut failure = None;
        loop {
            let (header, header_len) = self.scanned_header(0);
            self.skip(header_len);
            match (self.cut_bytes(body_len(header)), &mut message) {
                (Ok(part), None) => message = Some(Message::from(part)),
                (Ok(part), Some(message)) => message.push_back(part),
                (Err(error), _) => failure = Some(error),
            }
            self.scanned -= body_len(header);
            if !header.more {
                self.whole -= 1;
                return match failure {
                    None => Ok(message.expect("the first part was just put in")),
                    Some(error) => Err(error),
                };
            }
        }
    }

    fn skip(&mut self, count: usize) {
        self.skip_bytes(count);
        self.scanned -= count;
    }

    fn skip_bytes(&mut self, mut count: usize) {
        self.bytes -= count;
        while count > 0 {
            let front = self.segments.front_mut().expect("`bytes` counts what the segments hold");
            let step = front.len().min(count);
            front.advance(step);
            count -= step;
            if front.is_empty() {
                self.segments.pop_front();
            }
        }
    }

    fn cut_bytes(&mut self, count: usize) -> Result<Part, WireError> {
        match self.segments.front_mut() {
            Some(front) if front.len() >= count => {
                let part = front.split_to_part(count);
                if front.is_empty() {
                    self.segments.pop_front();
                }
                self.bytes -= count;
                Ok(part)
            }
            _ => {
                let part = self.copy_out(0, count);
                self.skip_bytes(count);
                part
            }
        }
    }

    /// What waits for its rest is little and may wait long: it must not pin a chunk.
    fn copy_out_rest(&mut self) {
        if self.bytes > 0 && self.bytes <= COPY_OUT_BYTES {
            let mut rest = Vec::with_capacity(self.bytes);
            for slice in self.segments.drain(..) {
                rest.extend_from_slice(&slice);
            }
            self.segments.push_back(Slice::from(rest));
        }
    }

    // ---- reading at an offset, over the seams of the segments

    /// The header that scan comes to next, held to the limits before its body is here.
    #[inline]
    fn next_header(&self) -> Result<Option<(Header, usize)>, WireError> {
        let found = self.header_at(self.scanned)?;
        match found {
            Some((header, _)) if header.command => header.body_len_within(&self.limits)?,
            Some((header, _)) => self.meter.clone().count(header, &self.limits)?,
            None => return Ok(None),
        };
        Ok(found)
    }

    /// A header that scan has seen.
    fn scanned_header(&self, at: usize) -> (Header, usize) {
        let header = self.header_at(at).expect("scan accepted this header");
        header.expect("scan saw the whole frame")
    }

    fn header_at(&self, at: usize) -> Result<Option<(Header, usize)>, WireError> {
        if let Some(front) = self.segments.front().and_then(|front| front.get(at..))
            && let Parsed::Complete { header, header_len } = frame::parse_header(front)?
        {
            return Ok(Some((header, header_len)));
        }
        let mut octets = [0; MAX_HEADER_LEN];
        let len = self.peek(at, &mut octets);
        match frame::parse_header(&octets[..len])? {
            Parsed::Complete { header, header_len } => Ok(Some((header, header_len))),
            Parsed::Incomplete { .. } => Ok(None),
        }
    }

    /// The offset behind a frame, if all of it is here.
    fn frame_end(&self, at: usize, header: Header, header_len: usize) -> Option<usize> {
        let end = at.checked_add(header_len)?.checked_add(usize::try_from(header.body_len).ok()?)?;
        (end <= self.bytes).then_some(end)
    }

    fn peek(&self, mut at: usize, into: &mut [u8]) -> usize {
        let mut filled = 0;
        for slice in &self.segments {
            if at >= slice.len() {
                at -= slice.len();
                continue;
            }
            let step = (slice.len() - at).min(into.len() - filled);
            into[filled..filled + step].copy_from_slice(&slice[at..at + step]);
            filled += step;
            at = 0;
            if filled == into.len() {
                break;
            }
        }
        filled
    }

    /// It may be much, and the memory for it may not be there.
    fn copy_out(&self, from: usize, to: usize) -> Result<Part, WireError> {
        let mut bytes = Vec::new();
        let size = to - from;
        bytes.try_reserve_exact(size).map_err(|_| WireError::NoMemory { size: size as u64 })?;
        let mut before = from;
        for slice in &self.segments {
            let start = before.min(slice.len());
            before -= start;
            let end = slice.len().min(start + (size - bytes.len()));
            bytes.extend_from_slice(&slice[start..end]);
            if bytes.len() == size {
                break;
            }
        }
        debug_assert_eq!(bytes.len(), size, "the frame is here");
        Ok(Part::from(bytes))
    }

    // ---- large frames, which want to lie in one piece

    /// The large frame that is cut, as far as take or scan came to it.
    #[inline]
    pub(crate) fn cut(&self) -> Cut {
        let have = self.bytes - self.scanned;
        if have == 0 {
            return Cut::default();
        }
        match self.next_header() {
            Ok(Some((header, header_len))) if header.body_len >= LARGE_BYTES => {
                let need = usize::try_from(header.body_len).map_or(0, |len| len.saturating_add(header_len));
                let earned = usize::try_from(self.received_bytes).unwrap_or(usize::MAX);
                if need > have { Cut { have, need, earned } } else { Cut::default() }
            }
            // What is wrong with it is told where it is taken.
            _ => Cut::default(),
        }
    }

    /// Takes the cut frame's octets out, to be brought back in other memory by [`put_back`](Inbox::put_back) before more comes.
    pub(crate) fn take_cut(&mut self, into: &mut Vec<u8>) {
        let mut keep = self.scanned;
        self.segments.retain_mut(|slice| {
            let kept = slice.len().min(keep);
            into.extend_from_slice(&slice[kept..]);
            slice.truncate(kept);
            keep -= kept;
            kept > 0
        });
        self.bytes = self.scanned;
    }

    /// See [`take_cut`](Inbox::take_cut).
    pub(crate) fn put_back(&mut self, cut: Slice) {
        self.bytes += cut.len();
        self.segments.push_back(cut);
    }

    // ---- looking

    /// Messages that scan has counted.
    pub(crate) fn whole_messages(&self) -> usize {
        self.whole
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.bytes == 0
    }

    pub(crate) fn has_ended(&self) -> bool {
        self.ended
    }

    /// The reader asks before it reads for an absent application. `true`: stop; it will be told.
    pub(crate) fn pause_if_full(&mut self) -> bool {
        self.paused = self.whole > 0 && !self.high_water.has_room(self.whole, self.bytes);
        self.paused
    }

    /// After taking: whether a paused reader should go on, told once.
    pub(crate) fn resume_if_drained(&mut self) -> bool {
        // Without a whole message there is nothing to take that could make more room.
        let drained = self.whole <= self.high_water.messages / 2 && self.bytes <= self.high_water.bytes / 2;
        let resume = self.paused && (self.whole == 0 || drained);
        if resume {
            self.paused = false;
        }
        resume
    }

    pub(crate) fn unread_bytes(&self) -> usize {
        self.bytes
    }

    /// All bytes that ever came, commands included.
    pub(crate) fn received_bytes(&self) -> u64 {
        self.received_bytes
    }

    pub(crate) fn is_paused(&self) -> bool {
        self.paused
    }
}

/// Only for frames whose body is in memory.
fn body_len(header: Header) -> usize {
    usize::try_from(header.body_len).expect("the frame is in memory")
}

/// The part in front of `front`, which is whole.
fn cut_part(front: &mut Slice) -> Part {
    match frame::parse_header(front) {
        Ok(Parsed::Complete { header, header_len }) => {
            front.advance(header_len);
            front.split_to_part(body_len(header))
        }
        _ => unreachable!("its header was looked at before"),
    }
}

#[cfg(test)]
mod tests;
