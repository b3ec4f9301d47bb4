//! Roles of the row with a caller beside a flood: two sockets on either side, so that nothing but the library is between them.

use std::time::Duration;

use super::{
    Stage, Started,
    caller::{spawn_answering, spawn_asking},
    stream::spawn_flood,
};
use crate::{
    Error, Transport,
    load::{Asker, Counter, Source, Tally},
    peers::{Kind, Library},
};

/// `beside-server`: a PULL that counts, and a REP. Their endpoints, in this order.
pub(super) fn server<L: Library>(stage: &Stage<'_, L>) -> Result<Started, Error> {
    let mut tally = Tally::default();
    let (pull, flood) = stage.library.bind(Kind::Pull, Transport::Tcp)?;
    let (rep, calls) = stage.library.bind(Kind::Rep, Transport::Tcp)?;
    spawn_answering(rep, stage.setup.body_bytes, Counter::new(Tally::default().worker()));
    stage.library.drain_all(vec![(pull, Counter::new(tally.worker()))])?;
    Ok(Started::new(tally, vec![flood, calls]))
}

/// `beside-client pace= endpoint= endpoint=`: a PUSH that floods, and a REQ that asks once per pace in microseconds.
pub(super) fn client<L: Library>(stage: &Stage<'_, L>) -> Result<Started, Error> {
    let endpoints = stage.arguments.endpoints();
    let [flood, calls] = endpoints.as_slice() else {
        return Err(Error::child("beside-client", "was not started with two endpoints"));
    };
    let mut tally = Tally::default();
    let body_bytes = stage.setup.body_bytes;
    let pace = Duration::from_micros(stage.arguments.need("pace")?);
    let req = stage.library.connect(Kind::Req, calls)?;
    spawn_asking(req, Asker::new(body_bytes, &tally.worker(), 0).paced(pace, pace));
    if !stage.arguments.get("quiet", false)? {
        spawn_flood(stage.library.connect(Kind::Push, flood)?, Source::new(body_bytes, 0));
    }
    Ok(Started::new(tally, Vec::new()))
}
