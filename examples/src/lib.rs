//! Nothing but a place for the programs of the README and of `docs/` to be compiled and run: `cargo test -p serverlink-examples --doc`.
//!
//! The examples themselves lie beside this folder: `cargo run -p serverlink-examples --example pipeline`.
#![forbid(unsafe_code)]

#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;

#[cfg(doctest)]
#[doc = include_str!("../../docs/monitoring.md")]
struct Monitoring;
