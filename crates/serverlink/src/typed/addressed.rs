//! The methods of sockets whose messages have an address in front and one part behind it.

use crate::payload::{Carrier, Outgoing};
use crate::{Error, Message, Part, Payload, SendError};

/// Sending: `$bytes` is the first part.
macro_rules! addressed {
    ($name:ident, $address:ident: $given:ty => $bytes:expr, $whose:literal) => {
        /// With the address apart from the body.
        impl $name {
            #[doc = concat!("Sends to ", $whose, ".")]
            ///
            /// # Errors
            /// As [`send`](Self::send). The error holds the message without the address.
            pub fn send_to<M: $crate::Payload>(
                &self,
                $address: $given,
                message: M,
            ) -> Result<(), $crate::SendError<M>> {
                $crate::typed::addressed::send_to($bytes.as_ref(), message, |whole| {
                    Ok(self.socket.send(whole)?)
                })
            }

            #[doc = concat!("Sends to ", $whose, " if that is possible at once.")]
            ///
            /// # Errors
            /// [`WouldBlock`](crate::Error::WouldBlock), else as [`send_to`](Self::send_to).
            pub fn try_send_to<M: $crate::Payload>(
                &self,
                $address: $given,
                message: M,
            ) -> Result<(), $crate::SendError<M>> {
                $crate::typed::addressed::send_to($bytes.as_ref(), message, |whole| {
                    Ok(self.socket.try_send(whole)?)
                })
            }

            #[doc = concat!("Sends to ", $whose, ", waiting at most until `deadline`.")]
            ///
            /// # Errors
            /// [`TimedOut`](crate::Error::TimedOut), else as [`send_to`](Self::send_to).
            pub fn send_to_deadline<M: $crate::Payload>(
                &self,
                $address: $given,
                message: M,
                deadline: std::time::Instant,
            ) -> Result<(), $crate::SendError<M>> {
                $crate::typed::addressed::send_to($bytes.as_ref(), message, |whole| {
                    Ok(self.socket.send_deadline(whole, deadline)?)
                })
            }
        }
    };
}

/// Receiving: `$to` makes of the first part what the application is told.
macro_rules! tells_address {
    ($name:ident, $told:ty => $to:expr, $whose:literal) => {
        /// With the address apart from the body.
        impl $name {
            #[doc = concat!("The next message and ", $whose, ".")]
            ///
            /// # Errors
            /// As [`recv`](Self::recv).
            pub fn recv_from(&self) -> Result<($told, $crate::Message), $crate::Error> {
                self.socket.recv().map(|whole| $crate::typed::addressed::split(whole, $to))
            }

            #[doc = concat!("A message, if one is there, and ", $whose, ".")]
            ///
            /// # Errors
            /// As [`try_recv`](Self::try_recv).
            pub fn try_recv_from(&self) -> Result<($told, $crate::Message), $crate::Error> {
                self.socket.try_recv().map(|whole| $crate::typed::addressed::split(whole, $to))
            }

            #[doc = concat!("The next message and ", $whose, ", waiting at most until `deadline`.")]
            ///
            /// # Errors
            /// As [`recv_deadline`](Self::recv_deadline).
            pub fn recv_from_deadline(
                &self,
                deadline: std::time::Instant,
            ) -> Result<($told, $crate::Message), $crate::Error> {
                self.socket.recv_deadline(deadline).map(|whole| $crate::typed::addressed::split(whole, $to))
            }
        }
    };
}

/// Sends a copy with the address in front (parts are shared, not copied), so that a failure can return the message as it was.
pub(super) fn send_to<M: Payload>(
    address: &[u8],
    message: M,
    send: impl FnOnce(Message) -> Result<(), Error>,
) -> Result<(), SendError<M>> {
    let mut carrier = message.into_carrier();
    let mut whole = match carrier.outgoing() {
        Outgoing::Bytes(bytes) => Message::from(bytes),
        Outgoing::Message(message) => message.clone(),
    };
    whole.push_front(address);
    send(whole).map_err(|error| SendError { error, message: M::from_carrier(carrier) })
}

pub(super) fn split<T>(whole: Message, told: impl FnOnce(Part) -> T) -> (T, Message) {
    let (address, rest) = whole.split_first();
    (told(address), rest.unwrap_or_default())
}

pub(super) use {addressed, tells_address};
