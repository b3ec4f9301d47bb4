//! REQ and REP: a question, then its answer, then the next question. Neither side can lose its place.
//!
//! `cargo run -p serverlink-examples --example question`

use std::thread;
use std::time::Duration;

use serverlink::{Context, Error, Reply};

fn main() -> Result<(), Error> {
    for line in run()? {
        println!("{line}");
    }
    Ok(())
}

fn run() -> Result<Vec<String>, Error> {
    let context = Context::new()?;
    let reply = context.reply().open()?;
    let endpoint = reply.bind("tcp://127.0.0.1:*")?;
    let server = thread::spawn(move || answer(&reply));

    // A server that is gone must not hang its clients for ever.
    let request = context.request().recv_timeout(Duration::from_secs(10)).open()?;
    request.connect(&endpoint.to_string())?;
    let mut lines = Vec::new();
    for question in ["one plus one", "the largest prime"] {
        request.send(question)?;
        let answer = request.recv()?;
        lines.push(format!("{question}: {}", String::from_utf8_lossy(answer.first())));
    }

    context.shutdown();
    server.join().expect("the server does not panic")?;
    Ok(lines)
}

fn answer(reply: &Reply) -> Result<(), Error> {
    loop {
        let question = match reply.recv() {
            Ok(question) => question,
            Err(Error::Terminated) => return Ok(()),
            Err(error) => return Err(error),
        };
        let answer = if *question.first() == "one plus one" { "two" } else { "nobody knows" };
        reply.send(answer)?;
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_question_is_answered() {
        let lines = super::run().expect("it runs");
        assert_eq!(lines, ["one plus one: two", "the largest prime: nobody knows"]);
    }
}
