//! Thousands of connections over four reactors. A binary of its own: it needs most of the descriptors that a process may have.

use std::collections::BTreeMap;
use std::time::Duration;

use serverlink::{Context, Message, Socket, SocketType};

#[cfg(unix)]
#[path = "support/descriptors.rs"]
mod descriptors;
#[path = "support/place.rs"]
mod place;
#[path = "support/registrations.rs"]
mod registrations;

use place::{PATIENCE, Place, Transport, brisk, in_time};

const REACTORS: usize = 4;
const PEERS_OF_EACH: usize = 500;

/// Both ends of each connection, and something for everything else.
#[cfg(unix)]
const DESCRIPTORS: usize = 2 * REACTORS * PEERS_OF_EACH + 500;

#[test]
fn two_thousand_connections_over_tcp() {
    talk_to_everybody(&Place::new(Transport::Tcp));
}

fn talk_to_everybody(place: &Place) {
    if let Err(why) = provide_descriptors() {
        return eprintln!("skipped: {why}");
    }
    let here = Context::builder().io_threads(REACTORS).build().expect("a context");
    let there = Context::builder().io_threads(REACTORS).build().expect("a context");
    let servers: Vec<(Socket, String)> = (0..REACTORS).map(|_| server(&here, place)).collect();
    // Everybody dials at once; each DEALER has as many connections as its server has peers.
    let clients: Vec<Socket> = servers
        .iter()
        .map(|(_, endpoint)| {
            let dealer = brisk(&there, SocketType::Dealer, |options| options.immediate = true);
            (0..PEERS_OF_EACH).for_each(|_| dealer.connect(endpoint).expect("connecting"));
            dealer
        })
        .collect();
    for ((server, _), client) in servers.iter().zip(&clients) {
        server.wait_for_peers(PEERS_OF_EACH, PATIENCE).expect("every peer");
        client.wait_for_peers(PEERS_OF_EACH, PATIENCE).expect("every connection");
    }
    assert_spread();
    for ((server, _), client) in servers.iter().zip(&clients) {
        round_trips(server, client);
    }
    for client in clients {
        assert_eq!(client.close(PATIENCE).undelivered, 0);
    }
    for (server, _) in servers {
        place::eventually("every peer has left", || server.stats().peers == 0);
        server.close(Duration::ZERO);
    }
    assert!(registrations::of_sockets().is_empty(), "closed sockets leave no registration");
}

fn server(context: &Context, place: &Place) -> (Socket, String) {
    let router = brisk(context, SocketType::Router, |options| options.backlog = 4096);
    let endpoint = router.bind(&place.endpoint()).expect("a free endpoint").to_string();
    (router, endpoint)
}

/// A DEALER gives its messages to its connections in turn, so every connection carries one there, and one back.
fn round_trips(server: &Socket, client: &Socket) {
    for number in 0..PEERS_OF_EACH {
        client.send_deadline(number.to_string(), in_time()).expect("room");
    }
    let mut asked: BTreeMap<Vec<u8>, Message> = BTreeMap::new();
    for _ in 0..PEERS_OF_EACH {
        let message = server.recv_deadline(in_time()).expect("every question");
        assert!(asked.insert(message[0].to_vec(), message).is_none(), "one question from each connection");
    }
    for message in asked.into_values() {
        server.send_deadline(message, in_time()).expect("room");
    }
    let mut answered: Vec<usize> = (0..PEERS_OF_EACH)
        .map(|_| {
            let message = client.recv_deadline(in_time()).expect("every answer");
            std::str::from_utf8(message.first()).ok().and_then(|text| text.parse().ok()).expect("a number")
        })
        .collect();
    answered.sort_unstable();
    assert!(answered.into_iter().eq(0..PEERS_OF_EACH));
}

/// Each reactor has its own connections, and each of them once.
fn assert_spread() {
    let mut of_each: BTreeMap<u32, usize> = BTreeMap::new();
    for (socket, places) in registrations::of_sockets() {
        assert_eq!(places.len(), 1, "{socket} is registered in {places:?}");
        *of_each.entry(places[0].0).or_default() += 1;
    }
    if cfg!(target_os = "linux") {
        assert_eq!(of_each.len(), 2 * REACTORS, "{of_each:?}");
        assert!(of_each.values().all(|&count| count >= PEERS_OF_EACH), "{of_each:?}");
    }
}

/// Raises the process's own limit, as far as the system lets it.
#[cfg(unix)]
fn provide_descriptors() -> Result<(), String> {
    match descriptors::provide(DESCRIPTORS) {
        given if given < DESCRIPTORS => {
            Err(format!("{DESCRIPTORS} descriptors are needed, and the system allows {given}"))
        }
        _ => Ok(()),
    }
}

#[cfg(not(unix))]
fn provide_descriptors() -> Result<(), String> {
    Ok(())
}
