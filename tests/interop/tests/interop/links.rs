//! Every way in which two ends can be linked.

use std::{
    net::Ipv4Addr,
    sync::atomic::{AtomicU16, Ordering},
};

use serverlink::SocketType;
use tempfile::TempDir;

use crate::ends::{End, Library};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wire {
    Tcp,
    Ipc,
}

/// Two linked ends: `one` and `other` in the order of their types, one of them of each library.
pub(crate) struct Link {
    pub(crate) one: Box<dyn End>,
    pub(crate) other: Box<dyn End>,
    /// What the link is, for the words of a failure.
    pub(crate) name: String,
    _directory: Option<TempDir>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Binder {
    One,
    Other,
}

impl Wire {
    /// An endpoint to bind that nobody else has.
    pub(crate) fn fresh_endpoint(self) -> (String, Option<TempDir>) {
        match self {
            Wire::Tcp => (format!("tcp://{}:*", own_address()), None),
            Wire::Ipc => {
                let directory = TempDir::new().expect("a temporary directory");
                (format!("ipc://{}", directory.path().join("socket").display()), Some(directory))
            }
        }
    }

    /// The four links between two types: either library as `one`, either end bound.
    pub(crate) fn links(self, one: SocketType, other: SocketType) -> impl Iterator<Item = Link> {
        Library::BOTH.into_iter().flat_map(move |library| {
            [Binder::One, Binder::Other].into_iter().map(move |binder| self.link(library, one, other, binder))
        })
    }

    /// One link, with `one` a socket of `library` and `other` of the other library.
    pub(crate) fn link(
        self,
        library: Library,
        one_type: SocketType,
        other_type: SocketType,
        binder: Binder,
    ) -> Link {
        let name = format!("{library:?} {one_type} to {other_type} over {self:?}, bound by {binder:?}");
        let one = library.open(one_type);
        let other = library.other().open(other_type);
        let (endpoint, directory) = self.fresh_endpoint();
        match binder {
            Binder::One => other.connect(&one.bind(&endpoint)),
            Binder::Other => one.connect(&other.bind(&endpoint)),
        }
        one.wait_for_peer();
        other.wait_for_peer();
        Link { one, other, name, _directory: directory }
    }
}

/// An address of this link alone: a port that was given up must not meet another test's sockets.
/// All of 127.0.0.0/8 is this machine, on Linux; elsewhere one address has to do for everybody.
fn own_address() -> Ipv4Addr {
    static NEXT: AtomicU16 = AtomicU16::new(1);
    if !cfg!(target_os = "linux") {
        return Ipv4Addr::LOCALHOST;
    }
    let [high, low] = NEXT.fetch_add(1, Ordering::Relaxed).to_be_bytes();
    // Other test binaries may run at the same time.
    let process = std::process::id() as u8 | 1;
    Ipv4Addr::new(127, process, high, low)
}
