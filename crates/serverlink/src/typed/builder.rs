//! Options first, then a socket of the right type.

use std::marker::PhantomData;
use std::time::Duration;

use serverlink_message::SocketType;

use crate::security::{Authenticator, Password, Security, SharedAuthenticator};
use crate::{Context, Error, Linger, Options, Socket};

/// A type that stands for one pattern. Sealed: these are all there are.
pub trait TypedSocket: sealed::Sealed + Sized {
    /// The pattern, by its name on the wire.
    const TYPE: SocketType;

    #[doc(hidden)]
    fn wrap(socket: Socket) -> Self;
}

pub(super) mod sealed {
    pub trait Sealed {}
}

/// Collects the options of a socket that is yet to be opened.
///
/// The methods here are the options that programs set most; [`options`](SocketBuilder::options) takes all of them at once.
///
/// ```
/// use std::time::Duration;
///
/// let ctx = serverlink::Context::new()?;
/// let push = ctx.push().send_hwm(10_000).send_timeout(Duration::from_secs(1)).open()?;
/// assert_eq!(push.options().send_hwm, 10_000);
///
/// let refused = ctx.dealer().routing_id([0, 1]).open().unwrap_err();
/// assert!(refused.to_string().contains("routing_id"));
/// # Ok::<(), serverlink::Error>(())
/// ```
#[must_use = "nothing happens before `open`"]
#[derive(Clone)]
pub struct SocketBuilder<T> {
    context: Context,
    options: Options,
    opens: PhantomData<fn() -> T>,
}

impl<T: TypedSocket> SocketBuilder<T> {
    pub(super) fn new(context: &Context) -> SocketBuilder<T> {
        SocketBuilder { context: context.clone(), options: Options::default(), opens: PhantomData }
    }

    /// Opens the socket. It has no peers yet: bind or connect it.
    ///
    /// # Errors
    /// [`Error::InvalidOption`] for an option that is out of range or not of this pattern, [`Error::TooManySockets`], and
    /// [`Error::Terminated`] after the context was shut down.
    pub fn open(self) -> Result<T, Error> {
        self.options.validate_for(T::TYPE)?;
        self.context.socket_with(T::TYPE, self.options).map(T::wrap)
    }

    /// All options at once, in place of whatever was set before.
    pub fn options(mut self, options: Options) -> Self {
        self.options = options;
        self
    }
}

macro_rules! setters {
    ($($option:ident: $type:ty => |$value:ident| $stored:expr;)*) => {
        impl<T: TypedSocket> SocketBuilder<T> {$(
            #[doc = concat!("See [`Options::", stringify!($option), "`].")]
            pub fn $option(mut self, $value: $type) -> Self {
                self.options.$option = $stored;
                self
            }
        )*}
    };
}

setters! {
    send_hwm: u32 => |messages| messages;
    recv_hwm: u32 => |messages| messages;
    linger: Linger => |linger| linger;
    send_timeout: Duration => |timeout| Some(timeout);
    recv_timeout: Duration => |timeout| Some(timeout);
    routing_id: impl Into<Vec<u8>> => |id| id.into();
    reconnect_interval: Duration => |pause| pause;
    reconnect_interval_max: Duration => |pause| pause;
    max_message_bytes: u64 => |bytes| bytes;
    handshake_timeout: Duration => |timeout| timeout;
    heartbeat_interval: Duration => |pause| pause;
    ipv6: bool => |on| on;
    immediate: bool => |on| on;
    conflate: bool => |on| on;
    security: Security => |security| security;
    zap_domain: impl Into<String> => |domain| domain.into();
    zap_enforce_domain: bool => |on| on;
    socks_proxy: impl Into<String> => |address| address.into();
    socks_username: impl Into<Vec<u8>> => |name| name.into();
    socks_password: impl Into<Password> => |password| password.into();
}

impl<T: TypedSocket> SocketBuilder<T> {
    /// See [`Options::authenticator`].
    pub fn authenticator(mut self, authenticator: impl Authenticator) -> Self {
        self.options.authenticator = Some(SharedAuthenticator::new(authenticator));
        self
    }

    /// One more property that peers are told. See [`Options::metadata`].
    pub fn metadata(mut self, name: impl Into<String>, value: impl Into<Vec<u8>>) -> Self {
        self.options.metadata.push((name.into(), value.into()));
        self
    }
}

macro_rules! messages_of {
    ($($socket:ident: $($option:ident),*;)*) => {$(
        impl SocketBuilder<super::$socket> {$(
            #[doc = concat!("See [`Options::", stringify!($option), "`].")]
            pub fn $option(mut self, message: impl Into<Vec<u8>>) -> Self {
                self.options.$option = message.into();
                self
            }
        )*}
    )*};
}

messages_of! {
    Router: hello_message, disconnect_message;
    Dealer: hello_message, hiccup_message;
    Client: hello_message, hiccup_message;
    Server: hello_message, disconnect_message;
    PeerSocket: hello_message, disconnect_message, hiccup_message;
    Publisher: welcome_message;
    XPublisher: welcome_message;
}

macro_rules! publisher_setters {
    ($($socket:ident)*) => {$(
        impl SocketBuilder<super::$socket> {
            /// See [`Options::max_subscriptions`].
            pub fn max_subscriptions(mut self, topics: u32) -> Self {
                self.options.max_subscriptions = topics;
                self
            }

            /// See [`Options::max_subscription_bytes`].
            pub fn max_subscription_bytes(mut self, bytes: u64) -> Self {
                self.options.max_subscription_bytes = bytes;
                self
            }
        }
    )*}
}

publisher_setters! { Publisher XPublisher Radio }

macro_rules! setters_of {
    ($($socket:ident: $($option:ident),*;)*) => {$(
        impl SocketBuilder<super::$socket> {$(
            #[doc = concat!("See [`Options::", stringify!($option), "`].")]
            pub fn $option(mut self, on: bool) -> Self {
                self.options.$option = on;
                self
            }
        )*}
    )*};
}

setters_of! {
    Router: router_mandatory, router_handover, router_notify_connect, router_notify_disconnect, probe_router;
    Dealer: probe_router;
    Request: probe_router, req_correlate, req_relaxed;
    Publisher: invert_matching, xpub_no_drop;
    XPublisher: invert_matching, xpub_verbose, xpub_verboser, xpub_manual, xpub_manual_last_value, xpub_no_drop,
        only_first_subscribe, glob_messages;
    Subscriber: invert_matching;
    XSubscriber: invert_matching, only_first_subscribe, glob_messages, xsub_verbose_unsubscribe;
    Radio: xpub_no_drop;
    Stream: stream_notify;
}

impl<T: TypedSocket> std::fmt::Debug for SocketBuilder<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SocketBuilder")
            .field("type", &T::TYPE)
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}
