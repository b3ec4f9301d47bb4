//! Messages of every size, and long streams of them.

use std::thread;

use serverlink::SocketType::{Dealer, Pull, Push, Router};

use crate::foreign::{Library, Parts};
use crate::links::{Binder, Wire};
use crate::pairs::each_link;
use crate::with_each_peer;

with_each_peer! {
    /// Around every edge: inline, short frame, by reference, larger than any buffer.
    sizes => sizes;
    our_stream => our_stream;
    their_stream => their_stream;
}

const MIB: usize = 1024 * 1024;
const STREAM_MESSAGES: u32 = 5000;

fn sizes(library: Library, wire: Wire) {
    each_link(library, wire, Router, Dealer, |ours, theirs| {
        for bytes in [0, 1, 46, 47, 64, 254, 255, 256, 8191, 8192, 65_535, 65_536, MIB, 5 * MIB] {
            let sent = vec![patterned(bytes), Vec::new(), patterned(bytes)];
            theirs.send(&sent);
            let received = ours.recv();
            assert!(received[1..] == sent, "parts of {bytes} bytes came as something else");
            ours.send(&received);
            assert!(theirs.recv() == sent, "parts of {bytes} bytes went back as something else");
        }
    });
}

fn our_stream(library: Library, wire: Wire) {
    let link = wire.link(library, Push, Pull, Binder::Ours);
    let (push, mut pull) = (link.ours, link.theirs);
    let sender = thread::spawn(move || {
        (0..STREAM_MESSAGES).for_each(|number| push.send(&numbered(number)));
        // The socket stays until all was received: closing is not to be tested here.
        push
    });
    (0..STREAM_MESSAGES).for_each(|number| assert!(pull.recv() == numbered(number), "at message {number}"));
    sender.join().expect("the sender was done");
}

/// The receiver is on another thread: theirs cannot leave the one it was made on.
fn their_stream(library: Library, wire: Wire) {
    let link = wire.link(library, Pull, Push, Binder::Theirs);
    let (pull, mut push) = (link.ours, link.theirs);
    let receiver = thread::spawn(move || {
        (0..STREAM_MESSAGES)
            .for_each(|number| assert!(pull.recv() == numbered(number), "at message {number}"));
    });
    (0..STREAM_MESSAGES).for_each(|number| push.send(&numbered(number)));
    receiver.join().expect("every message, in order");
}

/// Sizes vary, so that frames lie across the edges of every buffer.
fn numbered(number: u32) -> Parts {
    vec![number.to_be_bytes().to_vec(), patterned(number as usize % 300)]
}

/// Bytes that tell a displaced piece from the right one.
fn patterned(bytes: usize) -> Vec<u8> {
    (0..bytes).map(|index| (index % 251) as u8 ^ (index >> 12) as u8).collect()
}
