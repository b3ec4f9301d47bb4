//! PUSH and PULL: work is dealt out to whoever is there, and each piece goes to exactly one worker.
//!
//! `cargo run -p serverlink-examples --example pipeline`

use std::convert::Infallible;
use std::thread;

use serverlink::{Context, Error};

const JOBS: usize = 10;
const WORKERS: usize = 2;

fn main() -> Result<(), Error> {
    for line in run()? {
        println!("{line}");
    }
    Ok(())
}

/// What the workers say, in the order in which it comes in.
fn run() -> Result<Vec<String>, Error> {
    let context = Context::new()?;
    let jobs = context.push().open()?;
    let jobs_at = jobs.bind("tcp://127.0.0.1:*")?;
    let results = context.pull().open()?;
    let results_at = results.bind("tcp://127.0.0.1:*")?;

    let workers: Vec<_> = (1..=WORKERS)
        .map(|number| {
            let (context, from, to) = (context.clone(), jobs_at.to_string(), results_at.to_string());
            thread::spawn(move || work(number, &context, &from, &to))
        })
        .collect();
    for job in 1..=JOBS {
        jobs.send(&format!("job {job}"))?;
    }
    let mut lines = Vec::new();
    for _ in 1..=JOBS {
        lines.push(text(results.recv()?.first()));
    }

    // Ends every call that waits, and with it the workers: also one that has only just begun.
    context.shutdown();
    for worker in workers {
        match worker.join().expect("a worker does not panic") {
            Err(Error::Terminated) => {}
            Err(error) => return Err(error),
            Ok(never) => match never {},
        }
    }
    Ok(lines)
}

/// Works until something ends it.
fn work(number: usize, context: &Context, from: &str, to: &str) -> Result<Infallible, Error> {
    let jobs = context.pull().open()?;
    jobs.connect(from)?;
    let results = context.push().open()?;
    results.connect(to)?;
    loop {
        let job = jobs.recv()?;
        results.send(&format!("worker {number} did {}", text(job.first())))?;
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_job_is_done_once() {
        let mut done: Vec<usize> = run()
            .expect("it runs")
            .iter()
            .map(|line| line.rsplit(' ').next().expect("a number").parse().expect("a number"))
            .collect();
        done.sort_unstable();
        assert_eq!(done, (1..=JOBS).collect::<Vec<_>>());
    }
}
