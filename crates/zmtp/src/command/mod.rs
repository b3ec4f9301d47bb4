//! Commands: what peers say to each other beside messages (RFC 37, "Commands").

mod fields;
mod metadata;

pub use metadata::{Metadata, MetadataBuilder, Properties, Property, PropertyError};

use crate::error::{Limited, WireError, check_limit};
use crate::frame::{Header, put_header};
use crate::limits::Limits;
pub(crate) use fields::Fields;

/// Octets in the longest context of a PING, and so of the PONG that returns it.
pub const MAX_PING_CONTEXT_LEN: usize = 16;
/// Octets in the longest name of a group (RFC 48).
pub const MAX_GROUP_LEN: usize = u8::MAX as usize;
/// Octets in the longest reason of an ERROR, and in the longest name.
pub const MAX_SHORT_LEN: usize = u8::MAX as usize;

const READY: &str = "READY";
const ERROR: &str = "ERROR";
const SUBSCRIBE: &str = "SUBSCRIBE";
const CANCEL: &str = "CANCEL";
const GLOB_SUBSCRIBE: &str = "PSUBSCRIBE";
const GLOB_CANCEL: &str = "PCANCEL";
const JOIN: &str = "JOIN";
const LEAVE: &str = "LEAVE";
const PING: &str = "PING";
const PONG: &str = "PONG";

/// One command, borrowing from the frame body it was parsed from.
///
/// ```
/// use serverlink_zmtp::{Limits, command::Command, frame};
///
/// let mut wire = Vec::new();
/// Command::Ping { ttl_deciseconds: 300, context: b"7" }.put(&mut wire);
/// assert_eq!(wire, b"\x04\x08\x04PING\x01\x2c7");
/// assert_eq!(Command::parse(&wire[2..], &Limits::default()), Ok(Command::Ping { ttl_deciseconds: 300, context: b"7" }));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command<'a> {
    /// Ends the handshake and says who the sender is.
    Ready(Metadata<'a>),
    /// Refuses the connection for good. Fatal whenever it comes; close, and do not retry soon.
    Error {
        /// To be logged. Without defined meaning, and not necessarily printable.
        reason: &'a [u8],
    },
    /// One more subscription to a topic.
    Subscribe(&'a [u8]),
    /// One subscription to a topic less.
    Cancel(&'a [u8]),
    /// One more subscription to a glob: an extension, only for peers that announced
    /// [`GLOBS_PROPERTY`](crate::subscription::GLOBS_PROPERTY). Whether it is a pattern is for its receiver to judge.
    GlobSubscribe(&'a [u8]),
    /// One subscription to a glob less.
    GlobCancel(&'a [u8]),
    /// A DISH joins a group (RFC 48): at most [`MAX_GROUP_LEN`] octets.
    Join(&'a [u8]),
    /// A DISH leaves a group.
    Leave(&'a [u8]),
    /// Asks for a PONG with the same context.
    Ping {
        /// The sender wants to be given up when nothing came from it for so many tenths of a second. 0: no such wish.
        ttl_deciseconds: u16,
        /// At most [`MAX_PING_CONTEXT_LEN`] octets.
        context: &'a [u8],
    },
    /// Answers a PING.
    Pong {
        /// That of the PING.
        context: &'a [u8],
    },
    /// A command of a mechanism or of a newer version. To be ignored once the handshake is over.
    Unknown {
        /// 1 to 255 octets, not necessarily printable.
        name: &'a [u8],
        /// What follows the name.
        body: &'a [u8],
    },
}

impl<'a> Command<'a> {
    /// Reads a whole body of a command frame.
    ///
    /// # Errors
    /// All the peer's fault: [`WireError::MalformedCommand`] when a field is missing, too short or followed by
    /// something, [`WireError::LimitExceeded`] when the command, its topic or its metadata go past `limits`.
    pub fn parse(body: &'a [u8], limits: &Limits) -> Result<Command<'a>, WireError> {
        let (name, rest) = split_name(body, limits)?;
        match name {
            b"READY" => Ok(Command::Ready(Metadata::parse(rest, limits)?)),
            b"ERROR" => parse_error(rest).map(|reason| Command::Error { reason }),
            b"SUBSCRIBE" => limits.check_topic(rest).map(|()| Command::Subscribe(rest)),
            b"CANCEL" => limits.check_topic(rest).map(|()| Command::Cancel(rest)),
            b"PSUBSCRIBE" => limits.check_topic(rest).map(|()| Command::GlobSubscribe(rest)),
            b"PCANCEL" => limits.check_topic(rest).map(|()| Command::GlobCancel(rest)),
            b"JOIN" => check_group(JOIN, rest).map(Command::Join),
            b"LEAVE" => check_group(LEAVE, rest).map(Command::Leave),
            b"PING" => parse_ping(rest),
            b"PONG" => check_context(PONG, rest).map(|context| Command::Pong { context }),
            _ => Ok(Command::Unknown { name, body: rest }),
        }
    }

    /// Appends the command as a whole frame.
    ///
    /// A reason that is too long for its field is cut.
    ///
    /// # Panics
    /// When a context has more than [`MAX_PING_CONTEXT_LEN`] octets, or an unknown command's name none or more than
    /// 255: [`Command::parse`] gives no such values, so they could only be a mistake of the caller.
    pub fn put(&self, out: &mut Vec<u8>) {
        match *self {
            Command::Ready(metadata) => put_command(out, READY.as_bytes(), &[metadata.as_bytes()]),
            Command::Error { reason } => {
                let reason = &reason[..reason.len().min(MAX_SHORT_LEN)];
                put_command(out, ERROR.as_bytes(), &[&[reason.len() as u8], reason]);
            }
            Command::Subscribe(topic) => put_command(out, SUBSCRIBE.as_bytes(), &[topic]),
            Command::Cancel(topic) => put_command(out, CANCEL.as_bytes(), &[topic]),
            Command::GlobSubscribe(glob) => put_command(out, GLOB_SUBSCRIBE.as_bytes(), &[glob]),
            Command::GlobCancel(glob) => put_command(out, GLOB_CANCEL.as_bytes(), &[glob]),
            Command::Join(group) => put_command(out, JOIN.as_bytes(), &[group]),
            Command::Leave(group) => put_command(out, LEAVE.as_bytes(), &[group]),
            Command::Ping { ttl_deciseconds, context } => {
                assert_context(context);
                put_command(out, PING.as_bytes(), &[&ttl_deciseconds.to_be_bytes(), context]);
            }
            Command::Pong { context } => {
                assert_context(context);
                put_command(out, PONG.as_bytes(), &[context]);
            }
            Command::Unknown { name, body } => put_command(out, name, &[body]),
        }
    }

    /// The name as it stands on the wire.
    pub fn name(&self) -> &[u8] {
        match *self {
            Command::Ready(_) => READY.as_bytes(),
            Command::Error { .. } => ERROR.as_bytes(),
            Command::Subscribe(_) => SUBSCRIBE.as_bytes(),
            Command::Cancel(_) => CANCEL.as_bytes(),
            Command::GlobSubscribe(_) => GLOB_SUBSCRIBE.as_bytes(),
            Command::GlobCancel(_) => GLOB_CANCEL.as_bytes(),
            Command::Join(_) => JOIN.as_bytes(),
            Command::Leave(_) => LEAVE.as_bytes(),
            Command::Ping { .. } => PING.as_bytes(),
            Command::Pong { .. } => PONG.as_bytes(),
            Command::Unknown { name, .. } => name,
        }
    }
}

/// The name of a command, and what follows it.
///
/// # Errors
/// The peer's fault: it has none, or is too long.
pub(crate) fn split_name<'a>(body: &'a [u8], limits: &Limits) -> Result<(&'a [u8], &'a [u8]), WireError> {
    check_limit(Limited::Command, body.len() as u64, limits.max_command_bytes)?;
    let mut fields = Fields::new("unnamed", body);
    match fields.short("its name is longer than the command")? {
        b"" => Err(fields.malformed("its name is empty")),
        name => Ok((name, fields.rest())),
    }
}

/// The reason in an ERROR's body.
pub(crate) fn parse_error(body: &[u8]) -> Result<&[u8], WireError> {
    let mut fields = Fields::new(ERROR, body);
    let reason = fields.short("its reason is longer than the command")?;
    fields.finish("something follows its reason")?;
    Ok(reason)
}

fn parse_ping(body: &[u8]) -> Result<Command<'_>, WireError> {
    let mut fields = Fields::new(PING, body);
    let ttl_deciseconds = u16::from_be_bytes(*fields.array("it is shorter than its time to live")?);
    let context = check_context(PING, fields.rest())?;
    Ok(Command::Ping { ttl_deciseconds, context })
}

fn check_context<'a>(command: &'static str, context: &'a [u8]) -> Result<&'a [u8], WireError> {
    if context.len() > MAX_PING_CONTEXT_LEN {
        return Err(WireError::MalformedCommand { command, why: "its context is longer than 16 octets" });
    }
    Ok(context)
}

fn check_group<'a>(command: &'static str, group: &'a [u8]) -> Result<&'a [u8], WireError> {
    if group.len() > MAX_GROUP_LEN {
        return Err(WireError::MalformedCommand { command, why: "its group is longer than 255 octets" });
    }
    Ok(group)
}

fn assert_context(context: &[u8]) {
    assert!(
        context.len() <= MAX_PING_CONTEXT_LEN,
        "a context is chosen by us or was checked when it was parsed"
    );
}

fn put_command(out: &mut Vec<u8>, name: &[u8], fields: &[&[u8]]) {
    let name_len = u8::try_from(name.len()).ok().filter(|&len| len > 0);
    let name_len =
        name_len.expect("names of commands are constants of 1 to 255 octets or were parsed as such");
    let body_len = 1 + name.len() + fields.iter().map(|field| field.len()).sum::<usize>();
    put_header(out, Header { more: false, command: true, body_len: body_len as u64 });
    out.push(name_len);
    out.extend_from_slice(name);
    fields.iter().for_each(|field| out.extend_from_slice(field));
}
