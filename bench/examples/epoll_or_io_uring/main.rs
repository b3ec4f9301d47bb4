//! Would io_uring be the better driver on Linux? One server writes back what it reads, from 1 to 10,000 connections over loopback with one
//! message of 66 bytes under way each (a frame with 64): what does an echo cost it, in CPU time?
//!
//! - **epoll**: edge-triggered, `recv` and `send`, as the library's driver does it.
//! - **io_uring, linked**: one send and the next receive are submitted together for each echo.
//! - **io_uring, multishot**: one receive for a connection's life into buffers that all of them share, and a send from there.
//!
//! io_uring gets what favours it: one thread alone submits, completions are made when it asks for them, sockets are
//! registered. Each figure is of fresh connections, a client process and a ring of its own; the servers take turns.
//!
//! `cargo run --release -p serverlink-bench --example epoll_or_io_uring -- --help` tells the options. `chrt -f 10` before the program
//! keeps what else runs on the machine away from it. ARCHITECTURE.md, "Why not io_uring", has the verdict.

#[cfg(all(
    target_os = "linux",
    any(target_arch = "x86_64", target_arch = "aarch64", target_arch = "riscv64")
))]
mod measurement;

#[cfg(all(
    target_os = "linux",
    any(target_arch = "x86_64", target_arch = "aarch64", target_arch = "riscv64")
))]
fn main() -> std::process::ExitCode {
    measurement::main()
}

#[cfg(not(all(
    target_os = "linux",
    any(target_arch = "x86_64", target_arch = "aarch64", target_arch = "riscv64")
)))]
fn main() {
    println!(
        "There is nothing to compare here: this needs io_uring, of Linux on x86_64, aarch64 or riscv64."
    );
}
