//! What anybody may send to an open udp port: it is a group and a body, or it is refused, and what was taken apart is the same when it is put together.
#![no_main]

use libfuzzer_sys::fuzz_target;
use serverlink_zmtp::datagram;

fuzz_target!(|input: &[u8]| {
    if let Ok((group, body)) = datagram::parse(input) {
        let (mut again, mut frames) = (Vec::new(), Vec::new());
        datagram::put(group, body, &mut again);
        assert_eq!(again, input);
        datagram::frame_incoming(group, body, &mut frames);
        datagram::for_each_outgoing(&frames, |first, second| assert_eq!((first, second), (group, body)));
    }
});
