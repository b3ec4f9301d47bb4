//! The endpoint where a context's counters and events can be followed.

#[path = "support/sockets.rs"]
mod sockets;

use std::time::Duration;

use serde_json::Value;
use serverlink::sim::{Faults, Simulation};
use serverlink::{Context, Error, StatsServer, Subscriber};
use sockets::soon;

const PATIENCE: Duration = Duration::from_secs(20);

/// A subscriber in a context of its own, as in another process.
fn watcher(server: &StatsServer, topic: &str) -> Subscriber {
    let watcher = Context::new().unwrap().subscriber().open().unwrap();
    watcher.subscribe(topic).unwrap();
    watcher.connect(&server.endpoint().to_string()).unwrap();
    watcher.wait_for_peers(1, PATIENCE).unwrap();
    watcher
}

fn next(watcher: &Subscriber, topic: &str) -> String {
    let message = watcher.recv_deadline(soon(20)).expect("a publication in time");
    assert_eq!((message.first(), message.part_count()), (&topic.into(), 2));
    String::from_utf8(message[1].to_vec()).expect("text")
}

fn snapshot(watcher: &Subscriber) -> Value {
    serde_json::from_str(&next(watcher, "stats")).expect("JSON")
}

#[test]
fn snapshots_have_the_sockets_of_the_application_and_no_others() {
    let context = Context::new().unwrap();
    let server = context.serve_stats("tcp://127.0.0.1:*").unwrap();
    let router = context.router().open().unwrap();
    let endpoint = router.bind("tcp://127.0.0.1:*").unwrap().to_string();
    let dealer = context.dealer().routing_id("gu\"est").open().unwrap();
    dealer.connect(&endpoint).unwrap();
    dealer.send("hello").unwrap();
    router.recv().unwrap();

    let watcher = watcher(&server, "stats");
    // Each second another, and none of them counts what is published.
    for _ in 0..2 {
        let snapshot = snapshot(&watcher);
        assert_eq!(snapshot["version"], 1);
        let sockets = snapshot["sockets"].as_array().expect("a list");
        assert_eq!(sockets.len(), 2, "{snapshot}");
        let of_router = sockets.iter().find(|socket| socket["type"] == "ROUTER").expect("it is open");
        assert_eq!((&of_router["received"], &of_router["bound"][0]), (&1.into(), &endpoint.as_str().into()));
        let peer = &of_router["peers"][0];
        assert_eq!((&peer["routing_id"], &peer["received"]), (&"gu\"est".into(), &1.into()));
        assert!(peer["connected_seconds"].is_f64());
    }
    assert_eq!(context.stats().sockets.len(), 2);
}

#[test]
fn events_are_published_as_they_happen() {
    let context = Context::new().unwrap();
    let server = context.serve_stats("tcp://127.0.0.1:*").unwrap();
    let watcher = watcher(&server, "");
    // The first snapshot says that the subscription is in force.
    let everything = |wanted: &str| loop {
        let message = watcher.recv_deadline(soon(20)).expect("a publication in time");
        if message.first() == wanted {
            return serde_json::from_slice::<Value>(&message[1]).expect("JSON");
        }
    };
    everything("stats");
    let pull = context.pull().open().unwrap();
    let endpoint = pull.bind("tcp://127.0.0.1:*").unwrap().to_string();
    let listening = everything("event");
    assert_eq!(
        (&listening["event"], &listening["socket"]),
        (&"listening".into(), &pull.as_socket().id().into())
    );
    assert_eq!((&listening["endpoint"], &listening["type"]), (&endpoint.as_str().into(), &"PULL".into()));
    assert!(listening["text"].as_str().is_some_and(|text| text.contains(&endpoint)));
}

#[test]
fn prometheus_reads_it_too() {
    let context = Context::new().unwrap();
    let server = context.serve_stats("inproc://stats").unwrap();
    let pull = context.pull().open().unwrap();
    pull.bind("inproc://pull").unwrap();
    let watcher = context.subscriber().open().unwrap();
    watcher.subscribe("prometheus").unwrap();
    watcher.connect(&server.endpoint().to_string()).unwrap();
    let text = next(&watcher, "prometheus");
    assert!(text.contains("serverlink_sockets 2\n"), "{text}");
    assert!(text.contains("serverlink_sent_messages_total{socket=\"1\",type=\"PULL\"} 0\n"), "{text}");
}

#[test]
fn it_ends_with_its_handle_and_with_its_context() {
    let context = Context::new().unwrap();
    let server = context.serve_stats("tcp://127.0.0.1:*").unwrap();
    let endpoint = server.endpoint().to_string();
    let watcher = watcher(&server, "stats");
    snapshot(&watcher);
    drop(server);
    let again = std::iter::repeat_with(|| context.serve_stats(&endpoint)).take_while({
        let until = soon(20);
        move |_| std::time::Instant::now() < until
    });
    let again = again.flatten().next().expect("the endpoint is free again");
    context.terminate(PATIENCE).expect("it keeps nothing from ending");
    drop(again);
    assert!(matches!(context.serve_stats(&endpoint), Err(Error::Terminated)));
}

#[test]
fn it_takes_no_socket_from_the_application() {
    let context = Context::builder().max_sockets(1).build().unwrap();
    let _server = context.serve_stats("inproc://stats").unwrap();
    let _socket = context.pull().open().unwrap();
    assert!(matches!(context.pull().open(), Err(Error::TooManySockets)));
}

#[test]
fn what_cannot_be_bound_and_a_machine_without_threads_are_refused() {
    let context = Context::new().unwrap();
    let taken = context.pull().open().unwrap();
    taken.bind("inproc://taken").unwrap();
    assert!(matches!(context.serve_stats("inproc://taken"), Err(Error::AddressInUse { .. })));
    assert!(matches!(context.serve_stats("nonsense"), Err(Error::InvalidEndpoint { .. })));
    let simulated = Simulation::new(1, Faults::NONE).context();
    assert!(matches!(simulated.serve_stats("inproc://stats"), Err(Error::Io { .. })));
}

/// Every sample stands under the head of its metric, with labels that a reader can take apart.
#[test]
fn the_text_is_what_prometheus_reads() {
    let context = Context::new().unwrap();
    let router = context.router().open().unwrap();
    let endpoint = router.bind("tcp://127.0.0.1:*").unwrap().to_string();
    let evil = r#"a"b\c},x=""#;
    let dealer = context.dealer().routing_id(evil).open().unwrap();
    dealer.connect(&endpoint).unwrap();
    router.wait_for_peers(1, PATIENCE).unwrap();

    let text = context.stats().to_prometheus();
    let mut metric = String::new();
    let mut names = Vec::new();
    for line in text.lines() {
        if let Some(head) = line.strip_prefix("# TYPE ") {
            let (name, kind) = head.split_once(' ').expect("a name and a kind");
            assert_eq!(kind == "counter", name.ends_with("_total"), "{line}");
            metric = name.to_owned();
            continue;
        }
        if let Some(help) = line.strip_prefix("# HELP ") {
            assert!(help.starts_with("serverlink_") && help.ends_with('.'), "{line}");
            continue;
        }
        let rest = line.strip_prefix(metric.as_str()).expect("a sample of the metric above");
        let (labels, value) = labels_and_value(rest);
        assert!(value.parse::<f64>().is_ok(), "{line}");
        names.extend(labels.into_iter().filter(|(name, _)| name == "routing_id").map(|(_, value)| value));
    }
    assert!(names.iter().any(|name| name == evil), "{names:?}");
}

/// `{a="b",c="d"} 7`, or ` 7`.
fn labels_and_value(rest: &str) -> (Vec<(String, String)>, &str) {
    let Some(mut rest) = rest.strip_prefix('{') else { return (Vec::new(), rest.trim_start()) };
    let mut labels = Vec::new();
    loop {
        let (name, after) = rest.split_once("=\"").expect("a label");
        let (mut value, mut characters) = (String::new(), after.char_indices());
        let end = loop {
            match characters.next().expect("the value ends") {
                (_, '\\') => value.extend(characters.next().map(|(_, escaped)| escaped)),
                (at, '"') => break at + 1,
                (_, other) => value.push(other),
            }
        };
        labels.push((name.to_owned(), value));
        rest = &after[end..];
        match rest.strip_prefix(',') {
            Some(more) => rest = more,
            None => return (labels, rest.strip_prefix("} ").expect("the value follows")),
        }
    }
}
