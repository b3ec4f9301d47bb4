use std::os::fd::{AsRawFd, IntoRawFd, RawFd};

use serverlink_driver::Stream;

fn unwrap(stream: Stream) -> [RawFd; 2] {
    [stream.as_raw_fd(), stream.into_raw_fd()]
}

fn main() {}
