//! ServerLink against libzmq: the two must not notice that the other is not their own kind.
//!
//! Every case runs with either library in either role, bound and connecting, over tcp and ipc.
//! libzmq is the `zmq` crate's, built from its own sources.

mod addresses;
mod bodies;
mod ends;
mod globs;
mod links;
mod ours;
mod own_words;
mod pairs;
mod peer_options;
mod proxies;
mod reconnect;
#[path = "../../../../crates/serverlink/tests/support/socks_proxy.rs"]
mod socks_proxy;
mod streams;
mod subscription_options;
mod subscriptions;
mod theirs;

/// Writes a case once and runs it over both wires.
macro_rules! over_wires {
    ($($(#[$attributes:meta])* $name:ident => $case:expr;)*) => {$(
        $(#[$attributes])*
        mod $name {
            use super::*;

            #[test]
            fn tcp() {
                $case($crate::links::Wire::Tcp);
            }

            #[test]
            fn ipc() {
                $case($crate::links::Wire::Ipc);
            }
        }
    )*};
}
pub(crate) use over_wires;
