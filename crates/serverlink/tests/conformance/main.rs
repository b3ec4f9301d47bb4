//! The rules of every pattern, written once and held over every transport.
//!
//! No test sleeps: what must not arrive is shown absent by what was sent behind it and did arrive.
//! Every wait has a deadline that only a failing test reaches.

mod bad_peers;
mod batch;
mod closing;
mod conflate;
mod datagrams;
mod dealer;
mod endpoints;
mod fan_out;
mod futures;
mod globs;
mod groups;
mod hang_up;
mod immediate;
mod large;
mod lent;
mod monitor;
mod old_peers;
mod old_raw;
mod options;
mod own_words;
mod pair;
mod peers;
mod pipeline;
mod poller;
mod proxy;
mod publish;
mod publish_options;
mod raw;
mod request;
mod request_options;
mod router;
mod router_names;
mod security;
mod service;
mod single;
#[cfg(unix)]
mod socket_files;
mod stats;
mod stream;
mod stream_crowds;
mod stream_ends;
mod termination;
mod typed;
mod waiting;
mod wire;
mod world;
mod xpublish;
mod xpublish_modes;

/// Makes a module of tests for each named case: the same case over each of the given transports.
macro_rules! cases {
    ([$($transport:ident => $variant:ident),*] $($case:ident)*) => {
        $crate::cases!(@each [$($case)*] [$($transport => $variant),*]);
    };
    (@each [] $transports:tt) => {};
    (@each [$case:ident $($rest:ident)*] [$($transport:ident => $variant:ident),*]) => {
        mod $case {
            $(#[test]
            fn $transport() {
                super::$case(&$crate::world::World::new($crate::world::Transport::$variant));
            })*
        }
        $crate::cases!(@each [$($rest)*] [$($transport => $variant),*]);
    };
}
pub(crate) use cases;

/// Over every transport, and over the simulated network: for cases of one thread.
macro_rules! everywhere {
    ($($case:ident)*) => {
        $crate::cases!([
            tcp => Tcp, ipc => Ipc, inproc => Inproc, simulated => Simulated, simulated_ports => SimulatedPorts
        ] $($case)*);
    };
}
pub(crate) use everywhere;

/// Over every transport of the real machine: for cases that block or need threads.
macro_rules! over_transports {
    ($($case:ident)*) => {
        $crate::cases!([tcp => Tcp, ipc => Ipc, inproc => Inproc] $($case)*);
    };
}
pub(crate) use over_transports;

/// Over every transport that has connections to lose, the simulated network included: for cases of one thread.
macro_rules! over_streams {
    ($($case:ident)*) => {
        $crate::cases!([
            tcp => Tcp, ipc => Ipc, simulated => Simulated, simulated_ports => SimulatedPorts
        ] $($case)*);
    };
}
pub(crate) use over_streams;

/// Over tcp and ipc: for what inproc, which has no connections to lose, does not do.
macro_rules! over_wires {
    ($($case:ident)*) => {
        $crate::cases!([tcp => Tcp, ipc => Ipc] $($case)*);
    };
}
pub(crate) use over_wires;
