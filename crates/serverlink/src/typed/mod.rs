//! One type for each pattern, so that receiving on a publisher does not compile. All are thin wrappers over
//! [`Socket`](crate::Socket); [`as_socket`](Push::as_socket) gives the wrapped one.

mod addressed;
mod builder;
mod dgram;
mod groups;
mod methods;
mod pair;
mod pipeline;
mod publish;
mod request;
mod routing;
mod service;
mod single;
mod stream;
mod xpublish;

pub use builder::{SocketBuilder, TypedSocket};
pub use dgram::Dgram;
pub use groups::{Dish, Radio};
pub use pair::Pair;
pub use pipeline::{Pull, Push};
pub use publish::{Publisher, Subscriber};
pub use request::{Reply, Request};
pub use routing::{Dealer, Router};
pub use service::{Client, PeerSocket, Server};
pub use single::{Channel, Gather, Scatter};
pub use stream::Stream;
pub use xpublish::{XPublisher, XSubscriber};

use crate::{Context, Part};

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

    /// Asks servers, in messages of one part.
    pub fn client(&self) -> SocketBuilder<Client> {
        SocketBuilder::new(self)
    }

    /// Answers clients, each by its number.
    pub fn server(&self) -> SocketBuilder<Server> {
        SocketBuilder::new(self)
    }

    /// Talks to its kind, each by its number.
    pub fn peer(&self) -> SocketBuilder<PeerSocket> {
        SocketBuilder::new(self)
    }

    /// Two sockets that belong to each other, with messages of one part.
    pub fn channel(&self) -> SocketBuilder<Channel> {
        SocketBuilder::new(self)
    }

    /// Shares out messages of one part among its peers.
    pub fn scatter(&self) -> SocketBuilder<Scatter> {
        SocketBuilder::new(self)
    }

    /// Takes messages of one part from all its peers in turn.
    pub fn gather(&self) -> SocketBuilder<Gather> {
        SocketBuilder::new(self)
    }

    /// Sends every message to all who joined its group.
    pub fn radio(&self) -> SocketBuilder<Radio> {
        SocketBuilder::new(self)
    }

    /// Receives the groups that it joined.
    pub fn dish(&self) -> SocketBuilder<Dish> {
        SocketBuilder::new(self)
    }

    /// Datagrams from and to any address.
    pub fn dgram(&self) -> SocketBuilder<Dgram> {
        SocketBuilder::new(self)
    }

    /// Talks to programs without ZMTP.
    pub fn stream(&self) -> SocketBuilder<Stream> {
        SocketBuilder::new(self)
    }
}

/// The number of a SERVER's or a PEER's peer. The library always puts four octets there.
fn number_of(part: Part) -> u32 {
    part.as_bytes().try_into().map(u32::from_be_bytes).unwrap_or_default()
}
