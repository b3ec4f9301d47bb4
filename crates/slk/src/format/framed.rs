//! Any bytes: every part with a flag and its length in front.

use std::io::{self, BufRead, Read, Write};

use serverlink::{Message, Part};

use super::{MAX_MESSAGE_BYTES, invalid};

const LAST: u8 = 0;
const MORE: u8 = 1;
const HEADER_BYTES: usize = 5;

pub(super) fn read(from: &mut impl BufRead) -> io::Result<Option<Message>> {
    if from.fill_buf()?.is_empty() {
        return Ok(None);
    }
    let mut parts = Vec::new();
    let mut left = MAX_MESSAGE_BYTES;
    loop {
        let (more, part) = read_part(from, left)?;
        // Empty parts cost memory too, so each counts with its header.
        left = left.saturating_sub((part.len() + HEADER_BYTES) as u64);
        parts.push(part);
        if !more {
            return Ok(Some(Message::from_parts(parts)));
        }
    }
}

/// Whether `buffer` begins with a whole message, so that reading it will not wait.
pub(super) fn is_whole(mut buffer: &[u8]) -> bool {
    while let Some((&[flag, length @ ..], rest)) = buffer.split_first_chunk::<HEADER_BYTES>() {
        match rest.get(u32::from_be_bytes(length) as usize..) {
            None => return false,
            Some(_) if flag == LAST => return true,
            Some(next) => buffer = next,
        }
    }
    false
}

fn read_part(from: &mut impl BufRead, limit: u64) -> io::Result<(bool, Part)> {
    let mut header = [0; HEADER_BYTES];
    from.read_exact(&mut header).map_err(cut_short)?;
    let [flag, length @ ..] = header;
    let length = u64::from(u32::from_be_bytes(length));
    if flag > MORE {
        return Err(invalid(format!("a part begins with the octet {flag}; only 0 and 1 mean something")));
    }
    if length > limit {
        return Err(invalid(format!("a message has more than {MAX_MESSAGE_BYTES} bytes")));
    }
    let mut bytes = Vec::new();
    from.take(length).read_to_end(&mut bytes)?;
    if (bytes.len() as u64) < length {
        return Err(cut_short(io::ErrorKind::UnexpectedEof.into()));
    }
    Ok((flag == MORE, Part::from(bytes)))
}

fn cut_short(error: io::Error) -> io::Error {
    if error.kind() == io::ErrorKind::UnexpectedEof {
        invalid("it ends in the middle of a message")
    } else {
        error
    }
}

pub(super) fn write(message: &Message, to: &mut impl Write) -> io::Result<()> {
    let last = message.part_count() - 1;
    for (i, part) in message.iter().enumerate() {
        let length =
            u32::try_from(part.len()).map_err(|_| invalid("a part of 4 GiB or more has no length here"))?;
        to.write_all(&[if i < last { MORE } else { LAST }])?;
        to.write_all(&length.to_be_bytes())?;
        to.write_all(part.as_bytes())?;
    }
    Ok(())
}
