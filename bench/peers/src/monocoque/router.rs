//! Its ROUTER for many peers: a socket for each connection, all in one thread.

use std::{cell::RefCell, future::pending};

use futures_util::{StreamExt, future::LocalBoxFuture, stream::FuturesUnordered};
use monocoque::SocketOptions;
use serverlink_bench::{
    Error,
    player::{Counter, Kind},
};

use super::{Listener, MonocoqueSocket, Stream};

type Connections<'a> = FuturesUnordered<LocalBoxFuture<'a, Result<(), Error>>>;

async fn echo(
    stream: Stream,
    kind: Kind,
    options: SocketOptions,
    counter: &RefCell<&mut Counter>,
) -> Result<(), Error> {
    match stream.open(kind, options).await? {
        MonocoqueSocket::Tcp(mut end) => loop {
            end.echo(|body| counter.borrow_mut().message(body)).await?;
        },
        MonocoqueSocket::Ipc(mut end) => loop {
            end.echo(|body| counter.borrow_mut().message(body)).await?;
        },
        _ => Ok(()),
    }
}

/// Accepts for ever, and echoes what each connection says until it ends.
pub(super) async fn serve(
    listener: &Listener,
    kind: Kind,
    options: &SocketOptions,
    counter: &mut Counter,
) -> Result<(), Error> {
    let counter = RefCell::new(counter);
    let mut connections = Connections::new();
    // Never empty, so that it always has something to wait for.
    connections.push(Box::pin(pending()));
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                connections.push(Box::pin(echo(accepted?, kind, options.clone(), &counter)));
            }
            // How a connection ended is its peer's business.
            _ = connections.next() => {}
        }
    }
}
