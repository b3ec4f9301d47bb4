//! Addresses that both libraries write the same way: sources, wildcards, and abstract names.

use std::sync::atomic::{AtomicUsize, Ordering};

use serverlink::{Context, SocketType};

use crate::ends::{Library, PATIENCE, parts};

fn exchange(library: Library, to_bind: &str, to_connect: impl Fn(&str) -> String) {
    let pull = library.open(SocketType::Pull);
    let push = library.other().open(SocketType::Push);
    let bound = pull.bind(to_bind);
    push.connect(&to_connect(&bound));
    push.send(&parts(["over", to_bind]));
    assert_eq!(pull.recv(), parts(["over", to_bind]), "{library:?} bound {bound}");
}

#[cfg(target_os = "linux")]
#[test]
fn abstract_names_mean_the_same_to_both() {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    for library in Library::BOTH {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let endpoint = format!("ipc://@serverlink-interop-{}-{number}", std::process::id());
        exchange(library, &endpoint, |bound| {
            assert_eq!(bound, endpoint);
            endpoint.clone()
        });
    }
}

#[test]
fn a_fresh_path_can_be_connected_to_by_the_other() {
    for library in Library::BOTH {
        exchange(library, "ipc://*", |bound| {
            assert_ne!(bound, "ipc://*");
            bound.to_owned()
        });
    }
}

#[cfg(target_os = "linux")]
#[test]
fn sources_are_written_the_same_way() {
    for library in Library::BOTH {
        exchange(library, "tcp://127.0.0.1:*", |bound| {
            format!("tcp://127.44.0.1:0;{}", bound.strip_prefix("tcp://").expect("tcp"))
        });
    }
}

#[cfg(target_os = "linux")]
#[test]
fn each_sees_the_source_of_the_other() {
    // Ours comes from its source to libzmq.
    let theirs = zmq::Context::new().socket(zmq::PULL).expect("a libzmq socket");
    theirs.set_rcvtimeo(PATIENCE.as_millis() as i32).expect("a valid option");
    theirs.bind("tcp://127.0.0.1:*").expect("a free port");
    let bound = theirs.get_last_endpoint().expect("bound").expect("endpoints are text");
    let context = Context::new().expect("a context");
    let push = context.push().open().expect("a socket");
    push.connect(&format!("tcp://127.44.0.2:0;{}", &bound["tcp://".len()..])).expect("connecting");
    push.send("from there").expect("sending");
    let mut message = theirs.recv_msg(0).expect("a message");
    assert_eq!(message.gets("Peer-Address"), Some("127.44.0.2"));

    // libzmq's comes from its source to ours.
    let pull = context.pull().open().expect("a socket");
    let bound = pull.bind("tcp://127.0.0.1:*").expect("a free port").to_string();
    let theirs = zmq::Context::new().socket(zmq::PUSH).expect("a libzmq socket");
    theirs.connect(&format!("tcp://127.44.0.3:0;{}", &bound["tcp://".len()..])).expect("connecting");
    pull.wait_for_peers(1, PATIENCE).expect("libzmq's handshake");
    let peer = pull.connections()[0].peer_address.clone().expect("tcp peers have addresses").to_string();
    assert!(peer.starts_with("tcp://127.44.0.3:"), "{peer}");
}
