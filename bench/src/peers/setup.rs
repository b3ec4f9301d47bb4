//! What is the same for every competitor of one measurement.

use crate::{Error, arguments::Arguments};

/// The high-water mark of everybody, each way.
const HIGH_WATER_MARK: u32 = 1000;

/// How many bytes a queue that is full to its mark may have: a thousand messages of 1 MiB would measure the machine's memory.
const FULL_QUEUE_BYTES: usize = 64 << 20;

/// What is the same for every competitor of one measurement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setup {
    /// The size of every message, topic and number of a publication included.
    pub body_bytes: usize,
    /// The high-water mark of every socket, each way, in messages.
    pub high_water_mark: u32,
    /// A publisher waits at the high-water mark of its slowest subscriber where the library can do that. Where it cannot, it
    /// drops, and the table shows how much.
    pub no_drop: bool,
    /// The size of the system's buffers for a connection, each way; nothing: as the system has them, which is what is measured.
    /// Small ones let a count of instructions leave the system out.
    pub buffer_bytes: Option<usize>,
    /// How many connections the bound socket will have, for backlogs and limits.
    pub connections: usize,
}

impl Setup {
    /// Messages of one size between two ends.
    pub fn of_bytes(body_bytes: usize) -> Setup {
        let fitting = FULL_QUEUE_BYTES / body_bytes.max(1);
        let high_water_mark = u32::try_from(fitting).unwrap_or(u32::MAX).clamp(1, HIGH_WATER_MARK);
        Setup { body_bytes, high_water_mark, no_drop: true, buffer_bytes: None, connections: 1 }
    }

    /// The same for a bound socket with more connections.
    #[must_use]
    pub(crate) fn with_connections(self, connections: usize) -> Setup {
        Setup { connections, ..self }
    }

    pub(crate) fn arguments(&self) -> Arguments {
        Arguments::new()
            .with("bytes", self.body_bytes)
            .with("hwm", self.high_water_mark)
            .with("no-drop", self.no_drop)
            .with("buffers", self.buffer_bytes.unwrap_or(0))
            .with("connections", self.connections)
    }

    pub(crate) fn read(arguments: &Arguments) -> Result<Setup, Error> {
        let plain = Setup::of_bytes(arguments.get("bytes", 64)?);
        Ok(Setup {
            high_water_mark: arguments.get("hwm", plain.high_water_mark)?,
            no_drop: arguments.get("no-drop", plain.no_drop)?,
            buffer_bytes: Some(arguments.get("buffers", 0)?).filter(|bytes| *bytes > 0),
            connections: arguments.get("connections", plain.connections)?,
            ..plain
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_setup_survives_its_arguments() {
        let setup = Setup::of_bytes(1 << 20).with_connections(100);
        assert_eq!(setup.high_water_mark, 64);
        assert_eq!(Setup::read(&setup.arguments()).unwrap(), setup);
        let small = Setup { buffer_bytes: Some(4096), ..setup };
        assert_eq!(Setup::read(&small.arguments()).unwrap(), small);
        assert_eq!(Setup::of_bytes(64).high_water_mark, 1000);
        assert_eq!(Setup::of_bytes(1).high_water_mark, 1000);
    }
}
