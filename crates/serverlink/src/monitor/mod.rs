//! What happens to connections, told to whoever wants to know: as a queue, as a stream, or by a call.

mod audience;
mod callback;
mod cause;
mod event;
mod queue;
mod sentence;
mod stream;
#[cfg(feature = "tracing")]
mod trace;

use std::sync::Arc;
use std::time::Instant;

pub(crate) use audience::{Audience, MonitorHub};
pub(crate) use callback::Callback;
pub use cause::Cause;
pub(crate) use cause::Trouble;
pub use event::{Event, EventKind};
use queue::Queue;
pub use stream::EventStream;

/// The events of one socket, or of all sockets of a context, from the moment it was opened, in order and each once.
///
/// It is read as a queue ([`try_next`](Monitor::try_next), [`next_deadline`](Monitor::next_deadline)), as an iterator that
/// waits, or as a [`stream`](Monitor::stream). It keeps up to 4096 events for a reader who is behind; then the oldest are
/// dropped and counted. Several threads may read one monitor: each event goes to one of them. Dropping it ends it; while
/// nobody listens, events are not even made.
///
/// ```
/// use std::time::{Duration, Instant};
/// use serverlink::{Context, Error, EventKind};
///
/// let context = Context::new()?;
/// let pull = context.pull().open()?;
/// let monitor = pull.monitor();
/// let endpoint = pull.bind("tcp://127.0.0.1:*")?;
/// let push = context.push().open()?;
/// push.connect(&endpoint.to_string())?;
///
/// let soon = Instant::now() + Duration::from_secs(10);
/// while let Some(event) = monitor.next_deadline(soon) {
///     println!("{event}");
///     if let EventKind::Established { peer_address, .. } = event.kind {
///         assert!(peer_address.is_some());
///         break;
///     }
/// }
/// # Ok::<(), Error>(())
/// ```
pub struct Monitor {
    queue: Arc<Queue>,
}

/// The events of a monitor, waited for. Ends when nothing can happen any more: the socket is closed, or the context is gone.
pub struct Events<'a> {
    monitor: &'a Monitor,
}

impl Monitor {
    /// Of a socket that nothing will happen to.
    pub(crate) fn ended() -> Monitor {
        let queue = Arc::new(Queue::default());
        queue.end();
        Monitor { queue }
    }

    /// The next event, if one is there.
    pub fn try_next(&self) -> Option<Event> {
        self.queue.pop()
    }

    /// The next event; waits for it up to `deadline`. `None`: none came, or none will come any more.
    pub fn next_deadline(&self, deadline: Instant) -> Option<Event> {
        self.queue.wait(Some(deadline))
    }

    /// The events to come, for asynchronous code on any executor.
    pub fn stream(&self) -> EventStream<'_> {
        EventStream::new(&self.queue)
    }

    /// How many events were dropped because nobody read them in time.
    pub fn dropped(&self) -> u64 {
        self.queue.dropped()
    }
}

impl<'a> IntoIterator for &'a Monitor {
    type Item = Event;
    type IntoIter = Events<'a>;

    fn into_iter(self) -> Events<'a> {
        Events { monitor: self }
    }
}

impl Iterator for Events<'_> {
    type Item = Event;

    fn next(&mut self) -> Option<Event> {
        self.monitor.queue.wait(None)
    }
}
