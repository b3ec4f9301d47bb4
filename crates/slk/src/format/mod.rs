//! How messages stand in a stream of bytes. Each format has one file, with its reader and its writer.

mod framed;
mod json;
mod lines;

use std::io::{self, BufRead, Read, Write};

use clap::ValueEnum;
use serverlink::Message;

/// Longest message that is read from a stream, in bytes: what peers accept by default. Streams without an end (a line without
/// a newline, a wrong length) stop here and not when the memory is full.
pub(crate) const MAX_MESSAGE_BYTES: u64 = 64 * 1024 * 1024;

/// A format of streams.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// One message per line, as it is
    #[default]
    Lines,
    /// For any bytes. Each part: one octet (1: more parts follow, 0: the last), its length in 4 octets, big-endian, its bytes
    Framed,
    /// One JSON array per line, with a string for each part; a part that is not UTF-8 is {"hex": "00ff"}
    Json,
}

/// Reads messages of one format.
#[derive(Clone, Debug)]
pub(crate) struct Decoder {
    pub(crate) format: Format,
    /// Lines: how to make parts of a line.
    pub(crate) split: Split,
}

/// How a line becomes parts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Split {
    /// It is one part.
    #[default]
    Never,
    /// At the first separator: an address, and a message that may hold anything.
    Once(String),
    /// At every separator.
    Always(String),
}

impl Decoder {
    /// The next message; `None` at the end of the stream.
    pub(crate) fn read(&self, from: &mut impl BufRead) -> io::Result<Option<Message>> {
        match self.format {
            Format::Lines => lines::read(from, &self.split),
            Format::Framed => framed::read(from),
            Format::Json => json::read(from),
        }
    }

    /// Whether what was read ahead begins with a whole message, so that the next `read` will not wait.
    pub(crate) fn is_whole(&self, buffer: &[u8]) -> bool {
        match self.format {
            Format::Framed => framed::is_whole(buffer),
            Format::Lines | Format::Json => buffer.contains(&b'\n'),
        }
    }
}

/// Writes messages of one format.
#[derive(Clone, Debug)]
pub(crate) struct Encoder {
    pub(crate) format: Format,
    /// Lines: what stands between parts.
    pub(crate) join: String,
}

impl Encoder {
    pub(crate) fn write(&self, message: &Message, to: &mut impl Write) -> io::Result<()> {
        match self.format {
            Format::Lines => lines::write(message, &self.join, to),
            Format::Framed => framed::write(message, to),
            Format::Json => json::write(message, to),
        }
    }
}

/// One line without its newline, `None` at the end of the stream. The last line need not have a newline.
fn read_line(from: &mut impl BufRead) -> io::Result<Option<Vec<u8>>> {
    let mut line = Vec::new();
    let most = MAX_MESSAGE_BYTES + 1;
    from.take(most).read_until(b'\n', &mut line)?;
    if line.is_empty() {
        return Ok(None);
    }
    if line.last() == Some(&b'\n') {
        line.pop();
    } else if line.len() as u64 == most {
        return Err(invalid(format!("a line is longer than {MAX_MESSAGE_BYTES} bytes")));
    }
    Ok(Some(line))
}

fn invalid(why: impl Into<String>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why.into())
}

#[cfg(test)]
mod tests;
