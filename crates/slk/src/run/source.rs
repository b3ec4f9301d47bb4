//! Where messages to be sent come from.

use std::fs;
use std::io::{self, BufReader};
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::thread;

use serverlink::{Message, SocketType};

use super::ending::Ending;
use crate::cli::Job;
use crate::exit::Failure;
use crate::format::{Decoder, Format, Split};

/// Messages that are handed over together, so that a full pipe is not slowed down by a thread change per line.
const BATCH_MESSAGES: usize = 256;
/// A batch with large messages ends earlier.
const BATCH_BYTES: usize = 256 * 1024;
/// Batches that wait; the reader pauses then.
const BATCHES_AHEAD: usize = 4;

/// Gives one message after another.
pub(super) enum Source {
    /// From the command line, over and over if a count was asked for.
    Given { messages: Vec<Message>, next: usize, repeat: bool },
    /// From standard input, through a thread that can be left blocked there.
    Stream { batches: Receiver<Batch>, messages: std::vec::IntoIter<Message>, then: Then },
}

/// Messages that were read together, and what comes after them.
pub(super) struct Batch {
    messages: Vec<Message>,
    then: Then,
}

pub(super) enum Then {
    More,
    End,
    Failed(io::Error),
}

impl Source {
    /// What the job's options name; standard input if they name nothing.
    pub(super) fn open(job: &Job, ending: &Ending) -> Result<Source, Failure> {
        let input = &job.input;
        if input.message.is_empty() && input.file.is_empty() {
            return Ok(Source::stdin(Decoder { format: input.input, split: split(job) }, ending));
        }
        let mut messages: Vec<Message> =
            input.message.iter().map(|text| Message::from(text.as_str())).collect();
        for path in &input.file {
            let bytes =
                fs::read(path).map_err(|why| Failure::of(format_args!("reading {}", path.display()), why))?;
            messages.push(Message::from(bytes));
        }
        Ok(Source::Given { messages, next: 0, repeat: job.wiring.count.is_some() })
    }

    /// Replies, one for each request.
    pub(super) fn replies(format: Format, ending: &Ending) -> Source {
        Source::stdin(Decoder { format, split: Split::Never }, ending)
    }

    fn stdin(decoder: Decoder, ending: &Ending) -> Source {
        let (sender, batches) = mpsc::sync_channel(BATCHES_AHEAD);
        let end = sender.clone();
        ending.wakes(move || {
            // A full channel needs no wake: then nobody waits for input, and the next socket call sees the end.
            let _ = end.try_send(Batch { messages: Vec::new(), then: Then::End });
        });
        thread::spawn(move || read_all(&decoder, &sender));
        Source::Stream { batches, messages: Vec::new().into_iter(), then: Then::More }
    }

    /// The next message; `None` when there are no more. Waits for input only as long as the work goes on.
    pub(super) fn next(&mut self) -> Result<Option<Message>, Failure> {
        match self {
            Source::Given { messages, next, repeat } => {
                if *repeat && *next == messages.len() {
                    *next = 0;
                }
                *next += 1;
                Ok(messages.get(*next - 1).cloned())
            }
            Source::Stream { batches, messages, then } => loop {
                if let Some(message) = messages.next() {
                    return Ok(Some(message));
                }
                match then {
                    Then::More => {}
                    Then::End => return Ok(None),
                    Then::Failed(why) => return Err(Failure::of("reading standard input", why)),
                }
                let batch = batches.recv().unwrap_or(Batch { messages: Vec::new(), then: Then::End });
                (*messages, *then) = (batch.messages.into_iter(), batch.then);
            },
        }
    }
}

/// What `--split` says; a ROUTER without `--to` and a RADIO without `--group` need an address in each line.
fn split(job: &Job) -> Split {
    match (&job.input.split, job.socket_type, &job.prefix) {
        (Some(separator), ..) => Split::Always(separator.clone()),
        (None, SocketType::Router | SocketType::Radio, None) => Split::Once("\t".to_owned()),
        (None, ..) => Split::Never,
    }
}

/// Reads until the end, an error, or nobody wants more.
fn read_all(decoder: &Decoder, to: &SyncSender<Batch>) {
    let mut stdin = BufReader::with_capacity(64 * 1024, io::stdin().lock());
    loop {
        let batch = read_batch(decoder, &mut stdin);
        let over = !matches!(batch.then, Then::More);
        if to.send(batch).is_err() || over {
            return;
        }
    }
}

/// Waits for one message and takes along those that came with it: what a person types is handed over line by line.
fn read_batch(decoder: &Decoder, from: &mut BufReader<io::StdinLock<'_>>) -> Batch {
    let mut messages = Vec::new();
    let mut bytes = 0;
    loop {
        match decoder.read(from) {
            Ok(Some(message)) => {
                bytes += message.len_bytes();
                messages.push(message);
            }
            Ok(None) => return Batch { messages, then: Then::End },
            Err(why) => return Batch { messages, then: Then::Failed(why) },
        }
        if messages.len() == BATCH_MESSAGES || bytes >= BATCH_BYTES || !decoder.is_whole(from.buffer()) {
            return Batch { messages, then: Then::More };
        }
    }
}
