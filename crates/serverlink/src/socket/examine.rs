//! What is sent, before its pattern is asked: some types have messages of one shape only, and some of those are requests to the socket itself.

use std::sync::Arc;

use serverlink_message::SocketType;
use serverlink_zmtp::command::MAX_GROUP_LEN;

use super::core::Core;
use super::datagrams::parse_address;
use crate::error::Error;
use crate::payload::Outgoing;

impl Core {
    /// True if the message is dealt with: nothing of it is left to send.
    #[inline(never)]
    pub(crate) fn examine(self: &Arc<Self>, outgoing: &mut Outgoing<'_>) -> Result<bool, Error> {
        if self.kind == SocketType::Xsub {
            return self.take_subscription(outgoing);
        }
        self.check_shape(outgoing)?;
        if self.is_raw() && outgoing.last().is_empty() {
            self.check_open()?;
            self.hang_up(outgoing.first())?;
            if let Outgoing::Message(message) = outgoing {
                drop(std::mem::take(*message));
            }
            return Ok(true);
        }
        Ok(false)
    }

    fn check_shape(&self, outgoing: &Outgoing<'_>) -> Result<(), Error> {
        let unsuitable = |why| Err(Error::UnsuitableMessage { socket_type: self.kind, why });
        let parts = match outgoing {
            Outgoing::Bytes(_) => 1,
            Outgoing::Message(message) => message.part_count(),
        };
        match (self.kind, parts) {
            // Those that cannot send at all say so themselves.
            (SocketType::Dish | SocketType::Gather, _) => Ok(()),
            (SocketType::Radio, 2) => {
                check_group(outgoing.first()).or_else(unsuitable)?;
                self.check_fits_datagram(outgoing)
            }
            (SocketType::Dgram, 2) if parse_address(outgoing.first()).is_none() => {
                unsuitable("its first part is the address that it goes to, as 10.0.0.7:5555 or [::1]:5555")
            }
            (SocketType::Dgram, 2) => self.check_fits_datagram(outgoing),
            (SocketType::Server | SocketType::Peer, 2) if outgoing.first().len() != PEER_NUMBER_BYTES => {
                unsuitable("its first part is the number of a peer and has four octets, the highest first")
            }
            (kind, 2) if kind.has_address() => Ok(()),
            (SocketType::Radio, _) => unsuitable("it has two parts, the group and the body"),
            (SocketType::Dgram, _) => unsuitable("it has two parts, an address and the body"),
            (kind, _) if kind.has_address() => {
                unsuitable("it has two parts, the peer's routing id and the body")
            }
            (_, 1) => Ok(()),
            _ => unsuitable("its messages have one part; send the parts one by one, or joined"),
        }
    }
}

/// Octets in the number of a SERVER's or a PEER's peer.
pub(crate) const PEER_NUMBER_BYTES: usize = 4;

/// What a group may be called: libzmq keeps its name as a string that ends with a zero octet.
pub(crate) fn check_group(group: &[u8]) -> Result<(), &'static str> {
    if group.len() > MAX_GROUP_LEN {
        return Err("the name of a group has at most 255 octets");
    }
    if group.contains(&0) {
        return Err("the name of a group has no zero octets");
    }
    Ok(())
}
