//! Programs that count what another one does.

use std::process::{Command, Stdio};

use crate::Error;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Counter {
    /// Instructions, where the machine shows its counters.
    Perf,
    /// Instructions, anywhere and slowly.
    Callgrind,
    /// System calls, where the kernel lets itself be traced.
    PerfCalls,
    /// System calls, and every one of them slowly.
    Strace,
}

impl Counter {
    /// The first one that works here.
    pub(crate) fn first_of(counters: &[Counter], otherwise: &str) -> Result<Counter, Error> {
        let found = counters.iter().copied().find(|counter| counter.works());
        found.ok_or_else(|| Error::Absent(otherwise.to_owned()))
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

    pub(crate) fn wrapper(self) -> &'static [&'static str] {
        match self {
            Counter::Perf => &["perf", "stat", "-x,", "-e", "instructions:u"],
            Counter::PerfCalls => &["perf", "stat", "-x,", "-e", "raw_syscalls:sys_enter"],
            Counter::Strace => &["strace", "-f", "-c"],
            Counter::Callgrind => &[
                "valgrind",
                "--tool=callgrind",
                "--callgrind-out-file=/dev/null",
                // Small turns for each thread: a spinning one must not keep the others waiting.
                "--fair-sched=yes",
            ],
        }
    }

    /// Whether what it counts runs so slowly that few messages have to do.
    pub(super) fn is_slow(self) -> bool {
        matches!(self, Counter::Callgrind | Counter::Strace)
    }

    /// The count among what the wrapper wrote.
    pub(crate) fn read(self, diagnostics: &str) -> Option<u64> {
        diagnostics.lines().find_map(|line| match self {
            Counter::Perf | Counter::PerfCalls => {
                let (count, rest) = line.split_once(',')?;
                let event = if self == Counter::Perf { "instructions" } else { "raw_syscalls" };
                rest.contains(event).then(|| count.parse().ok())?
            }
            Counter::Callgrind => line.split_once("Collected : ")?.1.trim().parse().ok(),
            // Per cent, seconds, microseconds for each, calls, perhaps errors, and the word.
            Counter::Strace => line.strip_suffix(" total")?.split_whitespace().nth(3)?.parse().ok(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_every_counter_writes() {
        let callgrind = "==7== Events    : Ir\n==7== Collected : 123456\n==7==\n";
        assert_eq!(Counter::Callgrind.read(callgrind), Some(123_456));
        assert_eq!(Counter::Perf.read("987,,instructions:u,1,100.00,,\n"), Some(987));
        let unseen = "<not supported>,,instructions:u,0,100.00,,\n";
        assert_eq!(Counter::Perf.read(unseen), None);
        assert_eq!(Counter::PerfCalls.read("144,,raw_syscalls:sys_enter,1769188,100.00,,\n"), Some(144));
        let strace = "  0.00    0.000000           0         1           rseq\n100.00    0.000175           1       144        19 total\n";
        assert_eq!(Counter::Strace.read(strace), Some(144));
    }
}
