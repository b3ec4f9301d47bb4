//! Ranges, and which option belongs to which socket type.

use std::time::Duration;

use serverlink_message::SocketType;

use super::{Options, TcpOptions};
use crate::error::Error;

/// In lower case.
const OWN_PROPERTIES: &str = "x-serverlink-";

const MILLISECOND: Duration = Duration::from_millis(1);
const SECOND: Duration = Duration::from_secs(1);
const HOUR: Duration = Duration::from_secs(3600);
/// The ttl field of a PING has 16 bits of tenths of a second.
const MAX_TTL: Duration = Duration::from_millis(6_553_500);
/// As many as Linux has room for.
const MAX_DEVICE_BYTES: usize = 15;
const MAX_KERNEL_BUFFER_BYTES: usize = i32::MAX as usize;
const MAX_ROUTING_ID_BYTES: usize = 255;
/// Messages that the socket sends or receives of its own accord.
const MAX_OWN_MESSAGE_BYTES: usize = 64 * 1024;
/// Half of what a handshake may have on the other side, where the properties of ZMTP need room, too.
const MAX_DOMAIN_BYTES: usize = 255;
const MAX_PROPERTIES: usize = 32;
const MAX_PROPERTY_BYTES: usize = 16 * 1024;

impl Options {
    /// Checks every range. Opening a socket does this too; call it to check a configuration early.
    ///
    /// # Errors
    /// [`Error::InvalidOption`] for the first field that is out of its range.
    pub fn validate(&self) -> Result<(), Error> {
        within("reconnect_interval", self.reconnect_interval, MILLISECOND, HOUR)?;
        within("reconnect_interval_max", self.reconnect_interval_max, Duration::ZERO, HOUR)?;
        within("handshake_timeout", self.handshake_timeout, MILLISECOND, HOUR)?;
        // Below, a process would do nothing else than send PINGs.
        if !self.heartbeat_interval.is_zero() {
            within("heartbeat_interval", self.heartbeat_interval, MILLISECOND, HOUR)?;
        }
        within("heartbeat_timeout", self.heartbeat_timeout, MILLISECOND, HOUR)?;
        within("heartbeat_ttl", self.heartbeat_ttl, Duration::ZERO, MAX_TTL)?;
        within("connect_timeout", self.connect_timeout.unwrap_or(MILLISECOND), MILLISECOND, HOUR)?;
        within("backlog", self.backlog, 1, 65_535)?;
        within("max_subscriptions", self.max_subscriptions, 1, u32::MAX)?;
        within("max_subscription_bytes", self.max_subscription_bytes, 1, i64::MAX as u64)?;
        within("max_message_bytes", self.max_message_bytes, 1, i64::MAX as u64)?;
        for (option, bytes) in [
            ("send_buffer_bytes", self.send_buffer_bytes),
            ("receive_buffer_bytes", self.receive_buffer_bytes),
        ] {
            within(option, bytes.unwrap_or(1), 1, MAX_KERNEL_BUFFER_BYTES)?;
        }
        for (option, message) in [
            ("hello_message", &self.hello_message),
            ("disconnect_message", &self.disconnect_message),
            ("hiccup_message", &self.hiccup_message),
            ("welcome_message", &self.welcome_message),
        ] {
            if message.len() > MAX_OWN_MESSAGE_BYTES {
                let size = format!("{} bytes", message.len());
                return Err(Error::InvalidOption { option, value: size, why: "it may have 65536".into() });
            }
        }
        // They lie in the inbox, where nothing is longer than this.
        for (option, message) in
            [("disconnect_message", &self.disconnect_message), ("hiccup_message", &self.hiccup_message)]
        {
            if message.len() as u64 > self.max_message_bytes {
                let size = format!("{} bytes", message.len());
                let why = "it may not be longer than max_message_bytes".into();
                return Err(Error::InvalidOption { option, value: size, why });
            }
        }
        self.check_security()?;
        self.tcp.check()?;
        self.check_socks()?;
        check_metadata(&self.metadata)?;
        check_routing_id(&self.routing_id)
    }

    fn check_security(&self) -> Result<(), Error> {
        self.security.check()?;
        if self.zap_domain.len() > MAX_DOMAIN_BYTES {
            return Err(Error::invalid_option("zap_domain", &self.zap_domain, "it may have 255 bytes"));
        }
        if self.zap_enforce_domain && self.zap_domain.is_empty() && self.security.is_plain_server() {
            let why =
                "a PLAIN server lets nobody in unjudged, and without a zap_domain nobody would be asked";
            return Err(Error::invalid_option("zap_enforce_domain", true, why));
        }
        Ok(())
    }

    /// For a STREAM or a DGRAM: its peers speak no ZMTP, so there is no handshake in which anybody could prove anything. Who wants to be protected must not
    /// believe that he is.
    fn check_unprotected(&self, socket_type: SocketType) -> Result<(), Error> {
        let set = [
            ("security", !self.security.is_none(), self.security.mechanism()),
            ("authenticator", self.authenticator.is_some(), "one"),
            ("zap_domain", !self.zap_domain.is_empty(), self.zap_domain.as_str()),
            ("zap_enforce_domain", self.zap_enforce_domain, "true"),
        ];
        match set.into_iter().find(|(_, is_set, _)| *is_set) {
            None => Ok(()),
            Some((option, _, value)) => {
                let why = format!(
                    "the peers of a {socket_type} socket have no handshake in which they could prove who they are; use {}",
                    if socket_type == SocketType::Stream {
                        "accept_filters, or TLS in front of it"
                    } else {
                        "a tunnel"
                    }
                );
                Err(Error::invalid_option(option, value, why))
            }
        }
    }

    /// [`validate`](Options::validate), and that no option is set which a socket of this type does not have.
    ///
    /// # Errors
    /// [`Error::InvalidOption`] as above.
    pub fn validate_for(&self, socket_type: SocketType) -> Result<(), Error> {
        use SocketType::{
            Client, Dealer, Dgram, Peer, Pub, Pull, Push, Radio, Req, Router, Server, Stream, Sub, Xpub, Xsub,
        };
        self.validate()?;
        if matches!(socket_type, Stream | Dgram) {
            self.check_unprotected(socket_type)?;
        }
        let owners: [(&'static str, bool, &[SocketType]); 22] = [
            ("conflate", self.conflate, &[Push, Pull, Pub, Sub, Dealer]),
            ("router_mandatory", self.router_mandatory, &[Router]),
            ("router_handover", self.router_handover, &[Router]),
            ("router_notify_connect", self.router_notify_connect, &[Router]),
            ("router_notify_disconnect", self.router_notify_disconnect, &[Router]),
            ("probe_router", self.probe_router, &[Req, Dealer, Router]),
            ("req_correlate", self.req_correlate, &[Req]),
            ("req_relaxed", self.req_relaxed, &[Req]),
            ("invert_matching", self.invert_matching, &[Pub, Xpub, Sub, Xsub]),
            ("hello_message", !self.hello_message.is_empty(), &[Dealer, Router, Client, Server, Peer]),
            ("disconnect_message", !self.disconnect_message.is_empty(), &[Router, Server, Peer]),
            ("hiccup_message", !self.hiccup_message.is_empty(), &[Dealer, Client, Peer]),
            ("xpub_verbose", self.xpub_verbose, &[Xpub]),
            ("xpub_verboser", self.xpub_verboser, &[Xpub]),
            ("xpub_manual", self.xpub_manual, &[Xpub]),
            ("xpub_manual_last_value", self.xpub_manual_last_value, &[Xpub]),
            ("xpub_no_drop", self.xpub_no_drop, &[Pub, Xpub, Radio]),
            ("welcome_message", !self.welcome_message.is_empty(), &[Pub, Xpub]),
            ("only_first_subscribe", self.only_first_subscribe, &[Xpub, Xsub]),
            ("glob_messages", self.glob_messages, &[Xpub, Xsub]),
            ("xsub_verbose_unsubscribe", self.xsub_verbose_unsubscribe, &[Xsub]),
            ("stream_notify", !self.stream_notify, &[Stream]),
        ];
        for (option, set, types) in owners {
            if set && !types.contains(&socket_type) {
                let names: Vec<_> = types.iter().map(|owner| owner.as_str()).collect();
                let why = format!("a {socket_type} socket does not have it, only {}", names.join(", "));
                // The one that is on where it is not set.
                let value = set && option != "stream_notify";
                return Err(Error::invalid_option(option, value, why));
            }
        }
        Ok(())
    }
}

impl TcpOptions {
    fn check(&self) -> Result<(), Error> {
        for (option, value) in
            [("tcp.keepalive_idle", self.keepalive_idle), ("tcp.keepalive_interval", self.keepalive_interval)]
        {
            let value = value.unwrap_or(SECOND);
            within(option, value, SECOND, 9 * HOUR)?;
            if value.subsec_nanos() != 0 {
                return Err(Error::invalid_option(option, value, "systems know whole seconds only"));
            }
        }
        within("tcp.keepalive_count", self.keepalive_count.unwrap_or(1), 1, 127)?;
        within("tcp.user_timeout", self.user_timeout.unwrap_or(MILLISECOND), MILLISECOND, 24 * HOUR)?;
        within("tcp.busy_poll", self.busy_poll.unwrap_or(SECOND), Duration::from_micros(1), SECOND)?;
        within("tcp.priority", self.priority.unwrap_or(0), 0, i32::MAX as u32)?;
        let device = self.device.as_deref().unwrap_or("any");
        if device.is_empty() || device.len() > MAX_DEVICE_BYTES || device.contains('\0') {
            return Err(Error::invalid_option("tcp.device", device, "a device's name has 1 to 15 bytes"));
        }
        Ok(())
    }
}

fn within<T: PartialOrd + std::fmt::Debug>(
    option: &'static str,
    value: T,
    least: T,
    most: T,
) -> Result<(), Error> {
    if value < least || value > most {
        return Err(Error::invalid_option(option, value, format!("it must be from {least:?} to {most:?}")));
    }
    Ok(())
}

fn check_metadata(metadata: &[(String, Vec<u8>)]) -> Result<(), Error> {
    let invalid = |name: &str, why: &str| Err(Error::invalid_option("metadata", name, why.to_owned()));
    let mut bytes = 0;
    for (index, (name, value)) in metadata.iter().enumerate() {
        let lower = name.to_ascii_lowercase();
        let legal = name.bytes().all(|octet| octet.is_ascii_alphanumeric() || b"-_.+".contains(&octet));
        if !lower.starts_with("x-") || name.len() < 3 || name.len() > 255 || !legal {
            return invalid(name, "a name has X- and up to 253 letters, digits or -_.+ behind it");
        }
        if lower.starts_with(OWN_PROPERTIES) {
            return invalid(name, "names that begin with X-ServerLink- belong to the library");
        }
        if metadata[..index].iter().any(|(other, _)| other.eq_ignore_ascii_case(name)) {
            return invalid(name, "the name is there twice");
        }
        bytes += name.len() + value.len();
    }
    if metadata.len() > MAX_PROPERTIES || bytes > MAX_PROPERTY_BYTES {
        let size = format!("{} properties with {bytes} bytes", metadata.len());
        let why = "32 properties and 16384 bytes are possible".into();
        return Err(Error::InvalidOption { option: "metadata", value: size, why });
    }
    Ok(())
}

pub(crate) fn check_routing_id(id: &[u8]) -> Result<(), Error> {
    if id.len() > MAX_ROUTING_ID_BYTES {
        let size = format!("{} bytes", id.len());
        return Err(Error::InvalidOption {
            option: "routing_id",
            value: size,
            why: "it may have 255".into(),
        });
    }
    if id.first() == Some(&0) {
        return Err(Error::invalid_option(
            "routing_id",
            id,
            "ids that start with a zero byte belong to the ROUTER",
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(change: impl FnOnce(&mut Options)) -> String {
        let mut options = Options::default();
        change(&mut options);
        match options.validate() {
            Ok(()) => panic!("accepted: {options:?}"),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn the_defaults_are_valid_for_every_type() {
        for socket_type in SocketType::ALL {
            Options::default().validate_for(socket_type).expect("defaults fit every type");
        }
    }

    #[test]
    fn what_is_out_of_range_is_named_with_its_range() {
        let sentence = refused(|options| options.reconnect_interval = Duration::ZERO);
        assert_eq!(sentence, "option reconnect_interval cannot be 0ns: it must be from 1ms to 3600s");
        assert!(refused(|options| options.heartbeat_ttl = Duration::from_secs(6554)).contains("6553.5s"));
        let sentence = refused(|options| options.heartbeat_interval = Duration::from_nanos(1));
        assert_eq!(sentence, "option heartbeat_interval cannot be 1ns: it must be from 1ms to 3600s");
        assert!(refused(|options| options.backlog = 0).contains("backlog"));
        assert!(refused(|options| options.max_message_bytes = 0).contains("max_message_bytes"));
        assert!(refused(|options| options.send_buffer_bytes = Some(0)).contains("send_buffer_bytes"));
        assert!(refused(|options| options.routing_id = vec![b'x'; 256]).contains("256 bytes"));
        assert!(refused(|options| options.routing_id = vec![0, 1]).contains("zero byte"));
    }

    #[test]
    fn properties_have_names_of_their_own() {
        let with = |names: &[&str]| {
            let metadata = names.iter().map(|&name| (name.to_owned(), b"v".to_vec())).collect();
            Options { metadata, ..Options::default() }.validate()
        };
        with(&["X-Zone", "x-rack"]).expect("two names");
        assert!(with(&["Zone"]).unwrap_err().to_string().contains("X-"));
        assert!(with(&["X-Zone", "x-zone"]).unwrap_err().to_string().contains("twice"));
        assert!(with(&["X-ServerLink-Globs"]).unwrap_err().to_string().contains("library"));
        assert!(with(&["X-a b"]).is_err() && with(&["X-"]).is_err());
    }

    #[test]
    fn an_option_of_another_type_is_refused() {
        let options = Options { router_mandatory: true, ..Options::default() };
        options.validate_for(SocketType::Router).expect("it is a ROUTER's option");
        let sentence = options.validate_for(SocketType::Push).unwrap_err().to_string();
        assert_eq!(
            sentence,
            "option router_mandatory cannot be true: a PUSH socket does not have it, only ROUTER"
        );
    }
}
