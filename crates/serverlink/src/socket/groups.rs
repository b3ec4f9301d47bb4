//! DISH: groups, as state of the socket that every RADIO is told.

use std::sync::Arc;

use serverlink_message::SocketType;
use serverlink_patterns::{Subject, Tell};

use super::Socket;
use super::core::Core;
use super::examine::check_group;
use crate::error::Error;
use crate::sync::later::later;

impl Socket {
    /// DISH: asks for the messages of a group, all of whose name counts. They survive reconnects. False if it was joined already, which
    /// changes nothing. libzmq: `zmq_join`.
    ///
    /// A name has at most 255 octets, none of them zero. The empty one is a group like any other.
    ///
    /// # Errors
    /// [`Error::InvalidGroup`] for a name that cannot be one, [`Error::NotSupported`] for other types. Nothing changed.
    pub fn join(&self, group: impl AsRef<[u8]>) -> Result<bool, Error> {
        self.core.join_or_leave(true, group.as_ref())
    }

    /// DISH: asks for them no more. What is here of the group already is dropped when it is its turn. False if it was not joined. libzmq: `zmq_leave`.
    ///
    /// # Errors
    /// As [`join`](Self::join).
    pub fn leave(&self, group: impl AsRef<[u8]>) -> Result<bool, Error> {
        self.core.join_or_leave(false, group.as_ref())
    }
}

impl Core {
    fn join_or_leave(self: &Arc<Self>, join: bool, group: &[u8]) -> Result<bool, Error> {
        self.check_open()?;
        if self.kind != SocketType::Dish {
            let what = if join { "join groups" } else { "leave groups" };
            return Err(Error::NotSupported { what, socket_type: self.kind });
        }
        check_group(group).map_err(|why| Error::InvalidGroup { group: group.to_vec(), why })?;
        let _wake_later = later();
        let topology = self.topology.lock();
        let changed = {
            let mut recv = self.recv.lock();
            if join { recv.receiver.join(group) } else { recv.receiver.leave(group) }
        };
        if changed {
            let tell = Tell { exactly: 1, plainly: Some(group.to_vec()) };
            self.tell_publishers(topology, join, Subject::Topic(group), &tell);
        }
        Ok(changed)
    }
}
