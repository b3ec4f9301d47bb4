use std::mem;

use serverlink_message::{Message, Part};

use crate::{DropReason, PipeId, Refusal, Verdict};

/// REP's side of a dialogue: one request, then the reply to whoever asked.
#[derive(Debug, Default)]
pub(crate) struct Reply {
    owed: Option<Asker>,
    /// The address parts and the delimiter of the request, to be written in front of the reply.
    envelope: Vec<Part>,
}

/// Who waits for the reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asker {
    Pipe(PipeId),
    Gone,
}

impl Reply {
    pub(crate) fn check_send(&self) -> Result<Asker, Refusal> {
        self.owed.ok_or(Refusal::WrongState("a REP socket must receive a request before it sends"))
    }

    pub(crate) fn check_receive(&self) -> Result<(), Refusal> {
        match self.owed {
            None => Ok(()),
            Some(_) => Err(Refusal::WrongState(
                "a REP socket must send its reply before it receives the next request",
            )),
        }
    }

    /// The reply is on its way, or dropped: the next request may come.
    pub(crate) fn finish(&mut self) {
        self.owed = None;
        self.envelope.clear();
    }

    pub(crate) fn handle(&mut self, pipe: PipeId, message: &mut Message) -> Verdict {
        if self.owed.is_some() {
            return Verdict::Discard(DropReason::OutOfTurn);
        }
        let Some(delimiter) = delimiter(message) else {
            return Verdict::Discard(DropReason::MalformedEnvelope);
        };
        let origin = message.origin();
        let mut parts = mem::take(message).into_parts();
        self.envelope.extend(parts.by_ref().take(delimiter + 1));
        // The envelope stays until the application answers; it must not pin the chunk it was received in.
        self.envelope.iter_mut().for_each(Part::detach);
        *message = Message::from_parts(parts);
        message.set_origin(origin);
        self.owed = Some(Asker::Pipe(pipe));
        Verdict::Deliver
    }

    pub(crate) fn on_detach(&mut self, pipe: PipeId) {
        if self.owed == Some(Asker::Pipe(pipe)) {
            self.owed = Some(Asker::Gone);
            self.envelope.clear();
        }
    }

    pub(crate) fn envelope(&self) -> &[Part] {
        &self.envelope
    }
}

/// The place of the first empty part, if a body follows it.
fn delimiter(message: &Message) -> Option<usize> {
    let place = message.iter().position(Part::is_empty)?;
    (place + 1 < message.part_count()).then_some(place)
}
