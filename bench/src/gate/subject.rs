//! What the gate counts, and how callgrind is told to.

use std::{fmt, str::FromStr};

use crate::{
    Error,
    arguments::Arguments,
    child::{Child, PATIENCE},
    roles::COUNTED_ROLE,
    rows::Counter,
};

/// What the C library makes of large memory depends on where it happens to lie: whether it grows in its place, and whether it is copied and
/// cleared by one instruction or by many. So a change would cost whatever its neighbours moved. Here large memory has pages of its own, which the
/// system moves, and is copied and cleared in one way. Other C libraries do not know these words.
const SAME_MEMORY: [&str; 2] = [
    "env",
    "GLIBC_TUNABLES=glibc.malloc.mmap_threshold=1024:glibc.cpu.x86_rep_movsb_threshold=1073741824:glibc.cpu.x86_rep_stosb_threshold=1073741824",
];

/// A scene that one thread plays on a simulated machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Subject {
    /// PUSH to PULL.
    PushPull,
    /// DEALER to ROUTER.
    DealerRouter,
    /// REQ/REP: per round trip.
    ReqRep,
    /// PUB to ten SUB: per publication.
    PubToTen,
    /// PUSH to PULL in one process.
    Inproc,
}

impl Subject {
    pub(crate) const ALL: [Subject; 5] =
        [Subject::PushPull, Subject::DealerRouter, Subject::ReqRep, Subject::PubToTen, Subject::Inproc];

    /// The name in the file of counts.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Subject::PushPull => "push-pull-64",
            Subject::DealerRouter => "dealer-router-64",
            Subject::ReqRep => "req-rep-64",
            Subject::PubToTen => "pub-sub-10-64",
            Subject::Inproc => "push-pull-inproc-64",
        }
    }

    /// How many messages or round trips are counted. Enough for what happens once to be nothing.
    pub(crate) fn messages(self) -> usize {
        match self {
            Subject::PushPull | Subject::DealerRouter | Subject::Inproc => 60_000,
            Subject::ReqRep => 3_000,
            Subject::PubToTen => 10_000,
        }
    }

    /// Instructions per message of each act. They are counted by a process each, all at the same time.
    pub(super) fn count(self) -> Result<Vec<(Act, f64)>, Error> {
        let start = |act| Ok((act, self.start(act)?));
        let children = Act::ALL.into_iter().map(start).collect::<Result<Vec<_>, Error>>()?;
        children.into_iter().map(|(act, child)| Ok((act, self.collect(child)?))).collect()
    }

    fn start(self, act: Act) -> Result<Child, Error> {
        let toggle = format!("--toggle-collect=*::{}*", act.functions());
        let wrapper: Vec<&str> = SAME_MEMORY
            .into_iter()
            .chain(Counter::Callgrind.wrapper().iter().copied())
            .chain([toggle.as_str()])
            .collect();
        Child::start_own_under(&wrapper, COUNTED_ROLE, &Arguments::new().with("subject", self))
    }

    fn collect(self, child: Child) -> Result<f64, Error> {
        child.expect("played", PATIENCE * 6)?;
        let diagnostics = child.finish(PATIENCE)?;
        let count = Counter::Callgrind.read(&diagnostics);
        let count =
            count.ok_or_else(|| Error::child(COUNTED_ROLE, format!("left no count: {diagnostics}")))?;
        Ok(count as f64 / self.messages() as f64)
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Subject {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self, Error> {
        Subject::ALL.into_iter().find(|subject| subject.as_str() == name).ok_or_else(|| Error::UnknownName {
            what: "counted scene",
            name: name.to_owned(),
            known: Subject::ALL.map(Subject::as_str).join(" "),
        })
    }
}

/// Who does something in a scene.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Act {
    Send,
    Receive,
    /// The I/O threads, and the simulated machine itself.
    Carry,
}

impl Act {
    const ALL: [Act; 3] = [Act::Send, Act::Receive, Act::Carry];

    /// The name in the file of counts.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Act::Send => "send",
            Act::Receive => "receive",
            Act::Carry => "carry",
        }
    }

    /// How the functions of `roles/counted.rs` begin in which it acts. None of them calls another.
    fn functions(self) -> &'static str {
        match self {
            Act::Send => "act_of_sender",
            Act::Receive => "act_of_receiver",
            Act::Carry => "act_of_machine",
        }
    }
}
