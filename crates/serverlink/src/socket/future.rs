//! Sending and receiving as futures that any executor runs.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use serverlink_message::{Message, chunk};

use super::core::Core;
use super::drive::For;
use crate::error::{Error, SendError};
use crate::payload::{Carrier, Payload};
use crate::sync::Registration;

/// A receive in progress. Made by `recv_async`.
///
/// Cancel safe: a message is taken only when the future is ready with it, so one that is dropped before loses
/// nothing.
#[must_use = "futures do nothing unless they are awaited"]
pub struct RecvFuture<'a> {
    core: &'a Arc<Core>,
    registration: Option<Registration>,
}

/// A send in progress. Made by `send_async`.
///
/// Cancel safe: the message is sent when the future is ready; one that is dropped before has sent nothing,
/// and the message is dropped with it.
#[must_use = "futures do nothing unless they are awaited"]
pub struct SendFuture<'a, M: Payload> {
    core: &'a Arc<Core>,
    carrier: Option<M::Carrier>,
    registration: Option<Registration>,
}

impl<'a> RecvFuture<'a> {
    pub(super) fn new(core: &'a Arc<Core>) -> RecvFuture<'a> {
        RecvFuture { core, registration: None }
    }
}

impl<'a, M: Payload> SendFuture<'a, M> {
    pub(super) fn new(core: &'a Arc<Core>, message: M) -> SendFuture<'a, M> {
        SendFuture { core, carrier: Some(message.into_carrier()), registration: None }
    }
}

impl Future for RecvFuture<'_> {
    type Output = Result<Message, Error>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let core = self.core;
        let found = poll_with(core, For::Message, &mut self.registration, context, || core.try_recv_once());
        if found.is_ready() {
            core.pass_on(For::Message);
        }
        found
    }
}

impl<M: Payload> Future for SendFuture<'_, M> {
    type Output = Result<(), SendError<M>>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        let core = this.core;
        let carrier = this.carrier.as_mut().expect("a future is not polled after it was ready");
        let attempt = || Ok(core.try_send(&mut carrier.outgoing(), false)?.then_some(()));
        let sent = poll_with(core, For::Credit, &mut this.registration, context, attempt);
        if sent.is_ready() {
            core.pass_on(For::Credit);
        }
        sent.map(|outcome| {
            let carrier = this.carrier.take().expect("it was there when polling began");
            outcome.map_err(|error| SendError { error, message: M::from_carrier(carrier) })
        })
    }
}

impl<M: Payload> Unpin for SendFuture<'_, M> {}

/// Tries, registers, tries again: whoever makes it possible in between wakes the task.
fn poll_with<T>(
    core: &Arc<Core>,
    what: For,
    registration: &mut Option<Registration>,
    context: &mut Context<'_>,
    mut attempt: impl FnMut() -> Result<Option<T>, Error>,
) -> Poll<Result<T, Error>> {
    core.context.check_process()?;
    core.flush();
    if let Some(found) = attempt().transpose() {
        *registration = None;
        return Poll::Ready(found);
    }
    *registration = Some(core.waiters(what).register_task(context.waker()));
    if let Some(home) = core.home.get() {
        // Nobody waits in a call for a task, so the I/O thread has to drive.
        home.depend();
    }
    match attempt().transpose() {
        Some(found) => {
            *registration = None;
            Poll::Ready(found)
        }
        None => {
            chunk::settle();
            core.check_driver().map_or_else(|error| Poll::Ready(Err(error)), |()| Poll::Pending)
        }
    }
}

/// A wake-up that came to a task which does not act on it goes to the next.
fn pass_on(core: &Core, registration: &mut Option<Registration>, what: For) {
    if registration.take().is_some_and(Registration::withdraw) {
        match what {
            For::Credit => core.notify_writers(),
            For::Message | For::Change => core.waiters(what).notify_one(),
        }
    }
}

impl Drop for RecvFuture<'_> {
    fn drop(&mut self) {
        pass_on(self.core, &mut self.registration, For::Message);
    }
}

impl<M: Payload> Drop for SendFuture<'_, M> {
    fn drop(&mut self) {
        pass_on(self.core, &mut self.registration, For::Credit);
    }
}
