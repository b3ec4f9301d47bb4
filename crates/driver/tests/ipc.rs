//! Socket files: who may take one over.
#![cfg(unix)]

use std::io::ErrorKind;
use std::os::unix::net::UnixListener;

use serverlink_driver::{Address, Driver, Kind, ListenOptions, OsListener};

fn directory() -> tempfile::TempDir {
    tempfile::tempdir().expect("a directory for socket files")
}

#[test]
fn a_dead_file_is_taken_over_and_removed_at_the_end() {
    let directory = directory();
    let path = directory.path().join("server.sock");
    // The standard library leaves the file, as a killed process does.
    drop(UnixListener::bind(&path).expect("a free path"));
    assert!(path.exists());
    let address = Address::Ipc(path.clone());
    let listener = OsListener::bind(&address, &ListenOptions::default()).expect("nobody answers there");
    assert_eq!(listener.local_address(), address);
    drop(listener);
    assert!(!path.exists());
}

#[test]
fn a_live_file_is_refused_and_its_owner_hears_nothing() {
    let directory = directory();
    let path = directory.path().join("server.sock");
    let owner = UnixListener::bind(&path).expect("a free path");
    owner.set_nonblocking(true).expect("a socket that works");
    let error = OsListener::bind(&Address::Ipc(path.clone()), &ListenOptions::default())
        .expect_err("somebody answers there");
    assert_eq!(error.kind(), ErrorKind::AddrInUse);
    assert_eq!(owner.accept().expect_err("nobody connected").kind(), ErrorKind::WouldBlock);
    assert!(path.exists());
}

#[test]
fn other_files_are_left_alone() {
    let directory = directory();
    let path = directory.path().join("precious");
    std::fs::write(&path, "data").expect("a directory that may be written");
    let error = OsListener::bind(&Address::Ipc(path.clone()), &ListenOptions::default())
        .expect_err("a file is there");
    assert_eq!(error.kind(), ErrorKind::AddrInUse);
    assert_eq!(std::fs::read(&path).expect("it is still there"), b"data");
}

#[test]
fn a_successors_file_is_left_alone() {
    let directory = directory();
    let path = directory.path().join("server.sock");
    let first =
        OsListener::bind(&Address::Ipc(path.clone()), &ListenOptions::default()).expect("a free path");
    std::fs::remove_file(&path).expect("it is there");
    let second =
        OsListener::bind(&Address::Ipc(path.clone()), &ListenOptions::default()).expect("a free path");
    drop(first);
    assert!(path.exists());
    drop(second);
    assert!(!path.exists());
}

#[test]
fn of_many_that_find_a_dead_file_one_gets_it() {
    let directory = directory();
    let path = directory.path().join("server.sock");
    drop(UnixListener::bind(&path).expect("a free path"));
    let outcomes: Vec<_> = std::thread::scope(|scope| {
        let bind = || OsListener::bind(&Address::Ipc(path.clone()), &ListenOptions::default());
        let binders: Vec<_> = (0..8).map(|_| scope.spawn(bind)).collect();
        binders.into_iter().map(|binder| binder.join().expect("no panic")).collect()
    });
    let (bound, refused): (Vec<_>, Vec<_>) = outcomes.into_iter().partition(Result::is_ok);
    assert_eq!(bound.len(), 1);
    assert!(
        refused
            .iter()
            .all(|outcome| outcome.as_ref().is_err_and(|error| error.kind() == ErrorKind::AddrInUse))
    );
    assert!(path.exists());
}

#[test]
fn impossible_paths_say_why() {
    let remote = Driver::open(Kind::native()).expect("the native driver").remote();
    for path in ["", &"x".repeat(200)] {
        let address = Address::Ipc(path.into());
        let bind = OsListener::bind(&address, &ListenOptions::default()).expect_err("no such path");
        let connect = remote.connect(&address, &Default::default()).expect_err("no such path");
        assert_eq!((bind.kind(), connect.kind()), (ErrorKind::InvalidInput, ErrorKind::InvalidInput));
    }
}
