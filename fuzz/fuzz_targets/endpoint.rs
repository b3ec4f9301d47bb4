//! Endpoint strings, as an application passes them on from its users.
//!
//! Any text is either refused with a sentence or understood, and what was understood prints as text that means the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use serverlink::Endpoint;

fuzz_target!(|text: &str| {
    match text.parse::<Endpoint>() {
        Ok(endpoint) => {
            let printed = endpoint.to_string();
            let again: Endpoint = printed.parse().expect("an endpoint's own text is an endpoint");
            assert_eq!(again, endpoint, "{text:?} was understood as {printed:?}");
            assert_eq!(again.to_string(), printed);
            // Whether it names a peer or only a place to bind, it says so in a sentence.
            if let Err(refusal) = endpoint.check_connectable() {
                assert!(!refusal.to_string().is_empty());
            }
        }
        Err(refusal) => assert!(!refusal.to_string().is_empty()),
    }
});
