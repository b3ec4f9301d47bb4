//! The body of a command frame. What parses must come back as exactly the same octets.
#![no_main]

use libfuzzer_sys::fuzz_target;
use serverlink_zmtp::Limits;
use serverlink_zmtp::command::Command;
use serverlink_zmtp::frame::{Parsed, parse_header};

fuzz_target!(|body: &[u8]| {
    let limits = Limits { max_command_bytes: 8192, max_subscription_bytes: 1024, ..Limits::default() };
    let Ok(command) = Command::parse(body, &limits) else { return };
    if let Command::Ready(metadata) = &command {
        assert!(metadata.properties().count() <= limits.max_metadata_properties);
        assert!(metadata.properties().all(|property| metadata.value(property.name).is_some()));
    }
    let mut wire = Vec::new();
    command.put(&mut wire);
    let Ok(Parsed::Complete { header, header_len }) = parse_header(&wire) else {
        panic!("a command is a whole frame")
    };
    assert!(header.command && !header.more);
    assert_eq!(&wire[header_len..], body);
});
