//! Every legal pair of socket types talks as its pattern says.

use serverlink::SocketType::{self, *};

use crate::{
    ends::{End, Library, Parts, parts},
    links::Wire,
    over_wires,
    subscriptions::publish_and_filter,
};

over_wires! {
    req_to_rep => |wire| each_link(wire, Req, Rep, request_reply);
    req_to_router => |wire| each_link(wire, Req, Router, request_router);
    dealer_to_rep => |wire| each_link(wire, Dealer, Rep, dealer_reply);
    dealer_to_dealer => |wire| each_link(wire, Dealer, Dealer, both_ways);
    dealer_to_router => |wire| each_link(wire, Dealer, Router, dealer_router);
    router_to_router => |wire| each_link(wire, Router, Router, router_router);
    push_to_pull => |wire| each_link(wire, Push, Pull, one_way);
    pair_to_pair => |wire| each_link(wire, Pair, Pair, both_ways);
    pub_to_sub => |wire| each_link(wire, Pub, Sub, publish_and_filter);
    pub_to_xsub => |wire| each_link(wire, Pub, Xsub, publish_and_filter);
    xpub_to_sub => |wire| each_link(wire, Xpub, Sub, publish_and_filter);
    xpub_to_xsub => |wire| each_link(wire, Xpub, Xsub, publish_and_filter);
}

fn each_link(wire: Wire, one: SocketType, other: SocketType, talk: fn(&dyn End, &dyn End)) {
    for link in wire.links(one, other) {
        // Shown only when the test fails: which of the links it was.
        println!("{}", link.name);
        talk(&*link.one, &*link.other);
    }
}

fn pass(from: &dyn End, to: &dyn End, sent: Parts) {
    from.send(&sent);
    assert_eq!(to.recv(), sent);
}

fn one_way(from: &dyn End, to: &dyn End) {
    for sent in [parts(["one"]), parts(["several", "", "parts"]), parts([""])] {
        pass(from, to, sent);
    }
}

fn both_ways(one: &dyn End, other: &dyn End) {
    for _ in 0..3 {
        one_way(one, other);
        one_way(other, one);
    }
}

fn request_reply(req: &dyn End, rep: &dyn End) {
    for _ in 0..3 {
        pass(req, rep, parts(["question"]));
        pass(rep, req, parts(["an", "answer"]));
    }
}

fn request_router(req: &dyn End, router: &dyn End) {
    for _ in 0..3 {
        req.send(&parts(["question"]));
        let mut received = router.recv();
        assert_eq!(received[1..], parts(["", "question"]));
        received[2] = b"answer".to_vec();
        router.send(&received);
        assert_eq!(req.recv(), parts(["answer"]));
    }
}

fn dealer_reply(dealer: &dyn End, rep: &dyn End) {
    for _ in 0..3 {
        dealer.send(&parts(["", "question"]));
        assert_eq!(rep.recv(), parts(["question"]));
        rep.send(&parts(["answer"]));
        assert_eq!(dealer.recv(), parts(["", "answer"]));
    }
    // A deeper envelope comes back as it was.
    dealer.send(&parts(["hop", "", "question"]));
    assert_eq!(rep.recv(), parts(["question"]));
    rep.send(&parts(["answer"]));
    assert_eq!(dealer.recv(), parts(["hop", "", "answer"]));
}

fn dealer_router(dealer: &dyn End, router: &dyn End) {
    for _ in 0..3 {
        dealer.send(&parts(["to", "router"]));
        let received = router.recv();
        assert_eq!(received[1..], parts(["to", "router"]));
        router.send(&vec![received[0].clone(), b"back".to_vec()]);
        assert_eq!(dealer.recv(), parts(["back"]));
    }
}

/// Ours speaks first: it knows that its peer is ready, and having heard it the peer knows too.
fn router_router(one: &dyn End, other: &dyn End) {
    let (ours, theirs) = match one.library() {
        Library::Ours => (one, other),
        Library::Theirs => (other, one),
    };
    ours.send(&parts([theirs.routing_id(), b"hello"]));
    assert_eq!(theirs.recv(), parts([ours.routing_id(), b"hello"]));
    theirs.send(&parts([ours.routing_id(), b"welcome"]));
    assert_eq!(ours.recv(), parts([theirs.routing_id(), b"welcome"]));
}
