//! The one runner of all patterns: opens the socket, lets messages flow as the pattern says, and closes with an account of what
//! is left.

mod ending;
mod flow;
mod progress;
mod sink;
mod source;
mod wiring;

use std::sync::Arc;
use std::time::Duration;

use serverlink::{Context, Socket};

use crate::cli::Job;
use crate::exit::{Exit, Failure, counted, say};
use crate::watch;
use ending::Ending;
use progress::Progress;

pub(crate) fn run(job: &Job) -> Result<(), Failure> {
    let context = Context::new()?;
    let ending = Ending::new(&context);
    Arc::clone(&ending).on_interrupt()?;
    let _stats = watch::serve(&context, job.wiring.stats.as_deref(), job.wiring.quiet)?;
    let progress = Progress::new(job);

    let socket = match wiring::open(job, &context) {
        Err(_) if ending.was_interrupted() => return Err(interrupted(&progress, 0)),
        opened => opened?,
    };
    let flowed = flow::run(job, &socket, &ending, &progress);
    progress.finish();
    close(job, socket, &ending, &progress, flowed)
}

/// Closes within the linger, whatever happened before: what was sent already is worth delivering.
fn close(
    job: &Job,
    socket: Socket,
    ending: &Ending,
    progress: &Progress,
    flowed: Result<(), Failure>,
) -> Result<(), Failure> {
    let undelivered = socket.close(linger(job, &flowed)).undelivered;
    if ending.was_interrupted() {
        return Err(interrupted(progress, undelivered));
    }
    match flowed {
        Ok(()) if undelivered > 0 => {
            let sentence = format!("{} when the linger was over; see --linger", left(undelivered));
            Err(Failure::new(Exit::Undelivered, sentence))
        }
        Ok(()) => Ok(()),
        Err(failure) => {
            if undelivered > 0 {
                say(left(undelivered));
            }
            Err(failure)
        }
    }
}

fn interrupted(progress: &Progress, undelivered: u64) -> Failure {
    Failure::new(Exit::Interrupted, format!("interrupted after {progress}; {}", left(undelivered)))
}

/// Who gave up because nothing moved for so long does not wait much longer for what did not move.
fn linger(job: &Job, flowed: &Result<(), Failure>) -> Duration {
    match (flowed, job.wiring.timeout) {
        (Err(Failure { exit: Exit::TimedOut, .. }), Some(timeout)) => job.wiring.linger.min(timeout),
        _ => job.wiring.linger,
    }
}

fn left(undelivered: u64) -> String {
    match undelivered {
        0 => "nothing was left undelivered".to_owned(),
        some => format!("{} left undelivered", counted(some, "message")),
    }
}
