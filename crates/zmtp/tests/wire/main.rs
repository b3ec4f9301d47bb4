//! The wire, construct by construct: tables of what is legal and what is not, and properties over any split of the input.

mod command;
mod common;
mod datagram;
mod frame;
mod greeting;
mod handshake;
mod meter;
mod older;
mod raw;
mod refusals;
mod security;
mod socks;
mod subscription;
mod v1;
