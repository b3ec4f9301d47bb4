//! STREAM: clients that die, flood or come in crowds, beside others that do not notice.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Write};
use std::net::Shutdown;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serverlink::{Error, Message, Part, Socket, SocketType::*};

use crate::{
    stream::{browser, octets, say, told},
    world::{Transport, World, assert_nothing_waits, eventually, peers, recv, until_peers_left},
};

/// Some answers are on their way, some are not written yet, and a part of a question is here.
#[test]
fn a_client_that_dies_in_the_middle_takes_only_its_own_with_it() {
    let world = World::new(Transport::Tcp);
    let stream = world.socket_with(Stream, |options| options.send_hwm = 10);
    let endpoint = world.bind(&stream);
    let mut witness = browser(&endpoint);
    let stays = told(&stream);
    let body = Part::copy_from(&vec![b'f'; 200_000]);
    for round in 0..20_u8 {
        let mut client = browser(&endpoint);
        let gone = told(&stream);
        client.write_all(b"half a ques").expect("it is connected");
        assert_eq!(octets(&stream, &gone, 11), b"half a ques");
        while stream.try_send(Message::from_parts([gone.clone(), body.clone()])).is_ok() {}
        if round % 2 == 0 {
            client.write_all(b"tion").expect("it is connected");
        }
        drop(client);
        until_peers_left(&stream, 1);
        // It leaves answers unread, so its system ends the connection with a reset, which may overtake what it said last.
        let said = unread_and_end(&stream, &gone);
        assert!("tion".starts_with(&said), "{said}");
        let late = Message::from_parts([gone, "late".into()]);
        let refused = stream.try_send(late.clone()).expect_err("nobody is there");
        assert!(matches!(refused.error, Error::Unroutable { .. }), "{}", refused.error);
        assert_eq!(refused.message, late);

        say(&stream, &stays, &[round]);
        let mut answer = [0];
        witness.read_exact(&mut answer).expect("an answer");
        witness.write_all(&answer).expect("it is connected");
        assert_eq!(octets(&stream, &stays, 1), [round]);
    }
    let stats = stream.stats();
    assert!(stats.dropped_with_peer >= 20, "{stats:?}");
    assert_eq!((stats.send_queue, stats.receive_queue, stream.peer_stats().len()), (0, 0, 1));
}

/// What one peer said until its end, which is told.
fn unread_and_end(stream: &Socket, from: &Part) -> String {
    let mut all = String::new();
    loop {
        let message = recv(stream);
        assert_eq!((message.part_count(), &message[0]), (2, from));
        if message[1].is_empty() {
            return all;
        }
        all.push_str(std::str::from_utf8(&message[1]).expect("text"));
    }
}

/// Nobody receives: the system's own limits hold the client up, and all of it arrives once somebody does.
#[test]
fn a_flood_is_held_back_and_arrives_whole() {
    const OCTETS: usize = 60_000_000;
    let world = World::new(Transport::Tcp);
    let stream = world.socket_with(Stream, |options| options.recv_hwm = 100);
    let endpoint = world.bind(&stream);
    let mut flood = browser(&endpoint);
    let who = told(&stream);
    let writer = thread::spawn(move || {
        let octets: Vec<u8> = (0..OCTETS).map(pattern).collect();
        flood.write_all(&octets).expect("it is connected");
        flood.shutdown(Shutdown::Write).expect("it is connected");
        flood
    });
    eventually("much waits", || stream.stats().receive_queue >= 100);
    let mut at = 0;
    let mut other = browser(&endpoint);
    other.write_all(b"me too").expect("it is connected");
    let mut others = Vec::new();
    loop {
        let waits = stream.stats().receive_queue_bytes;
        assert!(waits < 32 << 20, "{waits} octets are kept for one client");
        let message = recv(&stream);
        let octets = &message[1];
        if message[0] != who {
            others.extend_from_slice(octets);
            continue;
        }
        if octets.is_empty() {
            break;
        }
        assert!(octets.iter().enumerate().all(|(place, &octet)| octet == pattern(at + place)));
        at += octets.len();
    }
    assert_eq!((at, &others[..]), (OCTETS, &b"me too"[..]));
    drop(writer.join().expect("it wrote all"));
}

fn pattern(place: usize) -> u8 {
    (place % 251) as u8
}

/// All at the same time; each is known by a name of its own, and nothing is left of any.
#[test]
fn two_hundred_clients_come_talk_and_go() {
    const CLIENTS: u16 = 200;
    let world = World::new(Transport::Tcp);
    let (stream, endpoint) = world.bound(Stream);
    for _ in 0..2 {
        let mut clients: Vec<_> = (0..CLIENTS).map(|_| browser(&endpoint)).collect();
        let names: BTreeSet<Vec<u8>> = clients.iter().map(|_| told(&stream).to_vec()).collect();
        assert_eq!(names.len(), usize::from(CLIENTS));
        peers(&stream, usize::from(CLIENTS));
        for (number, client) in (0..CLIENTS).zip(&mut clients) {
            client.write_all(&number.to_be_bytes()).expect("it is connected");
        }
        let mut questions: BTreeMap<Vec<u8>, Vec<u8>> = BTreeMap::new();
        while questions.values().map(Vec::len).sum::<usize>() < clients.len() * 2 {
            let message = recv(&stream);
            questions.entry(message[0].to_vec()).or_default().extend_from_slice(&message[1]);
        }
        assert!(questions.keys().eq(&names));
        for (name, question) in &questions {
            say(&stream, &Part::copy_from(name), question);
        }
        for (number, client) in (0..CLIENTS).zip(&mut clients) {
            let mut answer = [0; 2];
            client.read_exact(&mut answer).expect("an answer");
            assert_eq!(answer, number.to_be_bytes(), "somebody else's");
        }
        drop(clients);
        let gone: BTreeSet<Vec<u8>> = names.iter().map(|_| told(&stream).to_vec()).collect();
        assert_eq!(gone, names);
        until_peers_left(&stream, 0);
        assert_nothing_waits(&stream);
        assert!(stream.connections().is_empty() && stream.peer_stats().is_empty());
    }
}

/// Several threads answer and hang up, while clients come, ask and do not always stay for the answer.
#[test]
fn hanging_up_while_clients_come_and_go() {
    const ROUNDS: usize = 60;
    let world = World::new(Transport::Tcp);
    let (stream, endpoint) = world.bound(Stream);
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let serving: Vec<_> = (0..3).map(|_| scope.spawn(|| answer_and_hang_up(&stream, &done))).collect();
        let asking: Vec<_> = (0..4)
            .map(|who| {
                let endpoint = &endpoint;
                scope.spawn(move || (0..ROUNDS).for_each(|round| ask(endpoint, (who + round) % 3)))
            })
            .collect();
        let asked: Vec<_> = asking.into_iter().map(thread::ScopedJoinHandle::join).collect();
        done.store(true, Ordering::Relaxed);
        serving.into_iter().for_each(|server| server.join().expect("no panic"));
        asked.into_iter().for_each(|asked| asked.expect("each question was answered"));
    });
    until_peers_left(&stream, 0);
    eventually("nothing is left of them", || {
        while stream.try_recv().is_ok() {}
        stream.connections().is_empty() && stream.peer_stats().is_empty()
    });
    let stats = stream.stats();
    assert_eq!((stats.send_queue, stats.receive_queue), (0, 0), "{stats:?}");
}

fn answer_and_hang_up(stream: &Socket, done: &AtomicBool) {
    while !done.load(Ordering::Relaxed) {
        let Ok(message) = stream.recv_deadline(Instant::now() + Duration::from_millis(20)) else { continue };
        if message[1].is_empty() {
            continue;
        }
        let answer = Message::from_parts([message[0].clone(), "answer".into()]);
        for message in [answer, Message::from_parts([message[0].clone(), Part::new()])] {
            match stream.try_send(message).map_err(Error::from) {
                Ok(()) | Err(Error::Unroutable { .. }) => {}
                Err(error) => panic!("{error}"),
            }
        }
    }
}

fn ask(endpoint: &str, manner: usize) {
    let mut client = browser(endpoint);
    match manner {
        // It goes without a word.
        0 => {}
        1 => client.write_all(b"question").expect("it is connected"),
        _ => {
            client.write_all(b"question").expect("it is connected");
            let mut answer = String::new();
            client.read_to_string(&mut answer).expect("an answer, and its end");
            assert_eq!(answer, "answer");
        }
    }
}

/// Before it is connected, in this very moment, or a little later.
#[test]
fn hanging_up_on_what_is_just_being_connected() {
    let world = World::new(Transport::Tcp);
    let (bound, endpoint) = world.bound(Stream);
    let dialing = world.socket(Stream);
    for round in 0..300 {
        let id = dialing.connect_peer(&endpoint).expect("connecting");
        say(&dialing, &id, b"octets");
        (0..round % 7).for_each(|_| drop(dialing.try_recv()));
        say(&dialing, &id, b"");
        let late = Message::from_parts([id, "late".into()]);
        let refused = dialing.try_send(late).expect_err("nobody has that name");
        assert!(matches!(refused.error, Error::Unroutable { .. }), "{}", refused.error);
    }
    for socket in [&dialing, &bound] {
        until_peers_left(socket, 0);
        eventually("nothing is left of them", || {
            while socket.try_recv().is_ok() {}
            socket.connections().is_empty() && socket.peer_stats().is_empty()
        });
        assert_eq!(socket.stats().send_queue, 0);
    }
}
