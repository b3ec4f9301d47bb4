//! Events for programs that use the `tracing` crate. Only built with the feature of that name.

use tracing::Level;
use tracing::level_filters::LevelFilter;

use super::event::{Event, EventKind};

/// Whether anybody takes any tracing event at all: one load.
pub(super) fn is_wanted() -> bool {
    LevelFilter::current() != LevelFilter::OFF
}

/// Target `serverlink`. What a working program does once is INFO, what it does again and again DEBUG, what somebody should
/// look at WARN, and what needs him ERROR.
pub(super) fn trace(event: &Event) {
    // The level has to be known where it is compiled.
    macro_rules! at {
        ($level:expr) => {
            tracing::event!(
                target: "serverlink",
                $level,
                socket = event.socket,
                socket_type = event.socket_type.as_str(),
                event = event.kind.name(),
                endpoint = event.kind.endpoint().map(tracing::field::display),
                peer_address = event.kind.peer_address().map(tracing::field::display),
                cause = event.kind.cause().map(|cause| cause.as_str()),
                "{}",
                event.kind
            )
        };
    }
    match event.kind {
        EventKind::Listening { .. }
        | EventKind::ListenerClosed { .. }
        | EventKind::AcceptResumed { .. }
        | EventKind::Established { .. }
        | EventKind::Disconnected { .. } => at!(Level::INFO),
        EventKind::Accepted { .. } | EventKind::Connected { .. } | EventKind::Retrying { .. } => {
            at!(Level::DEBUG)
        }
        EventKind::AcceptFailed { .. }
        | EventKind::AcceptPaused { .. }
        | EventKind::AcceptFiltered { .. }
        | EventKind::GaveUp { .. }
        | EventKind::RoutingIdRefused { .. }
        | EventKind::HandedOver { .. }
        | EventKind::HandshakeFailed { .. } => at!(Level::WARN),
        EventKind::DriverFailed { .. } => at!(Level::ERROR),
    }
}
