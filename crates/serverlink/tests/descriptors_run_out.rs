//! The process has no descriptors left, for a while: whoever is connected notices nothing, whoever is not gets in when there are some
//! again, and the monitors tell. A binary of its own, because the limit is the whole process's.
#![cfg(unix)]

use serverlink::{Context, EventKind, Socket, SocketType};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

#[path = "support/place.rs"]
mod place;

use place::{PATIENCE, Place, Transport, brisk, in_time, wait_for};

const NEWCOMERS: usize = 20;

fn set_limit(descriptors: Option<u64>) {
    let maximum = getrlimit(Resource::Nofile).maximum;
    setrlimit(Resource::Nofile, Rlimit { current: descriptors, maximum }).expect("a limit below the highest");
}

/// The lowest number that is free: with this as the limit there is no other.
fn next_descriptor() -> u64 {
    use std::os::fd::AsRawFd;
    let probe = std::fs::File::open("/dev/null").expect("every system has it");
    u64::try_from(probe.as_raw_fd()).expect("descriptors are positive")
}

fn exchange(pull: &Socket, push: &Socket, text: &str) {
    push.send_deadline(text, in_time()).expect("room");
    let message = pull.recv_deadline(in_time()).expect("a message");
    assert_eq!(message.first(), text);
}

/// Over both transports in one test: the limit is everybody's.
#[test]
fn a_process_without_descriptors_recovers() {
    let usual = getrlimit(Resource::Nofile).current;
    for transport in [Transport::Tcp, Transport::Ipc] {
        let place = Place::new(transport);
        let context = Context::new().expect("a context");
        let pull = brisk(&context, SocketType::Pull, |_| {});
        let accepting = pull.monitor();
        let endpoint = pull.bind(&place.endpoint()).expect("a free endpoint").to_string();
        let early = brisk(&context, SocketType::Push, |_| {});
        let dialing = early.monitor();
        early.connect(&endpoint).expect("connecting");
        exchange(&pull, &early, "before");

        // Room for one end of a connection and not for the other: first accepting fails, then dialing.
        set_limit(Some(next_descriptor() + 1));
        for _ in 0..NEWCOMERS {
            early.connect(&endpoint).expect("an attempt that fails is made again");
        }
        wait_for(&accepting, "a refusal of the system", |event| {
            matches!(event, EventKind::AcceptPaused { .. }).then_some(())
        });
        let trouble = wait_for(&dialing, "a refusal of the system", |event| match event {
            EventKind::Retrying { trouble, .. } => Some(trouble),
            _ => None,
        });
        assert!(!trouble.is_empty());
        exchange(&pull, &early, "meanwhile");

        set_limit(usual);
        pull.wait_for_peers(1 + NEWCOMERS, PATIENCE).expect("everybody gets in");
        // Each pause is told once, and so is its end: they alternate, however often the system was asked in between.
        let mut paused = true;
        while let Some(event) = accepting.try_next() {
            match event.kind {
                EventKind::AcceptPaused { .. } => {
                    assert!(!std::mem::replace(&mut paused, true), "told twice")
                }
                EventKind::AcceptResumed { .. } => assert!(std::mem::take(&mut paused), "it had not paused"),
                _ => {}
            }
        }
        assert!(!paused, "everybody got in, and the end of the pause was not told");
        exchange(&pull, &early, "after");
        drop((pull, early));
        context.terminate(PATIENCE).expect("descriptors that come back later would be room for the next");
    }
}
