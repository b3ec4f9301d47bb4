//! What a server keeps on disk, so that its next life goes on where this one was killed.
//!
//! The rule that makes a link lossless over a death: what came is kept *before* it is acknowledged. What was not acknowledged is sent
//! again by the peer, so nothing else has to be kept. An append is never half done when a process is killed, only when the
//! machine is; the sum at the end of each entry tells.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;

use super::link::{Arrived, Tally};

const ENTRY_BYTES: usize = 5 * 8;

/// The journal of what came over one link.
pub(super) struct Journal {
    file: File,
    kept: Arrived,
}

impl Journal {
    /// Opens the journal of a link, or begins one.
    pub(super) fn open(path: &Path) -> io::Result<Journal> {
        let mut file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        let (entries, _) = bytes.as_chunks();
        let (count, kept) = last_valid(entries);
        let end = (count * ENTRY_BYTES) as u64;
        file.set_len(end)?;
        file.seek(SeekFrom::Start(end))?;
        Ok(Journal { file, kept })
    }

    /// What was kept last.
    pub(super) fn kept(&self) -> Arrived {
        self.kept
    }

    /// Keeps what has come by now.
    pub(super) fn keep(&mut self, arrived: Arrived) -> io::Result<()> {
        if arrived != self.kept {
            self.file.write_all(&entry(arrived))?;
            self.kept = arrived;
        }
        Ok(())
    }
}

fn last_valid(entries: &[[u8; ENTRY_BYTES]]) -> (usize, Arrived) {
    let mut kept = Arrived::default();
    for (count, bytes) in entries.iter().enumerate() {
        let Some(arrived) = parse(bytes) else { return (count, kept) };
        kept = arrived;
    }
    (entries.len(), kept)
}

fn entry(arrived: Arrived) -> [u8; ENTRY_BYTES] {
    let Arrived { records, tally: Tally { lines, digest }, ended } = arrived;
    let numbers = [records, lines, digest, u64::from(ended)];
    let mut bytes = [0; ENTRY_BYTES];
    for (place, number) in
        bytes.as_chunks_mut::<8>().0.iter_mut().zip(numbers.into_iter().chain([sum(numbers)]))
    {
        *place = number.to_be_bytes();
    }
    bytes
}

fn parse(bytes: &[u8; ENTRY_BYTES]) -> Option<Arrived> {
    let mut numbers = bytes.as_chunks::<8>().0.iter().map(|number| u64::from_be_bytes(*number));
    let all = [numbers.next()?, numbers.next()?, numbers.next()?, numbers.next()?];
    let [records, lines, digest, ended] = all;
    (numbers.next()? == sum(all)).then_some(Arrived {
        records,
        tally: Tally { lines, digest },
        ended: ended != 0,
    })
}

/// Not nought for nought: a file that was made longer and not written is no entry.
fn sum(numbers: [u64; 4]) -> u64 {
    numbers.iter().fold(0x5e12_7e25, |sum: u64, number| sum.rotate_left(7) ^ number)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arrived(records: u64) -> Arrived {
        Arrived { records, tally: Tally { lines: records, digest: records * 3 }, ended: records == 9 }
    }

    #[test]
    fn a_new_life_goes_on_where_the_last_one_was() {
        let directory = tempfile::tempdir().expect("a directory for the test");
        let path = directory.path().join("journal");
        let mut journal = Journal::open(&path).unwrap();
        assert_eq!(journal.kept(), Arrived::default());
        journal.keep(arrived(3)).unwrap();
        journal.keep(arrived(9)).unwrap();
        drop(journal);
        let mut journal = Journal::open(&path).unwrap();
        assert_eq!(journal.kept(), arrived(9));
        journal.keep(arrived(12)).unwrap();
        assert_eq!(Journal::open(&path).unwrap().kept(), arrived(12));
    }

    #[test]
    fn half_an_entry_is_none() {
        let directory = tempfile::tempdir().expect("a directory for the test");
        let path = directory.path().join("journal");
        for tail in [&[1_u8; 17][..], &[0; ENTRY_BYTES], &entry(arrived(7))[..39]] {
            let mut bytes = entry(arrived(4)).to_vec();
            bytes.extend_from_slice(tail);
            std::fs::write(&path, bytes).unwrap();
            let mut journal = Journal::open(&path).unwrap();
            assert_eq!(journal.kept(), arrived(4));
            journal.keep(arrived(5)).unwrap();
            assert_eq!(Journal::open(&path).unwrap().kept(), arrived(5), "what is written next is found");
        }
    }
}
