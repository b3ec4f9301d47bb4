//! ROUTER and DEALER: the router knows its peers by name, says whom a message is for, and hears at once if there is nobody
//! of that name.
//!
//! `cargo run -p serverlink-examples --example workers`

use std::thread;
use std::time::Duration;

use serverlink::{Context, Error};

const NAMES: [&str; 2] = ["anna", "bert"];
const PATIENCE: Duration = Duration::from_secs(10);

fn main() -> Result<(), Error> {
    for line in run()? {
        println!("{line}");
    }
    Ok(())
}

fn run() -> Result<Vec<String>, Error> {
    let context = Context::new()?;
    let router = context.router().router_mandatory(true).recv_timeout(PATIENCE).open()?;
    let endpoint = router.bind("tcp://127.0.0.1:*")?.to_string();
    let workers = NAMES.map(|name| {
        let (context, endpoint) = (context.clone(), endpoint.clone());
        thread::spawn(move || work(&context, &endpoint, name))
    });

    // A name can be sent to once its peer is there.
    router.wait_for_peers(NAMES.len(), PATIENCE)?;
    for name in NAMES {
        router.send_to(name.as_bytes(), "hello")?;
    }
    let mut lines = Vec::new();
    for _ in NAMES {
        let (name, answer) = router.recv_from()?;
        lines.push(format!("{}: {}", name.escape_ascii(), answer.first().escape_ascii()));
    }
    let failed = router.send_to(b"carl", "hello").expect_err("there is no carl");
    lines.push(format!("{failed}; `{}` came back", failed.message));

    for worker in workers {
        worker.join().expect("a worker does not panic")?;
    }
    lines.sort();
    Ok(lines)
}

fn work(context: &Context, endpoint: &str, name: &str) -> Result<(), Error> {
    let dealer = context.dealer().routing_id(name).recv_timeout(PATIENCE).open()?;
    dealer.connect(endpoint)?;
    let greeting = dealer.recv()?;
    dealer.send(&format!("{} back", greeting.first().escape_ascii()))?;
    // Dropping a socket does not wait; closing does, until the message is on its way.
    dealer.close(PATIENCE);
    Ok(())
}

#[cfg(test)]
mod tests {
    #[test]
    fn names_are_reached_and_strangers_are_not() {
        let lines = super::run().expect("it runs");
        let expected =
            ["anna: hello back", "bert: hello back", "no peer has the routing id `carl`; `hello` came back"];
        assert_eq!(lines, expected);
    }
}
