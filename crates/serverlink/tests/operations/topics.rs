//! Subscriptions, in all the ways in which a socket can ask for something, and in which an XPUB grants it.

use serverlink::{Message, SocketType};

use crate::actor::Actor;
use crate::choices::Choices;
use crate::mail::TOPICS;
use crate::play::assert_expected;

/// Patterns, each with the topics of letters that it fits.
const GLOBS: [(&str, &[&str]); 6] = [
    ("*", &TOPICS),
    ("a*", &["a", "ab"]),
    ("?", &["a", "b"]),
    ("[^a]*", &["b", "news"]),
    ("ne?[s-w]", &["news"]),
    ("\\*", &[]),
];

/// What a socket has asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Wish {
    Topic(&'static str),
    Glob(&'static str, &'static [&'static str]),
}

impl Wish {
    fn drawn(choices: &mut Choices<'_>) -> Wish {
        match choices.once_in(3) {
            true => {
                let (pattern, fitting) = choices.of(&GLOBS);
                Wish::Glob(pattern, fitting)
            }
            false => Wish::Topic(choices.of(&TOPICS)),
        }
    }

    /// Whether it fits the first part of a letter.
    pub(crate) fn fits(self, first: &[u8]) -> bool {
        match self {
            Wish::Topic(topic) => first.starts_with(topic.as_bytes()),
            Wish::Glob(_, fitting) => fitting.iter().any(|topic| topic.as_bytes() == first),
        }
    }

    /// As an XSUB says it (RFC 29, and ours for globs).
    fn as_message(self, subscribe: bool) -> Message {
        let (octet, subject) = match (self, subscribe) {
            (Wish::Topic(topic), false) => (0, topic),
            (Wish::Topic(topic), true) => (1, topic),
            (Wish::Glob(pattern, _), true) => (2, pattern),
            (Wish::Glob(pattern, _), false) => (3, pattern),
        };
        Message::from([&[octet], subject.as_bytes()].concat())
    }
}

impl Actor {
    pub(crate) fn subscribe(&mut self, choices: &mut Choices<'_>) {
        let wish = Wish::drawn(choices);
        let subscribed = match wish {
            Wish::Topic(topic) => self.socket.subscribe(topic),
            Wish::Glob(pattern, _) => self.socket.psubscribe(pattern),
        };
        if subscribed.is_ok() {
            self.subscribed.push(wish);
        }
    }

    /// What is on its way may still come.
    pub(crate) fn unsubscribe(&mut self, choices: &mut Choices<'_>) {
        let _ = match Wish::drawn(choices) {
            Wish::Topic(topic) => self.socket.unsubscribe(topic),
            Wish::Glob(pattern, _) => self.socket.punsubscribe(pattern),
        };
    }

    /// XSUB: by a message, which is none where it has an effect.
    pub(crate) fn say_subscription(&mut self, choices: &mut Choices<'_>) {
        if self.socket.socket_type() != SocketType::Xsub {
            return self.subscribe(choices);
        }
        let (wish, subscribes) = (Wish::drawn(choices), !choices.once_in(3));
        if let Err(failed) = self.socket.try_send(wish.as_message(subscribes)) {
            return assert_expected(&failed.error);
        }
        let has_effect = matches!(wish, Wish::Topic(_)) || self.socket.options().glob_messages;
        self.sent += u64::from(!has_effect);
        if has_effect && subscribes {
            self.subscribed.push(wish);
        }
    }

    /// XPUB in manual mode: to whoever asked last. Others are told that they cannot.
    pub(crate) fn grant(&mut self, choices: &mut Choices<'_>) {
        let (wish, grants) = (Wish::drawn(choices), !choices.once_in(3));
        let Ok(Some(peer)) = self.socket.last_subscriber() else { return };
        let outcome = match (wish, grants) {
            (Wish::Topic(topic), true) => self.socket.subscribe_peer(peer, topic),
            (Wish::Topic(topic), false) => self.socket.unsubscribe_peer(peer, topic),
            (Wish::Glob(pattern, _), true) => self.socket.psubscribe_peer(peer, pattern),
            (Wish::Glob(pattern, _), false) => self.socket.punsubscribe_peer(peer, pattern),
        };
        if let Err(error) = outcome {
            assert_expected(&error);
        }
    }
}
