//! Socket files: taking over what a dead process left, and nothing else.

use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::fs::{FileType, FlockOperation, Mode, OFlags, Stat};
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketType};

use super::identity::file_of;
use super::socket::{self, Call};
use crate::Address;

/// How often, and how far apart, a bind tries to get the directory to itself.
const LOCK_ATTEMPTS: u32 = 200;
const LOCK_PAUSE: Duration = Duration::from_millis(5);

/// A socket file of ours. Dropping it unlinks the path, unless somebody else's file is there by now.
#[derive(Debug)]
pub(super) struct SocketFile {
    path: PathBuf,
    device: u64,
    inode: u64,
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        let ours = |stat: &Stat| file_of(stat) == (self.device, self.inode);
        if rustix::fs::lstat(&self.path).is_ok_and(|stat| ours(&stat)) {
            // What cannot be unlinked stays, and the next bind takes it over.
            let _ = rustix::fs::unlink(&self.path);
        }
    }
}

/// Binds `fd` to a path and listens.
pub(super) fn bind_and_listen(fd: &OwnedFd, path: &Path, backlog: i32) -> io::Result<SocketFile> {
    let address = Address::Ipc(path.to_owned());
    socket::with_address(&address, |target| match target.bind(fd) {
        Err(Errno::ADDRINUSE) => take_over(target, fd, path),
        outcome => Ok(outcome?),
    })?;
    let (device, inode) = file_of(&rustix::fs::lstat(path)?);
    let file = SocketFile { path: path.to_owned(), device, inode };
    rustix::net::listen(fd, backlog)?;
    Ok(file)
}

/// Binds where a dead socket's file is.
///
/// Two processes may find the same dead file, and the slower one must not unlink what the faster one has bound meanwhile. So whoever
/// takes over holds a lock on the directory from the look to the bind, and who gets no lock (it may not read the directory) takes nothing over.
fn take_over(target: &dyn Call, fd: &OwnedFd, path: &Path) -> io::Result<()> {
    let Some(_lock) = lock_directory(path) else { return Err(Errno::ADDRINUSE.into()) };
    if is_dead(target, path)? {
        rustix::fs::unlink(path)?;
    }
    Ok(target.bind(fd)?)
}

/// The open descriptor holds the lock; closing it lets go.
fn lock_directory(path: &Path) -> Option<OwnedFd> {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let directory =
        rustix::fs::open(parent, OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty()).ok()?;
    // Bounded, and not blocking: anybody who may read the directory could hold its lock for ever.
    for _ in 0..LOCK_ATTEMPTS {
        match rustix::fs::flock(&directory, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => return Some(directory),
            Err(Errno::AGAIN) => std::thread::sleep(LOCK_PAUSE),
            Err(_) => return None,
        }
    }
    None
}

/// Whether the file is a socket that no process has bound.
fn is_dead(target: &dyn Call, path: &Path) -> io::Result<bool> {
    let is_socket =
        rustix::fs::lstat(path).is_ok_and(|stat| FileType::from_raw_mode(stat.st_mode) == FileType::Socket);
    if !is_socket {
        return Ok(false);
    }
    // A socket of another type asks without disturbing: a live one says "wrong type", and its listener never hears of it.
    let probe = rustix::net::socket(AddressFamily::UNIX, SocketType::DGRAM, None)?;
    Ok(target.connect(&probe) == Err(Errno::CONNREFUSED))
}
