//! Subscriptions, as state of the socket that every publisher is told.

use std::sync::Arc;

use serverlink_message::{Message, SocketType};
use serverlink_patterns::{PipeId, Subject, Tell, Upstream};
use serverlink_zmtp::command::Command;
use serverlink_zmtp::handshake::Peer;
use serverlink_zmtp::subscription;

use super::core::{Core, PeerEnd, Topology};
use crate::error::Error;
use crate::payload::Outgoing;
use crate::pipe::Outlet;
use crate::sync::Guard;
use crate::sync::later::later;

/// A publisher to be told.
enum Publisher {
    Wire { pipe: PipeId, minor: u8, globs: bool },
    Ring { pipe: PipeId, end: PeerEnd },
}

impl Core {
    pub(crate) fn subscribe(self: &Arc<Self>, subject: Subject<'_>) -> Result<(), Error> {
        self.check_can_subscribe("subscribe")?;
        self.check_subject(subject)?;
        let _wake_later = later();
        let topology = self.topology.lock();
        let tell = self.recv.lock().receiver.subscribe(subject).map_err(|bad| bad_glob(subject, bad))?;
        self.tell_publishers(topology, true, subject, &tell);
        Ok(())
    }

    pub(crate) fn unsubscribe(self: &Arc<Self>, subject: Subject<'_>) -> Result<(), Error> {
        self.check_can_subscribe("unsubscribe")?;
        let _wake_later = later();
        let topology = self.topology.lock();
        let tell = self.recv.lock().receiver.unsubscribe(subject);
        self.tell_publishers(topology, false, subject, &tell);
        Ok(())
    }

    fn check_can_subscribe(&self, what: &'static str) -> Result<(), Error> {
        self.check_open()?;
        match self.kind {
            SocketType::Sub | SocketType::Xsub => Ok(()),
            socket_type => Err(Error::NotSupported { what, socket_type }),
        }
    }

    /// Holds what the application asks for to what a peer would take.
    pub(super) fn check_subject(&self, subject: Subject<'_>) -> Result<(), Error> {
        let (Subject::Topic(name) | Subject::Glob(name)) = subject;
        let limits = self.limits();
        limits
            .check_topic(name)
            .map_err(|_| Error::TooLarge { size: name.len() as u64, limit: limits.max_subscription_bytes })
    }

    /// In the order of the subscriptions, for which the topology stays locked until all are told.
    pub(super) fn tell_publishers(
        self: &Arc<Self>,
        topology: Guard<'_, Topology>,
        subscribe: bool,
        subject: Subject<'_>,
        tell: &Tell,
    ) {
        let (mut written, mut turned_away) = (Vec::new(), Vec::new());
        for publisher in self.publishers(&topology) {
            match publisher {
                Publisher::Ring { pipe, end } => {
                    let told = (0..tell.exactly)
                        .try_for_each(|_| end.core.handle_subscription(end.pipe, subscribe, subject));
                    turned_away.extend(told.err().map(|why| (pipe, end, why)));
                }
                Publisher::Wire { pipe, minor, globs } => {
                    if let Some(outbox) = self.send.lock().outbox(pipe)
                        && outbox.is_attached()
                    {
                        if globs {
                            (0..tell.exactly).for_each(|_| put(outbox.control(), minor, subscribe, subject));
                        } else if let Some(topic) = &tell.plainly {
                            put_plain(outbox.control(), self.kind, minor, subscribe, topic);
                        }
                        written.push(pipe);
                    }
                }
            }
        }
        drop(topology);
        written.into_iter().for_each(|pipe| self.write_pipe(pipe));
        turned_away.into_iter().for_each(|(pipe, end, why)| self.part_from(pipe, &end, why));
    }

    fn publishers(&self, topology: &Topology) -> Vec<Publisher> {
        let send = self.send.lock();
        let of_pipe = |(pipe, entry): (PipeId, &super::core::PipeEntry)| match send.outlets.get(pipe)? {
            Outlet::Wire(_) => Some(Publisher::Wire { pipe, minor: entry.minor, globs: entry.globs }),
            Outlet::Ring(outlet) => outlet.peer.clone().map(|end| Publisher::Ring { pipe, end }),
        };
        let hears = |entry: &super::core::PipeEntry| entry.has_peer && !entry.endpoint.is_udp();
        topology.pipes.iter().filter(|(_, entry)| hears(entry)).filter_map(of_pipe).collect()
    }

    /// For a publisher that has just been reached over a wire: all subscriptions, in the form that it knows.
    pub(super) fn subscriptions_for(&self, pipe: PipeId, peer: &Peer) -> Vec<u8> {
        let mut out = Vec::new();
        if !self.subscribes() {
            return out;
        }
        let mut recv = self.recv.lock();
        let put = |subject: Subject<'_>, out: &mut Vec<u8>| put(out, peer.version.minor(), true, subject);
        if peer.globs {
            recv.receiver.set_plain(pipe, false);
            recv.receiver.subscriptions().for_each(|topic| put(Subject::Topic(&topic), &mut out));
            recv.receiver.glob_subscriptions().for_each(|glob| put(Subject::Glob(&glob), &mut out));
        } else {
            recv.receiver.set_plain(pipe, true);
            let minor = peer.version.minor();
            recv.receiver
                .plain_subscriptions()
                .for_each(|topic| put_plain(&mut out, self.kind, minor, true, &topic));
        }
        out
    }

    /// For a publisher that has just been met over inproc. Gives why it turns this subscriber away, if it does.
    pub(super) fn tell_subscriptions(&self, end: &PeerEnd) -> Result<(), String> {
        let (topics, globs): (Vec<_>, Vec<_>) = {
            let recv = self.recv.lock();
            (recv.receiver.subscriptions().collect(), recv.receiver.glob_subscriptions().collect())
        };
        let topics = topics.iter().map(|topic| Subject::Topic(topic));
        let mut subjects = topics.chain(globs.iter().map(|glob| Subject::Glob(glob)));
        subjects.try_for_each(|subject| end.core.handle_subscription(end.pipe, true, subject))
    }

    // ---- XSUB: subscriptions as messages

    /// XSUB: parts of a message may be subscriptions (RFC 29), which are dealt with and taken out. True if nothing is left to send.
    pub(crate) fn take_subscription(self: &Arc<Self>, outgoing: &mut Outgoing<'_>) -> Result<bool, Error> {
        if self.kind != SocketType::Xsub {
            return Ok(false);
        }
        match outgoing {
            Outgoing::Bytes(body) => self.take_one(body),
            Outgoing::Message(message) if !message.is_multipart() => {
                let is_one = self.take_one(message.first())?;
                if is_one {
                    drop(std::mem::take(*message));
                }
                Ok(is_one)
            }
            Outgoing::Message(message) => self.take_parts(message),
        }
    }

    fn take_one(self: &Arc<Self>, part: &[u8]) -> Result<bool, Error> {
        match Upstream::of(part, self.options.glob_messages) {
            Upstream::Subscribe(subject) => self.subscribe(subject).map(|()| true),
            Upstream::Cancel(subject) => self.unsubscribe(subject).map(|()| true),
            Upstream::Message => Ok(false),
        }
    }

    #[cold]
    fn take_parts(self: &Arc<Self>, message: &mut Message) -> Result<bool, Error> {
        let is_subscription =
            |part: &[u8]| Upstream::of(part, self.options.glob_messages) != Upstream::Message;
        let looked_at = if self.options.only_first_subscribe { 1 } else { message.part_count() };
        if !message.iter().take(looked_at).any(|part| is_subscription(part)) {
            return Ok(false);
        }
        // All of them are looked at before the first has an effect: a message that is refused changed nothing.
        for part in message.iter().take(looked_at) {
            if let Upstream::Subscribe(subject) = Upstream::of(part, self.options.glob_messages) {
                self.check_subject(subject)?;
                check_glob(subject)?;
            }
        }
        let mut rest = Vec::new();
        for (index, part) in message.iter().enumerate() {
            if index >= looked_at || !self.take_one(part)? {
                rest.push(part.clone());
            }
        }
        let is_all = rest.is_empty();
        let whole = std::mem::replace(message, Message::from_parts(rest));
        drop(whole);
        Ok(is_all)
    }
}

/// One subscription or cancellation. Globs only for who announced that it knows them.
fn put(out: &mut Vec<u8>, minor: u8, subscribe: bool, subject: Subject<'_>) {
    match (subscribe, subject) {
        (true, Subject::Topic(topic)) => subscription::put_subscribe(out, minor, topic),
        (false, Subject::Topic(topic)) => subscription::put_cancel(out, minor, topic),
        (true, Subject::Glob(glob)) => subscription::put_glob_subscribe(out, glob),
        (false, Subject::Glob(glob)) => subscription::put_glob_cancel(out, glob),
    }
}

/// A topic, or the group of a DISH.
fn put_plain(out: &mut Vec<u8>, kind: SocketType, minor: u8, subscribe: bool, topic: &[u8]) {
    match (kind, subscribe) {
        (SocketType::Dish, true) => Command::Join(topic).put(out),
        (SocketType::Dish, false) => Command::Leave(topic).put(out),
        _ => put(out, minor, subscribe, Subject::Topic(topic)),
    }
}

pub(super) fn bad_glob(subject: Subject<'_>, bad: serverlink_patterns::BadGlob) -> Error {
    let (Subject::Topic(name) | Subject::Glob(name)) = subject;
    Error::InvalidPattern { pattern: name.escape_ascii().to_string(), at: bad.at, why: bad.fault.to_string() }
}

fn check_glob(subject: Subject<'_>) -> Result<(), Error> {
    match subject {
        Subject::Topic(_) => Ok(()),
        Subject::Glob(glob) => {
            serverlink_patterns::Glob::parse(glob).map(drop).map_err(|bad| bad_glob(subject, bad))
        }
    }
}
