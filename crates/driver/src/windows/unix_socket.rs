//! Unix domain sockets: what `ipc` of libzmq is on Windows.
//!
//! **None of this has ever run.** Windows has such sockets since 2018, Wine has none. So pipes are what `ipc` means unless `SERVERLINK_IPC=unix` asks
//! for these: both ends have to be asked, and libzmq has nothing else.

use std::io;
use std::mem::offset_of;
use std::net::TcpStream;
use std::os::windows::fs::MetadataExt;
use std::os::windows::io::OwnedSocket;
use std::path::{Path, PathBuf};

use windows_sys::Win32::Networking::WinSock::{
    AF_UNIX, SOCKADDR_UN, bind as bind_socket, connect as connect_socket,
};
use windows_sys::Win32::Storage::FileSystem::FILE_ATTRIBUTE_REPARSE_POINT;

use super::error::check_socket;
use super::pipe_name::{is_abstract, names_a_pipe, no_abstract_names};
use super::socket::{self, Family, SocketOsListener};
use crate::{Address, ListenOptions, StreamOptions};

const CHOICE: &str = "SERVERLINK_IPC";

/// The file of a socket. Dropping it removes the file.
#[derive(Debug)]
pub(super) struct SocketFile(PathBuf);

impl Drop for SocketFile {
    fn drop(&mut self) {
        // What cannot be removed stays, and the next bind takes it over.
        let _ = std::fs::remove_file(&self.0);
    }
}

/// Whether this path is to be a socket and not a pipe.
pub(super) fn are_chosen_for(path: &Path) -> io::Result<bool> {
    if names_a_pipe(path) {
        return Ok(false);
    }
    read_choice(std::env::var_os(CHOICE).as_deref().and_then(std::ffi::OsStr::to_str))
}

fn read_choice(choice: Option<&str>) -> io::Result<bool> {
    match choice {
        None | Some("" | "pipe") => Ok(false),
        Some("unix") => Ok(true),
        Some(other) => Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            format!("{CHOICE} is `{other}`, which is no kind of ipc; use pipe or unix"),
        )),
    }
}

/// Binds and listens. A file that nobody answers is taken over; any other is left alone.
pub(super) fn bind(path: &Path, options: &ListenOptions) -> io::Result<SocketOsListener> {
    let name = Name::of(path)?;
    let socket = create()?;
    socket::set_buffers(&socket, &options.stream)?;
    match name.bind(&socket) {
        Err(error) if error.kind() == io::ErrorKind::AddrInUse && is_dead(path, &name)? => {
            std::fs::remove_file(path)?;
            name.bind(&socket)?;
        }
        outcome => outcome?,
    }
    let file = Some(SocketFile(path.to_owned()));
    let socket = socket::start_listening(socket, options.backlog)?;
    let local = Address::Ipc(path.to_owned());
    Ok(SocketOsListener { socket, local, stream_options: Box::new(options.stream.clone()), file })
}

/// Starts to connect, and says how that ended: it does not wait. The outer error is ours: there was no attempt.
pub(super) fn connect(path: &Path, options: &StreamOptions) -> io::Result<io::Result<TcpStream>> {
    let name = Name::of(path)?;
    let socket = TcpStream::from(create()?);
    socket.set_nonblocking(true)?;
    socket::set_buffers(&socket, options)?;
    Ok(match name.connect(&socket) {
        Ok(()) => Ok(socket),
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Err(io::Error::new(
            io::ErrorKind::ConnectionRefused,
            format!("so many wait at {} that there is no room for one more; try again", path.display()),
        )),
        Err(error) => Err(error),
    })
}

fn create() -> io::Result<OwnedSocket> {
    socket::create(Family::Unix).map_err(|error| {
        let message =
            format!("{CHOICE}=unix asks for unix domain sockets, and this system made none: {error}");
        io::Error::new(error.kind(), message)
    })
}

/// Whether it is the file of a socket that nobody answers. One who does answer sees somebody come and go.
fn is_dead(path: &Path, name: &Name) -> io::Result<bool> {
    let attributes = std::fs::symlink_metadata(path)?.file_attributes();
    if attributes & FILE_ATTRIBUTE_REPARSE_POINT == 0 {
        return Ok(false);
    }
    let outcome = name.connect(&TcpStream::from(create()?));
    Ok(outcome.is_err_and(|error| error.kind() == io::ErrorKind::ConnectionRefused))
}

/// A path as the system's calls take it.
struct Name(SOCKADDR_UN, i32);

impl Name {
    fn of(path: &Path) -> io::Result<Name> {
        if is_abstract(path) {
            return Err(no_abstract_names(path));
        }
        let text = path.to_str().filter(|text| !text.is_empty() && !text.contains('\0'));
        let mut name = SOCKADDR_UN { sun_family: AF_UNIX, ..SOCKADDR_UN::default() };
        // One byte stays for the zero at the end.
        match text {
            Some(text) if text.len() < name.sun_path.len() => {
                for (to, from) in name.sun_path.iter_mut().zip(text.bytes()) {
                    *to = from as i8;
                }
                let length = offset_of!(SOCKADDR_UN, sun_path) + text.len() + 1;
                Ok(Name(name, length as i32))
            }
            _ => Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                format!(
                    "the ipc path {} cannot be the name of a socket: it must be plain text of 1 to {} bytes",
                    path.display(),
                    name.sun_path.len() - 1
                ),
            )),
        }
    }

    fn bind(&self, socket: &OwnedSocket) -> io::Result<()> {
        // SAFETY: the socket is open while it is borrowed; the address has at least this length and outlives the call.
        check_socket(unsafe { bind_socket(socket::raw(socket), (&raw const self.0).cast(), self.1) })
    }

    fn connect(&self, socket: &TcpStream) -> io::Result<()> {
        // SAFETY: as above.
        check_socket(unsafe { connect_socket(socket::raw(socket), (&raw const self.0).cast(), self.1) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pipes_are_the_choice_unless_somebody_asks() {
        assert!([None, Some(""), Some("pipe")].iter().all(|choice| !read_choice(*choice).expect("a choice")));
        assert!(read_choice(Some("unix")).expect("a choice"));
        assert_eq!(read_choice(Some("tcp")).expect_err("no choice").kind(), io::ErrorKind::InvalidInput);
        assert!(!are_chosen_for(r"\\.\pipe\x".as_ref()).expect("a pipe, whatever was asked for"));
    }

    #[test]
    fn impossible_paths_say_why() {
        for path in ["", &"x".repeat(108), "a\0b"] {
            assert!(Name::of(path.as_ref()).is_err_and(|error| error.kind() == io::ErrorKind::InvalidInput));
        }
        let Name(name, length) = Name::of("ab".as_ref()).expect("a short path");
        assert_eq!((name.sun_path[..3].to_vec(), length), (vec![97, 98, 0], 5));
    }
}
