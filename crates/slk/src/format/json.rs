//! JSON lines: an array of parts. A message of one part may also be written as the part alone.

use std::io::{self, BufRead, Write};

use serde_json::{Value, json};
use serverlink::{Message, Part};

use super::{invalid, read_line};

pub(super) fn read(from: &mut impl BufRead) -> io::Result<Option<Message>> {
    while let Some(line) = read_line(from)? {
        if !line.trim_ascii().is_empty() {
            let value =
                serde_json::from_slice(&line).map_err(|why| invalid(format!("a line is not JSON: {why}")))?;
            return message(value).map(Some).map_err(invalid);
        }
    }
    Ok(None)
}

pub(super) fn write(message: &Message, to: &mut impl Write) -> io::Result<()> {
    let parts: Vec<Value> = message.iter().map(value).collect();
    serde_json::to_writer(&mut *to, &parts)?;
    to.write_all(b"\n")
}

fn message(value: Value) -> Result<Message, String> {
    match value {
        Value::Array(parts) if parts.is_empty() => Err("a message has at least one part".into()),
        Value::Array(parts) => Ok(Message::from(parts.into_iter().map(part).collect::<Result<Vec<_>, _>>()?)),
        alone => Ok(Message::from(part(alone)?)),
    }
}

fn part(value: Value) -> Result<Part, String> {
    match value {
        Value::String(text) => Ok(Part::from(text)),
        Value::Object(ref object) if object.len() == 1 => match object.get("hex") {
            Some(Value::String(hex)) => {
                bytes(hex).map(Part::from).ok_or_else(|| format!("`{hex}` is not hex"))
            }
            _ => Err(not_a_part(&value)),
        },
        _ => Err(not_a_part(&value)),
    }
}

fn not_a_part(value: &Value) -> String {
    format!("{value} is not a part: a part is a string, or {{\"hex\": \"00ff\"}}")
}

fn value(part: &Part) -> Value {
    match std::str::from_utf8(part.as_bytes()) {
        Ok(text) => Value::from(text),
        Err(_) => json!({ "hex": hex(part.as_bytes()) }),
    }
}

fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |value: u8| char::from(DIGITS[usize::from(value)]);
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

fn bytes(hex: &str) -> Option<Vec<u8>> {
    let digits: Vec<u8> =
        hex.chars().map(|c| c.to_digit(16).map(|value| value as u8)).collect::<Option<_>>()?;
    let (pairs, rest) = digits.as_chunks::<2>();
    rest.is_empty().then(|| pairs.iter().map(|[high, low]| high << 4 | low).collect())
}
