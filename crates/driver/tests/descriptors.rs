//! What happens to descriptors. They are counted for the whole process, so there is one test, in a process of its own.
#![cfg(target_os = "linux")]

#[path = "support/machine.rs"]
mod machine;

use machine::{Machine, Network};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use serverlink_driver::sim::Faults;
use serverlink_driver::{Event, Kind, Outer};

fn open_descriptors() -> usize {
    std::fs::read_dir("/proc/self/fd").expect("proc is mounted").count()
}

#[test]
fn descriptors_are_closed_and_their_lack_is_survived() {
    for network in [Network::V4, Network::V6, Network::Ipc] {
        for kind in [Kind::Epoll, Kind::Polling] {
            everything_is_closed(kind, network);
            lack_keeps_the_connection_waiting(&mut Machine::real(kind, network));
        }
    }
    for completions in [false, true] {
        let faults = Faults { completions, ..Faults::NONE };
        lack_keeps_the_connection_waiting(&mut Machine::simulated(faults, Network::V4));
    }
}

fn everything_is_closed(kind: Kind, network: Network) {
    let before = open_descriptors();
    let mut machine = Machine::real(kind, network);
    let outer = Outer::open(kind).expect("the same back end");
    outer.waker().add(&machine.remote, 1).expect("a new driver");
    let idle = open_descriptors();
    let (client, server) = machine.pair();
    let writer = client.writer();
    client.close();
    assert_eq!(
        open_descriptors(),
        idle + 2,
        "a writer keeps the descriptor, so that no other gets its number"
    );
    drop((writer, server));
    assert_eq!(open_descriptors(), idle);

    let listener = machine.listener();
    let (never_closed, never_adopted) = machine.connected(&listener);
    let never_connected = machine.connect(&listener.local_address());
    drop((never_closed, never_adopted, never_connected, listener));
    assert_eq!(open_descriptors(), idle);
    drop((machine, outer));
    assert_eq!(open_descriptors(), before);
}

fn lack_keeps_the_connection_waiting(machine: &mut Machine) {
    let listener = machine.listener();
    let client = machine.connect(&listener.local_address());
    machine.expect_connected(&client);
    machine.expect("a connection to accept", |event| matches!(event, Event::Acceptable(_)));

    let normal = getrlimit(Resource::Nofile);
    match &machine.world {
        Some(world) => world.set_descriptor_limit(Some(world.descriptor_count())),
        None => {
            // Below the highest descriptor in use: nothing can be opened any more.
            setrlimit(Resource::Nofile, Rlimit { current: Some(3), maximum: normal.maximum })
                .expect("lowering is allowed");
        }
    }
    let outcomes: Vec<_> = (0..2).map(|_| listener.accept()).collect();
    let attempt = machine.remote.connect(&listener.local_address(), &Default::default());
    match &machine.world {
        Some(world) => world.set_descriptor_limit(None),
        None => setrlimit(Resource::Nofile, normal).expect("back to where it was"),
    }
    for outcome in outcomes {
        assert_eq!(outcome.expect_err("no descriptors").raw_os_error(), Some(24));
    }
    assert_eq!(attempt.expect_err("no descriptors").raw_os_error(), Some(24));

    let (accepted, _) = listener.accept().expect("descriptors again").expect("it waited");
    let server = machine.remote.adopt(accepted).expect("a first registration");
    machine.write_all(&client, vec![7]);
    assert_eq!(machine.read_exactly(&server, 1), [7]);
}
