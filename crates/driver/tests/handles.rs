//! What happens to handles of the system. They are counted for the whole process, so there is one test, in a process of its own.
#![cfg(windows)]

#[path = "support/machine.rs"]
mod machine;

use machine::{Machine, Network};
use serverlink_driver::Kind;
use windows_sys::Win32::System::Threading::{GetCurrentProcess, GetProcessHandleCount};

const CYCLES: usize = 1000;

fn open_handles() -> u32 {
    let mut count = 0;
    // SAFETY: the pseudo handle is always open, and `count` outlives the call.
    let succeeded = unsafe { GetProcessHandleCount(GetCurrentProcess(), &mut count) };
    assert_ne!(succeeded, 0, "the process cannot be asked");
    count
}

#[test]
fn handles_are_closed() {
    for (kind, network) in [
        (Kind::Iocp, Network::V4),
        (Kind::Iocp, Network::V6),
        (Kind::Iocp, Network::Ipc),
        (Kind::Polling, Network::V4),
        (Kind::Polling, Network::V6),
    ] {
        // The first use of a network opens what the system keeps.
        everything_is_closed(kind, network, 1);
        let before = open_handles();
        everything_is_closed(kind, network, CYCLES);
        assert_eq!(open_handles(), before, "{kind} {network:?}");
    }
}

fn everything_is_closed(kind: Kind, network: Network, cycles: usize) {
    let mut machine = Machine::real(kind, network);
    for cycle in 0..cycles {
        let listener = machine.listener();
        let (client, accepted) = machine.connected(&listener);
        let server = machine.remote.adopt(accepted).expect("a first registration");
        if cycle % 2 == 0 {
            machine.write_all(&client, vec![1]);
            machine.read_exactly(&server, 1);
        }
        let attempt = machine.connect(&listener.local_address());
        let keys = [client.key(), server.key(), attempt.key(), listener.key()];
        client.close();
        drop((server, attempt, listener));
        keys.into_iter().for_each(|key| machine.expect_closed(key));
        assert_eq!(machine.remote.registration_count(), 0);
    }
    let listener = machine.listener();
    let never_taken = machine.connect(&listener.local_address());
    machine.expect_connected(&never_taken);
    let (never_closed, never_adopted) = machine.connected(&listener);
    drop((never_closed, never_adopted, never_taken, listener));
}
