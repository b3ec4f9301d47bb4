//! Events that wait for a reader.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Instant;

use super::event::Event;
use crate::sync::{Lock, Waiters};

/// Events kept for a reader who is behind; older ones are dropped and counted.
pub(super) const QUEUE_EVENTS: usize = 4096;

/// See the module's page.
#[derive(Default)]
pub(crate) struct Queue {
    backlog: Lock<Backlog>,
    waiters: Arc<Waiters>,
}

/// Events in their order, at most [`QUEUE_EVENTS`] of them.
#[derive(Default)]
pub(super) struct Backlog {
    events: VecDeque<Event>,
    dropped: u64,
    ended: bool,
}

impl Queue {
    /// Call [`wake`](Queue::wake) afterwards, without locks.
    pub(super) fn push(&self, event: Event) {
        self.backlog.lock().push(event);
    }

    /// A reader's waker is foreign code.
    pub(super) fn wake(&self) {
        self.waiters.notify_all();
    }

    /// Nothing comes any more.
    pub(super) fn end(&self) {
        self.backlog.lock().ended = true;
        self.wake();
    }

    pub(super) fn pop(&self) -> Option<Event> {
        self.backlog.lock().pop()
    }

    /// `Some(None)`: there will be no more.
    pub(super) fn poll(&self) -> Option<Option<Event>> {
        let mut backlog = self.backlog.lock();
        match backlog.pop() {
            Some(event) => Some(Some(event)),
            None => backlog.ended.then_some(None),
        }
    }

    pub(super) fn wait(&self, deadline: Option<Instant>) -> Option<Event> {
        loop {
            let registration = self.waiters.register_thread();
            if let Some(found) = self.poll() {
                return found;
            }
            if deadline.is_some_and(|at| at <= Instant::now()) {
                return None;
            }
            registration.park(deadline);
        }
    }

    pub(super) fn waiters(&self) -> &Arc<Waiters> {
        &self.waiters
    }

    pub(super) fn dropped(&self) -> u64 {
        self.backlog.lock().dropped
    }
}

impl Backlog {
    pub(super) fn push(&mut self, event: Event) {
        if self.events.len() == QUEUE_EVENTS {
            self.events.pop_front();
            self.dropped += 1;
        }
        self.events.push_back(event);
    }

    pub(super) fn pop(&mut self) -> Option<Event> {
        self.events.pop_front()
    }
}
