//! Steering a proxy through a socket, with the words that libzmq has for it.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::Waker;

use serverlink_message::{Message, Part, SocketType};

use super::Shared;
use super::flow::Place;
use super::statistics::ProxyStatistics;
use crate::error::Error;
use crate::payload::Outgoing;
use crate::socket::core::Core;
use crate::socket::drive::For;

/// The socket that commands come from.
pub(super) struct Control {
    core: Arc<Core>,
    /// An answer for which there was no room yet. No command is read before it went.
    answer: Option<Message>,
    place: Place,
}

impl Control {
    pub(super) fn new(core: &Arc<Core>) -> Control {
        Control { core: Arc::clone(core), answer: None, place: Place::default() }
    }

    /// Carries out all commands that are there, up to one that terminates. With a waker it waits for more. False: there was none.
    pub(super) fn obey(&mut self, shared: &Shared, waker: Option<&Waker>) -> Result<bool, Error> {
        if self.place.is_quiet() {
            return Ok(false);
        }
        if let Some(waker) = waker {
            let what = if self.answer.is_some() { For::Credit } else { For::Message };
            self.place.take(&self.core, what, waker);
        }
        let mut any = false;
        while self.send_answer()? && !shared.terminated.load(Ordering::Relaxed) {
            let Some(command) = self.receive()? else { break };
            any = true;
            self.carry_out(&command, shared);
        }
        if any {
            self.place.give_up();
        }
        self.core.pass_on(For::Message);
        Ok(any)
    }

    fn receive(&self) -> Result<Option<Message>, Error> {
        match self.core.try_recv_once()? {
            Some(command) => Ok(Some(command)),
            None => self.core.recv_polling(),
        }
    }

    fn carry_out(&mut self, command: &Message, shared: &Shared) {
        let word = if command.is_multipart() { &[][..] } else { command.first().as_bytes() };
        if word == b"STATISTICS" {
            self.answer = Some(as_parts(shared.counters.snapshot()));
            return;
        }
        match word {
            b"PAUSE" => shared.pause(true),
            b"RESUME" => shared.pause(false),
            b"TERMINATE" => shared.terminate(),
            _ => {}
        }
        // It must answer before it can receive again.
        self.answer = (self.core.kind == SocketType::Rep).then(Message::new);
    }

    /// False: it has to wait for room.
    fn send_answer(&mut self) -> Result<bool, Error> {
        let Some(answer) = &mut self.answer else { return Ok(true) };
        let sent = !self.core.kind.can_send() || self.core.try_send(&mut Outgoing::Message(answer), false)?;
        if sent {
            self.answer = None;
            self.core.flush();
        }
        Ok(sent)
    }

    pub(super) fn stop_waiting(&mut self) {
        self.place.give_up();
    }
}

/// As libzmq writes them: for each side what it received and what it sent, messages before bytes.
fn as_parts(statistics: ProxyStatistics) -> Message {
    let sides = [statistics.frontend, statistics.backend];
    let numbers = sides.map(|side| [side.received, side.received_bytes, side.sent, side.sent_bytes]);
    Message::from_parts(numbers.as_flattened().iter().map(|number| Part::from(number.to_ne_bytes().to_vec())))
}
