//! Pairs of socket types talk as their pattern says.

use serverlink::SocketType::{self, *};

use crate::foreign::{Foreign, Library, Parts, parts};
use crate::links::{Binder, Wire};
use crate::ours::Ours;
use crate::with_each_peer;

with_each_peer! {
    our_push_to_their_pull => |library, wire| each_link(library, wire, Push, Pull, |ours, theirs| {
        for sent in shapes() {
            ours.send(&sent);
            assert_eq!(theirs.recv(), sent);
        }
    });
    their_push_to_our_pull => |library, wire| each_link(library, wire, Pull, Push, |ours, theirs| {
        for sent in shapes() {
            theirs.send(&sent);
            assert_eq!(ours.recv(), sent);
        }
    });
    our_req_to_their_rep => |library, wire| each_link(library, wire, Req, Rep, |ours, theirs| {
        for sent in shapes() {
            ours.send(&sent);
            assert_eq!(theirs.recv(), sent);
            theirs.send(&sent);
            assert_eq!(ours.recv(), sent);
        }
    });
    their_req_to_our_rep => |library, wire| each_link(library, wire, Rep, Req, |ours, theirs| {
        for sent in shapes() {
            theirs.send(&sent);
            assert_eq!(ours.recv(), sent);
            ours.send(&sent);
            assert_eq!(theirs.recv(), sent);
        }
    });
    our_dealer_to_their_router => |library, wire| each_link(library, wire, Dealer, Router, |ours, theirs| {
        for sent in shapes() {
            ours.send(&sent);
            let received = theirs.recv();
            assert_eq!(received[1..], sent);
            theirs.send(&received);
            assert_eq!(ours.recv(), sent);
        }
    });
    their_dealer_to_our_router => |library, wire| each_link(library, wire, Router, Dealer, |ours, theirs| {
        for sent in shapes() {
            theirs.send(&sent);
            let received = ours.recv();
            assert_eq!(received[1..], sent);
            ours.send(&received);
            assert_eq!(theirs.recv(), sent);
        }
    });
    our_dealer_to_their_rep => |library, wire| each_link(library, wire, Dealer, Rep, |ours, theirs| {
        for sent in shapes() {
            let enveloped = [parts([""]), sent.clone()].concat();
            ours.send(&enveloped);
            assert_eq!(theirs.recv(), sent);
            theirs.send(&sent);
            assert_eq!(ours.recv(), enveloped);
        }
    });
    their_req_to_our_router => |library, wire| each_link(library, wire, Router, Req, |ours, theirs| {
        for sent in shapes() {
            theirs.send(&sent);
            let received = ours.recv();
            assert_eq!(received[1..], [parts([""]), sent.clone()].concat());
            ours.send(&received);
            assert_eq!(theirs.recv(), sent);
        }
    });
}

/// zmq.rs has no PAIR.
mod pair_to_pair {
    use super::*;

    fn talk(wire: Wire) {
        each_link(Library::Omq, wire, Pair, Pair, |ours, theirs| {
            for sent in shapes() {
                ours.send(&sent);
                assert_eq!(theirs.recv(), sent);
                theirs.send(&sent);
                assert_eq!(ours.recv(), sent);
            }
        });
    }

    #[test]
    fn omq_tcp() {
        talk(Wire::Tcp);
    }

    #[test]
    fn omq_ipc() {
        talk(Wire::Ipc);
    }
}

fn shapes() -> Vec<Parts> {
    vec![parts(["one"]), parts(["several", "", "parts"]), parts([""]), parts(["", ""]), parts(["last"])]
}

pub(crate) fn each_link(
    library: Library,
    wire: Wire,
    ours: SocketType,
    theirs: SocketType,
    talk: impl Fn(&Ours, &mut dyn Foreign),
) {
    for binder in Binder::BOTH {
        // Shown only when the test fails: which of the links it was.
        println!("our {ours} and {theirs} of {library:?} over {wire:?}, bound: {binder:?}");
        let mut link = wire.link(library, ours, theirs, binder);
        talk(&link.ours, &mut *link.theirs);
    }
}
