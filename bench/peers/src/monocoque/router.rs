//! Its ROUTER for many peers: a socket and a task for each connection, all in one thread.

use std::{cell::Cell, rc::Rc, time::Duration};

use monocoque::SocketOptions;
use serverlink_bench::{
    Error,
    player::{Counter, Kind},
};
use tokio::task::{LocalSet, spawn_local};

use super::{Listener, MonocoqueSocket, Stream};

/// How often what the tasks have echoed is counted.
const COUNT_EVERY: Duration = Duration::from_millis(10);

/// Accepts for ever, and echoes what each connection says until it ends.
pub(super) async fn serve(
    listener: &Listener,
    kind: Kind,
    options: &SocketOptions,
    counter: &mut Counter,
) -> Result<(), Error> {
    let echoed = Rc::new(Cell::new(0));
    let mut count = tokio::time::interval(COUNT_EVERY);
    let serving = async {
        loop {
            tokio::select! {
                accepted = listener.accept() => {
                    // How a connection ends is its peer's business.
                    drop(spawn_local(echo(accepted?, kind, options.clone(), Rc::clone(&echoed))));
                }
                _ = count.tick() => counter.batch(echoed.take()),
            }
        }
    };
    LocalSet::new().run_until(serving).await
}

async fn echo(
    stream: Stream,
    kind: Kind,
    options: SocketOptions,
    echoed: Rc<Cell<u64>>,
) -> Result<(), Error> {
    let count = |_: &[u8]| echoed.set(echoed.get() + 1);
    match stream.open(kind, options).await? {
        MonocoqueSocket::Tcp(mut end) => loop {
            end.echo(count).await?;
        },
        MonocoqueSocket::Ipc(mut end) => loop {
            end.echo(count).await?;
        },
        _ => Ok(()),
    }
}
