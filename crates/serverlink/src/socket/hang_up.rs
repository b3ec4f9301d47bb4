//! STREAM: the application ends one connection.

use std::sync::Arc;

use super::core::Core;
use crate::error::Error;
use crate::reactor::Command;

impl Core {
    /// From now on nobody has this routing id. What is queued for the peer is written before its connection ends; what it sent and nobody has read is
    /// dropped. A connection that this socket dialed is not made again.
    pub(super) fn hang_up(self: &Arc<Self>, routing_id: &[u8]) -> Result<(), Error> {
        let mut topology = self.topology.lock();
        let pipe = self.send.lock().sender.pipe_of(routing_id);
        let entry = pipe.and_then(|pipe| Some((pipe, topology.pipes.get_mut(pipe)?)));
        let Some((pipe, entry)) = entry else {
            return Err(Error::Unroutable { routing_id: routing_id.to_vec() });
        };
        let Some(key) = entry.key else {
            topology.dialed.retain(|dialed| dialed.pipe != pipe);
            drop(topology);
            self.drop_dialed(pipe);
            self.post(Command::StopDialing(pipe));
            return Ok(());
        };
        // From here on it ends as one does that came to a listener.
        (entry.dialed, entry.attached) = (false, false);
        topology.dialed.retain(|dialed| dialed.pipe != pipe);
        let _ = self.send.lock().sender.detach(pipe);
        let _unread = {
            let mut recv = self.recv.lock();
            recv.receiver.detach(pipe);
            recv.remove_inlet(pipe)
        };
        drop(topology);
        self.write_pipe(pipe);
        self.post(Command::HangUp(key));
        Ok(())
    }
}
