//! Options of tcp: each reaches the connections on both sides. What the system makes of them is the driver's test.

use std::time::Duration;

use serverlink::sim::{Faults, Simulation};
use serverlink::{Context, Options, SocketType, TcpOptions};

use crate::place::brisk;

fn all() -> TcpOptions {
    TcpOptions {
        keepalive: Some(true),
        keepalive_idle: Some(Duration::from_secs(60)),
        keepalive_interval: Some(Duration::from_secs(5)),
        keepalive_count: Some(3),
        user_timeout: Some(Duration::from_secs(9)),
        type_of_service: Some(16),
        priority: Some(4),
        device: Some("eth7".into()),
        busy_poll: Some(Duration::from_micros(40)),
    }
}

#[test]
fn dialed_and_accepted_connections_are_told_all_of_them() {
    let mut machine = Simulation::new(3, Faults::NONE);
    let context = machine.context();
    let options = Options { tcp: all(), ..Options::default() };
    let pull = context.pull().options(options.clone()).open().expect("a socket");
    pull.bind("tcp://10.0.0.1:5555").expect("a free port");
    let push = context.push().options(options).open().expect("a socket");
    push.connect("tcp://10.0.0.9:4444;10.0.0.1:5555").expect("connecting");
    machine.run_for(Duration::from_millis(5));
    let told = machine.world().stream_options();
    assert_eq!(told.len(), 2, "both ends");
    for (local, remote, options) in &told {
        let tcp = TcpOptions {
            keepalive: options.keepalive,
            keepalive_idle: options.keepalive_idle,
            keepalive_interval: options.keepalive_interval,
            keepalive_count: options.keepalive_count,
            user_timeout: options.user_timeout,
            type_of_service: options.type_of_service,
            priority: options.priority,
            device: options.device.clone(),
            busy_poll: options.busy_poll,
        };
        assert_eq!(tcp, all(), "{local:?} to {remote:?}");
        let ends = [local, remote].map(|end| end.as_ref().expect("tcp ends have names").to_string());
        assert!(ends.contains(&"10.0.0.9:4444".to_owned()), "{ends:?}");
    }
}

/// At once, and not as an attempt that fails for ever.
#[test]
fn what_the_system_does_not_take_is_refused_when_binding_and_connecting() {
    let context = Context::new().expect("a context");
    let socket = brisk(&context, SocketType::Pair, |options| options.tcp.device = Some("nowhere0".into()));
    for outcome in [socket.bind("tcp://127.0.0.1:*").map(drop), socket.connect("tcp://127.0.0.1:9")] {
        let sentence = outcome.expect_err("there is no such device, or none can be chosen").to_string();
        assert!(sentence.contains("127.0.0.1") && sentence.contains("device"), "{sentence}");
    }
    assert_eq!(socket.connections(), []);
    assert!(socket.last_endpoint().is_none(), "nothing was done");
    // They are for tcp alone.
    socket.bind("inproc://anywhere").expect("no device is needed");
    socket.bind("ipc://*").expect("no device is needed");
}

#[test]
fn a_connection_has_time_for_its_handshake_beside_the_time_to_connect() {
    let mut machine = Simulation::new(3, Faults::NONE);
    let context = machine.context();
    let options = Options {
        connect_timeout: Some(Duration::from_secs(1)),
        handshake_timeout: Duration::from_secs(10),
        ..Options::default()
    };
    let push = context.push().options(options).open().expect("a socket");
    let monitor = push.monitor();
    // Nobody answers.
    machine.world().set_frozen(true);
    push.connect("tcp://10.0.0.1:5555").expect("connecting");
    machine.run_for(Duration::from_millis(900));
    assert_eq!(monitor.try_next(), None);
    machine.run_for(Duration::from_millis(200));
    let reason =
        crate::expect_event!(&monitor, serverlink::EventKind::HandshakeFailed { reason, .. } => reason);
    assert!(reason.contains("connect_timeout"), "{reason}");
    machine.world().set_frozen(false);
    // Somebody answers and says nothing.
    let mut driver = machine.world().driver();
    let address = "10.0.0.1:5555".parse().map(serverlink_driver::Address::Tcp).expect("an address");
    let silent = driver.remote().bind(&address, &Default::default()).expect("a free port");
    machine.run_for(Duration::from_secs(3));
    crate::expect_event!(&monitor, serverlink::EventKind::Connected { .. } => ());
    assert_eq!(monitor.try_next(), None, "the handshake has more time");
    machine.run_for(Duration::from_secs(10));
    let reason =
        crate::expect_event!(&monitor, serverlink::EventKind::HandshakeFailed { reason, .. } => reason);
    assert_eq!(reason, "the handshake took too long");
    driver.wait(&mut serverlink_driver::Events::new(), None).expect("it cannot fail");
    drop(silent);
}

/// Every pause is drawn from its whole range, and never so short that a refused port is hammered.
#[test]
fn pauses_vary_over_their_whole_range() {
    let mut machine = Simulation::new(11, Faults::NONE);
    let context = machine.context();
    let (interval, longest) = (Duration::from_millis(100), Duration::from_millis(400));
    let push =
        context.push().reconnect_interval(interval).reconnect_interval_max(longest).open().expect("a socket");
    let monitor = push.monitor();
    push.connect("tcp://10.0.0.1:5555").expect("connecting");
    machine.run_for(Duration::from_secs(100));
    let mut delays = Vec::new();
    while let Some(event) = monitor.try_next() {
        if let serverlink::EventKind::Retrying { delay, attempt, .. } = event.kind {
            let most = (interval * (1 << (attempt - 1).min(2))).min(longest);
            assert!(delay >= interval / 10 && delay <= most, "attempt {attempt}: {delay:?}");
            delays.push(delay);
        }
    }
    assert!(delays.len() > 300, "{} attempts in 100 s", delays.len());
    assert!(delays.iter().any(|delay| *delay < longest / 8), "none is short");
    assert!(delays.iter().any(|delay| *delay > longest * 7 / 8), "none is long");
}
