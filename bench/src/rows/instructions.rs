//! Instructions per message, counted by `perf` where the machine has counters, else by `valgrind`.
//!
//! Each end runs twice, for few and for many messages; the difference leaves out starting up.

use std::process::{Command, Stdio};

use super::timed::push_arguments;
use crate::{
    Error, Peer, Transport,
    child::{Child, PATIENCE},
    report::Figure,
};

const FEW: u64 = 50_000;
const MANY: u64 = 250_000;
const HOW_TO_INSTALL: &str = "no instruction counter here; `apt-get install valgrind` (or linux-perf on a machine whose counters are visible) brings one";

pub(super) fn measure(peer: Peer) -> Result<Vec<(Figure, f64)>, Error> {
    let counter = Counter::find().ok_or_else(|| Error::Absent(HOW_TO_INSTALL.to_owned()))?;
    let few = counter.count(peer, FEW)?;
    let many = counter.count(peer, MANY)?;
    let messages = (MANY - FEW) as f64;
    let per_message = |end: fn(&Ends) -> u64| end(&many).saturating_sub(end(&few)) as f64 / messages;
    let (sender, receiver) = (per_message(|ends| ends.sender), per_message(|ends| ends.receiver));
    Ok(vec![
        (Figure::Instructions, sender + receiver),
        (Figure::InstructionsSender, sender),
        (Figure::InstructionsReceiver, receiver),
    ])
}

#[derive(Clone, Copy)]
enum Counter {
    Perf,
    Callgrind,
}

struct Ends {
    sender: u64,
    receiver: u64,
}

impl Counter {
    fn find() -> Option<Counter> {
        [Counter::Perf, Counter::Callgrind].into_iter().find(|counter| counter.works())
    }

    /// Tries it: `perf` may be installed where the machine shows no counters.
    fn works(self) -> bool {
        let (program, arguments) = self.wrapper().split_first().expect("never empty");
        Command::new(program)
            .args(arguments)
            .arg("true")
            .stdin(Stdio::null())
            .output()
            .is_ok_and(|output| self.read(&String::from_utf8_lossy(&output.stderr)).is_some())
    }

    fn wrapper(self) -> &'static [&'static str] {
        match self {
            Counter::Perf => &["perf", "stat", "-x,", "-e", "instructions:u"],
            Counter::Callgrind => &[
                "valgrind",
                "--tool=callgrind",
                "--callgrind-out-file=/dev/null",
                // Small turns for each thread: a spinning one must not keep the others waiting.
                "--fair-sched=yes",
            ],
        }
    }

    fn read(self, diagnostics: &str) -> Option<u64> {
        diagnostics.lines().find_map(|line| match self {
            Counter::Perf => {
                let (count, rest) = line.split_once(',')?;
                rest.contains("instructions").then(|| count.parse().ok())?
            }
            Counter::Callgrind => line.split_once("Collected : ")?.1.trim().parse().ok(),
        })
    }

    fn count(self, peer: Peer, messages: u64) -> Result<Ends, Error> {
        let receiver_arguments =
            [peer.to_string(), Transport::Tcp.to_string(), "1".to_owned(), messages.to_string()];
        let mut receiver = Child::start_under(self.wrapper(), "pull", &receiver_arguments)?;
        let endpoints = receiver.endpoints()?;
        let sender_arguments = push_arguments(peer, messages, &endpoints);
        let mut sender = Child::start_under(self.wrapper(), "push", &sender_arguments)?;
        sender.endpoints()?;
        receiver.expect("reached", PATIENCE * 6)?;
        sender.say("end")?;
        receiver.say("end")?;
        Ok(Ends { sender: self.collected(sender)?, receiver: self.collected(receiver)? })
    }

    fn collected(self, end: Child) -> Result<u64, Error> {
        let diagnostics = end.finish()?;
        self.read(&diagnostics)
            .ok_or_else(|| Error::child("counted", format!("left no count: {diagnostics}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_both_counters() {
        let callgrind = "==7== Events    : Ir\n==7== Collected : 123456\n==7==\n";
        assert_eq!(Counter::Callgrind.read(callgrind), Some(123_456));
        assert_eq!(Counter::Perf.read("987,,instructions:u,1,100.00,,\n"), Some(987));
        let unseen = "<not supported>,,instructions:u,0,100.00,,\n";
        assert_eq!(Counter::Perf.read(unseen), None);
    }
}
