//! Text: a message is a line. What is written can be read back if no part holds a newline or the separator.

use std::io::{self, BufRead, Write};

use serverlink::{Message, Part};

use super::{Split, read_line};

pub(super) fn read(from: &mut impl BufRead, split: &Split) -> io::Result<Option<Message>> {
    let Some(line) = read_line(from)? else { return Ok(None) };
    let message = match split {
        Split::Never => Message::from(line),
        Split::Once(separator) => match find(&line, separator.as_bytes()) {
            Some(at) => Message::from_parts([&line[..at], &line[at + separator.len()..]]),
            None => Message::from(line),
        },
        Split::Always(separator) => Message::from_parts(pieces(&line, separator.as_bytes())),
    };
    Ok(Some(message))
}

pub(super) fn write(message: &Message, join: &str, to: &mut impl Write) -> io::Result<()> {
    for (i, part) in message.iter().enumerate() {
        if i > 0 {
            to.write_all(join.as_bytes())?;
        }
        to.write_all(part.as_bytes())?;
    }
    to.write_all(b"\n")
}

fn pieces(mut line: &[u8], separator: &[u8]) -> Vec<Part> {
    let mut parts = Vec::new();
    while let Some(at) = find(line, separator) {
        parts.push(Part::from(&line[..at]));
        line = &line[at + separator.len()..];
    }
    parts.push(Part::from(line));
    parts
}

/// An empty separator is nowhere.
fn find(line: &[u8], separator: &[u8]) -> Option<usize> {
    if separator.is_empty() {
        return None;
    }
    line.windows(separator.len()).position(|window| window == separator)
}
