//! Every way in which two ends can be linked.

use serverlink::SocketType;
use tempfile::TempDir;

use crate::foreign::{Foreign, Library};
use crate::ours::Ours;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wire {
    Tcp,
    Ipc,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Binder {
    Ours,
    Theirs,
}

impl Binder {
    pub(crate) const BOTH: [Binder; 2] = [Binder::Ours, Binder::Theirs];
}

pub(crate) struct Link {
    pub(crate) ours: Ours,
    pub(crate) theirs: Box<dyn Foreign>,
    _directory: Option<TempDir>,
}

impl Wire {
    /// An endpoint to bind that nobody else has.
    pub(crate) fn fresh_endpoint(self) -> (String, Option<TempDir>) {
        match self {
            Wire::Tcp => ("tcp://127.0.0.1:0".to_owned(), None),
            Wire::Ipc => {
                let directory = TempDir::new().expect("a temporary directory");
                (format!("ipc://{}", directory.path().join("socket").display()), Some(directory))
            }
        }
    }

    pub(crate) fn link(self, library: Library, ours: SocketType, theirs: SocketType, binder: Binder) -> Link {
        self.link_ends(Ours::open(ours), library.open(theirs), binder)
    }

    pub(crate) fn link_ends(self, ours: Ours, mut theirs: Box<dyn Foreign>, binder: Binder) -> Link {
        let (endpoint, directory) = self.fresh_endpoint();
        match binder {
            Binder::Ours => theirs.connect(&ours.bind(&endpoint)),
            Binder::Theirs => ours.connect(&theirs.bind(&endpoint)),
        }
        ours.wait_for_peer();
        Link { ours, theirs, _directory: directory }
    }
}
