//! ipc on Windows: named pipes.
#![cfg(windows)]

#[path = "support/machine.rs"]
mod machine;

use std::io::ErrorKind;

use machine::{Machine, Network};
use serverlink_driver::{
    Address, Batch, Event, Kind, ListenOptions, Listener, OsListener, Outer, StreamOptions, Written,
};

fn machine() -> Machine {
    Machine::real(Kind::Iocp, Network::Ipc)
}

fn listener_for(machine: &mut Machine, backlog: u32) -> Listener {
    let address = machine.free_address();
    let options = ListenOptions { backlog, ..ListenOptions::default() };
    machine
        .remote
        .listen(OsListener::bind(&address, &options).expect("a free name"))
        .expect("a first registration")
}

#[test]
fn a_peer_for_whom_there_is_no_room_is_refused_and_may_try_again() {
    let mut machine = machine();
    let listener = listener_for(&mut machine, 1);
    let first = machine.connect(&listener.local_address());
    machine.expect_connected(&first);
    let second = machine.connect(&listener.local_address());
    let key = second.key();
    match machine.expect("a refusal", |event| matches!(event, Event::Connected(of, _) if *of == key)) {
        Event::Connected(_, Err(error)) => assert_eq!(error.kind(), ErrorKind::ConnectionRefused, "{error}"),
        event => panic!("there was no room for {event:?}"),
    }
    let accepted = machine.accept(&listener);
    let third = machine.connect(&listener.local_address());
    machine.expect_connected(&third);
    let server = machine.remote.adopt(accepted).expect("a first registration");
    machine.write_all(&first, vec![7]);
    assert_eq!(machine.read_exactly(&server, 1), [7]);
}

#[test]
fn an_end_belongs_to_the_port_of_its_listener() {
    let outer = Outer::open(Kind::Iocp).expect("the system has ports");
    let mut machine = Machine::under(&outer, Network::Ipc);
    let listener = machine.listener();
    let (client, accepted) = machine.connected(&listener);

    let other_port = self::machine();
    let failure = other_port.remote.adopt(accepted).expect_err("it joined another port");
    assert_eq!(failure.error.kind(), ErrorKind::AlreadyExists);
    assert!(failure.error.to_string().contains(&format!("{:?}", listener.key())), "{}", failure.error);
    assert_eq!(other_port.remote.registration_count(), 0);

    // Another driver of the same port will do.
    let mut same_port = Machine::under(&outer, Network::Ipc);
    let server = same_port.remote.adopt(failure.object).expect("the port that it joined");
    machine.write_all(&client, vec![7]);
    assert_eq!(same_port.read_exactly(&server, 1), [7]);
}

#[test]
fn a_listener_is_opened_again_while_its_connections_live() {
    let mut machine = machine();
    let mut connections = Vec::new();
    let address = machine.free_address();
    for _ in 0..5 {
        let listener = OsListener::bind(&address, &ListenOptions::default()).expect("nobody listens there");
        let listener = machine.remote.listen(listener).expect("a first registration");
        let (client, accepted) = machine.connected(&listener);
        let server = machine.remote.adopt(accepted).expect("a first registration");
        connections.push((client, server));
    }
    for (client, server) in &connections {
        machine.write_all(client, vec![1, 2]);
        assert_eq!(machine.read_exactly(server, 2), [1, 2]);
    }
}

#[test]
fn upper_and_lower_case_name_one_pipe() {
    let mut machine = machine();
    let listener = machine.listener();
    let Address::Ipc(path) = listener.local_address() else { panic!("it is a pipe") };
    let upper = Address::Ipc(path.to_str().expect("a plain path").to_uppercase().into());
    let error = OsListener::bind(&upper, &ListenOptions::default()).expect_err("somebody listens there");
    assert_eq!(error.kind(), ErrorKind::AddrInUse);
    let client = machine.connect(&upper);
    machine.expect_connected(&client);
}

#[test]
fn a_pipe_may_be_named_directly() {
    let mut machine = machine();
    let address = Address::Ipc(format!(r"\\.\pipe\serverlink-test-{}", std::process::id()).into());
    let listener = OsListener::bind(&address, &ListenOptions::default()).expect("a free name");
    let listener = machine.remote.listen(listener).expect("a first registration");
    assert_eq!(listener.local_address(), address);
    let (client, accepted) = machine.connected(&listener);
    let server = machine.remote.adopt(accepted).expect("a first registration");
    // More than a pipe holds, in many pieces.
    let sent: Vec<u8> = (0..300_000).map(|i| (i % 253) as u8).collect();
    let mut batch = Batch::new();
    sent.chunks(1000).for_each(|chunk| batch.push(chunk.to_vec()));
    assert!(matches!(client.write(batch), Written::Pending));
    assert_eq!(machine.read_exactly(&server, sent.len()), sent);
    assert_eq!(machine.expect_written(&client).remaining_bytes(), 0);
}

#[test]
fn impossible_paths_say_why() {
    let machine = machine();
    for path in ["", &"x".repeat(300)] {
        let address = Address::Ipc(path.into());
        let bind = OsListener::bind(&address, &ListenOptions::default()).expect_err("no such pipe");
        let connect = machine.remote.connect(&address, &StreamOptions::default()).expect_err("no such pipe");
        assert_eq!((bind.kind(), connect.kind()), (ErrorKind::InvalidInput, ErrorKind::InvalidInput));
    }
}
