//! What can go wrong, told so that the reader knows what to do next.

use std::fmt;
use std::io;

use serverlink_message::SocketType;

use crate::endpoint::Endpoint;

/// Characters of a value that an error quotes.
const MAX_QUOTED: usize = 100;

/// Why an operation on a context or a socket failed.
///
/// Unless a variant says otherwise the failed call changed nothing: the socket stays usable and the call may be repeated. A
/// failed *send* gives the message back, see [`SendError`].
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A `try_` call could not finish now: no message waits, or no peer can take one. Not a fault: wait for readiness, or use
    /// the blocking form.
    #[error("nothing can be done without waiting")]
    WouldBlock,

    /// The deadline or the socket's own timeout passed first. Nothing was sent or received.
    #[error("the deadline passed before the operation could finish")]
    TimedOut,

    /// The context was shut down. Every call on its sockets ends like this from now on, except closing them.
    #[error("the context was shut down; no socket of it can be used any more")]
    Terminated,

    /// This socket was closed by another thread. It does not come back.
    #[error("the socket is closed")]
    Closed,

    /// The process forked, and this is the child: what was made before the fork belongs to the parent, goes on there unharmed, and cannot be used
    /// here. Make a new [`Context`](crate::Context) in the child.
    #[error("it was made before this process was forked and belongs to the parent; make a new context here")]
    Forked,

    /// A signal handler ran while the call was waiting. Repeat the call to go on waiting. In a program with handlers also when it was stopped (^Z, a
    /// debugger that attaches) and goes on; where nobody handles signals such a wait goes on by itself.
    /// A handler that removes itself (`SA_RESETHAND`) counts if it was there when the context was opened.
    #[error("a signal interrupted the wait")]
    Interrupted,

    /// The endpoint cannot be used as written, or not for this purpose.
    #[error("endpoint `{endpoint}` cannot be used: {why}")]
    InvalidEndpoint {
        /// What was given.
        endpoint: String,
        /// What is wrong with it and how to write it.
        why: String,
    },

    /// This type of socket does not go over this transport, or not in this direction: datagrams are for RADIO, DISH and DGRAM.
    #[error("a {socket_type} socket cannot use `{endpoint}`: {why}")]
    WrongTransport {
        /// What was given.
        endpoint: Endpoint,
        /// The socket's type.
        socket_type: SocketType,
        /// What it goes over instead.
        why: &'static str,
    },

    /// An option is out of its range, or means nothing for this type of socket.
    #[error("option {option} cannot be {value}: {why}")]
    InvalidOption {
        /// The field of [`Options`](crate::Options).
        option: &'static str,
        /// The value that was given.
        value: String,
        /// What is allowed.
        why: String,
    },

    /// A pattern that cannot be subscribed to. Nothing changed.
    #[error("pattern `{pattern}` cannot be used: at octet {at}, {why}")]
    InvalidPattern {
        /// What was given, in printable form.
        pattern: String,
        /// The offset of the octet at which it goes wrong, counted from 0.
        at: usize,
        /// What is wrong there and how to write it.
        why: String,
    },

    /// Somebody listens there already: another process, or another socket of this one.
    #[error("{endpoint} is in use already; stop its owner or choose another address")]
    AddressInUse {
        /// The endpoint that was to be bound.
        endpoint: Endpoint,
    },

    /// The address does not belong to this machine, so nobody can listen on it.
    #[error("{endpoint} is not an address of this machine; bind one that is, or `*` for all of them")]
    AddressNotAvailable {
        /// The endpoint that was to be bound.
        endpoint: Endpoint,
    },

    /// `unbind` or `disconnect` named an endpoint that this socket is neither bound nor connected to.
    #[error("this socket is neither bound nor connected to {endpoint}")]
    NoSuchEndpoint {
        /// What was given.
        endpoint: Endpoint,
    },

    /// A ROUTER with `router_mandatory`, a SERVER, PEER or STREAM knows no peer of this routing id.
    #[error("no peer has the routing id {}", show_bytes(routing_id))]
    Unroutable {
        /// The first part of the message.
        routing_id: Vec<u8>,
    },

    /// The conversation is at another step: a REQ receives only after it has sent, a REP sends only after it has received.
    #[error("not now: {why}")]
    WrongState {
        /// What must happen first.
        why: &'static str,
    },

    /// This type of socket has no messages of this shape: a CLIENT's have one part, a RADIO's a group and a body.
    #[error("a {socket_type} socket cannot send this message: {why}")]
    UnsuitableMessage {
        /// The socket's type.
        socket_type: SocketType,
        /// What its messages look like.
        why: &'static str,
    },

    /// A DISH cannot join a group of this name.
    #[error("the group {} cannot be joined: {why}", show_bytes(group))]
    InvalidGroup {
        /// What was given.
        group: Vec<u8>,
        /// What a name has to be.
        why: &'static str,
    },

    /// This type of socket has no such operation: a PUB never receives.
    #[error("a {socket_type} socket cannot {what}")]
    NotSupported {
        /// The operation, as a verb: "receive".
        what: &'static str,
        /// The socket's type.
        socket_type: SocketType,
    },

    /// More bytes than a limit allows: of a subscription, or of a message that has to fit into one datagram.
    #[error("{size} bytes are more than the limit of {limit}")]
    TooLarge {
        /// What was given, in bytes.
        size: u64,
        /// The limit, in bytes.
        limit: u64,
    },

    /// The context has as many sockets as it may have; close some, or build it with a larger `max_sockets`.
    #[error("the context already has as many sockets as it may have; close some or raise `max_sockets`")]
    TooManySockets,

    /// The operating system refused something, for a reason that none of the other variants tells.
    #[error("{doing}{} failed: {source}", on_endpoint(endpoint.as_ref()))]
    Io {
        /// What was being done: "opening a listener".
        doing: &'static str,
        /// On which endpoint, if on one.
        endpoint: Option<Endpoint>,
        /// The system's own words.
        source: io::Error,
    },
}

impl Error {
    /// True for what a caller may simply try again later: [`WouldBlock`](Error::WouldBlock), [`TimedOut`](Error::TimedOut) and
    /// [`Interrupted`](Error::Interrupted).
    pub fn is_temporary(&self) -> bool {
        matches!(self, Error::WouldBlock | Error::TimedOut | Error::Interrupted)
    }

    /// True when the socket is gone for good: [`Terminated`](Error::Terminated), [`Closed`](Error::Closed) and [`Forked`](Error::Forked). A
    /// receiving loop ends here.
    pub fn is_final(&self) -> bool {
        matches!(self, Error::Terminated | Error::Closed | Error::Forked)
    }

    pub(crate) fn invalid_endpoint(endpoint: impl fmt::Display, why: impl Into<String>) -> Error {
        Error::InvalidEndpoint { endpoint: endpoint.to_string(), why: why.into() }
    }

    pub(crate) fn invalid_option(
        option: &'static str,
        value: impl fmt::Debug,
        why: impl Into<String>,
    ) -> Error {
        Error::InvalidOption { option, value: shortened(format!("{value:?}")), why: why.into() }
    }
}

/// A sentence stays a sentence whatever it is about: of a long value it quotes the beginning.
fn shortened(value: String) -> String {
    match value.char_indices().nth(MAX_QUOTED) {
        Some((end, _)) => format!("{}... ({} bytes)", &value[..end], value.len()),
        None => value,
    }
}

/// A send that failed, with the message it did not send.
///
/// No peer has seen any of it. Send it again, elsewhere, or drop it; where only the reason matters, `?` turns this into an
/// [`Error`].
#[derive(thiserror::Error)]
#[error("{error}")]
pub struct SendError<M> {
    /// Why it was not sent.
    pub error: Error,
    /// What was not sent, as it was given to the call.
    pub message: M,
}

impl<M> SendError<M> {
    /// The message, to be sent again.
    pub fn into_message(self) -> M {
        self.message
    }

    /// The reason alone; the message is dropped.
    pub fn into_error(self) -> Error {
        self.error
    }
}

/// The message is left out: it may be large, and need not be printable.
impl<M> fmt::Debug for SendError<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SendError").field("error", &self.error).finish_non_exhaustive()
    }
}

impl<M> From<SendError<M>> for Error {
    fn from(failed: SendError<M>) -> Error {
        failed.error
    }
}

/// A batch that was not sent as a whole, with what is left of it.
///
/// Those before it are sent, as if each had been sent alone; no peer has seen any of the rest. Send the rest again, elsewhere, or drop it; where only
/// the reason matters, `?` turns this into an [`Error`].
#[derive(thiserror::Error)]
#[error("{error}; of the batch {sent} were sent and {} were not", unsent.len())]
pub struct SendBatchError<M> {
    /// How many were sent, from the first on.
    pub sent: usize,
    /// Why the next one was not.
    pub error: Error,
    /// That one and all behind it, in their order, as they were given to the call.
    pub unsent: Vec<M>,
}

/// The messages are left out, as in [`SendError`].
impl<M> fmt::Debug for SendBatchError<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let SendBatchError { sent, error, .. } = self;
        f.debug_struct("SendBatchError").field("sent", sent).field("error", error).finish_non_exhaustive()
    }
}

impl<M> From<SendBatchError<M>> for Error {
    fn from(failed: SendBatchError<M>) -> Error {
        failed.error
    }
}

fn on_endpoint(endpoint: Option<&Endpoint>) -> String {
    endpoint.map_or_else(String::new, |endpoint| format!(" on {endpoint}"))
}

/// Text as text, everything else as hex: routing ids are often chosen by people, and often by machines.
pub(crate) fn show_bytes(bytes: &[u8]) -> String {
    match printable(bytes) {
        Some(text) if !text.is_empty() => format!("`{text}`"),
        _ => hex(bytes),
    }
}

/// The same for machines: without quotes, and nothing for nothing.
pub(crate) fn plain_bytes(bytes: &[u8]) -> String {
    printable(bytes).map_or_else(|| hex(bytes), str::to_owned)
}

fn printable(bytes: &[u8]) -> Option<&str> {
    std::str::from_utf8(bytes).ok().filter(|text| !text.contains(char::is_control))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::from("0x"), |hex, byte| format!("{hex}{byte:02x}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn routing_ids_are_shown_as_text_where_they_are_text() {
        let named = Error::Unroutable { routing_id: b"worker-7".to_vec() };
        assert_eq!(named.to_string(), "no peer has the routing id `worker-7`");
        let anonymous = Error::Unroutable { routing_id: vec![0, 0, 0, 0, 9] };
        assert_eq!(anonymous.to_string(), "no peer has the routing id 0x0000000009");
    }

    #[test]
    fn io_errors_say_what_was_done_and_where() {
        let source = io::Error::from(io::ErrorKind::PermissionDenied);
        let endpoint = "tcp://127.0.0.1:80".parse().expect("a valid endpoint");
        let error = Error::Io { doing: "binding", endpoint: Some(endpoint), source };
        assert_eq!(error.to_string(), "binding on tcp://127.0.0.1:80 failed: permission denied");
    }

    #[test]
    fn a_long_value_is_quoted_in_part() {
        let error =
            Error::invalid_option("tcp.device", "é".repeat(60_000), "a device's name has 1 to 15 bytes");
        assert!(error.to_string().len() < 400, "{error}");
        assert!(error.to_string().contains("éé... (120002 bytes)"), "{error}");
    }

    #[test]
    fn a_failed_send_gives_the_message_back() {
        let failed = SendError { error: Error::WouldBlock, message: String::from("precious") };
        assert_eq!(failed.to_string(), Error::WouldBlock.to_string());
        assert_eq!(failed.into_message(), "precious");
    }
}
