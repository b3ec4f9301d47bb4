//! A ring of io_uring, set up to be as fast as it can be.

use std::{io::ErrorKind, net::TcpStream, os::fd::AsRawFd};

use io_uring::{
    IoUring, cqueue,
    squeue::{Entry, Flags},
    types::Fixed,
};

use super::{Fallible, failed_to};

/// Sends say nothing where they succeed: one completion fewer for each echo.
pub(super) const SILENT: Flags = Flags::SKIP_SUCCESS;

const SUBMISSIONS: u32 = 4096;
/// More than there can be connections, so that none is dropped.
const COMPLETIONS: u32 = 32 * 1024;

pub(super) struct Ring(IoUring);

/// Says why io_uring cannot be had, if so.
pub(super) fn is_permitted() -> Fallible<()> {
    Ring::new(&[]).map(drop)
}

impl Ring {
    /// The connections are known to the system by their indexes: see [`socket`].
    pub(super) fn new(connections: &[TcpStream]) -> Fallible<Self> {
        let ring: IoUring = IoUring::builder()
            .setup_single_issuer()
            .setup_defer_taskrun()
            .setup_cqsize(COMPLETIONS)
            .build(SUBMISSIONS)
            .map_err(|why| {
                format!(
                    "There is no io_uring to compare with: {why}. It needs Linux 6.1, and to be permitted (sysctl kernel.io_uring_disabled, \
                     the container's seccomp filter)."
                )
            })?;
        if !connections.is_empty() {
            let descriptors: Vec<_> = connections.iter().map(AsRawFd::as_raw_fd).collect();
            ring.submitter().register_files(&descriptors).map_err(failed_to("register the connections"))?;
        }
        Ok(Self(ring))
    }

    /// For what the entries do not cover: shared buffers.
    pub(super) fn system(&self) -> io_uring::Submitter<'_> {
        self.0.submitter()
    }

    /// Puts entries into the queue, all together: what is linked stays so. A full queue is submitted first.
    ///
    /// # Safety
    ///
    /// The memory that the entries name lives as long as the process, and nobody has a reference into it.
    pub(super) unsafe fn push(&mut self, entries: &[Entry]) -> Fallible<()> {
        loop {
            // SAFETY: the caller answers for the memory; the sockets are the ring's own, registered with it.
            if unsafe { self.0.submission().push_multiple(entries) }.is_ok() {
                return Ok(());
            }
            self.0.submit().map_err(failed_to("submit"))?;
        }
    }

    /// Submits what was pushed, waits for a completion, and puts all that are there into `completed`.
    pub(super) fn turn(&mut self, completed: &mut Vec<cqueue::Entry>) -> Fallible<()> {
        // An interruption only means that there may be none: the next turn goes on.
        if let Err(why) = self.0.submit_and_wait(1)
            && why.kind() != ErrorKind::Interrupted
        {
            return Err(failed_to("submit and wait")(why));
        }
        completed.clear();
        completed.extend(self.0.completion());
        Ok(())
    }
}

/// The connection with this index.
pub(super) fn socket(index: usize) -> Fixed {
    Fixed(index as u32)
}

/// Memory for the system to write to while the process lives: a ring that is closed gives up what is under way in its own time.
pub(super) fn memory_for_ever(bytes: usize) -> *mut u8 {
    Vec::leak(vec![0; bytes]).as_mut_ptr()
}
