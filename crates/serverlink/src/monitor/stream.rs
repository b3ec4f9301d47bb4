//! Events for asynchronous code.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_core::Stream;

use super::event::Event;
use super::queue::Queue;
use crate::sync::Registration;

/// The events of a [`Monitor`](super::Monitor) as a stream. It ends when nothing can happen any more.
///
/// Dropping it loses nothing: what it did not give stays with the monitor.
///
/// ```
/// use serverlink::{Context, Error, EventKind};
/// use serverlink::sim::{Faults, Simulation};
///
/// let mut machine = Simulation::new(1, Faults::NONE);
/// let context = machine.context();
/// let pull = context.pull().open()?;
/// let monitor = pull.monitor();
/// pull.bind("tcp://10.0.0.1:5555")?;
/// let first = machine.run(async { monitor.stream().next().await }, std::time::Duration::from_secs(1));
/// assert!(matches!(first.flatten().expect("it listens").kind, EventKind::Listening { .. }));
/// # Ok::<(), Error>(())
/// ```
pub struct EventStream<'a> {
    queue: &'a Arc<Queue>,
    registration: Option<Registration>,
}

impl<'a> EventStream<'a> {
    pub(super) fn new(queue: &'a Arc<Queue>) -> EventStream<'a> {
        EventStream { queue, registration: None }
    }

    /// The next event. `None`: there will be no more.
    pub async fn next(&mut self) -> Option<Event> {
        poll_fn(|context| Pin::new(&mut *self).poll_next(context)).await
    }
}

impl Stream for EventStream<'_> {
    type Item = Event;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Event>> {
        // Registered, then looked: what comes in between wakes the task.
        self.registration = Some(self.queue.waiters().register_task(context.waker()));
        match self.queue.poll() {
            Some(found) => {
                self.registration = None;
                Poll::Ready(found)
            }
            None => Poll::Pending,
        }
    }
}
