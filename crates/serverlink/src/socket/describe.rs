//! What a socket has, for those who look inside.

use std::sync::Arc;

use serverlink_patterns::PipeId;

use super::core::Core;
use crate::report::ConnectionReport;

impl Core {
    pub(crate) fn connections(self: &Arc<Self>) -> Vec<ConnectionReport> {
        let report = self.home.get().and_then(|home| home.describe(Some(self)));
        report.map(|report| report.connections).unwrap_or_default()
    }

    /// ROUTER: the name of the peer behind a pipe.
    pub(crate) fn routing_id_of(&self, pipe: PipeId) -> Option<Vec<u8>> {
        self.send.lock().sender.routing_id(pipe).map(|id| id.as_bytes().to_vec())
    }
}
