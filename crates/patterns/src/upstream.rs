//! Subscriptions as messages: how applications of XPUB and XSUB see and say them (RFC 29).

use serverlink_message::Message;

const CANCEL: u8 = 0;
const SUBSCRIBE: u8 = 1;
const GLOB_SUBSCRIBE: u8 = 2;
const GLOB_CANCEL: u8 = 3;

/// What a subscription asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject<'a> {
    /// Messages whose first part begins with this.
    Topic(&'a [u8]),
    /// Messages whose first part fits this [`Glob`](crate::Glob), as it was written.
    Glob(&'a [u8]),
}

/// What a part of a message from an XSUB's application means; see [`Upstream::of`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Upstream<'a> {
    /// `[1 topic]`, and `[2 glob]` where globs are messages.
    Subscribe(Subject<'a>),
    /// `[0 topic]`, and `[3 glob]` where globs are messages.
    Cancel(Subject<'a>),
    /// Anything else: goes to all publishers as it is.
    Message,
}

impl Upstream<'_> {
    /// What one part means, whether on the way into an XSUB or when it comes out at the publisher. A subscription is
    /// to be given to [`Receiver::subscribe`](crate::Receiver::subscribe) and its kin; everything else goes through
    /// [`Sender::reserve`](crate::Sender::reserve).
    ///
    /// `glob_messages` is [`PatternOptions::glob_messages`](crate::PatternOptions::glob_messages). On a wire globs are commands and never messages.
    pub fn of(part: &[u8], glob_messages: bool) -> Upstream<'_> {
        match part {
            [SUBSCRIBE, topic @ ..] => Upstream::Subscribe(Subject::Topic(topic)),
            [CANCEL, topic @ ..] => Upstream::Cancel(Subject::Topic(topic)),
            [GLOB_SUBSCRIBE, glob @ ..] if glob_messages => Upstream::Subscribe(Subject::Glob(glob)),
            [GLOB_CANCEL, glob @ ..] if glob_messages => Upstream::Cancel(Subject::Glob(glob)),
            _ => Upstream::Message,
        }
    }
}

/// The message by which XPUB's application is told.
pub(crate) fn told(subscribe: bool, subject: Subject<'_>) -> Message {
    let (kind, name) = match (subscribe, subject) {
        (true, Subject::Topic(topic)) => (SUBSCRIBE, topic),
        (false, Subject::Topic(topic)) => (CANCEL, topic),
        (true, Subject::Glob(glob)) => (GLOB_SUBSCRIBE, glob),
        (false, Subject::Glob(glob)) => (GLOB_CANCEL, glob),
    };
    let mut body = Vec::with_capacity(1 + name.len());
    body.push(kind);
    body.extend_from_slice(name);
    Message::from(body)
}
