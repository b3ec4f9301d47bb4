use serverlink_driver::{Remote, Stream};

fn migrate(stream: Stream, other: &Remote) {
    let _moved = other.adopt(stream);
}

fn main() {}
