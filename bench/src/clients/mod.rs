//! Many clients of a ROUTER in one process: the same ones for every competitor, speaking ZMTP over epoll themselves.

mod client;
mod crowd;

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use crate::{
    Error,
    arguments::Arguments,
    limits,
    load::{Tally, say_ready, spawn_worker},
    roles::obey,
};
use crowd::Crowd;

/// What the clients are there for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// One question each under way, always.
    Echo,
    /// Silence; after `go` ten questions each, one after the other.
    Idle,
    /// Connecting, shaking hands, closing, again.
    Churn,
}

impl Purpose {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Purpose::Echo => "echo",
            Purpose::Idle => "idle",
            Purpose::Churn => "churn",
        }
    }
}

impl std::str::FromStr for Purpose {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self, Error> {
        [Purpose::Echo, Purpose::Idle, Purpose::Churn]
            .into_iter()
            .find(|purpose| purpose.as_str() == name)
            .ok_or_else(|| Error::child("clients", format!("do not know what {name} is")))
    }
}

/// `clients purpose= connections= bytes= endpoint=`: says `reached` when all are through the handshake, and when the idle ones
/// have their answers.
pub(crate) fn play(arguments: &Arguments) -> Result<(), Error> {
    let purpose: Purpose = arguments.need("purpose")?;
    let connections: usize = arguments.need("connections")?;
    let endpoint = arguments.endpoints().pop().unwrap_or_default();
    limits::allow_descriptors(connections)?;
    let mut tally = Tally::default();
    let go = Arc::new(AtomicBool::new(false));
    let mut crowd = Crowd::new(
        purpose,
        &endpoint,
        connections,
        arguments.get("bytes", 64)?,
        tally.worker(),
        Arc::clone(&go),
    )?;
    spawn_worker(move || crowd.run());
    say_ready(&[]);
    obey(&tally, |command| {
        if command == "go" {
            go.store(true, Ordering::Relaxed);
        }
    })
}
