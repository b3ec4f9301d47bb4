use serverlink_driver::{OsListener, Remote};

fn hand_on(one: &Remote, other: &Remote, listener: OsListener) {
    let _registered = one.listen(listener);
    let _again = other.listen(listener);
}

fn main() {}
