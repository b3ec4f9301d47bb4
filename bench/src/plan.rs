//! The interleaved run: every competitor takes its turn in every row of every run.

use crate::{Error, Options, Peer, Report, awake::Spinners, machine::Machine, report::Entry, rows};

/// Measures what the options ask for.
///
/// A competitor that is absent or fails costs its own entries only; they say why.
///
/// # Errors
///
/// Only what stops everything: spinners that cannot be started.
pub fn run(options: &Options) -> Result<Report, Error> {
    let _spinners = options.keep_awake.then(Spinners::start).transpose()?;
    let mut entries: Vec<Entry> = options
        .rows
        .iter()
        .flat_map(|row| options.peers.iter().map(|peer| Entry::new(*row, *peer)))
        .collect();
    let runs = options.runs.max(1);
    for run in 0..runs {
        for row in &options.rows {
            for peer in turns(&options.peers, run) {
                let entry = entries
                    .iter_mut()
                    .find(|entry| entry.row == *row && entry.peer == peer)
                    .expect("made above for every row and peer");
                if is_due(entry) {
                    (options.on_step)(&format!("run {}/{runs}: {row} {peer}", run + 1));
                    measure_into(entry, options);
                }
            }
        }
    }
    Ok(Report::new(Machine::this(options.keep_awake), options.clone(), entries))
}

/// Who goes first changes from run to run.
fn turns(peers: &[Peer], run: usize) -> impl Iterator<Item = Peer> + '_ {
    let first = run % peers.len().max(1);
    peers[first..].iter().chain(&peers[..first]).copied()
}

/// What fails once is not tried in later runs, and counts do not vary enough to repeat.
fn is_due(entry: &Entry) -> bool {
    entry.is_open() && !(entry.row.is_count() && entry.has_figures())
}

fn measure_into(entry: &mut Entry, options: &Options) {
    match rows::measure(entry.row, entry.peer, options) {
        Ok(figures) => entry.add(figures),
        Err(error) => entry.fail(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn turns_rotate() {
        let order: Vec<_> = turns(&[Peer::Raw, Peer::Libzmq, Peer::Serverlink], 4).collect();
        assert_eq!(order, [Peer::Libzmq, Peer::Serverlink, Peer::Raw]);
        assert_eq!(turns(&[], 1).count(), 0);
    }
}
