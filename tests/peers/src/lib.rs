//! ServerLink against other libraries that speak ZMTP: the pure-Rust `zeromq` and `omq-tokio` (`cargo test` in this folder), and
//! libzmq as Python programs use it (`pyzmq/run`).
