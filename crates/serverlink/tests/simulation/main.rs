//! The library without threads on a simulated network, seed by seed: connections are refused, split, delayed and lost at any byte, under
//! epoll's laws for even seeds and a completion port's for odd ones.
//!
//! `SERVERLINK_SEEDS=N` runs N seeds instead of 1000; `SERVERLINK_SEED=S` runs one, which is what a failure prints.

mod breaks;
mod ending;
mod fan_out;
mod fleet;
mod handover;
mod hours;
mod large;
mod life;
mod octets;
mod oracle;
mod planted;
mod proxies;
mod seeds;
mod streams;
mod topologies;
mod town;
