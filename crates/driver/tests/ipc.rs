//! Socket files and abstract names: who may take one, what is left of one, and who is at the other end.
#![cfg(unix)]

use std::io::{BufRead, BufReader, ErrorKind};
use std::os::unix::net::{UnixListener, UnixStream};
use std::process::{Child, Command, Stdio};

use serverlink_driver::{
    Address, Credentials, Driver, Event, Events, Kind, ListenOptions, OsListener, StreamOptions,
};

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
    assert_eq!(error.kind(), ErrorKind::AlreadyExists);
    assert!(error.to_string().contains("is no socket"), "{error}");
    assert_eq!(std::fs::read(&path).expect("it is still there"), b"data");
    let error = OsListener::bind(&Address::Ipc(directory.path().into()), &ListenOptions::default())
        .expect_err("a directory is there");
    assert!(error.to_string().contains("is no socket"), "{error}");
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

/// Threads share a process, and so would a lock of the wrong kind.
#[test]
fn of_two_processes_that_find_a_dead_file_one_gets_it() {
    const CHILD: &str = "SERVERLINK_TEST_BINDS";
    if let Some(path) = std::env::var_os(CHILD) {
        let bound = OsListener::bind(&Address::Ipc(path.into()), &ListenOptions::default());
        println!("\noutcome: {}", if bound.is_ok() { "bound" } else { "refused" });
        // Until the parent has heard of both.
        let _ = std::io::stdin().read_line(&mut String::new());
        return;
    }
    let directory = directory();
    for round in 0..10 {
        let path = directory.path().join(round.to_string());
        drop(UnixListener::bind(&path).expect("a free path"));
        let mut children: Vec<_> = (0..3)
            .map(|_| {
                Command::new(std::env::current_exe().expect("a program"))
                    .args(["--exact", "of_two_processes_that_find_a_dead_file_one_gets_it", "--nocapture"])
                    .env(CHILD, &path)
                    .stdin(Stdio::piped())
                    .stdout(Stdio::piped())
                    .spawn()
                    .expect("processes enough")
            })
            .collect();
        let take_output =
            |child: &mut Child| BufReader::new(child.stdout.take().expect("it is piped")).lines();
        let mut outputs: Vec<_> = children.iter_mut().map(take_output).collect();
        let outcomes: Vec<String> = outputs
            .iter_mut()
            .map(|lines| {
                let mut lines = lines.map_while(Result::ok);
                lines.find(|line| line.starts_with("outcome: ")).expect("a child says what became of it")
            })
            .collect();
        assert_eq!(outcomes.iter().filter(|outcome| *outcome == "outcome: bound").count(), 1, "{outcomes:?}");
        assert!(path.exists());
        for mut child in children {
            drop(child.stdin.take());
            child.wait().expect("it ends");
        }
        drop(outputs);
        assert!(!path.exists(), "the one who had it has removed it");
    }
}

#[test]
fn a_fresh_path_is_made_and_removed_with_its_directory() {
    let any = Address::Ipc("*".into());
    let [first, second] =
        [(); 2].map(|()| OsListener::bind(&any, &ListenOptions::default()).expect("a place for files"));
    assert_ne!(first.local_address(), second.local_address());
    let Address::Ipc(path) = first.local_address() else { panic!("it is a path") };
    UnixStream::connect(&path).expect("it listens there");
    drop((first, second));
    let directory = path.parent().expect("it is in a directory");
    assert!(!directory.exists(), "{} is left", directory.display());
}

#[test]
fn what_is_wrong_with_a_directory_is_told() {
    let directory = directory();
    let missing = Address::Ipc(directory.path().join("missing/x.sock"));
    let error = OsListener::bind(&missing, &ListenOptions::default()).expect_err("no such directory");
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(error.to_string().contains("missing; make it first"), "{error}");
    let file = directory.path().join("file");
    std::fs::write(&file, "").expect("a directory that may be written");
    let error = OsListener::bind(&Address::Ipc(file.join("x.sock")), &ListenOptions::default())
        .expect_err("a file is no directory");
    assert!(error.to_string().contains("is no directory"), "{error}");
}

#[cfg(target_os = "linux")]
#[test]
fn a_directory_that_takes_no_files_is_not_missing() {
    let made_up = Address::Ipc("/proc/x.sock".into());
    let error = OsListener::bind(&made_up, &ListenOptions::default()).expect_err("it is the kernel's");
    assert!(error.to_string().contains("/proc takes no new files"), "{error}");
}

/// A file system without room for one more file. Needs the right to mount.
#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_told_and_nothing_is_left() {
    let directory = directory();
    let mount = |arguments: &[&str]| {
        let outcome = Command::new(arguments[0]).args(&arguments[1..]).stderr(Stdio::null()).status();
        outcome.is_ok_and(|status| status.success())
    };
    let place = directory.path().to_str().expect("plain text");
    if !mount(&["mount", "-t", "tmpfs", "-o", "size=4k,nr_inodes=2", "serverlink-test", place]) {
        return eprintln!("skipped: this process may not mount a file system");
    }
    std::fs::write(directory.path().join("filler"), "").expect("there is room for one");
    let outcome = OsListener::bind(&Address::Ipc(directory.path().join("x.sock")), &ListenOptions::default());
    let left: Vec<_> = std::fs::read_dir(directory.path()).expect("it is mounted").collect();
    assert!(mount(&["umount", "-l", place]), "it was mounted");
    let error = outcome.expect_err("there is no room");
    assert!(error.to_string().contains("there is no room for a file"), "{error}");
    assert_eq!(left.len(), 1, "{left:?}");
}

#[cfg(target_os = "linux")]
#[test]
fn an_abstract_name_needs_no_file_and_has_one_owner() {
    let name = format!("@serverlink-test-{}", std::process::id());
    let address = Address::Ipc(name.clone().into());
    let listener = OsListener::bind(&address, &ListenOptions::default()).expect("a free name");
    assert_eq!(listener.local_address(), address);
    assert!(!std::path::Path::new(&name).exists());
    let error = OsListener::bind(&address, &ListenOptions::default()).expect_err("it has an owner");
    assert_eq!(error.kind(), ErrorKind::AddrInUse);
    drop(listener);
    drop(OsListener::bind(&address, &ListenOptions::default()).expect("a free name again"));
    for wrong in ["@".to_owned(), format!("@{}", "x".repeat(200))] {
        let error = OsListener::bind(&Address::Ipc(wrong.into()), &ListenOptions::default())
            .expect_err("no such name");
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{error}");
    }
}

#[test]
fn both_ends_know_the_process_at_the_other() {
    let directory = directory();
    let address = Address::Ipc(directory.path().join("x.sock"));
    let mut driver = Driver::open(Kind::native()).expect("the native driver");
    let remote = driver.remote();
    let listener = OsListener::bind(&address, &ListenOptions::default()).expect("a free path");
    let listener = remote.listen(listener).expect("a first registration");
    let client = remote.connect(&address, &StreamOptions::default()).expect("an attempt");
    let mut events = Events::new();
    let accepted = loop {
        driver.wait(&mut events, None).expect("a driver that works");
        if events.any(|event| matches!(event, Event::Acceptable(_))) {
            break listener.accept().expect("descriptors enough").expect("it was announced").0;
        }
    };
    let expected = Credentials {
        process: cfg!(any(target_os = "linux", target_vendor = "apple")).then_some(std::process::id()),
        user: Some(rustix::process::geteuid().as_raw()),
        group: Some(rustix::process::getegid().as_raw()),
    };
    assert_eq!(accepted.credentials(), Some(expected));
    assert_eq!(client.credentials(), Some(expected));
    let accepted = remote.adopt(accepted).expect("a first registration");
    assert_eq!(accepted.credentials(), Some(expected));
}
