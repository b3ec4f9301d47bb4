//! The dynamic socket's operations on subscriptions beyond plain topics.

use serverlink_message::SocketType;
use serverlink_patterns::{PipeId, Subject};

use super::Socket;
use super::core::Core;
use crate::error::Error;

/// One subscriber of an XPUB in manual mode, as [`Socket::last_subscriber`] gave it.
///
/// It names that subscriber for as long as it is connected, and nobody afterwards.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SubscriberId(PipeId);

/// What peers of a publisher asked for, as [`Socket::subscriptions`] tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Subscription {
    /// What messages begin with, or the pattern as it was written.
    pub subject: Vec<u8>,
    /// A glob, which has to fit the whole first part.
    pub is_pattern: bool,
    /// How many peers have it, each counted once.
    pub peers: usize,
}

/// Globs.
impl Socket {
    /// SUB, XSUB: asks for messages whose whole first part fits `pattern`.
    ///
    /// `*` fits any octets, `?` one, `[abc]` one of those, `[a-z]` one of a range, `[^x]` and `[!x]` one that is not listed; `\` makes an
    /// ordinary octet of the one behind it. Topics and patterns add up, and a message that fits several is received once. Patterns count as topics do: one that is
    /// made twice has to be cancelled twice. They survive reconnects.
    ///
    /// A publisher of this library sends only what fits. Any other is asked for the topic that all of it begins with, `ab` for `ab*c`, and what
    /// does not fit is dropped here: a pattern that begins with `*` then costs the bandwidth of everything. With
    /// [`invert_matching`](crate::Options::invert_matching) such a publisher is asked for nothing, and sends everything.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// let ctx = serverlink::Context::new()?;
    /// let publisher = ctx.publisher().open()?;
    /// let endpoint = publisher.bind("tcp://127.0.0.1:*")?;
    /// let subscriber = ctx.subscriber().open()?;
    /// subscriber.psubscribe("prices.*.eur")?;
    /// subscriber.connect(&endpoint.to_string())?;
    ///
    /// publisher.wait_for_subscribers(1, Duration::from_secs(10))?;
    /// publisher.send("prices.tea.usd")?;
    /// publisher.send("prices.tea.eur")?;
    /// assert_eq!(subscriber.recv()?.first(), "prices.tea.eur");
    ///
    /// let wrong = subscriber.psubscribe("prices.[a-f").unwrap_err();
    /// assert!(wrong.to_string().contains("octet 7"));
    /// # Ok::<(), serverlink::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::InvalidPattern`] for a bracket that is not closed or empty, a reversed range, a backslash at the end;
    /// [`Error::TooLarge`] for one above 64 KiB; [`Error::NotSupported`] for other types. Nothing changed.
    pub fn psubscribe(&self, pattern: impl AsRef<[u8]>) -> Result<(), Error> {
        self.core.subscribe(Subject::Glob(pattern.as_ref()))
    }

    /// Cancels one subscription to exactly this pattern, as it was written. One that was never made is ignored.
    ///
    /// # Errors
    /// [`Error::NotSupported`] for types other than SUB and XSUB.
    pub fn punsubscribe(&self, pattern: impl AsRef<[u8]>) -> Result<(), Error> {
        self.core.unsubscribe(Subject::Glob(pattern.as_ref()))
    }

    /// PUB, XPUB: each topic and pattern that is in force, and how many peers have it, in no particular order. What a peer cancels is gone, and so
    /// is all of a peer that left. Takes time in proportion to their number, during which nothing is sent.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// let ctx = serverlink::Context::new()?;
    /// let publisher = ctx.publisher().open()?;
    /// let endpoint = publisher.bind("tcp://127.0.0.1:*")?;
    /// let subscriber = ctx.subscriber().open()?;
    /// subscriber.subscribe("news")?;
    /// subscriber.connect(&endpoint.to_string())?;
    ///
    /// publisher.wait_for_subscribers(1, Duration::from_secs(10))?;
    /// let known = publisher.as_socket().subscriptions()?;
    /// assert_eq!((&known[0].subject[..], known[0].is_pattern, known[0].peers), (&b"news"[..], false, 1));
    /// # Ok::<(), serverlink::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::NotSupported`] for other types.
    pub fn subscriptions(&self) -> Result<Vec<Subscription>, Error> {
        match self.core.kind {
            SocketType::Pub | SocketType::Xpub => Ok(self.core.subscriptions()),
            socket_type => Err(Error::NotSupported { what: "tell who subscribed", socket_type }),
        }
    }

    /// Different topics and patterns: those that a SUB or XSUB subscribed to, those of all peers that are in force at a PUB or XPUB.
    /// Of DISH and RADIO the groups. libzmq: `ZMQ_TOPICS_COUNT`.
    ///
    /// # Errors
    /// [`Error::NotSupported`] for other types.
    pub fn topics_count(&self) -> Result<usize, Error> {
        match self.core.kind {
            SocketType::Pub | SocketType::Xpub | SocketType::Radio => {
                Ok(self.core.send.lock().sender.subscription_count())
            }
            SocketType::Sub | SocketType::Xsub | SocketType::Dish => {
                Ok(self.core.recv.lock().receiver.subscription_count())
            }
            socket_type => Err(Error::NotSupported { what: "count topics", socket_type }),
        }
    }
}

/// XPUB in manual mode ([`Options::xpub_manual`](crate::Options::xpub_manual)): what subscribers ask for is received, and has no effect before the application
/// gives it one.
impl Socket {
    /// Whose subscription or cancellation was received last; `None` before the first, and when that subscriber is gone. Where several threads receive,
    /// one may not know whose message it has: let one thread receive.
    ///
    /// # Errors
    /// [`Error::NotSupported`] for other types, [`Error::InvalidOption`] outside manual mode.
    pub fn last_subscriber(&self) -> Result<Option<SubscriberId>, Error> {
        self.core.check_manual()?;
        Ok(self.core.send.lock().sender.last_subscriber().map(SubscriberId))
    }

    /// Subscribes the peer whose subscription or cancellation was received last. libzmq: `ZMQ_SUBSCRIBE` on an XPUB. It need not be the topic
    /// that was asked for. False if there is no such peer any more.
    ///
    /// # Errors
    /// As [`last_subscriber`](Self::last_subscriber), and [`Error::TooLarge`] for a topic above 64 KiB.
    pub fn subscribe_last(&self, topic: impl AsRef<[u8]>) -> Result<bool, Error> {
        self.core.decide_for(None, true, Subject::Topic(topic.as_ref()))
    }

    /// Takes one such subscription of that peer back. libzmq: `ZMQ_UNSUBSCRIBE` on an XPUB.
    ///
    /// # Errors
    /// As [`subscribe_last`](Self::subscribe_last).
    pub fn unsubscribe_last(&self, topic: impl AsRef<[u8]>) -> Result<bool, Error> {
        self.core.decide_for(None, false, Subject::Topic(topic.as_ref()))
    }

    /// Subscribes any peer, whenever that is decided. False if it is gone.
    ///
    /// # Errors
    /// As [`subscribe_last`](Self::subscribe_last).
    pub fn subscribe_peer(&self, peer: SubscriberId, topic: impl AsRef<[u8]>) -> Result<bool, Error> {
        self.core.decide_for(Some(peer.0), true, Subject::Topic(topic.as_ref()))
    }

    /// Takes one subscription of a peer back. False if it is gone.
    ///
    /// # Errors
    /// As [`subscribe_last`](Self::subscribe_last).
    pub fn unsubscribe_peer(&self, peer: SubscriberId, topic: impl AsRef<[u8]>) -> Result<bool, Error> {
        self.core.decide_for(Some(peer.0), false, Subject::Topic(topic.as_ref()))
    }

    /// Subscribes a peer to a pattern. False if it is gone.
    ///
    /// # Errors
    /// As [`subscribe_last`](Self::subscribe_last), and [`Error::InvalidPattern`].
    pub fn psubscribe_peer(&self, peer: SubscriberId, pattern: impl AsRef<[u8]>) -> Result<bool, Error> {
        self.core.decide_for(Some(peer.0), true, Subject::Glob(pattern.as_ref()))
    }

    /// Takes one such subscription back. False if the peer is gone.
    ///
    /// # Errors
    /// As [`subscribe_last`](Self::subscribe_last).
    pub fn punsubscribe_peer(&self, peer: SubscriberId, pattern: impl AsRef<[u8]>) -> Result<bool, Error> {
        self.core.decide_for(Some(peer.0), false, Subject::Glob(pattern.as_ref()))
    }
}

impl Core {
    /// Those in force; none at what is no publisher.
    pub(crate) fn subscriptions(&self) -> Vec<Subscription> {
        let mut known = Vec::new();
        self.send.lock().sender.for_each_subscription(|subject, peers| {
            let (subject, is_pattern) = match subject {
                Subject::Topic(topic) => (topic, false),
                Subject::Glob(glob) => (glob, true),
            };
            known.push(Subscription { subject: subject.to_vec(), is_pattern, peers });
        });
        known
    }
}
