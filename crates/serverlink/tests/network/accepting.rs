//! Whom a listener lets in, and how many.

use std::time::Duration;

use serverlink::sim::{Faults, Simulation};
use serverlink::{AcceptFilter, Context, EventKind, Options, Socket, SocketType};

use crate::place::{PATIENCE, Place, Transport, brisk, eventually};
use crate::{expect_event, recv, send};

#[cfg_attr(
    not(any(target_os = "linux", windows)),
    allow(dead_code, reason = "the tests for it need more of loopback")
)]
fn filtered(context: &Context, filters: &[AcceptFilter]) -> Socket {
    brisk(context, SocketType::Pull, |options| options.accept_filters = filters.to_vec())
}

/// Loopback has many addresses there.
#[cfg(any(target_os = "linux", windows))]
#[test]
fn who_is_in_no_network_is_closed_unread() {
    let context = Context::new().expect("a context");
    let pull = filtered(&context, &["127.5.0.0/16".parse().expect("a network"), AcceptFilter::User(1)]);
    let monitor = pull.monitor();
    let bound = pull.bind("tcp://127.0.0.1:*").expect("a free port").to_string();
    let target = bound.strip_prefix("tcp://").expect("tcp");

    let stranger = brisk(&context, SocketType::Push, |_| {});
    stranger.connect(&format!("tcp://127.6.0.1:0;{target}")).expect("connecting");
    let reason = expect_event!(&monitor, EventKind::AcceptFiltered { reason, .. } => reason);
    assert_eq!(reason, "no accept filter lets 127.6.0.1 in");
    assert!(pull.stats().filtered > 0);
    drop(stranger);

    let member = brisk(&context, SocketType::Push, |_| {});
    member.connect(&format!("tcp://127.5.9.9:0;{target}")).expect("connecting");
    crate::exchange(&member, &pull, "let in");
    crate::never_told(&monitor, |event| matches!(event, EventKind::HandshakeFailed { .. }));
}

#[cfg(target_os = "linux")]
#[test]
fn an_ipc_peer_is_let_in_by_its_process_user_or_group() {
    let own = {
        let (place, context) = (Place::new(Transport::Ipc), Context::new().expect("a context"));
        let (pull, push) =
            (brisk(&context, SocketType::Pull, |_| {}), brisk(&context, SocketType::Push, |_| {}));
        push.connect(&pull.bind(&place.endpoint()).expect("a path").to_string()).expect("connecting");
        pull.wait_for_peers(1, PATIENCE).expect("a connection");
        pull.connections()[0].peer_credentials.expect("the system tells")
    };
    let (process, user, group) = (own.process.unwrap(), own.user.unwrap(), own.group.unwrap());
    let network = "10.0.0.0/8".parse().expect("a network");
    let good: [&[AcceptFilter]; 5] = [
        &[AcceptFilter::Process(process)],
        &[AcceptFilter::User(user + 1), AcceptFilter::User(user)],
        &[AcceptFilter::Group(group)],
        &[AcceptFilter::Process(process + 1), AcceptFilter::Group(group)],
        &[network],
    ];
    let bad: [&[AcceptFilter]; 3] = [
        &[AcceptFilter::Process(process + 1)],
        &[AcceptFilter::User(user + 1), network],
        &[AcceptFilter::Group(4_000_000_001)],
    ];
    for filters in good {
        let (place, context) = (Place::new(Transport::Ipc), Context::new().expect("a context"));
        let (pull, push) = (filtered(&context, filters), brisk(&context, SocketType::Push, |_| {}));
        push.connect(&pull.bind(&place.endpoint()).expect("a path").to_string()).expect("connecting");
        crate::exchange(&push, &pull, "let in");
        assert_eq!(pull.stats().filtered, 0);
    }
    for filters in bad {
        let (place, context) = (Place::new(Transport::Ipc), Context::new().expect("a context"));
        let (pull, push) = (filtered(&context, filters), brisk(&context, SocketType::Push, |_| {}));
        let monitor = pull.monitor();
        push.connect(&pull.bind(&place.endpoint()).expect("a path").to_string()).expect("connecting");
        let reason = expect_event!(&monitor, EventKind::AcceptFiltered { reason, .. } => reason);
        assert!(reason.contains(&format!("process {process} of user {user}")), "{reason}");
        assert_eq!(pull.stats().peers, 0);
    }
}

/// Those who find no room wait in the system's queue and get in, one for each that leaves.
#[test]
fn a_full_socket_lets_in_whoever_comes_when_one_leaves() {
    for transport in [Transport::Tcp, Transport::Ipc] {
        let (place, context) = (Place::new(transport), Context::new().expect("a context"));
        let pull = brisk(&context, SocketType::Pull, |options| options.max_connections = 2);
        let monitor = pull.monitor();
        let endpoint = pull.bind(&place.endpoint()).expect("a free endpoint").to_string();
        let mut pushes: Vec<Socket> = Vec::new();
        for number in 0..5 {
            let push = brisk(&context, SocketType::Push, |_| {});
            push.connect(&endpoint).expect("connecting");
            if number < 2 {
                crate::exchange(&push, &pull, &number.to_string());
            }
            pushes.push(push);
        }
        let reason = expect_event!(&monitor, EventKind::AcceptPaused { reason, .. } => reason);
        assert!(reason.contains("max_connections"), "{reason}");
        assert_eq!(pull.stats().peers, 2);
        for (number, push) in pushes.iter().enumerate().skip(2) {
            send(push, &number.to_string());
        }
        // Two at a time, whoever they are: each that is through makes room for the next.
        let mut came = Vec::new();
        drop(pushes.drain(..2));
        while came.len() < 3 {
            came.push(recv(&pull));
            let open = pull.connections().len();
            assert!(open <= 2, "{open} connections");
            // Closing writes what was sent; those that are still outside get in behind it.
            pushes.pop();
        }
        came.sort();
        assert_eq!(came, ["2", "3", "4"]);
        expect_event!(&monitor, EventKind::AcceptResumed { .. } => ());
        eventually("all have left", || pull.stats().peers == 0);
    }
}

#[test]
fn no_limit_is_no_limit() {
    let (place, context) = (Place::new(Transport::Tcp), Context::new().expect("a context"));
    let pull = brisk(&context, SocketType::Pull, |options| options.max_connections = 0);
    let endpoint = pull.bind(&place.endpoint()).expect("a free endpoint").to_string();
    let push = brisk(&context, SocketType::Push, |_| {});
    (0..10).for_each(|_| push.connect(&endpoint).expect("connecting"));
    pull.wait_for_peers(10, PATIENCE).expect("all of them");
}

/// They say nothing. Each has its time for the handshake, no more of them are open than the limit allows, and an honest peer gets in.
#[test]
fn ten_thousand_silent_connections_of_one_peer_keep_nobody_out() {
    for completions in [false, true] {
        let mut machine = Simulation::new(9, Faults { completions, ..Faults::NONE });
        let context = machine.context();
        let options = Options {
            max_connections: 50,
            backlog: 100,
            handshake_timeout: Duration::from_secs(2),
            ..Options::default()
        };
        let pull = context.pull().options(options).open().expect("a socket");
        let monitor = pull.monitor();
        pull.bind("tcp://10.0.0.1:5555").expect("a free port");
        // A process that stands still: nobody takes what is reported to it.
        let world = machine.world().clone();
        let elsewhere = world.host();
        world.set_suspended(elsewhere, true);
        let driver = world.driver_on(elsewhere);
        let crowds = driver.remote();
        let address = "10.0.0.1:5555".parse().map(serverlink_driver::Address::Tcp).expect("an address");
        let mut crowd = Vec::new();
        for _ in 0..100 {
            let connect = |_| crowds.connect(&address, &Default::default()).expect("an attempt");
            crowd.extend((0..100).map(connect));
            machine.run_for(Duration::from_millis(10));
            assert!(pull.connections().len() <= 50, "{} are open", pull.connections().len());
        }
        let honest = context.push().open().expect("a socket");
        honest.connect("tcp://10.0.0.1:5555").expect("connecting");
        honest.try_send("let in").expect("room");
        let message =
            machine.run(pull.recv_async(), Duration::from_secs(60)).expect("in time").expect("a message");
        assert_eq!(message.first(), "let in");
        // As often as it was full, and not as often as somebody came.
        let (mut paused, mut accepted) = (0, 0);
        while let Some(event) = monitor.try_next() {
            paused += usize::from(matches!(event.kind, EventKind::AcceptPaused { .. }));
            accepted += usize::from(matches!(event.kind, EventKind::Accepted { .. }));
        }
        assert!(paused >= 1 && paused <= accepted, "{paused} pauses for {accepted} connections");
        drop(crowd);
    }
}
