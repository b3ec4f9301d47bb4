use serverlink_driver::{Listener, Remote};

fn migrate(listener: Listener, other: &Remote) {
    let _moved = other.listen(listener);
}

fn main() {}
