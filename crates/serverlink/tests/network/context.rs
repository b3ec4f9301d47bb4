//! On which threads a context's sockets live.

use serverlink::{Context, Error, SocketType};

use crate::place::brisk;

#[test]
fn a_socket_lives_on_the_threads_of_its_mask() {
    let context = Context::builder().io_threads(3).build().expect("a context");
    let mut sockets = Vec::new();
    let mut threads = Vec::new();
    for mask in [0b100, 0b100, 0b1, 0b110, 0b110, 0b110 | 1 << 40] {
        let socket = brisk(&context, SocketType::Pull, |options| options.affinity = mask);
        socket.bind("tcp://127.0.0.1:*").expect("a free port");
        let report = context.report();
        let newest = report.reactors.iter().find(|reactor| {
            reactor
                .listeners
                .iter()
                .any(|listener| Some(&listener.endpoint) == socket.last_endpoint().as_ref())
        });
        let thread = newest.expect("it listens").io_thread;
        assert!(mask >> thread & 1 == 1, "{mask:b} on {thread}");
        threads.push(thread);
        sockets.push(socket);
    }
    assert_eq!(threads[..3], [2, 2, 0]);
    assert!(threads[3..].contains(&1) && threads[3..].contains(&2), "they take turns: {threads:?}");
}

#[test]
fn a_mask_without_a_thread_is_refused() {
    let context = Context::builder().io_threads(2).build().expect("a context");
    let socket = brisk(&context, SocketType::Pair, |options| options.affinity = 0b100);
    for outcome in [socket.bind("tcp://127.0.0.1:*").map(drop), socket.connect("tcp://127.0.0.1:9")] {
        match outcome {
            Err(Error::InvalidOption { option: "affinity", value, .. }) => assert_eq!(value, "0x4"),
            other => panic!("{other:?}"),
        }
    }
    socket.bind("inproc://anywhere").expect("that needs no thread");
}

#[cfg(target_os = "linux")]
#[test]
fn threads_have_their_name_and_their_processors() {
    use std::fs;
    let context =
        Context::builder().io_threads(2).thread_name_prefix("weather").io_thread_processors([0]).build();
    let context = match context {
        Ok(context) => context,
        Err(error) => return eprintln!("skipped: this process may not run on processor 0: {error}"),
    };
    let threads =
        fs::read_dir("/proc/self/task").expect("Linux tells").map(|entry| entry.expect("a thread").path());
    let ours: Vec<_> = threads
        .filter(|thread| {
            fs::read_to_string(thread.join("comm")).is_ok_and(|name| name.starts_with("weather-io-"))
        })
        .collect();
    assert_eq!(ours.len(), 2);
    for thread in ours {
        let status = fs::read_to_string(thread.join("status")).expect("Linux tells");
        let allowed = status.lines().find(|line| line.starts_with("Cpus_allowed_list")).expect("a line");
        assert!(allowed.ends_with("\t0"), "{allowed}");
    }
    drop(context);
}

#[test]
fn impossible_threads_are_refused() {
    let refused = |builder: serverlink::ContextBuilder| match builder.build() {
        Err(error @ Error::InvalidOption { .. }) => error.to_string(),
        other => panic!("{:?}", other.map(drop)),
    };
    assert!(refused(Context::builder().thread_name_prefix("")).contains("thread_name_prefix"));
    assert!(refused(Context::builder().thread_name_prefix("ten-bytes-")).contains("1 to 9 bytes"));
    assert!(refused(Context::builder().io_thread_processors([100_000])).contains("100000"));
}
