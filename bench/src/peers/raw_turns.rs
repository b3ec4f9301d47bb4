//! The raw competitor inside one process, to and fro: a word that says whose turn it is, and a futex to sleep on it.

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicU32, Ordering},
};

use super::Setup;
use crate::{Error, load::Counter};

/// What both ends share. The lock is never contended: it is held by whose turn it is.
struct Table {
    turn: AtomicU32,
    body: Mutex<Vec<u8>>,
}

/// One end: it has the turn while the word has its number.
pub(crate) struct TurnEnd {
    table: Arc<Table>,
    number: u32,
}

impl TurnEnd {
    /// (the answering end, the asking end), whose turn it is.
    pub(super) fn pair(setup: &Setup) -> (TurnEnd, TurnEnd) {
        let table = Arc::new(Table { turn: AtomicU32::new(1), body: Mutex::new(vec![0; setup.body_bytes]) });
        (TurnEnd { table: Arc::clone(&table), number: 0 }, TurnEnd { table, number: 1 })
    }

    pub(super) fn send(&mut self, body: &[u8]) -> Result<u64, Error> {
        self.table.body.lock().unwrap_or_else(PoisonError::into_inner).copy_from_slice(body);
        self.table.turn.store(1 - self.number, Ordering::Release);
        wake(&self.table.turn)?;
        Ok(1)
    }

    pub(super) fn recv(&mut self, counter: &mut Counter) -> Result<(), Error> {
        while self.table.turn.load(Ordering::Acquire) != self.number {
            sleep_while(&self.table.turn, 1 - self.number)?;
        }
        counter.message(&self.table.body.lock().unwrap_or_else(PoisonError::into_inner));
        Ok(())
    }
}

#[cfg(target_os = "linux")]
fn wake(word: &AtomicU32) -> Result<(), Error> {
    use rustix::thread::futex;
    futex::wake(word, futex::Flags::PRIVATE, 1).map_err(|error| Error::io("waking")(error.into()))?;
    Ok(())
}

#[cfg(target_os = "linux")]
fn sleep_while(word: &AtomicU32, value: u32) -> Result<(), Error> {
    use rustix::{io::Errno, thread::futex};
    match futex::wait(word, futex::Flags::PRIVATE, value, None) {
        // The word changed before this thread slept, or a signal came: the caller looks again.
        Ok(()) | Err(Errno::AGAIN | Errno::INTR) => Ok(()),
        Err(error) => Err(Error::io("sleeping")(error.into())),
    }
}

#[cfg(not(target_os = "linux"))]
fn wake(_: &AtomicU32) -> Result<(), Error> {
    Err(Error::NotMeasurable("no futex here".into()))
}

#[cfg(not(target_os = "linux"))]
fn sleep_while(_: &AtomicU32, _: u32) -> Result<(), Error> {
    Err(Error::NotMeasurable("no futex here".into()))
}
