//! Who is at the other end of an ipc connection, as the system knows it.

/// The process that made the other end, when it connected or began to listen. The system vouches for it: a peer cannot choose what is told of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Credentials {
    /// The process. Linux, Windows, macOS; other systems keep it to themselves.
    pub process: Option<u32>,
    /// The effective user. All but Windows.
    pub user: Option<u32>,
    /// The effective group. All but Windows.
    pub group: Option<u32>,
}

/// Whether the system's user database says that a user belongs to a group, as its own or as one of its members. It may have to ask over the
/// network and take its time. False where it knows neither, and on Windows.
pub fn is_member(user: u32, group: u32) -> bool {
    #[cfg(unix)]
    return crate::unix::is_member(user, group);
    #[cfg(not(unix))]
    {
        let _ = (user, group);
        false
    }
}
