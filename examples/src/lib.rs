//! Nothing but a place for the README's programs to be compiled and run: `cargo test -p serverlink-examples --doc`.
//!
//! The examples themselves lie beside this folder: `cargo run -p serverlink-examples --example pipeline`.
#![forbid(unsafe_code)]

#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;
