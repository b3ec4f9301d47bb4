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
use crate::{Address, fork};

/// How often, and how far apart, a bind tries to get the directory to itself.
const LOCK_ATTEMPTS: u32 = 200;
const LOCK_PAUSE: Duration = Duration::from_millis(5);

/// How many names of a temporary directory are tried.
const NAME_ATTEMPTS: u32 = 100;

/// A socket file of ours. Dropping it unlinks the path, unless somebody else's file is there by now.
#[derive(Debug)]
pub(super) struct SocketFile {
    path: PathBuf,
    device: u64,
    inode: u64,
    /// Removed behind it.
    _directory: Option<Directory>,
    /// The process that bound it: a child of it leaves the file alone.
    generation: u32,
}

/// A directory of ours, for one socket file.
#[derive(Debug)]
struct Directory(PathBuf);

impl Drop for SocketFile {
    fn drop(&mut self) {
        let ours = |stat: &Stat| file_of(stat) == (self.device, self.inode);
        if self.generation == fork::generation()
            && rustix::fs::lstat(&self.path).is_ok_and(|stat| ours(&stat))
        {
            // What cannot be unlinked stays, and the next bind takes it over.
            let _ = rustix::fs::unlink(&self.path);
        }
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        // It fails where somebody has put something into it, which is then his.
        let _ = rustix::fs::rmdir(&self.0);
    }
}

/// Binds `fd` and listens. Tells where, and the file that there is for it: abstract names have none.
pub(super) fn bind_and_listen(
    fd: &OwnedFd,
    path: &Path,
    backlog: i32,
) -> io::Result<(Address, Option<SocketFile>)> {
    let (path, directory) = match path == Path::new("*") {
        true => fresh_path()?,
        false => (path.to_owned(), None),
    };
    let address = Address::Ipc(path);
    let Address::Ipc(path) = &address else { unreachable!("it was just made") };
    let bound = socket::with_address(&address, |target| match target.bind(fd) {
        Err(Errno::ADDRINUSE) if socket::abstract_name(path).is_none() => take_over(target, fd, path),
        outcome => Ok(outcome?),
    });
    bound.map_err(|error| explain(error, path))?;
    let file = match socket::abstract_name(path) {
        Some(_) => None,
        None => {
            let (device, inode) = file_of(&rustix::fs::lstat(path)?);
            let generation = fork::generation();
            Some(SocketFile { path: path.clone(), device, inode, _directory: directory, generation })
        }
    };
    rustix::net::listen(fd, backlog)?;
    Ok((address, file))
}

/// A path that nobody else has or can reach, in a directory of our own.
fn fresh_path() -> io::Result<(PathBuf, Option<Directory>)> {
    let temporary = std::env::temp_dir();
    for _ in 0..NAME_ATTEMPTS {
        let directory = temporary.join(format!("serverlink-{:012x}", fastrand::u64(..1 << 48)));
        match rustix::fs::mkdir(&directory, Mode::RWXU) {
            Ok(()) => return Ok((directory.join("socket"), Some(Directory(directory)))),
            Err(Errno::EXIST) => {}
            Err(error) => return Err(explain(error.into(), &directory)),
        }
    }
    Err(io::Error::new(
        io::ErrorKind::AlreadyExists,
        format!("no name for a directory in {} is free; clear it up", temporary.display()),
    ))
}

/// Binds where a dead socket's file is.
///
/// Two processes may find the same dead file, and the slower one must not unlink what the faster one has bound meanwhile. So whoever
/// takes over holds a lock on the directory from the look to the bind, and who gets no lock (it may not read the directory) takes nothing over.
fn take_over(target: &dyn Call, fd: &OwnedFd, path: &Path) -> io::Result<()> {
    let Some(_lock) = lock_directory(path) else { return Err(Errno::ADDRINUSE.into()) };
    match rustix::fs::lstat(path) {
        Ok(stat) if FileType::from_raw_mode(stat.st_mode) != FileType::Socket => {
            return Err(io::Error::new(
                io::ErrorKind::AlreadyExists,
                format!(
                    "{} is there and is no socket; choose another path or remove it yourself",
                    path.display()
                ),
            ));
        }
        // Gone meanwhile.
        Err(_) => {}
        Ok(_) if is_dead(target)? => rustix::fs::unlink(path)?,
        Ok(_) => {}
    }
    Ok(target.bind(fd)?)
}

/// The open descriptor holds the lock; closing it lets go.
fn lock_directory(path: &Path) -> Option<OwnedFd> {
    let directory =
        rustix::fs::open(parent(path), OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())
            .ok()?;
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

fn parent(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Whether the socket file is one that no process has bound.
fn is_dead(target: &dyn Call) -> io::Result<bool> {
    // A socket of another type asks without disturbing: a live one says "wrong type", and its listener never hears of it.
    let probe = rustix::net::socket(AddressFamily::UNIX, SocketType::DGRAM, None)?;
    Ok(target.connect(&probe) == Err(Errno::CONNREFUSED))
}

/// The system's word for what is wrong with a path is short.
fn explain(error: io::Error, path: &Path) -> io::Error {
    let directory = parent(path).display();
    let Some(errno) = Errno::from_io_error(&error) else { return error };
    let sentence = match errno {
        // Some file systems that the kernel makes up, as /proc, say so to everything new.
        Errno::NOENT if parent(path).is_dir() => {
            format!("{directory} takes no new files; choose another directory")
        }
        Errno::NOENT => format!("there is no directory {directory}; make it first"),
        Errno::NOTDIR => format!("{directory} is no directory"),
        Errno::ACCESS | Errno::PERM => format!("this process may make no file in {directory}"),
        Errno::ROFS => format!("{directory} cannot be written; it is on a read-only file system"),
        Errno::NOSPC | Errno::DQUOT => {
            format!("there is no room for a file in {directory}; free some or choose another directory")
        }
        Errno::NAMETOOLONG => format!("a name in {} is longer than the file system takes", path.display()),
        Errno::LOOP => format!("{} goes through symbolic links without end", path.display()),
        _ => return error,
    };
    io::Error::new(error.kind(), sentence)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_systems_words_become_sentences() {
        let told = |errno: Errno| {
            let error = explain(errno.into(), Path::new("/run/app/x.sock"));
            assert_eq!(error.kind(), io::Error::from(errno).kind());
            error.to_string()
        };
        assert!(told(Errno::NOSPC).starts_with("there is no room for a file in /run/app"));
        assert!(told(Errno::DQUOT).contains("no room"));
        assert!(told(Errno::ROFS).contains("read-only"));
        assert!(told(Errno::ACCESS).contains("may make no file in /run/app"));
        assert!(told(Errno::NOENT).contains("no directory /run/app"));
        assert_eq!(told(Errno::IO), io::Error::from(Errno::IO).to_string());
    }
}
