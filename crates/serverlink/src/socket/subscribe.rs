//! Subscriptions, as state of the socket that every publisher is told.

use std::sync::Arc;

use serverlink_message::SocketType;
use serverlink_patterns::{PipeId, Receiver, Upstream};
use serverlink_zmtp::subscription;

use super::core::{Core, PeerEnd};
use crate::error::Error;
use crate::payload::Outgoing;
use crate::pipe::Outlet;
use crate::sync::later::later;

/// A publisher to be told.
enum Publisher {
    Wire(PipeId, u8),
    Ring(PeerEnd),
}

impl Core {
    pub(crate) fn subscribe(self: &Arc<Self>, topic: &[u8]) -> Result<(), Error> {
        self.check_can_subscribe("subscribe")?;
        self.limits().check_topic(topic).map_err(|_| self.topic_too_long(topic))?;
        let _wake_later = later();
        let topology = self.topology.lock();
        if self.recv.lock().receiver.subscribe(topic) {
            self.tell_publishers(topology, true, topic);
        }
        Ok(())
    }

    pub(crate) fn unsubscribe(self: &Arc<Self>, topic: &[u8]) -> Result<(), Error> {
        self.check_can_subscribe("unsubscribe")?;
        let _wake_later = later();
        let topology = self.topology.lock();
        if self.recv.lock().receiver.unsubscribe(topic) == Some(true) {
            self.tell_publishers(topology, false, topic);
        }
        Ok(())
    }

    fn check_can_subscribe(&self, what: &'static str) -> Result<(), Error> {
        self.check_open()?;
        match self.subscribes() {
            true => Ok(()),
            false => Err(Error::NotSupported { what, socket_type: self.kind }),
        }
    }

    fn topic_too_long(&self, topic: &[u8]) -> Error {
        Error::TooLarge { size: topic.len() as u64, limit: self.limits().max_subscription_bytes }
    }

    /// In the order of the subscriptions, for which the topology stays locked until all are told.
    fn tell_publishers(
        self: &Arc<Self>,
        topology: std::sync::MutexGuard<'_, super::core::Topology>,
        subscribe: bool,
        topic: &[u8],
    ) {
        let mut wires = Vec::new();
        for publisher in self.publishers(&topology) {
            match publisher {
                Publisher::Ring(peer) => peer.core.handle_subscription(peer.pipe, subscribe, topic),
                Publisher::Wire(pipe, minor) => {
                    if let Some(outbox) = self.send.lock().outbox(pipe)
                        && outbox.is_attached()
                    {
                        match subscribe {
                            true => subscription::put_subscribe(outbox.control(), minor, topic),
                            false => subscription::put_cancel(outbox.control(), minor, topic),
                        }
                        wires.push(pipe);
                    }
                }
            }
        }
        drop(topology);
        wires.into_iter().for_each(|pipe| self.write_pipe(pipe));
    }

    fn publishers(&self, topology: &super::core::Topology) -> Vec<Publisher> {
        let send = self.send.lock();
        let of_pipe = |(pipe, entry): (PipeId, &super::core::PipeEntry)| match send.outlets.get(pipe)? {
            Outlet::Wire(_) => Some(Publisher::Wire(pipe, entry.minor)),
            Outlet::Ring(outlet) => outlet.peer.clone().map(Publisher::Ring),
        };
        topology.pipes.iter().filter(|(_, entry)| entry.has_peer).filter_map(of_pipe).collect()
    }

    /// XSUB: a message of one part may be a subscription (RFC 29). True if it was, and is dealt with.
    pub(crate) fn take_subscription(self: &Arc<Self>, outgoing: &mut Outgoing<'_>) -> Result<bool, Error> {
        if self.kind != SocketType::Xsub {
            return Ok(false);
        }
        let body = match outgoing {
            Outgoing::Bytes(bytes) => *bytes,
            Outgoing::Message(message) if !message.is_multipart() => message.first().as_bytes(),
            Outgoing::Message(_) => return Ok(false),
        };
        match Receiver::classify_upstream(body) {
            Upstream::Subscribe(topic) => self.subscribe(topic)?,
            Upstream::Cancel(topic) => self.unsubscribe(topic)?,
            Upstream::Message => return Ok(false),
        }
        if let Outgoing::Message(message) = outgoing {
            drop(std::mem::take(*message));
        }
        Ok(true)
    }
}
