//! How many connections came to a socket's listeners and are open.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use crate::socket::core::Core;

/// One of the connections that a socket's listeners may have.
pub(super) struct Place(Arc<Core>);

impl Place {
    pub(super) fn take(core: &Arc<Core>) -> Place {
        core.accepted.fetch_add(1, Ordering::Relaxed);
        Place(Arc::clone(core))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.accepted.fetch_sub(1, Ordering::Relaxed);
    }
}
