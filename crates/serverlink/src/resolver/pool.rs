//! Threads that ask, on a real machine.

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serverlink_driver::interface_addresses;

use super::{Answer, Answered, Asker, LookUp, Question};

/// Most look-ups at a time, over all sockets of a context. Questions for the same names are one look-up.
const MAX_THREADS: usize = 4;

/// Threads that come with the first question and go with the last.
pub(crate) struct Pool {
    name: String,
    look_up: LookUp,
    desk: Mutex<Desk>,
}

#[derive(Default)]
struct Desk {
    queue: VecDeque<Question>,
    /// Of every question that is queued or being asked.
    askers: BTreeMap<Question, Vec<Asker>>,
    threads: usize,
}

impl Pool {
    /// With the system's resolver, or the program's own.
    pub(super) fn new(name: String, look_up: Option<LookUp>) -> Arc<Pool> {
        let look_up = look_up.unwrap_or_else(|| Arc::new(ask_system));
        Arc::new(Pool { name, look_up, desk: Mutex::default() })
    }

    /// On this thread.
    pub(super) fn ask_and_wait(&self, question: &Question) -> Answered {
        answer(&self.look_up, question)
    }

    pub(super) fn ask(pool: &Arc<Pool>, question: &Question, asker: Asker) {
        let mut desk = pool.desk();
        let askers = desk.askers.entry(question.clone()).or_default();
        askers.push(asker);
        if askers.len() > 1 {
            return;
        }
        desk.queue.push_back(question.clone());
        if desk.threads == MAX_THREADS {
            return;
        }
        let worker = Arc::clone(pool);
        match std::thread::Builder::new().name(pool.name.clone()).spawn(move || worker.work()) {
            Ok(_) => desk.threads += 1,
            // Whoever is at work takes it next.
            Err(_) if desk.threads > 0 => {}
            Err(error) => {
                desk.queue.clear();
                let askers = std::mem::take(&mut desk.askers);
                drop(desk);
                let why = format!("the system gives no thread to resolve names: {error}");
                askers.into_values().flatten().for_each(|asker| (asker.tell)(Err(why.clone())));
            }
        }
    }

    fn work(&self) {
        while let Some(question) = self.next() {
            let answered = answer(&self.look_up, &question);
            let askers = self.desk().askers.remove(&question).unwrap_or_default();
            askers.into_iter().for_each(|asker| (asker.tell)(answered.clone()));
        }
    }

    /// The next question that somebody still wants answered. Without one, this thread counts no more.
    fn next(&self) -> Option<Question> {
        let mut desk = self.desk();
        while let Some(question) = desk.queue.pop_front() {
            if desk.askers.get(&question).is_some_and(|askers| askers.iter().any(|asker| (asker.cares)())) {
                return Some(question);
            }
            desk.askers.remove(&question);
        }
        desk.threads -= 1;
        None
    }

    fn desk(&self) -> MutexGuard<'_, Desk> {
        self.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn ask_system(name: &str) -> io::Result<Vec<SocketAddr>> {
    Ok((name, 0).to_socket_addrs()?.collect())
}

fn answer(look_up: &LookUp, question: &Question) -> Answered {
    // A program's own resolver is foreign code.
    let ask = |name: &str| match catch_unwind(AssertUnwindSafe(|| look_up(name))) {
        Ok(outcome) => outcome.map_err(|error| format!("resolving {name} failed: {error}")),
        Err(_) => Err(format!("resolving {name} failed: the program's resolver panicked")),
    };
    let own = |name: &str| match interface_addresses(name) {
        Ok(addresses) if !addresses.is_empty() => Ok(addresses),
        _ => ask(name),
    };
    Ok(Answer {
        peer: question.peer.as_deref().map_or(Ok(Vec::new()), ask)?,
        own: question.own.as_deref().map_or(Ok(Vec::new()), own)?,
    })
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Receiver, Sender, channel};

    use std::time::Duration;

    use super::super::{Reply, Resolver};
    use super::*;

    /// Longer than anything takes here; only a failing test waits so long.
    const PATIENCE: Duration = Duration::from_secs(20);

    /// A look-up tells when it begins, and goes on when it is told.
    struct Bench {
        resolver: Resolver,
        began: Receiver<String>,
        go_on: Sender<()>,
        told: Receiver<(String, Answered)>,
        tell: Sender<(String, Answered)>,
    }

    impl Bench {
        fn new() -> Bench {
            let (begin, began) = channel();
            let (go_on, held) = channel::<()>();
            let held = Mutex::new(held);
            let look_up: LookUp = Arc::new(move |name: &str| {
                begin.send(name.to_owned()).expect("the test listens");
                held.lock().expect("nobody panics").recv().expect("the test lets go");
                Ok(vec![([10, 0, 0, 1], 0).into()])
            });
            let (tell, told) = channel();
            Bench { resolver: Resolver::threads("test".into(), Some(look_up)), began, go_on, told, tell }
        }

        fn ask(&self, name: &str, cares: bool) {
            let (tell, of) = (self.tell.clone(), name.to_owned());
            let asker = Asker {
                cares: Box::new(move || cares),
                tell: Box::new(move |answered| tell.send((of, answered)).expect("the test listens")),
            };
            let question = Question { peer: Some(name.to_owned()), own: None };
            assert!(matches!(self.resolver.ask(&question, asker), Reply::Later));
        }
    }

    #[test]
    fn four_look_ups_at_a_time_and_one_for_each_name() {
        let bench = Bench::new();
        for name in ["a", "b", "c", "d", "e", "a", "e"] {
            bench.ask(name, true);
        }
        let mut began: Vec<_> =
            (0..4).map(|_| bench.began.recv_timeout(PATIENCE).expect("four threads")).collect();
        began.sort();
        assert_eq!(began, ["a", "b", "c", "d"]);
        // One is through; only then is there a thread for the fifth.
        bench.go_on.send(()).expect("a look-up waits");
        assert_eq!(bench.began.recv_timeout(PATIENCE).expect("a thread is free"), "e");
        for _ in 0..4 {
            bench.go_on.send(()).expect("a look-up waits");
        }
        let mut told: Vec<_> =
            (0..7).map(|_| bench.told.recv_timeout(PATIENCE).expect("everybody is told").0).collect();
        told.sort();
        assert_eq!(told, ["a", "a", "b", "c", "d", "e", "e"]);
        assert!(bench.began.try_recv().is_err(), "nothing was asked twice");
    }

    #[test]
    fn what_nobody_wants_to_know_any_more_is_not_asked() {
        let bench = Bench::new();
        ["a", "b", "c", "d"].iter().for_each(|name| bench.ask(name, true));
        let _began: Vec<_> =
            (0..4).map(|_| bench.began.recv_timeout(PATIENCE).expect("four threads")).collect();
        bench.ask("gone", false);
        bench.ask("wanted", true);
        bench.go_on.send(()).expect("a look-up waits");
        assert_eq!(bench.began.recv_timeout(PATIENCE).expect("a thread is free"), "wanted");
        (0..4).for_each(|_| bench.go_on.send(()).expect("a look-up waits"));
    }

    #[test]
    fn a_resolver_that_panics_is_a_failure_and_nothing_else() {
        let look_up: LookUp = Arc::new(|_: &str| panic!("on purpose"));
        let resolver = Resolver::threads("test".into(), Some(look_up));
        let (tell, told) = channel();
        let asker = Asker {
            cares: Box::new(|| true),
            tell: Box::new(move |answered| tell.send(answered).expect("the test listens")),
        };
        resolver.ask(&Question { peer: Some("x".into()), own: None }, asker);
        let why = told.recv_timeout(PATIENCE).expect("told").expect_err("it panicked");
        assert!(why.contains("panicked"), "{why}");
    }
}
