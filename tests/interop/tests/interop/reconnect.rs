//! A peer that went away and came back is found again without help from the application.

use serverlink::SocketType::{self, *};

use crate::{
    ends::{End, Library, parts},
    links::Wire,
    over_wires,
    subscriptions::until_subscribed,
};

over_wires! {
    /// The subscriber subscribed once; its publisher was restarted on the same endpoint.
    subscriber_of_a_restarted_publisher => |wire| restarted(wire, Pub, Sub, published);
    /// A request to a server that was restarted is answered.
    request_to_a_restarted_server => |wire| restarted(wire, Rep, Req, asked);
    /// Work goes on when the collector is back.
    push_to_a_restarted_pull => |wire| restarted(wire, Pull, Push, collected);
    /// Whoever connects may come first.
    connecting_before_anybody_listens => connecting_first;
}

/// The connecting end lives through two lives of the bound one.
fn restarted(wire: Wire, bound: SocketType, connecting: SocketType, talk: fn(&dyn End, &dyn End)) {
    for library in Library::BOTH {
        println!("a bound {bound} of {library:?}");
        let client = library.other().open(connecting);
        if connecting == Sub {
            client.subscribe(b"news");
        }
        let server = library.open(bound);
        let (fresh, _directory) = wire.fresh_endpoint();
        let endpoint = server.bind(&fresh);
        client.connect(&endpoint);
        talk(&*server, &*client);
        server.close();
        // Until then the client may still hand messages to the connection that ended.
        client.wait_until_alone();

        let server = library.open(bound);
        server.bind(&endpoint);
        talk(&*server, &*client);
    }
}

fn published(publisher: &dyn End, subscriber: &dyn End) {
    until_subscribed(publisher, subscriber, b"news");
    publisher.send(&parts(["news: done"]));
    assert_eq!(subscriber.recv(), parts(["news: done"]));
}

fn asked(rep: &dyn End, req: &dyn End) {
    req.send(&parts(["question"]));
    assert_eq!(rep.recv(), parts(["question"]));
    rep.send(&parts(["answer"]));
    assert_eq!(req.recv(), parts(["answer"]));
}

fn collected(pull: &dyn End, push: &dyn End) {
    push.send(&parts(["work"]));
    assert_eq!(pull.recv(), parts(["work"]));
}

fn connecting_first(wire: Wire) {
    for library in Library::BOTH {
        // The endpoint is one that was bound a moment ago, so that it is free and has a port.
        let (fresh, _directory) = wire.fresh_endpoint();
        let reserved = Library::Theirs.open(Dealer);
        let endpoint = reserved.bind(&fresh);
        reserved.close();

        let dealer = library.open(Dealer);
        dealer.connect(&endpoint);
        let router = library.other().open(Router);
        router.bind(&endpoint);
        dealer.send(&parts(["early"]));
        assert_eq!(router.recv()[1..], parts(["early"]));
    }
}
