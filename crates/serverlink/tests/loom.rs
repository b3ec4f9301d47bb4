//! Every interleaving of short histories of what the threads of a socket share: waiting, waking the I/O thread, the
//! role of a reactor, the writer token of an outbox.
//!
//! `RUSTFLAGS="--cfg loom" cargo test --release -p serverlink --test loom`
#![cfg(loom)]

#[path = "loom/pipe.rs"]
mod pipe;
#[path = "loom/sync.rs"]
mod sync;
#[allow(dead_code, reason = "the models use what they need")]
#[path = "../src/pipe/outbox/tests/wire.rs"]
mod wire;

#[path = "loom/parked.rs"]
mod parked;
#[path = "loom/role_handover.rs"]
mod role_handover;
#[path = "loom/waiters.rs"]
mod waiters;
#[path = "loom/writer_token.rs"]
mod writer_token;

/// Three forced switches find nearly everything and keep each test in seconds.
fn check(test: impl Fn() + Sync + Send + 'static) {
    check_switching(3, test);
}

fn check_switching(forced_switches: usize, test: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(forced_switches);
    builder.check(test);
}
