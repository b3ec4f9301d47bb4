//! The thread behind a stats endpoint: publishes what somebody subscribed to, and sleeps while nobody did.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serverlink_message::Message;

use super::json;
use crate::context::core::ContextCore;
use crate::error::Error;
use crate::monitor::Callback;
use crate::socket::Socket;

/// From snapshot to snapshot.
const PERIOD: Duration = Duration::from_secs(1);

const STATS: &str = "stats";
const PROMETHEUS: &str = "prometheus";
const EVENT: &str = "event";

/// See the module's page.
pub(super) struct Publisher {
    context: Arc<ContextCore>,
    socket: Arc<Socket>,
    /// Subscriptions in force that match a topic of ours.
    subscriptions: BTreeSet<Vec<u8>>,
    /// When the next snapshot is due; `None` while nobody wants one.
    next: Option<Instant>,
    /// Called for each event while somebody subscribes to them.
    reporter: Option<Arc<Callback>>,
}

impl Publisher {
    pub(super) fn new(context: Arc<ContextCore>, socket: Arc<Socket>) -> Publisher {
        Publisher { context, socket, subscriptions: BTreeSet::new(), next: None, reporter: None }
    }

    /// Until the endpoint is closed, or the context ends.
    pub(super) fn run(mut self) {
        loop {
            let told = match self.next {
                Some(at) => self.socket.recv_deadline(at),
                None => self.socket.recv(),
            };
            match told {
                Ok(subscription) => self.on_subscription(subscription.first()),
                Err(Error::TimedOut) => {
                    self.publish_snapshots();
                    self.next = Some(Instant::now() + PERIOD);
                }
                Err(Error::Interrupted) => {}
                Err(_) => return,
            }
        }
    }

    /// `1` and a topic that somebody subscribed to, or `0` and one that nobody has any more.
    fn on_subscription(&mut self, told: &[u8]) {
        let Some((kind, topic)) = told.split_first() else { return };
        // Others are not kept: a subscriber may ask for whatever it likes.
        if ![STATS, PROMETHEUS, EVENT].iter().any(|ours| ours.as_bytes().starts_with(topic)) {
            return;
        }
        match kind {
            1 => self.subscriptions.insert(topic.to_vec()),
            _ => self.subscriptions.remove(topic),
        };
        let follows = self.is_wanted(STATS) || self.is_wanted(PROMETHEUS);
        self.next = match (follows, self.next) {
            (false, _) => None,
            (true, Some(at)) if *kind != 1 => Some(at),
            // Whoever is new is served at once.
            (true, _) => Some(Instant::now()),
        };
        self.report_events(self.is_wanted(EVENT));
    }

    fn is_wanted(&self, topic: &str) -> bool {
        self.subscriptions.iter().any(|subscription| topic.as_bytes().starts_with(subscription))
    }

    fn publish_snapshots(&self) {
        let stats = self.context.stats();
        if self.is_wanted(STATS) {
            publish(&self.socket, STATS, json::snapshot(&stats));
        }
        if self.is_wanted(PROMETHEUS) {
            publish(&self.socket, PROMETHEUS, stats.to_prometheus());
        }
    }

    fn report_events(&mut self, wanted: bool) {
        match (&self.reporter, wanted) {
            (None, true) => {
                let socket = Arc::downgrade(&self.socket);
                let reporter = Callback::new(move |event| {
                    if let Some(socket) = socket.upgrade() {
                        publish(&socket, EVENT, json::event(event));
                    }
                });
                self.context.audience.call(Arc::clone(&reporter));
                self.reporter = Some(reporter);
            }
            (Some(reporter), false) => {
                self.context.audience.dismiss(reporter);
                self.reporter = None;
            }
            _ => {}
        }
    }
}

impl Drop for Publisher {
    /// The handle may be kept for longer than the context lives: the socket must not wait for it.
    fn drop(&mut self) {
        self.report_events(false);
        self.socket.begin_closing();
    }
}

/// A subscriber that does not keep up misses some, and a closed endpoint has none.
fn publish(socket: &Socket, topic: &str, body: String) {
    let _ = socket.try_send(Message::from_parts([topic.as_bytes(), body.as_bytes()]));
}
