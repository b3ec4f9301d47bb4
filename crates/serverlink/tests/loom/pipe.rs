//! The library's own outbox. Its lock is the model's.
#![allow(dead_code, reason = "the models use what threads share of it")]

#[path = "../../src/pipe/arena.rs"]
pub(crate) mod arena;
#[path = "../../src/pipe/high_water.rs"]
pub(crate) mod high_water;
#[path = "../../src/pipe/lane.rs"]
mod lane;
#[path = "../../src/pipe/log.rs"]
pub(crate) mod log;
#[path = "../../src/pipe/outbox.rs"]
pub(crate) mod outbox;
#[path = "../../src/pipe/rewind.rs"]
mod rewind;
