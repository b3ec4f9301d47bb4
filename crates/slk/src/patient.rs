//! Calls that go on after a signal. ^C has its own way to end a call; any other signal, such as the one that continues a stopped
//! process, is no reason to.

use serverlink::{Error, Message, SendError, Socket};

/// Repeats a call until it ends for another reason than a signal.
pub(crate) fn patiently<T>(mut call: impl FnMut() -> Result<T, Error>) -> Result<T, Error> {
    loop {
        match call() {
            Err(Error::Interrupted) => {}
            ended => return ended,
        }
    }
}

/// The same for a send, which gives its message back.
pub(crate) fn send_patiently(socket: &Socket, mut message: Message) -> Result<(), Error> {
    loop {
        match socket.send(message) {
            Ok(()) => return Ok(()),
            Err(SendError { error: Error::Interrupted, message: back }) => message = back,
            Err(failed) => return Err(failed.error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signal_does_not_end_a_call_and_everything_else_does() {
        let mut ends =
            [Err(Error::TimedOut), Ok(7), Err(Error::Interrupted), Err(Error::Interrupted)].into_iter().rev();
        assert_eq!(patiently(|| ends.next().expect("no call after the last")).unwrap(), 7);
        assert!(matches!(patiently(|| ends.next().expect("one more")), Err(Error::TimedOut)));
    }
}
