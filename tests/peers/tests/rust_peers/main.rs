//! ServerLink against the pure-Rust libraries: either of them bound and connecting, over tcp and ipc.
//!
//! What a library gets wrong is said in the name of its test and worked around there. Nothing here is tried twice.

mod bodies;
mod foreign;
mod links;
mod omq;
mod ours;
mod pairs;
mod restarts;
mod silence;
mod subscriptions;
mod zmq_rs;

/// Writes a case once and runs it with either library over both wires.
macro_rules! with_each_peer {
    ($($(#[$attributes:meta])* $name:ident => $case:expr;)*) => {$(
        $(#[$attributes])*
        mod $name {
            #[allow(unused_imports, reason = "a case may be a name or an expression over names")]
            use super::*;
            use $crate::{foreign::Library, links::Wire};

            #[test]
            fn zmq_rs_tcp() {
                $case(Library::ZmqRs, Wire::Tcp);
            }

            #[test]
            fn zmq_rs_ipc() {
                $case(Library::ZmqRs, Wire::Ipc);
            }

            #[test]
            fn omq_tcp() {
                $case(Library::Omq, Wire::Tcp);
            }

            #[test]
            fn omq_ipc() {
                $case(Library::Omq, Wire::Ipc);
            }
        }
    )*};
}
pub(crate) use with_each_peer;
