//! What can be given to a send, and how a failed send gives it back.

use std::sync::Arc;

use serverlink_driver::Buffer;
use serverlink_message::{Message, Part};

/// From this size on an owned buffer is shared with the connection, which writes it by reference, instead of copied into the
/// connection's arena.
const SHARE_FROM_BYTES: usize = 8 * 1024;

/// Everything that can be sent: borrowed bytes and text, owned bytes and text, a [`Part`], a [`Message`], a list of parts.
///
/// Borrowed bytes are framed straight into the connection's memory, without a message in between. From 16 KiB up they are written from
/// where they are if their connection can be written at once, and copied otherwise. Owned buffers of 8 KiB and
/// more are never copied. A failed send returns the very value, unchanged.
///
/// This trait is sealed: the library may add types, others cannot.
pub trait Payload: Sized + sealed::Sealed {
    /// What the socket keeps while it tries.
    #[doc(hidden)]
    type Carrier: Carrier;

    #[doc(hidden)]
    fn into_carrier(self) -> Self::Carrier;

    /// Only for a carrier whose message was not taken.
    #[doc(hidden)]
    fn from_carrier(carrier: Self::Carrier) -> Self;
}

/// One attempt after another looks at the same carrier; the one that succeeds takes the message out.
#[doc(hidden)]
pub trait Carrier: Unpin {
    fn outgoing(&mut self) -> Outgoing<'_>;
}

/// The two forms a socket can send.
#[doc(hidden)]
#[derive(Debug)]
pub enum Outgoing<'a> {
    /// One part, to be copied.
    Bytes(&'a [u8]),
    /// To be taken (`std::mem::take`) on success and left as it is on failure.
    Message(&'a mut Message),
}

impl Outgoing<'_> {
    /// The body, where the message is nothing else and may be copied and let go.
    #[inline]
    pub(crate) fn only_part(&self) -> Option<&[u8]> {
        match self {
            Outgoing::Bytes(bytes) => Some(bytes),
            Outgoing::Message(message) => {
                let first = message.first();
                (!message.is_multipart() && !first.is_lent()).then(|| first.as_bytes())
            }
        }
    }

    /// What patterns look at: the topic, or a ROUTER's address.
    pub(crate) fn first(&self) -> &[u8] {
        match self {
            Outgoing::Bytes(bytes) => bytes,
            Outgoing::Message(message) => message.first().as_bytes(),
        }
    }

    /// The part that may be large enough to be written from where it lies.
    pub(crate) fn last(&self) -> &[u8] {
        match self {
            Outgoing::Bytes(bytes) => bytes,
            Outgoing::Message(message) => last_part(message).as_bytes(),
        }
    }

    /// The same, to be kept until it is written: without a copy where that can be.
    pub(crate) fn keep_last(&self) -> Buffer {
        match self {
            Outgoing::Bytes(bytes) => Buffer::Owned(bytes.to_vec()),
            Outgoing::Message(message) => Buffer::Shared(Arc::new(last_part(message).clone())),
        }
    }
}

fn last_part(message: &Message) -> &Part {
    message.part(message.part_count() - 1).expect("no message is without parts")
}

/// Types that carry themselves.
macro_rules! carries_itself {
    ($([$($generics:tt)*] $type:ty => |$value:ident| $outgoing:expr;)*) => {$(
        impl<$($generics)*> sealed::Sealed for $type {}
        impl<$($generics)*> Payload for $type {
            type Carrier = Self;
            #[inline]
            fn into_carrier(self) -> Self {
                self
            }
            #[inline]
            fn from_carrier(carrier: Self) -> Self {
                carrier
            }
        }
        impl<$($generics)*> Carrier for $type {
            #[inline]
            fn outgoing(&mut self) -> Outgoing<'_> {
                let $value = self;
                $outgoing
            }
        }
    )*};
}

carries_itself! {
    [] &[u8] => |bytes| Outgoing::Bytes(bytes);
    [] &Vec<u8> => |bytes| Outgoing::Bytes(bytes);
    [const N: usize] &[u8; N] => |bytes| Outgoing::Bytes(bytes.as_slice());
    [] &str => |text| Outgoing::Bytes(text.as_bytes());
    [] &String => |text| Outgoing::Bytes(text.as_bytes());
    [] Message => |message| Outgoing::Message(message);
}

impl sealed::Sealed for Part {}
impl Payload for Part {
    type Carrier = Message;
    #[inline]
    fn into_carrier(self) -> Message {
        Message::from(self)
    }
    #[inline]
    fn from_carrier(carrier: Message) -> Part {
        carrier.split_first().0
    }
}

macro_rules! owned {
    ($($type:ty),*) => {$(
        impl sealed::Sealed for $type {}
        impl Payload for $type {
            type Carrier = Owned<$type>;
            #[inline]
            fn into_carrier(self) -> Owned<$type> {
                Owned::new(self)
            }
            #[inline]
            fn from_carrier(carrier: Owned<$type>) -> $type {
                carrier.into_inner()
            }
        }
    )*};
}

owned!(Vec<u8>, String);

/// An owned buffer: a small one stays what it is and is copied, a large one is shared with a message. The carrier keeps a
/// share of its own, by which a failed send gets the buffer back without copying it.
#[doc(hidden)]
#[derive(Debug)]
pub enum Owned<T> {
    Small(T),
    Large { buffer: Arc<T>, message: Message },
}

impl<T: AsRef<[u8]> + Clone + Send + Sync + 'static> Owned<T> {
    #[inline]
    fn new(buffer: T) -> Owned<T> {
        if buffer.as_ref().len() < SHARE_FROM_BYTES { Owned::Small(buffer) } else { Owned::share(buffer) }
    }

    #[cold]
    fn share(buffer: T) -> Owned<T> {
        let buffer = Arc::new(buffer);
        let message = Message::from(Part::from_owner(Shared(Arc::clone(&buffer))));
        Owned::Large { buffer, message }
    }

    #[inline]
    fn into_inner(self) -> T {
        match self {
            Owned::Small(buffer) => buffer,
            Owned::Large { buffer, message } => {
                drop(message);
                Arc::unwrap_or_clone(buffer)
            }
        }
    }
}

impl<T: AsRef<[u8]> + Unpin> Carrier for Owned<T> {
    #[inline]
    fn outgoing(&mut self) -> Outgoing<'_> {
        match self {
            Owned::Small(buffer) => Outgoing::Bytes((*buffer).as_ref()),
            Owned::Large { message, .. } => Outgoing::Message(message),
        }
    }
}

struct Shared<T>(Arc<T>);

impl<T: AsRef<[u8]>> AsRef<[u8]> for Shared<T> {
    fn as_ref(&self) -> &[u8] {
        (*self.0).as_ref()
    }
}

impl sealed::Sealed for Vec<Part> {}
/// An empty list is sent as one empty part: no message has none.
impl Payload for Vec<Part> {
    type Carrier = Parts;
    fn into_carrier(self) -> Parts {
        Parts { was_empty: self.is_empty(), message: Message::from(self) }
    }
    fn from_carrier(carrier: Parts) -> Vec<Part> {
        if carrier.was_empty { Vec::new() } else { carrier.message.into_parts().collect() }
    }
}

#[doc(hidden)]
#[derive(Debug)]
pub struct Parts {
    message: Message,
    was_empty: bool,
}

impl Carrier for Parts {
    #[inline]
    fn outgoing(&mut self) -> Outgoing<'_> {
        Outgoing::Message(&mut self.message)
    }
}

mod sealed {
    pub trait Sealed {}
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A send that fails: it looks, and leaves everything as it was.
    fn refused<M: Payload>(value: M) -> M {
        let mut carrier = value.into_carrier();
        let _ = carrier.outgoing();
        M::from_carrier(carrier)
    }

    /// A send that succeeds, and what it sent.
    fn taken<M: Payload>(value: M) -> Message {
        match value.into_carrier().outgoing() {
            Outgoing::Bytes(bytes) => Message::from(bytes),
            Outgoing::Message(message) => std::mem::take(message),
        }
    }

    #[test]
    fn every_type_comes_back_from_a_failed_send() {
        assert_eq!(refused("text"), "text");
        assert_eq!(refused(b"array"), b"array");
        assert_eq!(refused(&[1u8, 2][..]), &[1, 2]);
        assert_eq!(refused(String::from("owned")), "owned");
        assert_eq!(refused(Part::from("part")), Part::from("part"));
        let parts = vec![Part::from("a"), Part::from("b")];
        assert_eq!(refused(parts.clone()), parts);
        assert_eq!(refused(Vec::<Part>::new()), Vec::<Part>::new());
        assert_eq!(refused(Message::from_parts(["a", "b"])), Message::from_parts(["a", "b"]));
    }

    #[test]
    fn a_large_buffer_comes_back_without_being_copied() {
        let large = vec![7u8; SHARE_FROM_BYTES];
        let address = large.as_ptr();
        let back = refused(large);
        assert_eq!(back.as_ptr(), address);
        assert_eq!(back, vec![7u8; SHARE_FROM_BYTES]);
    }

    #[test]
    fn a_large_buffer_is_sent_from_where_it_is() {
        let large = vec![7u8; SHARE_FROM_BYTES];
        let address = large.as_ptr();
        assert_eq!(taken(large).first().as_ptr(), address);
    }

    #[test]
    fn what_is_sent_is_what_was_given() {
        assert_eq!(taken("x"), Message::from("x"));
        assert_eq!(taken(vec![1u8, 2, 3]), Message::from(&[1u8, 2, 3]));
        assert_eq!(taken(vec![Part::from("a"), Part::from("b")]), Message::from_parts(["a", "b"]));
        assert_eq!(taken(Vec::<Part>::new()), Message::new());
    }
}
