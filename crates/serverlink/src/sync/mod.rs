//! What threads share: waiting for each other, and locks that outlive a panic of their holder.

pub(crate) mod later;
mod lock;
mod parked;
mod primitives;
mod spin;
mod wait;

pub(crate) use lock::{Guard, Lock};
pub(crate) use parked::Parked;
pub(crate) use spin::Spins;
pub(crate) use wait::{Registration, Waiters, WakeDriver};
