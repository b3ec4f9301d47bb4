//! Where sockets listen, and where their connections come from.

use serverlink::{Context, Endpoint, PeerCredentials, SocketType};

use crate::exchange;
use crate::place::{PATIENCE, Place, Transport, brisk};

#[cfg(target_os = "linux")]
#[test]
fn an_abstract_name_is_listened_on_and_reported() {
    let context = Context::new().expect("a context");
    let endpoint = format!("ipc://@serverlink-test-{}", std::process::id());
    let (pull, push) = (brisk(&context, SocketType::Pull, |_| {}), brisk(&context, SocketType::Push, |_| {}));
    assert_eq!(pull.bind(&endpoint).expect("a free name").to_string(), endpoint);
    assert_eq!(pull.last_endpoint().expect("it is bound").to_string(), endpoint);
    push.connect(&endpoint).expect("connecting");
    exchange(&push, &pull, "without a file");
    assert_eq!(context.report().listeners().next().expect("it listens").endpoint.to_string(), endpoint);
    assert!(!std::path::Path::new(&endpoint["ipc://".len()..]).exists());
    let taken = brisk(&context, SocketType::Pull, |_| {}).bind(&endpoint).expect_err("it has an owner");
    assert!(matches!(taken, serverlink::Error::AddressInUse { .. }), "{taken}");
    pull.unbind(&endpoint).expect("it is bound");
    brisk(&context, SocketType::Pull, |_| {}).bind(&endpoint).expect("a free name again");
}

#[test]
fn a_fresh_path_is_told_and_gone_with_its_listener() {
    let context = Context::new().expect("a context");
    let pull = brisk(&context, SocketType::Pull, |_| {});
    let endpoint = pull.bind("ipc://*").expect("a place for files");
    let other = pull.bind("ipc://*").expect("a place for files");
    assert_ne!(endpoint, other);
    let push = brisk(&context, SocketType::Push, |_| {});
    push.connect(&endpoint.to_string()).expect("connecting");
    exchange(&push, &pull, "found");
    pull.unbind(&endpoint.to_string()).expect("it is bound");
    let Endpoint::Ipc(path) = endpoint else { panic!("{endpoint}") };
    assert!(!path.parent().expect("a directory").join("socket").exists());
    #[cfg(unix)]
    assert!(!path.parent().expect("a directory").exists());
    assert!(push.connect("ipc://*").expect_err("it names nobody").to_string().contains("`*` is for binding"));
}

#[test]
fn both_ends_of_an_ipc_connection_know_each_others_process() {
    let (place, context) = (Place::new(Transport::Ipc), Context::new().expect("a context"));
    let (pull, push) = (brisk(&context, SocketType::Pull, |_| {}), brisk(&context, SocketType::Push, |_| {}));
    let endpoint = pull.bind(&place.endpoint()).expect("a free path").to_string();
    push.connect(&endpoint).expect("connecting");
    pull.wait_for_peers(1, PATIENCE).expect("a connection");
    push.wait_for_peers(1, PATIENCE).expect("a connection");
    for socket in [&pull, &push] {
        let PeerCredentials { process, user, .. } =
            socket.connections()[0].peer_credentials.expect("the system tells");
        if cfg!(any(target_os = "linux", windows)) {
            assert_eq!(process, Some(std::process::id()));
        }
        assert_eq!(user.is_some(), cfg!(unix));
    }
    let tcp = pull.bind("tcp://127.0.0.1:*").expect("a free port").to_string();
    push.disconnect(&endpoint).expect("it is connected");
    push.connect(&tcp).expect("connecting");
    push.wait_for_peers(1, PATIENCE).expect("a connection");
    assert_eq!(push.connections()[0].peer_credentials, None);
}

/// Linux and Windows have many loopback addresses.
#[cfg(any(target_os = "linux", windows))]
#[test]
fn a_connection_comes_from_its_source() {
    let context = Context::new().expect("a context");
    let pull = brisk(&context, SocketType::Pull, |_| {});
    let bound = pull.bind("tcp://127.0.0.1:*").expect("a free port").to_string();
    let target = bound.strip_prefix("tcp://").expect("tcp");
    let push = brisk(&context, SocketType::Push, |_| {});
    let endpoint = format!("tcp://127.9.8.7:0;{target}");
    push.connect(&endpoint).expect("connecting");
    exchange(&push, &pull, "from there");
    let peer = pull.connections()[0].peer_address.clone().expect("tcp peers have addresses").to_string();
    assert!(peer.starts_with("tcp://127.9.8.7:"), "{peer}");
    assert_eq!(push.last_endpoint().expect("it is connected").to_string(), endpoint.replace(":0;", ":*;"));
    push.disconnect(&endpoint).expect("it is connected");
    assert!(
        pull.bind(&endpoint).expect_err("a listener has no source").to_string().contains("for connecting")
    );
}

/// A source that is not of this machine is an attempt that fails, with a reason that names it.
#[test]
fn a_source_of_another_machine_is_told() {
    let context = Context::new().expect("a context");
    let push = brisk(&context, SocketType::Push, |_| {});
    let monitor = push.monitor();
    push.connect("tcp://192.0.2.77:0;127.0.0.1:9").expect("it is well-formed");
    let trouble = crate::expect_event!(&monitor, serverlink::EventKind::Retrying { trouble, .. } => trouble);
    assert!(trouble.contains("192.0.2.77"), "{trouble}");
    push.connect("tcp://[::1]:0;127.0.0.1:9").expect("it is well-formed");
    let trouble = crate::expect_event!(&monitor, serverlink::EventKind::Retrying { trouble, endpoint, .. }
        if endpoint.to_string().contains("::1") => trouble);
    assert!(trouble.contains("family"), "{trouble}");
}

// Windows is not asked for its interfaces.
#[cfg(unix)]
#[test]
fn a_network_interface_is_a_place_to_listen_and_to_come_from() {
    let name = if cfg!(any(target_os = "linux", target_os = "android")) { "lo" } else { "lo0" };
    let context = Context::new().expect("a context");
    let pull = brisk(&context, SocketType::Pull, |_| {});
    let bound = pull.bind(&format!("tcp://{name}:*")).expect("it has an address").to_string();
    assert!(bound.starts_with("tcp://127.0.0.1:"), "{bound}");
    let push = brisk(&context, SocketType::Push, |_| {});
    push.connect(&format!("tcp://{name}:0;{}", &bound["tcp://".len()..])).expect("connecting");
    exchange(&push, &pull, "over the interface");
}

// On Windows a path is the name of a pipe and no file.
#[cfg(unix)]
#[test]
fn what_is_wrong_with_a_path_is_a_sentence() {
    let (place, context) = (Place::new(Transport::Ipc), Context::new().expect("a context"));
    let endpoint = place.endpoint();
    let path = endpoint.strip_prefix("ipc://").expect("ipc");
    std::fs::write(path, "precious").expect("a directory that may be written");
    let pull = brisk(&context, SocketType::Pull, |_| {});
    let error = pull.bind(&endpoint).expect_err("a file is there").to_string();
    assert!(error.contains("is there and is no socket"), "{error}");
    assert_eq!(std::fs::read_to_string(path).expect("it is still there"), "precious");
    let error = pull.bind(&format!("{endpoint}-missing/x.sock")).expect_err("no such directory").to_string();
    assert!(error.contains("make it first"), "{error}");
}
