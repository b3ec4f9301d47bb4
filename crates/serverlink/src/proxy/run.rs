//! A proxy at work, as a future, and the thread that waits for it.

use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;

use super::Proxy;
use super::flow::Flow;
use crate::error::Error;

/// Rounds before others on the same executor have their turn.
const ROUNDS: usize = 16;

/// A proxy at work. Made by [`Proxy::run_async`].
#[must_use = "futures do nothing unless they are awaited"]
pub struct ProxyRun<'p, 'a> {
    proxy: &'p mut Proxy<'a>,
}

impl<'p, 'a> ProxyRun<'p, 'a> {
    pub(super) fn new(proxy: &'p mut Proxy<'a>) -> ProxyRun<'p, 'a> {
        ProxyRun { proxy }
    }
}

impl Future for ProxyRun<'_, '_> {
    type Output = Result<(), Error>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        self.proxy.poll(context.waker())
    }
}

impl Drop for ProxyRun<'_, '_> {
    fn drop(&mut self) {
        self.proxy.stop_waiting();
        *self.proxy.shared.waker.lock() = None;
    }
}

impl Proxy<'_> {
    fn poll(&mut self, waker: &Waker) -> Poll<Result<(), Error>> {
        *self.shared.waker.lock() = Some(waker.clone());
        for _ in 0..ROUNDS {
            self.check_usable()?;
            self.obey(None)?;
            if self.shared.terminated.swap(false, Ordering::SeqCst) {
                return Poll::Ready(Ok(()));
            }
            let is_paused = self.shared.paused.load(Ordering::SeqCst);
            if is_paused {
                self.flows.iter_mut().for_each(Flow::stop_waiting);
            }
            let moved = !is_paused && (self.pump(None)? || self.pump(Some(waker))?);
            if !moved && !self.obey(Some(waker))? {
                self.check_usable()?;
                return Poll::Pending;
            }
        }
        waker.wake_by_ref();
        Poll::Pending
    }

    /// A batch each way; with a waker, those that find nothing have themselves woken. False: nothing moved.
    fn pump(&mut self, waker: Option<&Waker>) -> Result<bool, Error> {
        let (shared, capture) = (&self.shared, self.capture.as_ref());
        let is_stopped =
            || shared.paused.load(Ordering::Relaxed) || shared.terminated.load(Ordering::Relaxed);
        let mut moved = false;
        for flow in &mut self.flows {
            moved |= match waker {
                None => flow.pump(capture, &shared.counters, is_stopped)?,
                Some(waker) => flow.wait(capture, &shared.counters, is_stopped, waker)?,
            };
        }
        Ok(moved)
    }

    /// Carries out the commands that are there; with a waker, waits for more. False: there was none.
    fn obey(&mut self, waker: Option<&Waker>) -> Result<bool, Error> {
        match &mut self.control {
            Some(control) => control.obey(&self.shared, waker),
            None => Ok(false),
        }
    }

    fn check_usable(&self) -> Result<(), Error> {
        let ends = self.flows.iter().flat_map(Flow::cores);
        ends.chain(&self.capture).try_for_each(|core| core.check_usable())
    }

    fn stop_waiting(&mut self) {
        self.flows.iter_mut().for_each(Flow::stop_waiting);
        if let Some(control) = &mut self.control {
            control.stop_waiting();
        }
    }
}

/// Runs a future on this thread, which sleeps while there is nothing to do.
pub(super) fn block_on<F: Future>(future: F) -> F::Output {
    let alarm = Arc::new(Alarm { thread: std::thread::current(), rung: AtomicBool::new(false) });
    let waker = Waker::from(Arc::clone(&alarm));
    let mut context = Context::from_waker(&waker);
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return output;
        }
        while !alarm.rung.swap(false, Ordering::SeqCst) {
            std::thread::park();
        }
    }
}

struct Alarm {
    thread: Thread,
    rung: AtomicBool,
}

impl Wake for Alarm {
    fn wake(self: Arc<Self>) {
        self.rung.store(true, Ordering::SeqCst);
        self.thread.unpark();
    }
}
