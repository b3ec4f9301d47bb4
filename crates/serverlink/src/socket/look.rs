//! What could be done now, for those who wait for several sockets: exactly, and without doing it.

use std::sync::Arc;

use serverlink_message::SocketType;
use serverlink_patterns::{PipeId, Reserve};
use slotmap::Key as _;

use super::core::{Core, Met, SendSide};
use super::drive::For;
use super::side::Half;
use crate::error::Error;
use crate::pipe::Outlet;

impl Core {
    /// Whether a send would find room now. A ROUTER that waits for its peers is ready when any of them is.
    pub(crate) fn poll_writable(&self) -> bool {
        let mut guard = self.send.lock();
        let Half { silent, side, .. } = &mut *guard;
        side.look_at_full_rings();
        let mut conversation = self.dialogue.as_ref().map(|dialogue| dialogue.lock());
        let dialogue = conversation.as_deref_mut().unwrap_or(silent);
        loop {
            if !side.sender.is_ready(dialogue) {
                return false;
            }
            // Nobody knows that a ring is full before it is tried; those that take turns are found here.
            if !matches!(
                self.kind,
                SocketType::Push
                    | SocketType::Dealer
                    | SocketType::Pair
                    | SocketType::Req
                    | SocketType::Scatter
                    | SocketType::Client
                    | SocketType::Channel
            ) {
                return true;
            }
            let Reserve::One { pipe, .. } = side.sender.reserve(&[], dialogue) else { return false };
            side.sender.rollback(dialogue);
            if side.has_room(pipe) {
                return true;
            }
            side.sender.set_writable(pipe, false);
            side.full_rings.push(pipe);
        }
    }

    /// Why every call fails from now on, if so.
    pub(crate) fn check_usable(&self) -> Result<(), Error> {
        self.check_open()?;
        self.check_driver()
    }

    /// In a conversation each side's step makes the other possible, and no peer tells of that. Until the next step somebody waits for it.
    pub(crate) fn watch_conversation(&self, what: For) {
        if self.dialogue.is_none() {
            return;
        }
        match what {
            For::Message => self.send.lock().watch(),
            For::Credit => {
                let mut recv = self.recv.lock();
                if !recv.met.iter().any(|met| matches!(met, Met::Watched)) {
                    recv.met.push(Met::Watched);
                }
            }
            For::Change => {}
        }
    }

    /// A wake-up came to somebody who takes nothing, so the next one who waits gets it too.
    pub(crate) fn hand_on(self: &Arc<Self>, what: For) {
        match what {
            For::Credit => self.notify_writers(),
            For::Message | For::Change => self.waiters(what).notify_one(),
        }
    }
}

impl SendSide {
    /// The next send tells whoever waits to receive.
    pub(super) fn watch(&mut self) {
        self.watched = true;
        if !self.full_rings.contains(&PipeId::null()) {
            self.full_rings.push(PipeId::null());
        }
    }

    pub(super) fn has_room(&mut self, pipe: PipeId) -> bool {
        match self.outlets.get_mut(pipe) {
            Some(Outlet::Ring(outlet)) => outlet.has_room(),
            _ => true,
        }
    }
}
