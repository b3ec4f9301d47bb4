//! The write that the system keeps.

use std::io;
use std::sync::Arc;

use super::shared::Shared;
use crate::port::MemberId;
use crate::windows::iocp::channel::{self, Channel};
use crate::windows::iocp::registered::Registered;
use crate::windows::iocp::source::Role;
use crate::windows::iocp::{Iocp, Launched};
use crate::windows::{error, lock};
use crate::{Batch, Event, Written};

/// What is being written.
#[derive(Debug)]
pub(super) struct Outgoing {
    batch: Box<Batch>,
    /// The system had no memory for more than a little at a time.
    frugal: bool,
}

impl Outgoing {
    /// Notes how one operation ended. An error ends it all.
    fn note(&mut self, outcome: io::Result<usize>, channel: &Channel) -> io::Result<()> {
        match outcome {
            Ok(count) => self.batch.advance(count),
            Err(error) if error::is_out_of_memory(&error) => self.frugal = true,
            Err(error) if error::is_forgotten(&error) => {
                match channel.sent_unless_failed(&self.batch, self.frugal) {
                    Some(count) => self.batch.advance(count),
                    None => return Err(io::ErrorKind::ConnectionAborted.into()),
                }
            }
            // Nobody but a close cancels, and this stream is open.
            Err(error) if error::is_aborted(&error) => return Err(io::ErrorKind::ConnectionAborted.into()),
            Err(error) => return Err(channel::write_error(error)),
        }
        Ok(())
    }
}

impl Shared {
    /// Leaves to the system what it does not take at once.
    pub(super) fn write_rest(
        self: &Arc<Self>,
        channel: &Registered<Channel>,
        batch: Batch,
        iocp: &Iocp,
    ) -> Written {
        let mut place = lock(&self.outgoing);
        assert!(place.is_none(), "one writer at a time: an earlier write of this stream is pending");
        let outgoing = place.insert(Outgoing { batch: Box::new(batch), frugal: false });
        let Some(ended) = self.send_on(channel, outgoing, iocp) else { return Written::Pending };
        match (place.take(), ended) {
            (Some(Outgoing { batch, .. }), Ok(())) => Written::Done(*batch),
            (Some(Outgoing { batch, .. }), Err(error)) => Written::Failed(*batch, error),
            (None, _) => unreachable!("it was put there under the same lock"),
        }
    }

    /// Sends until the system has something to wait for. `Some`: that was all, or it failed.
    fn send_on(
        self: &Arc<Self>,
        channel: &Registered<Channel>,
        outgoing: &mut Outgoing,
        iocp: &Iocp,
    ) -> Option<io::Result<()>> {
        let Outgoing { batch, frugal } = outgoing;
        while batch.remaining_bytes() > 0 {
            let launched = iocp.launch(self.clone(), Role::Send, channel.skips_packets, |overlapped| {
                // SAFETY: the batch stays in its place until this operation came home. The place belongs to this object, which the table of flights keeps
                // alive.
                unsafe { channel.start_send(batch, *frugal, overlapped) }
            });
            match launched {
                Launched::Pending | Launched::Busy => return None,
                Launched::Done(count) => batch.advance(count),
                Launched::Failed(error) => return Some(Err(channel::write_error(error))),
            }
        }
        Some(Ok(()))
    }

    /// An operation came home. What is left goes on, and what is over goes back.
    pub(super) fn sent(
        self: &Arc<Self>,
        outcome: io::Result<usize>,
        iocp: &Iocp,
        events: &mut Vec<(MemberId, Event)>,
    ) {
        let channel = self.channel();
        let mut place = lock(&self.outgoing);
        let Some(outgoing) = place.as_mut() else { return };
        let ended = match &*channel {
            Some(channel) => match outgoing.note(outcome, channel) {
                Ok(()) => self.send_on(channel, outgoing, iocp),
                Err(error) => Some(Err(error)),
            },
            None => Some(note_closed(&mut outgoing.batch, outcome)),
        };
        if let Some(ended) = ended
            && let Some(Outgoing { batch, .. }) = place.take()
        {
            self.push(events, Event::Written(self.source.key, batch, ended));
        }
    }
}

/// The stream was closed while the system wrote.
fn note_closed(batch: &mut Batch, outcome: io::Result<usize>) -> io::Result<()> {
    batch.advance(outcome.unwrap_or(0));
    if batch.remaining_bytes() == 0 {
        return Ok(());
    }
    let message = "the stream was closed before the system took everything";
    Err(io::Error::new(io::ErrorKind::ConnectionAborted, message))
}
