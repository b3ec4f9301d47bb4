//! A process that forks while messages move: the child gets errors and can begin anew, and the parent does not notice.
//!
//! A program of its own, because a child that returns has to return from `main`.

#[cfg(unix)]
mod unix;

#[cfg(unix)]
fn main() -> std::process::ExitCode {
    unix::run()
}

#[cfg(not(unix))]
fn main() {}
