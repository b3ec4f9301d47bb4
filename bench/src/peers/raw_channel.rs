//! The raw competitor inside one process: bounded channels of the standard library.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use super::{BODY_BYTES, HIGH_WATER_MARK, Kind, Socket};
use crate::Error;

type Body = [u8; BODY_BYTES];

/// A linked pair: (the bound end, the connected end).
pub(super) fn pair(bound: Kind) -> (Box<dyn Socket>, Box<dyn Socket>) {
    // Inside a process both high-water marks add up to the bound of one queue.
    let capacity = match bound {
        Kind::Push | Kind::Pull => 2 * HIGH_WATER_MARK as usize,
        Kind::Req | Kind::Rep => 1,
    };
    let (to_bound, from_connected) = sync_channel(capacity);
    let (to_connected, from_bound) = sync_channel(capacity);
    let bound = Channel { sender: to_connected, receiver: from_connected };
    let connected = Channel { sender: to_bound, receiver: from_bound };
    (Box::new(bound), Box::new(connected))
}

struct Channel {
    sender: SyncSender<Body>,
    receiver: Receiver<Body>,
}

impl Socket for Channel {
    fn send(&mut self, body: &Body) -> Result<u64, Error> {
        self.sender.send(*body).map_err(|_| Error::child("raw", "lost its other end"))?;
        Ok(1)
    }

    fn recv(&mut self) -> Result<u64, Error> {
        let body = self.receiver.recv().map_err(|_| Error::child("raw", "lost its other end"))?;
        std::hint::black_box(&body);
        Ok(1)
    }
}
