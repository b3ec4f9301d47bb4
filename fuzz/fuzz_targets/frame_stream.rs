//! A stream of frames, as a connection reads it after the handshake: any octets, in any pieces.
//!
//! The first octet chooses how the rest is cut. Whatever comes, the outcome must not depend on the cutting, no body may
//! be larger than the limits, and what was understood must come out of the emitters as the same frames.
#![no_main]

use libfuzzer_sys::fuzz_target;
use serverlink_zmtp::command::Command;
use serverlink_zmtp::frame::{Header, Parsed, parse_header, put_frame, put_header};
use serverlink_zmtp::meter::MessageMeter;
use serverlink_zmtp::subscription::parse_message_form;
use serverlink_zmtp::{Limits, WireError};

fuzz_target!(|data: &[u8]| {
    let Some((&step, wire)) = data.split_first() else { return };
    let limits =
        Limits { max_frame_bytes: 4096, max_message_bytes: 8192, max_message_parts: 16, ..Limits::default() };
    let whole = read(&[wire], &limits);
    let pieces: Vec<&[u8]> = wire.chunks(usize::from(step).max(1)).collect();
    assert_eq!(whole, read(&pieces, &limits));
    for (header, body) in &whole.0 {
        check_emitters(*header, body);
    }
});

type Frames = Vec<(Header, Vec<u8>)>;

fn read(pieces: &[&[u8]], limits: &Limits) -> (Frames, Option<WireError>) {
    let (mut frames, mut waiting, mut meter) = (Frames::new(), Vec::new(), MessageMeter::new());
    for piece in pieces {
        waiting.extend_from_slice(piece);
        if let Err(error) = take_frames(&mut waiting, &mut meter, &mut frames, limits) {
            return (frames, Some(error));
        }
    }
    (frames, None)
}

fn take_frames(
    waiting: &mut Vec<u8>,
    meter: &mut MessageMeter,
    frames: &mut Frames,
    limits: &Limits,
) -> Result<(), WireError> {
    loop {
        let (header, header_len) = match parse_header(waiting)? {
            Parsed::Complete { header, header_len } => (header, header_len),
            Parsed::Incomplete { need } => {
                assert!(need > waiting.len());
                return Ok(());
            }
        };
        let end = header_len + header.body_len_within(limits)?;
        if waiting.len() < end {
            return Ok(());
        }
        let body = &waiting[header_len..end];
        if header.command {
            Command::parse(body, limits)?;
        } else {
            meter.count(header, limits)?;
            if let Some((_, topic)) = parse_message_form(body) {
                limits.check_topic(topic)?;
            }
        }
        frames.push((header, body.to_vec()));
        waiting.drain(..end);
    }
}

fn check_emitters(header: Header, body: &[u8]) {
    let mut wire = Vec::new();
    put_header(&mut wire, header);
    assert_eq!(parse_header(&wire), Ok(Parsed::Complete { header, header_len: wire.len() }));
    wire.extend_from_slice(body);
    if !header.command {
        let mut at_once = Vec::new();
        put_frame(&mut at_once, header.more, body);
        assert_eq!(at_once, wire);
    }
}
