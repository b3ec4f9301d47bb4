//! Names of a simulated machine.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::{Answer, Answered, Question};

/// What a test has said about names.
#[derive(Default)]
pub(crate) struct Script(Mutex<BTreeMap<String, Known>>);

/// One name of a simulated machine.
#[derive(Clone)]
pub(crate) struct Known {
    pub(crate) addresses: Result<Vec<SocketAddr>, String>,
    pub(crate) delay: Duration,
}

impl Script {
    pub(crate) fn know(&self, name: &str, known: Known) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(name.to_owned(), known);
    }

    pub(super) fn answer(&self, question: &Question) -> (Duration, Answered) {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut delay = Duration::ZERO;
        let mut ask = |name: &Option<String>| {
            let Some(name) = name else { return Ok(Vec::new()) };
            let Some(known) = known.get(name) else {
                return Err(format!("resolving {name} failed: nobody told the simulated machine of it"));
            };
            delay = delay.max(known.delay);
            known.addresses.clone().map_err(|why| format!("resolving {name} failed: {why}"))
        };
        let (peer, own) = (ask(&question.peer), ask(&question.own));
        (delay, peer.and_then(|peer| Ok(Answer { peer, own: own? })))
    }
}
