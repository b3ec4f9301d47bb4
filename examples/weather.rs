//! PUB and SUB: every message goes to all who subscribed to its topic. The publisher waits until they are there.
//!
//! `cargo run -p serverlink-examples --example weather`

use std::time::Duration;

use serverlink::{Context, Error, Message, Subscriber};

const PATIENCE: Duration = Duration::from_secs(10);

fn main() -> Result<(), Error> {
    for line in run()? {
        println!("{line}");
    }
    Ok(())
}

fn run() -> Result<Vec<String>, Error> {
    let context = Context::new()?;
    let publisher = context.publisher().open()?;
    let endpoint = publisher.bind("tcp://127.0.0.1:*")?.to_string();
    let berlin = subscriber(&context, &endpoint, "berlin")?;
    let everywhere = subscriber(&context, &endpoint, "")?;

    // What is published before a subscription has come reaches nobody.
    publisher.wait_for_subscribers(2, PATIENCE)?;
    for (city, weather) in [("berlin", "rain"), ("lisbon", "sun"), ("berlin", "more rain")] {
        publisher.send(Message::from_parts([city, weather]))?;
    }

    let mut lines = Vec::new();
    for _ in 0..2 {
        lines.push(format!("in Berlin: {}", berlin.recv()?[1].escape_ascii()));
    }
    for _ in 0..3 {
        let report = everywhere.recv()?;
        lines.push(format!("{}: {}", report[0].escape_ascii(), report[1].escape_ascii()));
    }
    Ok(lines)
}

fn subscriber(context: &Context, endpoint: &str, topic: &str) -> Result<Subscriber, Error> {
    let subscriber = context.subscriber().recv_timeout(PATIENCE).open()?;
    subscriber.subscribe(topic)?;
    subscriber.connect(endpoint)?;
    Ok(subscriber)
}

#[cfg(test)]
mod tests {
    #[test]
    fn everybody_gets_what_they_asked_for() {
        let lines = super::run().expect("it runs");
        let expected =
            ["in Berlin: rain", "in Berlin: more rain", "berlin: rain", "lisbon: sun", "berlin: more rain"];
        assert_eq!(lines, expected);
    }
}
