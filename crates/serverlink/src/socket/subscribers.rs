//! What subscribers ask of a publisher, and what an XPUB's application is told of it.

use std::sync::Arc;

use serverlink_message::{Message, SocketType};
use serverlink_patterns::{PipeId, Subject, Upstream};
use serverlink_zmtp::WireError;

use super::core::{Core, PeerEnd, RecvSide};
use super::subscribe::bad_glob;
use crate::error::Error;
use crate::monitor::{Cause, EventKind};
use crate::reactor::Farewell;

const TOO_MANY_SUBSCRIPTIONS: &str = "it subscribed to more topics than one peer may";

/// A message that comes from the library.
pub(crate) struct Queued {
    pub(crate) message: Message,
    pub(crate) about: About,
}

/// Of whom such a message tells.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum About {
    Nobody,
    /// XPUB in manual mode: of this subscriber, or of one that is gone.
    Subscriber(Option<PipeId>),
}

impl Core {
    /// A subscriber subscribed or cancelled.
    ///
    /// # Errors
    /// Why it must not go on: nothing was changed, and its connection has to end.
    pub(crate) fn handle_subscription(
        &self,
        pipe: PipeId,
        subscribe: bool,
        subject: Subject<'_>,
    ) -> Result<(), String> {
        let (told, is_manual) = {
            let mut send = self.send.lock();
            if subscribe && !self.has_room_for(&send.sender, pipe, subject) {
                send.sent.refused_subscriptions += 1;
                return Err(TOO_MANY_SUBSCRIPTIONS.to_owned());
            }
            let told = match subscribe {
                true => send.sender.handle_subscribe(pipe, subject).map_err(|bad| bad.to_string())?,
                false => send.sender.handle_cancel(pipe, subject),
            };
            (told, send.sender.is_manual())
        };
        if let (Some(message), SocketType::Xpub) = (told, self.kind) {
            let about = if is_manual { About::Subscriber(Some(pipe)) } else { About::Nobody };
            self.recv.lock().queue_about(message, about);
            self.readers.notify_one();
        }
        if !subscribe && self.settings.lock().xpub_no_drop {
            // Who waited for this subscriber need not any more.
            self.notify_writers();
        }
        self.observers.notify_all();
        Ok(())
    }

    /// Whether one more subscription keeps the peer within its limits. One that it has costs nothing.
    fn has_room_for(&self, sender: &serverlink_patterns::Sender, pipe: PipeId, subject: Subject<'_>) -> bool {
        let (Subject::Topic(name) | Subject::Glob(name)) = subject;
        let load = sender.subscription_load(pipe);
        let fits = load.topics < self.options.max_subscriptions as usize
            && load.bytes + name.len() as u64 <= self.options.max_subscription_bytes;
        fits || sender.has_asked(pipe, subject)
    }

    /// What a peer asked for over a wire.
    pub(crate) fn take_request(&self, pipe: PipeId, subscribe: bool, subject: Subject<'_>) {
        if let Err(why) = self.handle_subscription(pipe, subscribe, subject) {
            self.break_pipe_because(pipe, why);
        }
    }

    /// A message that came up to a publisher: subscriptions in the form of ZMTP 3.0, or for XPUB's application.
    pub(crate) fn handle_upstream(&self, pipe: PipeId, message: Message) -> Result<(), WireError> {
        if self.kind == SocketType::Radio {
            self.pass_up(message);
            return Ok(());
        }
        let looked_at = if self.options.only_first_subscribe { 1 } else { message.part_count() };
        let is_subscription = |part: &[u8]| Upstream::of(part, false) != Upstream::Message;
        if !message.iter().take(looked_at).any(|part| is_subscription(part)) {
            self.pass_up(message);
            return Ok(());
        }
        let mut rest = Vec::new();
        for (index, part) in message.iter().enumerate() {
            match Upstream::of(part, false) {
                Upstream::Subscribe(subject) if index < looked_at => {
                    self.limits().check_topic(&part[1..])?;
                    self.take_request(pipe, true, subject);
                }
                Upstream::Cancel(subject) if index < looked_at => self.take_request(pipe, false, subject),
                _ => rest.push(part.clone()),
            }
        }
        if !rest.is_empty() {
            self.pass_up(Message::from_parts(rest));
        }
        Ok(())
    }

    /// A message of a subscriber's application, which only XPUB's has a use for.
    fn pass_up(&self, message: Message) {
        let mut recv = self.recv.lock();
        if self.kind == SocketType::Xpub && recv.queued.len() < self.recv_high_water().messages {
            recv.queue(message);
            drop(recv);
            self.readers.notify_one();
        } else {
            recv.received.discarded += 1;
        }
    }

    /// Over inproc no connection can be ended, so both sides forget the other.
    pub(super) fn part_from(self: &Arc<Self>, pipe: PipeId, end: &PeerEnd, why: String) {
        let endpoint = end.core.topology.lock().pipes.get(end.pipe).map(|entry| entry.endpoint.clone());
        self.lose_inproc_peer(pipe);
        end.core.lose_inproc_peer(end.pipe);
        if let Some(endpoint) = endpoint {
            let event = |peer: &Core| EventKind::Disconnected {
                endpoint: endpoint.clone(),
                registration: 0,
                peer_address: None,
                socket_type: Some(peer.kind),
                routing_id: peer.options.routing_id.clone(),
                cause: Cause::Refused,
                reason: Farewell::TurnedAway(why.clone()).to_string(),
            };
            end.core.monitor.tell(|| event(self));
            self.monitor.tell(|| event(&end.core));
        }
    }

    /// What is told of a subscriber that is gone.
    pub(super) fn queue_departure(&self, recv: &mut RecvSide, notices: Vec<Message>) {
        let is_manual = self.is_in_manual_mode();
        let about = if is_manual { About::Subscriber(None) } else { About::Nobody };
        notices.into_iter().for_each(|message| recv.queue_about(message, about));
    }

    // ---- manual mode

    fn is_in_manual_mode(&self) -> bool {
        let settings = self.settings.lock();
        settings.xpub_manual || settings.xpub_manual_last_value
    }

    pub(super) fn check_manual(&self) -> Result<(), Error> {
        self.check_open()?;
        if self.kind != SocketType::Xpub {
            return Err(Error::NotSupported { what: "subscribe its peers", socket_type: self.kind });
        }
        match self.is_in_manual_mode() {
            true => Ok(()),
            false => {
                let why = "only in manual mode the application subscribes its peers";
                Err(Error::invalid_option("xpub_manual", false, why))
            }
        }
    }

    /// False if the peer is gone.
    pub(super) fn decide_for(
        &self,
        peer: Option<PipeId>,
        subscribe: bool,
        subject: Subject<'_>,
    ) -> Result<bool, Error> {
        self.check_manual()?;
        self.check_subject(subject)?;
        let is_there = {
            let mut send = self.send.lock();
            let Some(pipe) = peer.or_else(|| send.sender.last_subscriber()) else { return Ok(false) };
            match subscribe {
                true => send.sender.subscribe_peer(pipe, subject).map_err(|bad| bad_glob(subject, bad))?,
                false => send.sender.unsubscribe_peer(pipe, subject),
            }
        };
        if !subscribe && self.settings.lock().xpub_no_drop {
            self.notify_writers();
        }
        self.observers.notify_all();
        Ok(is_there)
    }
}
