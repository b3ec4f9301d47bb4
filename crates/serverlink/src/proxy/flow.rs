//! One direction of a proxy.

use std::sync::Arc;
use std::task::Waker;

use serverlink_message::Message;

use super::statistics::{Counters, Way};
use crate::error::Error;
use crate::payload::Outgoing;
use crate::socket::core::Core;
use crate::socket::drive::For;
use crate::sync::Registration;

/// Messages that move before the other direction has its turn.
const BATCH: usize = 256;

/// See the module's page.
pub(super) struct Flow {
    from: Arc<Core>,
    to: Arc<Core>,
    way: Way,
    /// Received, and not sent yet.
    held: Option<Message>,
    /// The capturing socket has its copy of what is held.
    is_captured: bool,
    place: Place,
}

/// A place among those who wait for one thing of one socket.
#[derive(Default)]
pub(super) struct Place(Option<(Arc<Core>, For, Registration)>);

impl Flow {
    pub(super) fn new(from: &Arc<Core>, to: &Arc<Core>, way: Way) -> Flow {
        Flow {
            from: Arc::clone(from),
            to: Arc::clone(to),
            way,
            held: None,
            is_captured: false,
            place: Place::default(),
        }
    }

    pub(super) fn take_held(&mut self) -> Option<Message> {
        self.held.take()
    }

    /// Moves a batch, unless it waits and nothing has rung. False: nothing moved.
    pub(super) fn pump(
        &mut self,
        capture: Option<&Arc<Core>>,
        counters: &Counters,
        is_stopped: impl Fn() -> bool,
    ) -> Result<bool, Error> {
        if self.place.is_quiet() { Ok(false) } else { self.try_pump(capture, counters, is_stopped) }
    }

    /// Moves a batch.
    fn try_pump(
        &mut self,
        capture: Option<&Arc<Core>>,
        counters: &Counters,
        is_stopped: impl Fn() -> bool,
    ) -> Result<bool, Error> {
        let mut moved = false;
        for _ in 0..BATCH {
            if is_stopped() || (self.held.is_none() && !self.receive(counters)?) {
                break;
            }
            moved = true;
            if !self.forward(capture, counters)? {
                break;
            }
        }
        if moved {
            self.place.give_up();
        }
        // Others may wait for the same sockets.
        self.from.pass_on(For::Message);
        self.to.pass_on(For::Credit);
        self.to.flush();
        if let Some(capture) = capture {
            capture.flush();
        }
        Ok(moved)
    }

    fn receive(&mut self, counters: &Counters) -> Result<bool, Error> {
        let found = match self.from.try_recv_once()? {
            Some(message) => Some(message),
            None => self.from.recv_polling()?,
        };
        let Some(message) = found else { return Ok(false) };
        counters.on_received(self.way, message.len_bytes() as u64);
        (self.held, self.is_captured) = (Some(message), false);
        Ok(true)
    }

    /// False: what is held has to wait.
    fn forward(&mut self, capture: Option<&Arc<Core>>, counters: &Counters) -> Result<bool, Error> {
        let Some(held) = &mut self.held else { return Ok(true) };
        if let Some(capture) = capture
            && !self.is_captured
        {
            if !try_send(capture, &mut held.clone())? {
                return Ok(false);
            }
            self.is_captured = true;
        }
        let bytes = held.len_bytes() as u64;
        match try_send(&self.to, held) {
            Ok(true) => counters.on_sent(self.way, bytes),
            Ok(false) => return Ok(false),
            // It has nobody to go to, and never will; or a peer sent what the other end has no such messages as.
            Err(Error::Unroutable { .. } | Error::TooLarge { .. } | Error::UnsuitableMessage { .. }) => {
                counters.on_dropped();
            }
            Err(error) => return Err(error),
        }
        self.held = None;
        Ok(true)
    }

    /// Has itself woken when it may go on. True: it moved something, because what came before it was registered rings nobody.
    pub(super) fn wait(
        &mut self,
        capture: Option<&Arc<Core>>,
        counters: &Counters,
        is_stopped: impl Fn() -> bool,
        waker: &Waker,
    ) -> Result<bool, Error> {
        if self.place.is_quiet() {
            return Ok(false);
        }
        let (core, what) = match (&self.held, capture) {
            (None, _) => (&self.from, For::Message),
            (Some(_), Some(capture)) if !self.is_captured => (capture, For::Credit),
            (Some(_), _) => (&self.to, For::Credit),
        };
        self.place.take(core, what, waker);
        self.try_pump(capture, counters, is_stopped)
    }

    pub(super) fn stop_waiting(&mut self) {
        self.place.give_up();
    }

    pub(super) fn cores(&self) -> [&Arc<Core>; 2] {
        [&self.from, &self.to]
    }
}

fn try_send(to: &Arc<Core>, message: &mut Message) -> Result<bool, Error> {
    to.try_send(&mut Outgoing::Message(message), false)
}

impl Place {
    /// Registered, and not rung.
    pub(super) fn is_quiet(&self) -> bool {
        self.0.as_ref().is_some_and(|(_, _, registration)| !registration.is_notified())
    }

    pub(super) fn take(&mut self, core: &Arc<Core>, what: For, waker: &Waker) {
        self.give_up();
        let registration = core.waiters(what).register_task(waker);
        core.flush();
        if let Some(home) = core.home.get() {
            // Nobody waits in a call of that socket, so the I/O thread drives.
            home.rely();
        }
        self.0 = Some((Arc::clone(core), what, registration));
    }

    /// A wake-up that came meanwhile goes to the next who waits.
    pub(super) fn give_up(&mut self) {
        if let Some((core, what, registration)) = self.0.take()
            && registration.withdraw()
        {
            core.hand_on(what);
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.give_up();
    }
}
