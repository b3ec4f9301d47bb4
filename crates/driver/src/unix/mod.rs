//! Sockets of unix systems, with epoll or `polling` to say when they are ready.

mod credentials;
mod datagram;
mod driver;
#[cfg(any(target_os = "linux", target_os = "android"))]
mod epoll;
mod foreign;
mod identity;
mod interfaces;
mod ipc;
mod listener;
mod loopback;
mod outer;
#[cfg(any(target_os = "linux", target_os = "android"))]
mod outer_epoll;
mod outer_polling;
mod polling;
mod registry;
mod selector;
#[cfg(any(target_os = "linux", target_os = "android"))]
mod signals;
mod socket;
mod stream;
mod tcp_options;
mod users;

pub(crate) use datagram::{Datagrams, OsDatagrams};
pub(crate) use driver::{Driver, Remote};
pub(crate) use foreign::{ProcessLocks, lock_process};
pub(crate) use identity::Identity;
pub(crate) use interfaces::addresses as interface_addresses;
pub(crate) use listener::{Listener, OsListener};
pub(crate) use outer::{Outer, OuterWaker};
pub(crate) use socket::{OsStream, local_address, peer_address};
pub(crate) use stream::Stream;
pub(crate) use tcp_options::check as check_options;
pub(crate) use users::is_member;
