//! What the types forbid. Each file in `compile_fail` is a program that somebody might write, and the compiler's answer.
//!
//! After a change of compiler or types: `TRYBUILD=overwrite cargo test -p serverlink-driver --test compile_fail`, and read
//! what changed. The error code of each answer is the promise, its words are the compiler's.
// There is no compiler inside Wine, and the programs are about types that are the same everywhere.
#![cfg(unix)]

/// A source has one registration, in one driver, for life: there is no second, no other driver, and no way back to its handle.
#[test]
fn a_source_is_registered_once() {
    let cases = trybuild::TestCases::new();
    cases.compile_fail("tests/compile_fail/registering_a_stream_twice.rs");
    cases.compile_fail("tests/compile_fail/registering_a_listener_twice.rs");
    cases.compile_fail("tests/compile_fail/moving_a_registered_stream.rs");
    cases.compile_fail("tests/compile_fail/moving_a_registered_listener.rs");
    cases.compile_fail("tests/compile_fail/taking_the_handle_back.rs");
    cases.compile_fail("tests/compile_fail/retrying_a_live_attempt.rs");
    cases.compile_fail("tests/compile_fail/using_a_listener_after_close.rs");
    cases.compile_fail("tests/compile_fail/using_a_stream_after_close.rs");
    cases.compile_fail("tests/compile_fail/owning_a_stream_twice.rs");
    cases.compile_fail("tests/compile_fail/closing_through_a_writer.rs");
    cases.compile_fail("tests/compile_fail/touching_a_batch_that_is_written.rs");
}
