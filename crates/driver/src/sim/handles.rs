//! Handle values: which number stands for which socket, and which port takes what happens to it.

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use super::host::Host;
use super::ledger::{Association, Ledger};
use super::state::SocketId;

/// `ERROR_INVALID_HANDLE`, and what a descriptor that is not open means elsewhere (`EBADF` has another number).
const INVALID_HANDLE: i32 = 6;

/// `ERROR_INVALID_PARAMETER`: what a completion port says to a handle that is, or was, with another one.
const INVALID_PARAMETER: i32 = 87;

/// `EEXIST`: what an epoll says to a descriptor that it watches already.
const EXISTS: i32 = 17;

/// A number that stands for a socket until it is closed, and for another one soon after.
///
/// It remembers which socket is meant, so that our own closing never closes a stranger's; a program has only the value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Handle {
    pub(super) value: u32,
    object: u64,
}

/// Names a port, or an epoll: never used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct PortNumber(u64);

/// The table of open handles, and what is known of the sockets behind them.
#[derive(Debug, Default)]
pub(super) struct Handles {
    open: BTreeMap<u32, u64>,
    /// Values below the highest that was ever used: the lowest is given out next.
    free: BTreeSet<u32>,
    objects: BTreeMap<u64, Object>,
    last_object: u64,
    last_port: u64,
    pub(super) ledger: Ledger,
}

/// A socket as the kernel sees it: it lives while a handle on it is open.
#[derive(Debug)]
struct Object {
    /// Whose table has its handles.
    host: Host,
    handles: usize,
    /// Where it is registered, and through which handle. With a completion port at most once, and for life.
    ports: Vec<(PortNumber, u32)>,
    socket: Option<SocketId>,
}

impl Handles {
    /// How many handles are open.
    pub(super) fn len(&self) -> usize {
        self.open.len()
    }

    /// How many of them a host has.
    pub(super) fn count_of(&self, host: Host) -> usize {
        self.objects.values().filter(|object| object.host == host).map(|object| object.handles).sum()
    }

    /// How many sockets are with a port or an epoll and have an open handle.
    pub(super) fn associated_count(&self) -> usize {
        self.objects.values().filter(|object| !object.ports.is_empty()).count()
    }

    /// A handle on a new object; `None` for a listening one.
    pub(super) fn open(&mut self, host: Host, socket: Option<SocketId>) -> Handle {
        self.last_object += 1;
        let object = self.last_object;
        self.objects.insert(object, Object { host, handles: 0, ports: Vec::new(), socket });
        self.open_on(object)
    }

    fn open_on(&mut self, object: u64) -> Handle {
        // Without a gap the values in use are 1, 2, 3 and so on.
        let value = self.free.pop_first().unwrap_or(self.open.len() as u32 + 1);
        self.open.insert(value, object);
        self.objects.get_mut(&object).expect("it lives while a handle is open").handles += 1;
        Handle { value, object }
    }

    /// Another handle on the same socket.
    pub(super) fn duplicate(&mut self, value: u32) -> io::Result<Handle> {
        let handle = self.find(value)?;
        Ok(self.open_on(handle.object))
    }

    /// What the value stands for now.
    pub(super) fn find(&self, value: u32) -> io::Result<Handle> {
        let object = self.open.get(&value).copied();
        let object = object.ok_or_else(|| io::Error::from_raw_os_error(INVALID_HANDLE))?;
        Ok(Handle { value, object })
    }

    pub(super) fn socket(&self, handle: Handle) -> Option<SocketId> {
        self.objects.get(&handle.object)?.socket
    }

    /// Whether other handles are open on the same socket.
    pub(super) fn is_shared(&self, handle: Handle) -> bool {
        self.objects.get(&handle.object).is_some_and(|object| object.handles > 1)
    }

    /// The second call does nothing, also when the value stands for another socket by now.
    pub(super) fn close(&mut self, handle: Handle) {
        if self.open.get(&handle.value) != Some(&handle.object) {
            return;
        }
        self.open.remove(&handle.value);
        self.free.insert(handle.value);
        let object = self.objects.get_mut(&handle.object).expect("it lives while a handle is open");
        object.handles -= 1;
        if object.handles == 0 {
            self.objects.remove(&handle.object);
        }
    }

    /// A host's process is gone, and its table with it.
    pub(super) fn close_all_of(&mut self, host: Host) {
        let Handles { open, free, objects, .. } = self;
        open.retain(|value, object| {
            let stays = objects.get(object).is_some_and(|object| object.host != host);
            if !stays {
                free.insert(*value);
            }
            stays
        });
        objects.retain(|_, object| object.host != host);
    }

    // ---- ports

    pub(super) fn new_port(&mut self) -> PortNumber {
        self.last_port += 1;
        PortNumber(self.last_port)
    }

    /// The one way to a port, for drivers and for raw handles alike.
    ///
    /// A completion port takes a socket once in its life, whichever handle is shown to it and whatever became of the port that has it. An
    /// epoll only refuses the very handle that it watches already.
    pub(super) fn associate(&mut self, handle: Handle, port: PortNumber, for_life: bool) -> io::Result<()> {
        let Some(object) = self.objects.get_mut(&handle.object) else {
            return Err(io::Error::from_raw_os_error(INVALID_HANDLE));
        };
        let error = match for_life {
            true => (!object.ports.is_empty()).then_some(INVALID_PARAMETER),
            false => object.ports.contains(&(port, handle.value)).then_some(EXISTS),
        };
        let entry = self.ledger.entry(handle.object, handle.value);
        if let Some(error) = error {
            entry.refused += 1;
            return Err(io::Error::from_raw_os_error(error));
        }
        entry.associated += 1;
        object.ports.push((port, handle.value));
        Ok(())
    }

    /// Takes a socket out of an epoll.
    pub(super) fn forget(&mut self, handle: Handle, port: PortNumber) {
        if let Some(object) = self.objects.get_mut(&handle.object) {
            object.ports.retain(|known| *known != (port, handle.value));
        }
    }

    pub(super) fn associations(&self) -> Vec<Association> {
        self.ledger.entries()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lowest_free_value_is_given_out_at_once() {
        let mut handles = Handles::default();
        let open: Vec<Handle> = (0..4).map(|_| handles.open(Host::FIRST, None)).collect();
        assert_eq!(open.iter().map(|handle| handle.value).collect::<Vec<_>>(), [1, 2, 3, 4]);
        handles.close(open[2]);
        handles.close(open[0]);
        let reused = handles.open(Host::FIRST, None);
        assert_eq!(reused.value, 1);
        handles.close(open[0]);
        assert_eq!(handles.find(1).expect("it is the newer one's"), reused);
        assert_eq!((handles.open(Host::FIRST, None).value, handles.open(Host::FIRST, None).value), (3, 5));
    }

    #[test]
    fn a_socket_lives_while_a_handle_is_open() {
        let mut handles = Handles::default();
        let first = handles.open(Host::FIRST, None);
        let second = handles.duplicate(first.value).expect("it is open");
        let port = handles.new_port();
        handles.associate(first, port, true).expect("the first time");
        handles.close(first);
        assert_eq!(handles.associated_count(), 1);
        handles.close(second);
        assert_eq!((handles.associated_count(), handles.len()), (0, 0));
        assert_eq!(
            handles.find(second.value).expect_err("it is closed").raw_os_error(),
            Some(INVALID_HANDLE)
        );
    }
}
