//! The files of ipc endpoints. Windows has none: its pipes live and die with their process.

use std::time::Duration;

use serverlink::SocketType::*;

use crate::world::{Transport, World, recv_text, send};

#[test]
fn an_ipc_endpoint_leaves_no_file_behind() {
    let world = World::new(Transport::Ipc);
    let (pull, endpoint) = world.bound(Pull);
    let path = endpoint.trim_start_matches("ipc://");
    assert!(std::fs::exists(path).expect("the directory can be read"));
    pull.close(Duration::ZERO);
    assert!(!std::fs::exists(path).expect("the directory can be read"));
}

/// A socket file that a crashed process left behind does not keep its endpoint for ever.
#[test]
fn a_stale_socket_file_is_taken_over() {
    let world = World::new(Transport::Ipc);
    let endpoint = world.fresh_endpoint();
    let path = endpoint.trim_start_matches("ipc://");
    // Dropping the standard library's listener leaves the file, as a crash does.
    drop(std::os::unix::net::UnixListener::bind(path).expect("a socket file"));
    assert!(std::fs::exists(path).expect("the directory can be read"));
    let pull = world.socket(Pull);
    pull.bind(&endpoint).expect("nobody answers there");
    let push = world.connected(Push, &endpoint);
    send(&push, ["alive"]);
    assert_eq!(recv_text(&pull), ["alive"]);
}
