//! Where received messages go.

use std::fs;
use std::io::{self, BufWriter, Stdout, Write};
use std::path::PathBuf;

use serverlink::Message;

use crate::cli::Output;
use crate::exit::Failure;
use crate::format::Encoder;

/// Takes one message after another.
pub(super) enum Sink {
    /// Standard output.
    Stream { encoder: Encoder, to: BufWriter<Stdout> },
    /// A file for each message.
    Files { directory: PathBuf, count: u64 },
}

/// Whether more messages are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    Yes,
    /// Whoever read our output has enough. That is no failure: `slk pull ... | head` works as it should.
    No,
}

impl Sink {
    pub(super) fn open(output: &Output) -> Result<Sink, Failure> {
        match &output.save {
            None => {
                let encoder = Encoder { format: output.output, join: output.join.clone() };
                Ok(Sink::Stream { encoder, to: BufWriter::with_capacity(64 * 1024, io::stdout()) })
            }
            Some(directory) => {
                let doing = || format!("making the directory {}", directory.display());
                fs::create_dir_all(directory).map_err(|why| Failure::of(doing(), why))?;
                Ok(Sink::Files { directory: directory.clone(), count: 0 })
            }
        }
    }

    /// Writes a message, perhaps not all the way: see [`flush`](Sink::flush).
    pub(super) fn write(&mut self, message: &Message) -> Result<Wanted, Failure> {
        match self {
            Sink::Stream { encoder, to } => wanted(encoder.write(message, to)),
            Sink::Files { directory, count } => {
                *count += 1;
                let path = directory.join(format!("{count:06}"));
                let last = message.iter().next_back().expect("a message has at least one part");
                fs::write(&path, last.as_bytes())
                    .map_err(|why| Failure::of(format_args!("writing {}", path.display()), why))?;
                Ok(Wanted::Yes)
            }
        }
    }

    /// Hands on what is buffered. To be called before every wait, so that a reader sees all that was received.
    pub(super) fn flush(&mut self) -> Result<Wanted, Failure> {
        match self {
            Sink::Stream { to, .. } => wanted(to.flush()),
            Sink::Files { .. } => Ok(Wanted::Yes),
        }
    }
}

fn wanted(written: io::Result<()>) -> Result<Wanted, Failure> {
    match written {
        Ok(()) => Ok(Wanted::Yes),
        Err(why) if why.kind() == io::ErrorKind::BrokenPipe => Ok(Wanted::No),
        Err(why) => Err(Failure::of("writing standard output", why)),
    }
}
