//! Events of the monitor as events of the `tracing` crate: `cargo test -p serverlink --features tracing --test tracing`.

use std::fmt::{Debug, Write};
use std::sync::{Arc, Mutex};

use serverlink::Context;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};

/// Keeps what is told under our target.
#[derive(Clone, Default)]
struct Book(Arc<Mutex<Vec<(Level, String)>>>);

struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        write!(self.0, "{}={value:?} ", field.name()).expect("a string takes everything");
    }
}

impl Subscriber for Book {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "serverlink"
    }

    fn event(&self, event: &Event<'_>) {
        let mut line = Line(String::new());
        event.record(&mut line);
        self.0.lock().expect("nobody panics").push((*event.metadata().level(), line.0));
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

#[test]
fn what_a_monitor_tells_is_traced_without_a_monitor() {
    let book = Book::default();
    tracing::subscriber::set_global_default(book.clone()).expect("nobody else set one");
    let context = Context::new().unwrap();
    let pull = context.pull().open().unwrap();
    let endpoint = pull.bind("tcp://127.0.0.1:*").unwrap().to_string();
    let push = context.push().open().unwrap();
    push.connect(&endpoint).unwrap();
    push.send("hello").unwrap();
    pull.recv().unwrap();

    let told = book.0.lock().expect("nobody panics");
    let has = |level: Level, words: &[&str]| {
        told.iter().any(|(its, line)| *its == level && words.iter().all(|word| line.contains(word)))
    };
    let address = format!("endpoint={endpoint}");
    assert!(
        has(Level::INFO, &["event=\"listening\"", &address, "socket=1", "socket_type=\"PULL\""]),
        "{told:?}"
    );
    assert!(has(Level::DEBUG, &["event=\"accepted\"", "peer_address=tcp://127.0.0.1:"]), "{told:?}");
    assert!(
        has(Level::INFO, &["event=\"established\"", "socket_type=\"PULL\"", "established with a PUSH"]),
        "{told:?}"
    );
}
