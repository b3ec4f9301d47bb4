//! What can go wrong in a measurement.

use std::io;

/// Why a measurement, or the whole run, gave no figures.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A competitor is not installed here; the row says how to get it.
    #[error("{0}")]
    Absent(String),
    /// A library call of the measured peer failed.
    #[error("{peer}: {doing}: {why}")]
    Peer {
        /// Whose call it was.
        peer: &'static str,
        /// What the call was to do.
        doing: &'static str,
        /// The library's own words.
        why: String,
    },
    /// A measured process ended, fell silent or said something unexpected.
    #[error("the {role} process {why}")]
    Child {
        /// The process's role.
        role: String,
        /// What it did.
        why: String,
    },
    /// This combination cannot be measured.
    #[error("{0}")]
    NotMeasurable(String),
    /// An argument names nothing that there is.
    #[error("no {what} named {name:?}; there are: {known}")]
    UnknownName {
        /// The kind of thing.
        what: &'static str,
        /// What was given.
        name: String,
        /// Every name there is.
        known: String,
    },
    /// The operating system refused something.
    #[error("{doing}: {source}")]
    Io {
        /// What was tried.
        doing: &'static str,
        /// The system's error.
        source: io::Error,
    },
}

impl Error {
    pub(crate) fn io(doing: &'static str) -> impl FnOnce(io::Error) -> Error {
        move |source| Error::Io { doing, source }
    }

    pub(crate) fn child(role: &str, why: impl Into<String>) -> Error {
        Error::Child { role: role.to_owned(), why: why.into() }
    }
}
