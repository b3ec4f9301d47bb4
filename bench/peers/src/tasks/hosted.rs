//! What makes the benchmark's blocking sockets of sockets whose calls are futures.

use std::{mem, sync::Arc};

use serverlink_bench::{
    Error, Transport,
    player::{Asker, Counter, Kind, Library, Setup, Socket, Source, spawn_worker},
};
use tokio::{runtime::Runtime, task::LocalSet};

use super::{TaskLibrary, TaskSocket, rest::Rest};

/// A library of futures as a library of calls.
pub(crate) struct Hosted<L>(L);

impl<L: TaskLibrary> Library for Hosted<L> {
    type Socket = HostedSocket<L>;
    const CALLERS_PER_SERVER: usize = L::CALLERS_PER_SERVER;

    fn open(setup: &Setup) -> Result<Self, Error> {
        L::open(setup).map(Hosted)
    }

    fn bind(&self, kind: Kind, transport: Transport) -> Result<(HostedSocket<L>, String), Error> {
        self.0.refuse(kind, transport)?;
        let runtime = self.0.runtime()?;
        let (socket, endpoint) = runtime.block_on(self.0.bind(kind, transport))?;
        let state = State::Made(socket);
        Ok((HostedSocket { library: self.0.clone(), runtime: Some(runtime), state, rest: None }, endpoint))
    }

    fn connect(&self, kind: Kind, endpoint: &str) -> Result<HostedSocket<L>, Error> {
        self.0.refuse(kind, transport_of(endpoint)?)?;
        let state = State::Wanted { kind, endpoint: endpoint.to_owned(), topics: Vec::new() };
        let mut socket = HostedSocket { library: self.0.clone(), runtime: None, state, rest: None };
        if L::CONNECTS_AT_ONCE {
            socket.enter(async |_| Ok(()))?;
        }
        Ok(socket)
    }

    /// A task for each, all on one thread: what a program of tasks would do.
    fn drain_all(&self, ends: Vec<(HostedSocket<L>, Counter)>) -> Result<(), Error> {
        let (unconnected, made): (Vec<_>, Vec<_>) =
            ends.into_iter().partition(|(socket, _)| socket.runtime.is_none());
        for (mut socket, mut counter) in made {
            spawn_worker(move || socket.drain(&mut counter));
        }
        if !unconnected.is_empty() {
            let runtime = self.0.runtime()?;
            spawn_worker(move || drain_together(&runtime, unconnected));
        }
        Ok(())
    }
}

fn drain_together<L: TaskLibrary>(
    runtime: &Runtime,
    ends: Vec<(HostedSocket<L>, Counter)>,
) -> Result<(), Error> {
    let tasks = LocalSet::new();
    let drains: Vec<_> = ends
        .into_iter()
        .map(|(mut socket, mut counter)| {
            tasks.spawn_local(
                async move { socket.state.ready(&socket.library).await?.drain(&mut counter).await },
            )
        })
        .collect();
    tasks.block_on(runtime, async {
        for drain in drains {
            drain.await.map_err(|error| Error::Peer {
                peer: "tokio",
                doing: "receiving",
                why: error.to_string(),
            })??;
        }
        Ok(())
    })
}

/// A socket and the runtime it lives in.
pub(crate) struct HostedSocket<L: TaskLibrary> {
    library: L,
    /// There from the beginning if binding needed it.
    runtime: Option<Arc<Runtime>>,
    state: State<L::Socket>,
    /// Between two loops.
    rest: Option<Rest>,
}

/// Connecting is left to the thread and the runtime that use the socket. Binding cannot be: its endpoint is
/// asked for at once.
enum State<S> {
    Wanted { kind: Kind, endpoint: String, topics: Vec<Vec<u8>> },
    Made(S),
    Ready(S),
    Failed,
}

impl<S: TaskSocket> State<S> {
    async fn ready<L: TaskLibrary<Socket = S>>(&mut self, library: &L) -> Result<&mut S, Error> {
        if !matches!(self, State::Ready(_)) {
            *self = State::Ready(mem::replace(self, State::Failed).into_ready(library).await?);
        }
        match self {
            State::Ready(socket) => Ok(socket),
            _ => unreachable!("replaced by a ready socket above"),
        }
    }

    async fn into_ready<L: TaskLibrary<Socket = S>>(self, library: &L) -> Result<S, Error> {
        let mut socket = match self {
            State::Ready(socket) => return Ok(socket),
            State::Made(socket) => socket,
            State::Wanted { kind, endpoint, topics } => {
                let mut socket = library.connect(kind, &endpoint).await?;
                for topic in &topics {
                    socket.subscribe(topic).await?;
                }
                socket
            }
            State::Failed => return Err(Error::NotMeasurable("its socket failed before".into())),
        };
        socket.get_ready().await?;
        Ok(socket)
    }
}

impl<L: TaskLibrary> HostedSocket<L> {
    /// Runs a whole loop, or a single call, inside the runtime.
    fn enter<R>(&mut self, work: impl AsyncFnOnce(&mut L::Socket) -> Result<R, Error>) -> Result<R, Error> {
        self.rest = None;
        let runtime = match &self.runtime {
            Some(runtime) => runtime,
            None => self.runtime.insert(self.library.runtime()?),
        };
        let result = runtime.block_on(async { work(self.state.ready(&self.library).await?).await });
        self.rest = Some(Rest::start(runtime));
        result
    }
}

impl<L: TaskLibrary> Socket for HostedSocket<L> {
    fn send(&mut self, body: &[u8]) -> Result<u64, Error> {
        self.enter(async |socket| {
            socket.send(body).await?;
            socket.flush().await?;
            Ok(1)
        })
    }

    fn recv(&mut self, counter: &mut Counter) -> Result<(), Error> {
        self.enter(async |socket| socket.recv(counter).await)
    }

    fn echo(&mut self, counter: &mut Counter) -> Result<(), Error> {
        self.enter(async |socket| socket.echo(counter).await)
    }

    fn subscribe(&mut self, topic: &[u8]) -> Result<(), Error> {
        if let State::Wanted { topics, .. } = &mut self.state {
            topics.push(topic.to_vec());
            return Ok(());
        }
        self.enter(async |socket| socket.subscribe(topic).await)
    }

    fn share(&self) -> Result<Self, Error> {
        let state = match &self.state {
            State::Made(socket) | State::Ready(socket) => State::Made(socket.share()?),
            _ => return Err(Error::Absent("its sockets are used in the one thread of their runtime".into())),
        };
        Ok(HostedSocket { library: self.library.clone(), runtime: self.runtime.clone(), state, rest: None })
    }

    fn flood(&mut self, source: &mut Source) -> Result<(), Error> {
        self.enter(async |socket| socket.flood(source).await)
    }

    fn drain(&mut self, counter: &mut Counter) -> Result<(), Error> {
        self.enter(async |socket| socket.drain(counter).await)
    }

    fn answer(&mut self, body: &[u8], counter: &mut Counter) -> Result<(), Error> {
        self.enter(async |socket| socket.answer(body, counter).await)
    }

    fn ask(&mut self, asker: &mut Asker) -> Result<(), Error> {
        self.enter(async |socket| socket.ask(asker).await)
    }

    fn echo_all(&mut self, counter: &mut Counter) -> Result<(), Error> {
        self.enter(async |socket| socket.echo_all(counter).await)
    }
}

fn transport_of(endpoint: &str) -> Result<Transport, Error> {
    let scheme = endpoint.split_once("://").map_or("", |(scheme, _)| scheme);
    Transport::ALL
        .into_iter()
        .find(|transport| transport.as_str() == scheme)
        .ok_or_else(|| Error::NotMeasurable(format!("no transport for {endpoint}")))
}
