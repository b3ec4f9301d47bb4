//! What a ZMTP 3.0 peer without a mechanism says, byte by byte: for clients and servers that are not a library.

/// The length of a greeting.
pub(crate) const GREETING_BYTES: usize = 64;
const COMMAND: u8 = 4;
const LONG: u8 = 2;

pub(crate) fn greeting() -> [u8; GREETING_BYTES] {
    let mut greeting = [0; GREETING_BYTES];
    greeting[0] = 0xff;
    greeting[8] = 1;
    greeting[9] = 0x7f;
    greeting[10] = 3;
    greeting[12..16].copy_from_slice(b"NULL");
    greeting
}

/// The command that ends the handshake.
pub(crate) fn ready(socket_type: &str) -> Vec<u8> {
    let mut body = b"\x05READY".to_vec();
    for (name, value) in [("Socket-Type", socket_type), ("Identity", "")] {
        body.push(name.len() as u8);
        body.extend_from_slice(name.as_bytes());
        body.extend_from_slice(&(value.len() as u32).to_be_bytes());
        body.extend_from_slice(value.as_bytes());
    }
    [&[COMMAND, body.len() as u8], body.as_slice()].concat()
}

/// The answer to a PING, if the command is one.
pub(crate) fn pong(command: &[u8]) -> Option<Vec<u8>> {
    let context = command.strip_prefix(b"\x04PING")?.get(2..)?;
    let body = [b"\x04PONG", context].concat();
    Some([&[COMMAND, body.len() as u8], body.as_slice()].concat())
}

/// A message of one part.
pub(crate) fn message(body: &[u8]) -> Vec<u8> {
    match u8::try_from(body.len()) {
        Ok(length) => [&[0, length], body].concat(),
        Err(_) => [&[LONG], &(body.len() as u64).to_be_bytes()[..], body].concat(),
    }
}

/// What stands in front of a body of that size.
pub(crate) fn head_bytes(body_bytes: usize) -> usize {
    if body_bytes <= usize::from(u8::MAX) { 2 } else { 9 }
}

/// One frame at the beginning of some bytes.
#[derive(Debug, PartialEq)]
pub(crate) struct Frame<'a> {
    pub(crate) is_command: bool,
    pub(crate) body: &'a [u8],
    /// With what stands in front of the body.
    pub(crate) bytes: usize,
}

/// The first frame, if all of it is there.
pub(crate) fn first_frame(bytes: &[u8]) -> Option<Frame<'_>> {
    let (&flags, rest) = bytes.split_first()?;
    let (length, head) = if flags & LONG == 0 {
        (u64::from(*rest.first()?), 2)
    } else {
        (u64::from_be_bytes(rest.get(..8)?.try_into().ok()?), 9)
    };
    let end = usize::try_from(length).ok()?.checked_add(head)?;
    Some(Frame { is_command: flags & COMMAND != 0, body: bytes.get(head..end)?, bytes: end })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_found_again() {
        for size in [0, 1, 255, 256, 70_000] {
            let body = vec![7; size];
            let framed = message(&body);
            assert_eq!(framed.len(), head_bytes(size) + size);
            assert_eq!(
                first_frame(&framed),
                Some(Frame { is_command: false, body: &body, bytes: framed.len() })
            );
            assert!(first_frame(&framed[..framed.len() - 1]).is_none());
        }
        assert_eq!(first_frame(&[]), None);
        assert_eq!(first_frame(&[2, 255, 255, 255, 255, 255, 255, 255, 255]), None);
    }

    #[test]
    fn commands_are_commands() {
        let ready = ready("DEALER");
        let frame = first_frame(&ready).unwrap();
        assert!(frame.is_command && frame.body.starts_with(b"\x05READY\x0bSocket-Type\0\0\0\x06DEALER"));
        let pong = pong(b"\x04PING\x00\x0aabc").unwrap();
        assert_eq!(first_frame(&pong).unwrap().body, b"\x04PONGabc");
        assert!(super::pong(b"\x05READY").is_none());
    }
}
