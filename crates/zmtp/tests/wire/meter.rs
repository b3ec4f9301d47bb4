//! The bounds on a whole message.

use proptest::prelude::*;
use serverlink_zmtp::error::Limited;
use serverlink_zmtp::frame::Header;
use serverlink_zmtp::meter::MessageMeter;
use serverlink_zmtp::{Limits, WireError};

fn part(more: bool, body_len: u64) -> Header {
    Header { more, command: false, body_len }
}

fn refused(what: Limited, size: u64, limit: u64) -> Result<usize, WireError> {
    Err(WireError::LimitExceeded { what, size, limit })
}

#[test]
fn parts_add_up_to_the_message_and_start_again_after_it() {
    let limits = Limits { max_frame_bytes: 8, max_message_bytes: 10, ..Limits::default() };
    let mut meter = MessageMeter::new();
    for _ in 0..3 {
        assert_eq!(meter.count(part(true, 8), &limits), Ok(8));
        assert!(meter.is_inside_message());
        assert_eq!(meter.count(part(false, 2), &limits), Ok(2));
        assert!(!meter.is_inside_message());
    }
    assert_eq!(meter.count(part(true, 8), &limits), Ok(8));
    assert_eq!(meter.count(part(false, 3), &limits), refused(Limited::Message, 11, 10));
}

#[test]
fn a_single_frame_is_held_to_both_bounds() {
    let limits = Limits { max_frame_bytes: 8, max_message_bytes: 5, ..Limits::default() };
    assert_eq!(MessageMeter::new().count(part(false, 5), &limits), Ok(5));
    assert_eq!(MessageMeter::new().count(part(false, 6), &limits), refused(Limited::Message, 6, 5));
    assert_eq!(MessageMeter::new().count(part(false, 9), &limits), refused(Limited::Frame, 9, 8));
}

#[test]
fn endless_empty_parts_are_refused() {
    let limits = Limits { max_message_parts: 100, ..Limits::default() };
    let mut meter = MessageMeter::new();
    for _ in 0..100 {
        assert_eq!(meter.count(part(true, 0), &limits), Ok(0));
    }
    assert_eq!(meter.count(part(true, 0), &limits), refused(Limited::MessageParts, 101, 100));
}

proptest! {
    #[test]
    fn it_agrees_with_counting_each_message(frames in prop::collection::vec((any::<bool>(), 0..12u64), 0..40)) {
        let limits = Limits { max_frame_bytes: 10, max_message_bytes: 25, max_message_parts: 4, ..Limits::default() };
        let mut meter = MessageMeter::new();
        let mut message: Vec<u64> = Vec::new();
        for (more, body_len) in frames {
            message.push(body_len);
            let fits = body_len <= 10 && message.len() <= 4 && message.iter().sum::<u64>() <= 25;
            let counted = meter.count(part(more, body_len), &limits);
            prop_assert_eq!(counted.is_ok(), fits);
            if !fits {
                break;
            }
            prop_assert_eq!(counted, Ok(body_len as usize));
            prop_assert_eq!(meter.is_inside_message(), more);
            if !more {
                message.clear();
            }
        }
    }
}
