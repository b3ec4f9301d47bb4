//! What the types of the library forbid. Each file in `compile_fail` is a program that somebody might write, and the compiler's answer.
//!
//! After a change of compiler or types: `TRYBUILD=overwrite cargo test -p serverlink --test compile_fail`, and read what
//! changed. The error code of each answer is the promise, its words are the compiler's.
// There is no compiler inside Wine, and the programs are about types that are the same everywhere.
#![cfg(unix)]

#[test]
fn a_socket_does_what_its_pattern_does_until_it_is_closed() {
    let cases = trybuild::TestCases::new();
    cases.compile_fail("tests/compile_fail/using_a_socket_after_close.rs");
    cases.compile_fail("tests/compile_fail/adopting_twice.rs");
    cases.compile_fail("tests/compile_fail/receiving_on_a_publisher.rs");
}
