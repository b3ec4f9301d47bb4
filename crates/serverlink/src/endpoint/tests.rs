use proptest::prelude::*;

use super::*;

fn parsed(text: &str) -> Endpoint {
    text.parse().unwrap_or_else(|error| panic!("{text} was refused: {error}"))
}

fn refusal(text: &str) -> String {
    match text.parse::<Endpoint>() {
        Ok(endpoint) => panic!("{text} was taken as {endpoint:?}"),
        Err(error) => error.to_string(),
    }
}

#[test]
fn tcp_endpoints_come_apart_into_host_and_port() {
    let tcp = |host, port| Endpoint::Tcp { source: None, host, port };
    assert_eq!(parsed("tcp://*:*"), tcp(Host::Any, Port::Any));
    assert_eq!(parsed("tcp://*:0"), tcp(Host::Any, Port::Any));
    assert_eq!(parsed("tcp://127.0.0.1:5555"), tcp(Host::Ip([127, 0, 0, 1].into()), Port::Number(5555)));
    assert_eq!(parsed("tcp://[::1]:65535"), tcp(Host::Ip("::1".parse().unwrap()), Port::Number(65535)));
    assert_eq!(
        parsed("tcp://feed.example.org:1"),
        tcp(Host::Name("feed.example.org".into()), Port::Number(1))
    );
    assert_eq!(parsed("tcp://eth0:5555"), tcp(Host::Name("eth0".into()), Port::Number(5555)));
    assert_eq!(parsed("tcp://[fe80::1%eth0]:7"), tcp(Host::Name("fe80::1%eth0".into()), Port::Number(7)));
}

#[test]
fn a_source_stands_before_the_peer() {
    let Endpoint::Tcp { source: Some(source), host, port } = parsed("tcp://eth0:0;[::1]:5") else {
        panic!("it has a source")
    };
    assert_eq!(*source, SourceAddress { host: Host::Name("eth0".into()), port: Port::Any });
    assert_eq!((host, port), (Host::Ip("::1".parse().unwrap()), Port::Number(5)));
    assert!(parsed("tcp://*:*;host:5").check_connectable().is_ok(), "the source may be any");
    assert!(parsed("tcp://*:*;*:5").check_connectable().is_err());
    assert!(parsed("tcp://*:*;host:5").check_bindable().is_err());
}

#[cfg(target_os = "linux")]
#[test]
fn abstract_names_are_endpoints() {
    assert_eq!(parsed("ipc://@feed"), Endpoint::Ipc("@feed".into()));
    assert_eq!(parsed("ipc://@feed").to_string(), "ipc://@feed");
    assert!(parsed("ipc://@feed").check_connectable().is_ok());
}

#[cfg(not(target_os = "linux"))]
#[test]
fn abstract_names_are_for_linux() {
    assert!(refusal("ipc://@feed").contains("Linux"));
}

#[test]
fn every_good_endpoint_prints_as_it_was_written() {
    for text in [
        "tcp://*:*",
        "tcp://[::]:80",
        "tcp://[fe80::1%eth0]:7",
        "tcp://büro:9",
        "ipc:///run/x.sock",
        r"ipc://C:\dir\x.sock",
        "ipc://C:/dir/x.sock",
        r"ipc://\\.\pipe\x",
        "inproc://a b/c",
        "ipc://*",
        "tcp://10.0.0.1:*;10.0.0.2:2",
        "tcp://*:7;host:2",
        "tcp://[fe80::1%eth0]:7;[fe80::2%eth0]:8",
        "tcp://eth0:*;host:2",
        "udp://*:5555",
        "udp://239.0.0.1:5555",
        "udp://10.0.0.1;239.0.0.1:5555",
        "udp://*;[ff02::1]:*",
        "udp://eth0;group.example.org:1",
    ] {
        assert_eq!(parsed(text).to_string(), text);
    }
}

#[test]
fn refusals_say_what_to_write_instead() {
    let expected = [
        ("localhost:5555", "tcp://localhost:5555"),
        ("udp://localhost", "udp://localhost:5555"),
        ("udp://eth0;10.0.0.1:5", "groups of multicast"),
        ("udp://;239.0.0.1:5", "network interface"),
        ("udp://::1:5", "[::1]"),
        ("pgm://eth0;239.192.1.1:5555", "there are tcp, ipc, inproc and udp"),
        ("tcp://localhost", "tcp://localhost:5555"),
        ("tcp://[::1]", "tcp://[::1]:5555"),
        ("tcp://:5555", "`*` to bind every address"),
        ("tcp://::1:5555", "[::1]"),
        ("tcp://[::1:5555", "not closed"),
        ("tcp://[zz]:5555", "not an IPv6 address"),
        ("tcp://[fe80::1%]:5", "network interface"),
        ("tcp://300.1.1.1:5", "four numbers"),
        ("tcp://a b:5", "not a host name"),
        ("tcp://localhost:65536", "up to 65535"),
        ("tcp://localhost:+5", "up to 65535"),
        ("tcp://localhost:", "up to 65535"),
        ("tcp://10.0.0.1;10.0.0.2:2", "source address"),
        ("tcp://[::1];[::2]:2", "names no port"),
        ("tcp://;10.0.0.2:2", "source address"),
        ("tcp://10.0.0.1:1;10.0.0.2;10.0.0.3:3", "not a host name"),
        ("ipc://", "names no path"),
        ("ipc://@", "no name behind the @"),
        ("ipc://a\0b", "zero byte"),
        ("inproc://", "no name"),
        ("", "names no transport"),
    ];
    for (text, part) in expected {
        let sentence = refusal(text);
        assert!(sentence.contains(part), "{text:?}: {sentence}");
    }
}

#[test]
fn names_and_paths_end_at_their_limits() {
    let long = |prefix: &str, n| format!("{prefix}{}", "x".repeat(n));
    parsed(&long("inproc://", Endpoint::MAX_INPROC_NAME_BYTES));
    refusal(&long("inproc://", Endpoint::MAX_INPROC_NAME_BYTES + 1));
    parsed(&long("ipc://", Endpoint::MAX_IPC_PATH_BYTES));
    refusal(&long("ipc://", Endpoint::MAX_IPC_PATH_BYTES + 1));
    refusal(&format!("tcp://{}:1", "x".repeat(254)));
}

#[test]
fn wildcards_are_for_binding() {
    for text in
        ["tcp://*:5555", "tcp://localhost:*", "tcp://localhost:0", "ipc://*", "udp://*:5555", "udp://host:*"]
    {
        assert!(parsed(text).check_connectable().is_err(), "{text}");
    }
    for text in ["tcp://localhost:5555", "ipc://x", "inproc://x"] {
        assert!(parsed(text).check_connectable().is_ok(), "{text}");
    }
}

fn tcp_like() -> impl Strategy<Value = String> {
    let address = prop::collection::vec(
        prop::sample::select(vec!['[', ']', ':', '.', '*', '%', '0', '1', '9', 'a', 'f', '-', ' ', ';']),
        0..24,
    );
    (prop::sample::select(vec!["tcp", "udp"]), address)
        .prop_map(|(transport, chars)| format!("{transport}://{}", chars.into_iter().collect::<String>()))
}

proptest! {
    #[test]
    fn printing_what_was_parsed_parses_to_the_same(text in prop_oneof![tcp_like(), "(tcp|ipc|inproc|udp)://.{0,30}", ".{0,40}"]) {
        if let Ok(endpoint) = text.parse::<Endpoint>() {
            prop_assert_eq!(endpoint.to_string().parse::<Endpoint>().ok(), Some(endpoint));
        }
    }

    #[test]
    fn every_address_and_port_survives_the_way_through_text(address: IpAddr, number in 1u16..) {
        let endpoint = Endpoint::Tcp { source: None, host: Host::Ip(address), port: Port::Number(number) };
        prop_assert_eq!(parsed(&endpoint.to_string()), endpoint);
    }
}
