//! Commands and metadata.

use proptest::prelude::*;
use serverlink_zmtp::command::{Command, Metadata, MetadataBuilder, PropertyError};
use serverlink_zmtp::error::{Fault, Limited};
use serverlink_zmtp::frame::{Header, Parsed, parse_header};
use serverlink_zmtp::{Limits, WireError};

use crate::common::{any_body, ready};

fn parse(body: &[u8]) -> Result<Command<'_>, WireError> {
    Command::parse(body, &Limits::default())
}

fn put(command: &Command<'_>) -> Vec<u8> {
    let mut wire = Vec::new();
    command.put(&mut wire);
    wire
}

/// The body of the one command frame in `wire`.
fn body(wire: &[u8]) -> &[u8] {
    let Ok(Parsed::Complete { header: Header { more: false, command: true, body_len }, header_len }) =
        parse_header(wire)
    else {
        panic!("a command frame, not {wire:?}");
    };
    assert_eq!(wire.len() as u64, header_len as u64 + body_len);
    &wire[header_len..]
}

fn why(result: Result<Command<'_>, WireError>) -> String {
    let error = result.expect_err("the command is malformed");
    assert_eq!(error.fault(), Fault::Peer);
    assert!(matches!(error, WireError::MalformedCommand { .. }), "{error:?}");
    error.to_string()
}

#[test]
fn the_worked_example_of_the_rfc() {
    let mut builder = MetadataBuilder::new();
    builder.push("Socket-Type", b"DEALER").expect("a legal property");
    builder.push("Identity", b"").expect("a legal property");
    let wire = put(&Command::Ready(builder.metadata()));
    assert_eq!(wire, b"\x04\x29\x05READY\x0bSocket-Type\0\0\0\x06DEALER\x08Identity\0\0\0\0");
}

#[test]
fn commands_have_their_octets() {
    let table: &[(Command<'_>, &[u8])] = &[
        (Command::Ready(Metadata::default()), b"\x04\x06\x05READY"),
        (Command::Error { reason: b"no" }, b"\x04\x09\x05ERROR\x02no"),
        (Command::Error { reason: b"" }, b"\x04\x07\x05ERROR\x00"),
        (Command::Subscribe(b""), b"\x04\x0a\x09SUBSCRIBE"),
        (Command::Cancel(b"A"), b"\x04\x08\x06CANCELA"),
        (Command::GlobSubscribe(b"a*"), b"\x04\x0d\x0aPSUBSCRIBEa*"),
        (Command::GlobCancel(b"a*"), b"\x04\x0a\x07PCANCELa*"),
        (Command::Ping { ttl_deciseconds: 0x0102, context: b"c" }, b"\x04\x08\x04PING\x01\x02c"),
        (Command::Ping { ttl_deciseconds: 0, context: b"" }, b"\x04\x07\x04PING\0\0"),
        (Command::Pong { context: b"0123456789abcdef" }, b"\x04\x15\x04PONG0123456789abcdef"),
        (Command::Join(b"g"), b"\x04\x06\x04JOINg"),
        (Command::Leave(b""), b"\x04\x06\x05LEAVE"),
        (Command::Unknown { name: b"KNOCK", body: b"g" }, b"\x04\x07\x05KNOCKg"),
    ];
    for (command, wire) in table {
        assert_eq!(put(command), *wire);
        assert_eq!(parse(body(wire)).as_ref(), Ok(command));
    }
}

#[test]
fn a_ping_shorter_than_its_ttl_is_refused() {
    for short in [&b"\x04PING"[..], b"\x04PING\x01"] {
        assert!(why(parse(short)).contains("shorter than its time to live"));
    }
}

#[test]
fn contexts_have_at_most_16_octets() {
    assert!(parse(b"\x04PING\0\x010123456789abcdef").is_ok());
    assert!(why(parse(b"\x04PING\0\x010123456789abcdefg")).contains("longer than 16"));
    assert!(why(parse(b"\x04PONG0123456789abcdefg")).contains("longer than 16"));
}

#[test]
fn names_are_whole_and_not_empty() {
    for malformed in [&b""[..], b"\0", b"\0READY", b"\x05", b"\x06READY", b"\xffX"] {
        why(parse(malformed));
    }
}

#[test]
fn the_case_of_command_names_counts() {
    assert_eq!(parse(b"\x05Ready"), Ok(Command::Unknown { name: b"Ready", body: b"" }));
    assert_eq!(parse(b"\x04ping"), Ok(Command::Unknown { name: b"ping", body: b"" }));
}

#[test]
fn commands_of_later_versions_are_kept_apart_and_not_refused() {
    for name in ["KNOCK", "QUIT", "HELLO", "READYX", "PIN"] {
        let wire = [&[name.len() as u8], name.as_bytes(), b"rest"].concat();
        assert_eq!(parse(&wire), Ok(Command::Unknown { name: name.as_bytes(), body: b"rest" }));
    }
}

#[test]
fn a_reason_fills_its_error_exactly() {
    for malformed in [&b"\x05ERROR"[..], b"\x05ERROR\x03no", b"\x05ERROR\x02no!", b"\x05ERROR\0x"] {
        why(parse(malformed));
    }
}

#[test]
fn a_reason_too_long_for_its_field_is_cut() {
    let wire = put(&Command::Error { reason: &[b'r'; 300] });
    assert_eq!(parse(body(&wire)), Ok(Command::Error { reason: &[b'r'; 255] }));
}

#[test]
fn property_names_compare_without_case() {
    let wire = ready(&[(b"sOcKeT-tYpE", b"PULL"), (b"X-Rack", b"7")]);
    let Ok(Command::Ready(metadata)) = parse(body(&wire)) else { panic!("a legal READY") };
    assert_eq!(metadata.value("Socket-Type"), Some(&b"PULL"[..]));
    assert_eq!(metadata.value("SOCKET-TYPE"), Some(&b"PULL"[..]));
    assert_eq!(metadata.value("x-rack"), Some(&b"7"[..]));
    assert_eq!(metadata.value("Identity"), None);
    assert_eq!(
        metadata.properties().map(|property| property.name).collect::<Vec<_>>(),
        ["sOcKeT-tYpE", "X-Rack"]
    );
}

#[test]
fn malformed_properties_are_refused() {
    let table: &[&[u8]] = &[
        b"\0\0\0\0\0",                // an empty name
        b"\x04Nam",                   // a name cut short
        b"\x04Name",                  // no value
        b"\x04Name\0\0\0",            // a size cut short
        b"\x04Name\0\0\0\x02v",       // a value cut short
        b"\x04Name\xff\xff\xff\xffv", // a huge value
        b"\x04Name\x7f\xff\xff\xffv", // the largest legal size, without its value
        b"\x04Na e\0\0\0\0",          // a space in the name
        b"\x04Na\0e\0\0\0\0",         // a zero in the name
        b"\x04Na\xc3\xa4\0\0\0\0",    // not ASCII
        b"\x04Name\0\0\0\x01v\x01",   // a second property cut short
    ];
    for properties in table {
        why(parse(&[b"\x05READY", *properties].concat()));
    }
}

#[test]
fn every_strict_prefix_of_a_property_is_refused() {
    let wire = ready(&[(b"Socket-Type", b"PULL")]);
    let body = body(&wire);
    for len in b"\x05READY".len() + 1..body.len() {
        why(parse(&body[..len]));
    }
}

#[test]
fn properties_are_counted() {
    let limits = Limits { max_metadata_properties: 3, ..Limits::default() };
    let property: (&[u8], &[u8]) = (b"N", b"");
    assert!(Command::parse(body(&ready(&[property; 3])), &limits).is_ok());
    let refused = WireError::LimitExceeded { what: Limited::MetadataProperties, size: 4, limit: 3 };
    assert_eq!(Command::parse(body(&ready(&[property; 4])), &limits), Err(refused));
}

#[test]
fn a_group_has_at_most_255_octets() {
    for name in [&b"\x04JOIN"[..], b"\x05LEAVE"] {
        let group = [b'g'; 256];
        assert!(parse(&[name, &group[..255]].concat()).is_ok());
        assert!(why(parse(&[name, &group].concat())).contains("longer than 255"));
    }
}

#[test]
fn a_command_is_held_to_its_limit() {
    let limits = Limits { max_command_bytes: 6, ..Limits::default() };
    assert!(Command::parse(b"\x04PONGx", &limits).is_ok());
    let refused = WireError::LimitExceeded { what: Limited::Command, size: 7, limit: 6 };
    assert_eq!(Command::parse(b"\x04PONGxy", &limits), Err(refused));
}

#[test]
fn a_builder_takes_only_what_can_be_sent() {
    let mut builder = MetadataBuilder::new();
    for name in ["", "a b", "ä", "n\0", &"n".repeat(256)] {
        assert_eq!(builder.push(name, b""), Err(PropertyError::Name), "{name:?}");
    }
    assert_eq!(builder.metadata(), Metadata::default());
    assert_eq!(builder.push(&"n".repeat(255), b"v"), Ok(()));
    assert_eq!(builder.metadata().properties().count(), 1);
}

fn any_properties() -> impl Strategy<Value = Vec<(String, Vec<u8>)>> {
    prop::collection::vec(("[A-Za-z0-9._+-]{1,20}", any_body()), 0..5)
}

proptest! {
    #[test]
    fn metadata_comes_back(properties in any_properties()) {
        let mut builder = MetadataBuilder::new();
        for (name, value) in &properties {
            builder.push(name, value).expect("a legal property");
        }
        let wire = put(&Command::Ready(builder.metadata()));
        let Ok(Command::Ready(metadata)) = parse(body(&wire)) else { panic!("our own READY is legal") };
        let back: Vec<_> = metadata.properties().map(|property| (property.name.to_owned(), property.value.to_vec())).collect();
        prop_assert_eq!(back, properties);
    }

    #[test]
    fn commands_come_back(ttl_deciseconds: u16, context in prop::collection::vec(any::<u8>(), 0..=16), text in any_body()) {
        let reason = &text[..text.len().min(255)];
        for command in [
            Command::Error { reason },
            Command::Subscribe(&text),
            Command::Cancel(&text),
            Command::GlobSubscribe(&text),
            Command::GlobCancel(&text),
            Command::Ping { ttl_deciseconds, context: &context },
            Command::Pong { context: &context },
            Command::Join(&text[..text.len().min(255)]),
            Command::Leave(&text[..text.len().min(255)]),
            Command::Unknown { name: b"KNOCK", body: &text },
        ] {
            let wire = put(&command);
            prop_assert_eq!(parse(body(&wire)), Ok(command));
        }
    }

    /// What parses is put back as exactly the octets it was parsed from, so no octet of a command goes unseen.
    #[test]
    fn parsed_octets_come_back(name in "READY|ERROR|P?SUBSCRIBE|P?CANCEL|PING|PONG|[A-Z]{0,6}", rest in prop::collection::vec(prop_oneof![0..4u8, any::<u8>()], 0..40)) {
        let octets = [&[name.len() as u8], name.as_bytes(), &rest[..]].concat();
        if let Ok(command) = parse(&octets) {
            let wire = put(&command);
            prop_assert_eq!(body(&wire), octets);
        }
    }
}
