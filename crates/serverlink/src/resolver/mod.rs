//! Asking for the addresses behind names, without ever making a reactor wait.
//!
//! On a real machine a few threads ask, and end when nobody wants to know anything: a look-up may take minutes, and nothing but its own answer
//! waits for it. On a simulated one the test has said what the answers are.

mod pool;
mod script;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use pool::Pool;
pub(crate) use script::{Known, Script};

/// Gives the addresses behind the name of a machine; their ports mean nothing.
pub(crate) type LookUp = Arc<dyn Fn(&str) -> io::Result<Vec<SocketAddr>> + Send + Sync>;

/// The names in an endpoint.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Question {
    /// Of the other machine.
    pub(crate) peer: Option<String>,
    /// Of this machine, or of one of its network interfaces.
    pub(crate) own: Option<String>,
}

/// What is behind them; nothing for what was not asked.
#[derive(Clone, Debug, Default)]
pub(crate) struct Answer {
    pub(crate) peer: Vec<SocketAddr>,
    pub(crate) own: Vec<SocketAddr>,
}

/// An answer, or why there is none, as a sentence.
pub(crate) type Answered = Result<Answer, String>;

/// Somebody who wants to know.
pub(crate) struct Asker {
    /// Still.
    pub(crate) cares: Box<dyn Fn() -> bool + Send>,
    pub(crate) tell: Box<dyn FnOnce(Answered) + Send>,
}

/// When the answer comes.
pub(crate) enum Reply {
    /// The asker will be told.
    Later,
    /// So much later, and this is what it will be.
    After(Duration, Answered),
}

/// Where a context's names are looked up.
pub(crate) enum Resolver {
    Threads(Arc<Pool>),
    Scripted(Arc<Script>),
}

impl Resolver {
    /// The system's, or the program's own.
    pub(crate) fn threads(name: String, look_up: Option<LookUp>) -> Resolver {
        Resolver::Threads(Pool::new(name, look_up))
    }

    /// Never waits.
    pub(crate) fn ask(&self, question: &Question, asker: Asker) -> Reply {
        match self {
            Resolver::Threads(pool) => {
                Pool::ask(pool, question, asker);
                Reply::Later
            }
            Resolver::Scripted(script) => {
                let (delay, answered) = script.answer(question);
                Reply::After(delay, answered)
            }
        }
    }

    /// Waits for the answer, where the machine is a real one.
    pub(crate) fn ask_and_wait(&self, question: &Question) -> Answered {
        match self {
            Resolver::Threads(pool) => pool.ask_and_wait(question),
            Resolver::Scripted(script) => script.answer(question).1,
        }
    }
}
