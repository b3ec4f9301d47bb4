//! What messages look like to C. In the library an address is a part in front; C programs have it beside the part for some types.

use std::ffi::CString;

use serverlink::{Message, Part, SocketType};

use crate::errno::{EHOSTUNREACH, Errno};
use crate::message::RawMessage;

/// How the messages of a socket type look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// Any number of parts.
    Parts,
    /// One part.
    Single,
    /// One part, and beside it the number of a peer.
    Numbered,
    /// One part, and beside it a group.
    Grouped,
    /// A routing id and octets, which are two parts whatever the flags say.
    Octets,
    /// An address and a body, which are two parts, and the flags have to say so.
    Datagram,
}

/// What stands beside a part.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) enum Label {
    #[default]
    Nothing,
    Number(u32),
    Group(Part),
}

impl Shape {
    pub(super) const fn of(kind: SocketType) -> Shape {
        use SocketType::*;
        match kind {
            Server | Peer => Shape::Numbered,
            Radio | Dish => Shape::Grouped,
            Client | Scatter | Gather | Channel => Shape::Single,
            Stream => Shape::Octets,
            Dgram => Shape::Datagram,
            _ => Shape::Parts,
        }
    }

    /// As the library sends it. `EHOSTUNREACH` where a number is missing.
    pub(super) fn whole(self, part: Part, label: Label) -> Result<Message, (Errno, Part)> {
        let mut message = Message::from(part);
        match (self, label) {
            (Shape::Numbered, Label::Number(number)) => message.push_front(&number.to_be_bytes()),
            (Shape::Numbered, _) => {
                let (part, _) = message.split_first();
                return Err((Errno(EHOSTUNREACH), part));
            }
            (Shape::Grouped, Label::Group(group)) => message.push_front(group),
            (Shape::Grouped, _) => message.push_front(""),
            _ => {}
        }
        Ok(message)
    }

    /// As C receives it.
    #[inline]
    pub(super) fn open(self, message: Message) -> (Message, Label) {
        match self {
            Shape::Parts | Shape::Single | Shape::Octets => (message, Label::Nothing),
            Shape::Numbered | Shape::Grouped => self.open_labelled(message),
            Shape::Datagram => (as_string_in_front(message), Label::Nothing),
        }
    }

    #[cold]
    fn open_labelled(self, message: Message) -> (Message, Label) {
        let (address, body) = message.split_first();
        let label = match self {
            Shape::Numbered => {
                let octets = address.as_bytes().try_into();
                octets.map_or(Label::Nothing, |octets| Label::Number(u32::from_be_bytes(octets)))
            }
            _ => Label::Group(address),
        };
        (body.unwrap_or_default(), label)
    }
}

/// As libzmq has it, an address ends with a zero octet.
#[cold]
fn as_string_in_front(message: Message) -> Message {
    let (address, body) = message.split_first();
    let mut message = body.unwrap_or_default();
    message.push_front([&address[..], b"\0"].concat());
    message
}

impl Label {
    /// What a program put beside the part that it sends.
    pub(super) fn of(message: &RawMessage) -> Label {
        match message.extra() {
            Some(extra) if extra.routing_id != 0 => Label::Number(extra.routing_id),
            Some(extra) if !extra.group.is_empty() => Label::Group(Part::from(extra.group.as_bytes())),
            _ => Label::Nothing,
        }
    }

    pub(super) fn put_beside(self, message: &mut RawMessage) {
        match self {
            Label::Nothing => {}
            Label::Number(number) => message.extra_mut().routing_id = number,
            // The library lets no group with a zero octet through.
            Label::Group(group) => message.extra_mut().group = CString::new(&group[..]).unwrap_or_default(),
        }
    }
}
