use serverlink_driver::{OsStream, Remote};

fn hand_on(connecter: &Remote, engine: &Remote, stream: OsStream) {
    let _registered = connecter.adopt(stream);
    let _again = engine.adopt(stream);
}

fn main() {}
