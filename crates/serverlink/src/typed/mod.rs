//! One type for each pattern, so that receiving on a publisher does not compile. All are thin wrappers over
//! [`Socket`](crate::Socket); [`as_socket`](Push::as_socket) gives the wrapped one.

mod builder;
mod methods;
mod pair;
mod pipeline;
mod publish;
mod request;
mod routing;
mod xpublish;

pub use builder::{SocketBuilder, TypedSocket};
pub use pair::Pair;
pub use pipeline::{Pull, Push};
pub use publish::{Publisher, Subscriber};
pub use request::{Reply, Request};
pub use routing::{Dealer, Router};
pub use xpublish::{XPublisher, XSubscriber};

use crate::Context;

/// One door for each pattern: set options on the builder, then [`open`](SocketBuilder::open) it.
impl Context {
    /// Two sockets that belong to each other.
    pub fn pair(&self) -> SocketBuilder<Pair> {
        SocketBuilder::new(self)
    }

    /// Sends every message to all subscribers of its topic.
    pub fn publisher(&self) -> SocketBuilder<Publisher> {
        SocketBuilder::new(self)
    }

    /// Receives the topics it subscribed to.
    pub fn subscriber(&self) -> SocketBuilder<Subscriber> {
        SocketBuilder::new(self)
    }

    /// A publisher that sees the subscriptions.
    pub fn xpublisher(&self) -> SocketBuilder<XPublisher> {
        SocketBuilder::new(self)
    }

    /// A subscriber that can also send to its publishers.
    pub fn xsubscriber(&self) -> SocketBuilder<XSubscriber> {
        SocketBuilder::new(self)
    }

    /// Shares out messages among its peers.
    pub fn push(&self) -> SocketBuilder<Push> {
        SocketBuilder::new(self)
    }

    /// Takes messages from all its peers in turn.
    pub fn pull(&self) -> SocketBuilder<Pull> {
        SocketBuilder::new(self)
    }

    /// Asks, then waits for the answer.
    pub fn request(&self) -> SocketBuilder<Request> {
        SocketBuilder::new(self)
    }

    /// Answers what it was asked.
    pub fn reply(&self) -> SocketBuilder<Reply> {
        SocketBuilder::new(self)
    }

    /// Asks many at once and takes the answers as they come.
    pub fn dealer(&self) -> SocketBuilder<Dealer> {
        SocketBuilder::new(self)
    }

    /// Sends to the peer it names, and knows from whom each message came.
    pub fn router(&self) -> SocketBuilder<Router> {
        SocketBuilder::new(self)
    }
}
