//! Which named pipe stands for an ipc path.

use std::ffi::OsStr;
use std::io;
use std::os::windows::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// What all names of pipes begin with.
const PIPES: &str = r"\\.\pipe\";
/// What ours begin with.
const OURS: &str = r"\\.\pipe\serverlink\";
/// How long a name may be.
const MAX_LENGTH: usize = 256;

/// The name of the pipe for this path, ending in a zero.
///
/// A path that names a pipe is taken as it is. Any other is made absolute, so that two programs mean the same with it, and
/// written in lower case with `/` between its parts and `%` before the number of every character that is no letter, digit,
/// `-`, `_` or `.`.
pub(super) fn pipe_name(path: &Path) -> io::Result<Vec<u16>> {
    if path.as_os_str().is_empty() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "an ipc path must not be empty"));
    }
    if is_abstract(path) {
        return Err(no_abstract_names(path));
    }
    let mut name: Vec<u16> = match names_a_pipe(path) {
        true => path.as_os_str().encode_wide().collect(),
        false => OURS.encode_utf16().chain(encoded(std::path::absolute(path)?.as_os_str())).collect(),
    };
    if name.contains(&0) {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "an ipc path must not contain a zero"));
    }
    if name.len() > MAX_LENGTH {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            format!("the ipc path {} is longer than the name of a pipe may be", path.display()),
        ));
    }
    name.push(0);
    Ok(name)
}

/// Whether it is the name of a pipe and not the path of a file.
pub(super) fn names_a_pipe(path: &Path) -> bool {
    let start = path.as_os_str().as_encoded_bytes().get(..PIPES.len());
    start.is_some_and(|start| start.eq_ignore_ascii_case(PIPES.as_bytes()))
}

/// A path that nobody has.
pub(super) fn fresh_path() -> PathBuf {
    std::env::temp_dir().join(format!("serverlink-{:012x}", fastrand::u64(..1 << 48)))
}

/// A name of Linux, outside of the file system.
pub(super) fn is_abstract(path: &Path) -> bool {
    path.as_os_str().as_encoded_bytes().starts_with(b"@")
}

pub(super) fn no_abstract_names(path: &Path) -> io::Error {
    let path = path.display();
    let message =
        format!("{path} is an abstract name, which Windows does not have; use a path (./{path} is one)");
    io::Error::new(io::ErrorKind::Unsupported, message)
}

fn encoded(path: &OsStr) -> Vec<u16> {
    let mut name = Vec::new();
    for character in char::decode_utf16(path.encode_wide()) {
        match character {
            Ok('\\' | '/') => name.push('/' as u16),
            Ok(plain @ ('a'..='z' | 'A'..='Z' | '0'..='9' | '-' | '_' | '.')) => {
                name.push(plain.to_ascii_lowercase() as u16);
            }
            Ok(other) => other.to_lowercase().for_each(|lower| escape(&mut name, u32::from(lower))),
            Err(half) => escape(&mut name, half.unpaired_surrogate().into()),
        }
    }
    name
}

fn escape(name: &mut Vec<u16>, number: u32) {
    name.extend(format!("%{number:02x}").encode_utf16());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(path: &str) -> String {
        let name = pipe_name(path.as_ref()).expect("a path that can be named");
        String::from_utf16(&name).expect("it is plain").trim_end_matches('\0').to_owned()
    }

    #[test]
    fn one_file_has_one_name() {
        let name_of_file = r"\\.\pipe\serverlink\c%3a/some%20folder/server.sock";
        assert_eq!(name(r"C:\Some Folder\server.sock"), name_of_file);
        assert_eq!(name(r"c:/some folder/.\sub\../SERVER.sock"), name_of_file);
        assert_ne!(name(r"C:\a%20b"), name(r"C:\a b"));
        assert_eq!(name(r"C:\Ä"), name(r"c:\ä"));
    }

    #[test]
    fn a_relative_path_counts_from_the_current_directory() {
        let directory = std::env::current_dir().expect("there is one");
        assert_eq!(name("server"), name(directory.join("server").to_str().expect("it is plain")));
    }

    #[test]
    fn pipes_are_named_as_they_are() {
        assert_eq!(name(r"\\.\pipe\Server A"), r"\\.\pipe\Server A");
        assert_eq!(name(r"\\.\PIPE\x"), r"\\.\PIPE\x");
    }

    #[test]
    fn impossible_paths_say_why() {
        for path in ["", &"x".repeat(300), "a\0b"] {
            let error = pipe_name(path.as_ref()).expect_err("no such name");
            assert_eq!(error.kind(), io::ErrorKind::InvalidInput, "{error}");
        }
    }
}
