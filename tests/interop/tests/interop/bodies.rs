//! Messages of every size and shape, and long streams of them.

use std::{sync::mpsc, thread};

use serverlink::SocketType::{Pair, Pull, Push};

use crate::{
    ends::{Library, Parts, parts},
    links::Wire,
    over_wires,
};

over_wires! {
    /// Around every edge: inline, short frame, arena, by reference, larger than any buffer.
    sizes => |wire| echo(wire, &sizes());
    /// Shapes of multipart messages.
    shapes => |wire| echo(wire, &shapes());
    /// Many small messages, all there and in order.
    stream => stream;
}

const MIB: usize = 1024 * 1024;
const STREAM_MESSAGES: u32 = 20_000;

fn sizes() -> Vec<Parts> {
    [0, 1, 45, 46, 47, 64, 254, 255, 256, 8191, 8192, 8193, 65_535, 65_536, 65_537, MIB, 5 * MIB]
        .map(|bytes| vec![patterned(bytes)])
        .to_vec()
}

fn shapes() -> Vec<Parts> {
    vec![
        parts(["", ""]),
        parts(["a", "", "b"]),
        vec![patterned(MIB), Vec::new(), patterned(300), patterned(MIB)],
        (0..500).map(patterned).collect(),
        vec![patterned(64); 3],
    ]
}

/// Bytes that tell a displaced piece from the right one.
fn patterned(bytes: usize) -> Vec<u8> {
    (0..bytes).map(|index| (index % 251) as u8 ^ (index >> 12) as u8).collect()
}

fn echo(wire: Wire, messages: &[Parts]) {
    for link in wire.links(Pair, Pair) {
        println!("{}", link.name);
        for message in messages {
            link.one.send(message);
            let received = link.other.recv();
            assert!(received == *message, "{:?} went wrong on the way there", lengths(message));
            link.other.send(&received);
            assert!(link.one.recv() == *message, "{:?} went wrong on the way back", lengths(message));
        }
    }
}

fn lengths(message: &Parts) -> Vec<usize> {
    message.iter().map(Vec::len).collect()
}

fn stream(wire: Wire) {
    for library in Library::BOTH {
        let (endpoint, _directory) = wire.fresh_endpoint();
        let puller = library.other().open(Pull);
        let bound = puller.bind(&endpoint);
        let (finish, finished) = mpsc::channel::<()>();
        let sender = thread::spawn(move || {
            let push = library.open(Push);
            push.connect(&bound);
            for number in 0..STREAM_MESSAGES {
                push.send(&numbered(number));
            }
            // Neither library's close is to be tested here: the socket stays until all was received.
            finished.recv().expect_err("nothing is said but by hanging up");
        });
        for number in 0..STREAM_MESSAGES {
            assert_eq!(puller.recv(), numbered(number), "from {library:?}");
        }
        drop(finish);
        sender.join().expect("the sender was done");
    }
}

/// Sizes vary, so that frames lie across the edges of every buffer.
fn numbered(number: u32) -> Parts {
    vec![number.to_be_bytes().to_vec(), patterned(number as usize % 300)]
}
