use serverlink_message::{Message, Part};

use crate::{DropReason, PatternOptions, PipeId, Refusal, Verdict};

/// REQ's side of a dialogue: one request, then its reply.
#[derive(Debug)]
pub(crate) struct Request {
    correlate: bool,
    relaxed: bool,
    /// The number of the last request that was sent.
    number: u32,
    awaiting: Option<Peer>,
    reserved: Option<Peer>,
    /// What the reserved request starts with: its number if asked for, then the delimiter.
    prefix: Vec<Part>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Peer {
    Pipe(PipeId),
    Gone,
}

impl Request {
    pub(crate) fn new(options: &PatternOptions, seed: u32) -> Request {
        Request {
            correlate: options.req_correlate,
            relaxed: options.req_relaxed,
            number: seed,
            awaiting: None,
            reserved: None,
            prefix: Vec::with_capacity(2),
        }
    }

    pub(crate) fn reconfigure(&mut self, options: &PatternOptions) {
        self.correlate = options.req_correlate;
        self.relaxed = options.req_relaxed;
    }

    pub(crate) fn check_send(&self) -> Result<(), Refusal> {
        if self.awaiting.is_some() && !self.relaxed {
            return Err(Refusal::WrongState(
                "a REQ socket must receive the reply before it sends the next request",
            ));
        }
        Ok(())
    }

    pub(crate) fn check_receive(&self) -> Result<(), Refusal> {
        match self.awaiting {
            Some(_) => Ok(()),
            None => Err(Refusal::WrongState("a REQ socket must send a request before it receives")),
        }
    }

    pub(crate) fn reserve(&mut self, pipe: PipeId) {
        self.reserved = Some(Peer::Pipe(pipe));
        self.prefix.clear();
        if self.correlate {
            self.prefix.push(Part::copy_from(&self.next_number().to_be_bytes()));
        }
        self.prefix.push(Part::new());
    }

    pub(crate) fn commit(&mut self) {
        if let Some(peer) = self.reserved.take() {
            self.number = self.next_number();
            self.awaiting = Some(peer);
        }
    }

    pub(crate) fn rollback(&mut self) {
        self.reserved = None;
    }

    pub(crate) fn handle(&mut self, pipe: PipeId, message: &mut Message) -> Verdict {
        let Some(peer) = self.awaiting else {
            return Verdict::Discard(DropReason::OutOfTurn);
        };
        // The number proves what the pipe otherwise has to: a peer that came back on a new pipe may still answer.
        let may_answer = peer == Peer::Pipe(pipe) || (peer == Peer::Gone && self.correlate);
        if !may_answer {
            return Verdict::Discard(DropReason::UnexpectedReply);
        }
        match self.envelope_len(message) {
            Ok(len) => {
                for _ in 0..len {
                    message.pop_front().expect("a body follows the envelope, which was just checked");
                }
                self.awaiting = None;
                Verdict::Deliver
            }
            Err(reason) => Verdict::Discard(reason),
        }
    }

    pub(crate) fn on_detach(&mut self, pipe: PipeId) {
        for peer in [&mut self.awaiting, &mut self.reserved].into_iter().flatten() {
            if *peer == Peer::Pipe(pipe) {
                *peer = Peer::Gone;
            }
        }
    }

    pub(crate) fn is_reply_lost(&self) -> bool {
        self.awaiting == Some(Peer::Gone)
    }

    pub(crate) fn prefix(&self) -> &[Part] {
        &self.prefix
    }

    fn next_number(&self) -> u32 {
        self.number.wrapping_add(1)
    }

    /// How many parts stand in front of the reply's body.
    fn envelope_len(&self, message: &Message) -> Result<usize, DropReason> {
        let mut len = 0;
        if self.correlate {
            if message.first().as_bytes() != self.number.to_be_bytes() {
                return Err(DropReason::UnexpectedReply);
            }
            len = 1;
        }
        match message.part(len) {
            Some(delimiter) if delimiter.is_empty() && message.part_count() > len + 1 => Ok(len + 1),
            _ => Err(DropReason::MalformedEnvelope),
        }
    }
}
