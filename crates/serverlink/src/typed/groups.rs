use super::addressed::{addressed, tells_address};
use super::methods::{publishes, receives, receives_batches, sends, sends_batches, typed_socket};
use crate::{Error, Part};

typed_socket! {
    /// Sends every message, a group and one part, to each [`Dish`] that joined the group (RFC 48). Unlike a publisher's topic the group is not a part of
    /// what is said, and all of its name counts.
    ///
    /// Over udp (`udp://host:port`, or a group of multicast) it connects, and its DISHes bind; nobody says there what he joined, so every message goes out, once
    /// and as one datagram, and each DISH takes what it joined. Messages of a RADIO that is connected so have at most 65,507 bytes, with the group and one for
    /// its length; [`TooLarge`](crate::Error::TooLarge) otherwise.
    ///
    /// Sending never waits: who has no room misses the message, and the miss is counted. With
    /// [`Options::xpub_no_drop`](crate::Options::xpub_no_drop) it waits for all of them instead.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// let ctx = serverlink::Context::new()?;
    /// let radio = ctx.radio().open()?;
    /// let endpoint = radio.bind("tcp://127.0.0.1:*")?;
    /// let dish = ctx.dish().open()?;
    /// dish.join("weather")?;
    /// dish.connect(&endpoint.to_string())?;
    ///
    /// radio.wait_for_subscribers(1, Duration::from_secs(10))?;
    /// radio.send_to("weather.tomorrow", "nobody joined this")?;
    /// radio.send_to("weather", "rain")?;
    /// let (group, message) = dish.recv_from()?;
    /// assert_eq!((&group[..], message.first()), (&b"weather"[..], &"rain".into()));
    /// # Ok::<(), serverlink::Error>(())
    /// ```
    Radio is Radio
}
sends!(
    Radio,
    "Its first part is the group, its second the body. Whoever has no room, or did not join, does not get it. Never waits, except with `xpub_no_drop` for members without room. Anything else is refused with [`UnsuitableMessage`](crate::Error::UnsuitableMessage)."
);
sends_batches!(Radio);
addressed!(Radio, group: impl AsRef<[u8]> => group, "everybody who joined this group");
publishes!(Radio);

typed_socket! {
    /// Receives the messages of the groups that it joined (RFC 48): the group, then the body. Without a group it receives nothing.
    ///
    /// See [`Radio`] for an example.
    Dish is Dish
}
receives!(Dish);
receives_batches!(Dish);
tells_address!(Dish, Part => |group| group, "its group");

/// Groups.
impl Dish {
    /// Asks for the messages of a group. False if it was joined already. See [`Socket::join`](crate::Socket::join).
    ///
    /// # Errors
    /// [`InvalidGroup`](crate::Error::InvalidGroup) for more than 255 octets, or a zero octet among them.
    pub fn join(&self, group: impl AsRef<[u8]>) -> Result<bool, Error> {
        self.socket.join(group)
    }

    /// Asks for them no more. False if it was not joined.
    ///
    /// # Errors
    /// As [`join`](Self::join).
    pub fn leave(&self, group: impl AsRef<[u8]>) -> Result<bool, Error> {
        self.socket.leave(group)
    }

    /// How many groups are joined.
    pub fn groups_count(&self) -> usize {
        self.socket.topics_count().unwrap_or(0)
    }
}
