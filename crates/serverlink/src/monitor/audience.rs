//! Who listens, and the place where a socket tells its events.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};

use serverlink_message::SocketType;

use super::Monitor;
use super::callback::Callback;
use super::event::{Event, EventKind};
use super::queue::Queue;
use crate::env::Env;
use crate::sync::Lock;
use crate::sync::later::drop_later;

/// Those who listen to a socket, or to all of a context.
#[derive(Default)]
pub(crate) struct Audience {
    is_there: AtomicBool,
    listeners: Lock<Vec<Listener>>,
}

enum Listener {
    Queue(Weak<Queue>),
    Callback(Arc<Callback>),
}

/// Where a socket tells its events. Costs two loads while nobody listens.
pub(crate) struct MonitorHub {
    env: Env,
    socket: u64,
    socket_type: SocketType,
    own: Audience,
    /// Those who listen to the whole context; `None` for a socket that is none of the application's.
    context: Option<Arc<Audience>>,
}

impl MonitorHub {
    pub(crate) fn new(
        env: Env,
        socket: u64,
        socket_type: SocketType,
        context: Option<Arc<Audience>>,
    ) -> MonitorHub {
        MonitorHub { env, socket, socket_type, own: Audience::default(), context }
    }

    /// Call without locks but the topology's and the registry's, and with a `Later` where there is one: who listens may
    /// be foreign code.
    pub(crate) fn tell(&self, kind: impl FnOnce() -> EventKind) {
        if !self.has_listeners() {
            return;
        }
        let event =
            Event { at: self.env.now(), socket: self.socket, socket_type: self.socket_type, kind: kind() };
        self.own.tell(&event);
        if let Some(context) = &self.context {
            #[cfg(feature = "tracing")]
            super::trace::trace(&event);
            context.tell(&event);
        }
    }

    /// Whether an event would be heard by anybody.
    pub(crate) fn has_listeners(&self) -> bool {
        #[cfg(feature = "tracing")]
        if super::trace::is_wanted() {
            return true;
        }
        self.own.is_there() || self.context.as_ref().is_some_and(|context| context.is_there())
    }

    pub(crate) fn open(&self) -> Monitor {
        self.own.open()
    }

    pub(crate) fn add(&self, callback: Arc<Callback>) {
        self.own.add(Listener::Callback(callback));
    }

    /// Nothing more will happen to this socket.
    pub(crate) fn end(&self) {
        self.own.end();
    }
}

impl Audience {
    fn is_there(&self) -> bool {
        self.is_there.load(Ordering::Acquire)
    }

    pub(crate) fn open(&self) -> Monitor {
        let queue = Arc::<Queue>::default();
        self.add(Listener::Queue(Arc::downgrade(&queue)));
        Monitor { queue }
    }

    pub(crate) fn call(&self, callback: Arc<Callback>) {
        self.add(Listener::Callback(callback));
    }

    fn add(&self, listener: Listener) {
        let mut listeners = self.listeners.lock();
        listeners.push(listener);
        self.is_there.store(true, Ordering::Release);
    }

    /// It is not called any more, except for what it was told of already.
    pub(crate) fn dismiss(&self, callback: &Arc<Callback>) {
        let mut listeners = self.listeners.lock();
        listeners.retain(
            |listener| !matches!(listener, Listener::Callback(called) if Arc::ptr_eq(called, callback)),
        );
        self.is_there.store(!listeners.is_empty(), Ordering::Release);
    }

    fn tell(&self, event: &Event) {
        if !self.is_there() {
            return;
        }
        let (mut queues, mut callbacks) = (Vec::new(), Vec::new());
        {
            let mut listeners = self.listeners.lock();
            listeners.retain(|listener| match listener {
                Listener::Queue(queue) => queue.upgrade().map(|queue| queues.push(queue)).is_some(),
                Listener::Callback(callback) => {
                    callbacks.push(Arc::clone(callback));
                    true
                }
            });
            // Under the lock, so that all who listen hear events in the same order.
            queues.iter().for_each(|queue| queue.push(event.clone()));
            callbacks.iter().for_each(|callback| callback.push(event.clone()));
            self.is_there.store(!listeners.is_empty(), Ordering::Release);
        }
        queues.iter().for_each(|queue| queue.wake());
        callbacks.into_iter().for_each(Callback::run);
    }

    /// Nothing more will happen.
    pub(crate) fn end(&self) {
        let listeners = std::mem::take(&mut *self.listeners.lock());
        self.is_there.store(false, Ordering::Release);
        for listener in &listeners {
            if let Listener::Queue(queue) = listener
                && let Some(queue) = queue.upgrade()
            {
                queue.end();
            }
        }
        // What a callback holds is the application's.
        drop_later(listeners);
    }
}
