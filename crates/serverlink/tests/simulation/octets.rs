//! STREAM through a harsh network: what comes of a connection is what was said to that one, in its order, from the first octet on.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serverlink::sim::{Faults, Simulation};
use serverlink::{Message, Part, Stream};

use crate::ending::assert_nothing_is_left;
use crate::seeds::for_a_share_of_seeds;

const PATIENCE: Duration = Duration::from_secs(120);
const ENDPOINT: &str = "tcp://10.0.0.1:5555";
/// Each seed has many connections.
const SHARE: u64 = 2;

#[test]
fn no_octet_gets_into_another_stream() {
    for_a_share_of_seeds(SHARE, "no_octet_gets_into_another_stream", |seed| {
        let mut machine = Simulation::new(seed, Faults::HARSH.under_laws_of(seed));
        let (here, there) = (machine.context(), machine.context());
        let mut server = Server::new(there.stream().recv_hwm(1 + seed as u32 % 7).open().unwrap());
        let mut client = Client::new(here.stream().open().unwrap());
        for round in 0..60 {
            client.say();
            machine.run_for(Duration::from_millis(round % 40));
            server.listen();
            server.answer();
            client.listen();
        }
        // Whatever was lost with a connection is lost, but the path must heal by itself.
        machine.world().set_faults(Faults::NONE);
        let before = client.said;
        let deadline = machine.world().now() + PATIENCE;
        while server.heard <= before || !client.is_answered {
            assert!(machine.world().now() < deadline, "the path does not heal");
            client.say();
            machine.run_for(Duration::from_millis(50));
            server.listen();
            server.answer();
            client.listen();
        }
        drop((server, client));
        machine.run_for(Duration::from_secs(60));
        assert_nothing_is_left(&machine);
    });
}

/// Its length varies, so that connections are lost at any octet of it.
fn words(speaker: &str, number: u64) -> String {
    format!("{speaker} {number} {};", "x".repeat((number as usize * 37) % 300))
}

/// Accepts, listens, and says in each connection which one it is.
struct Server {
    stream: Stream,
    open: BTreeMap<Vec<u8>, Accepted>,
    gone: BTreeSet<Vec<u8>>,
    serial: u64,
    /// The last message of which all was heard.
    heard: u64,
}

struct Accepted {
    serial: u64,
    unread: String,
    last: Option<u64>,
}

impl Server {
    fn new(stream: Stream) -> Server {
        stream.bind(ENDPOINT).unwrap();
        Server { stream, open: BTreeMap::new(), gone: BTreeSet::new(), serial: 0, heard: 0 }
    }

    fn listen(&mut self) {
        while let Ok((from, octets)) = self.stream.try_recv_from() {
            let (name, octets) = (from.to_vec(), text(&octets));
            assert!(!self.gone.contains(&name), "{octets:?} comes of a connection that is gone");
            match self.open.get_mut(&name) {
                Some(_) if octets.is_empty() => {
                    self.open.remove(&name);
                    self.gone.insert(name);
                }
                Some(accepted) => {
                    accepted.unread.push_str(&octets);
                    accepted.understand(&mut self.heard);
                }
                None => {
                    assert_eq!(octets, "", "it begins with saying so");
                    self.serial += 1;
                    let accepted = Accepted { serial: self.serial, unread: String::new(), last: None };
                    self.open.insert(name, accepted);
                }
            }
        }
    }

    fn answer(&self) {
        for (name, accepted) in &self.open {
            // Some are gone, and that is told later.
            let _ = self.stream.try_send(Message::from_parts([
                Part::copy_from(name),
                words("server", accepted.serial).as_str().into(),
            ]));
        }
    }
}

impl Accepted {
    /// Each connection has a run of what was said, whole but for its end, and none has what an earlier one had.
    fn understand(&mut self, heard: &mut u64) {
        while let Some((whole, rest)) = self.unread.split_once(';') {
            let number = whole.split(' ').nth(1).and_then(|number| number.parse().ok()).expect("a number");
            assert_eq!(format!("{whole};"), words("client", number));
            match self.last {
                Some(last) => assert_eq!(number, last + 1, "a gap"),
                None => assert!(number > *heard, "{number} was heard before"),
            }
            (self.last, *heard) = (Some(number), number);
            self.unread = rest.to_owned();
        }
        assert!(self.unread.is_empty() || "client ".starts_with(&self.unread[..self.unread.len().min(7)]));
    }
}

/// Connects again and again, under one name.
struct Client {
    stream: Stream,
    name: Part,
    said: u64,
    /// What came of the connection that is open now, if one is.
    open: Option<String>,
    /// Connections of the server that spoke before.
    served_by: u64,
    is_answered: bool,
}

impl Client {
    fn new(stream: Stream) -> Client {
        let name = stream.connect_peer(ENDPOINT).unwrap();
        Client { stream, name, said: 0, open: None, served_by: 0, is_answered: false }
    }

    fn say(&mut self) {
        self.said += 1;
        self.stream.send_to(&self.name, words("client", self.said).as_str()).unwrap();
    }

    fn listen(&mut self) {
        self.is_answered = false;
        while let Ok((from, octets)) = self.stream.try_recv_from() {
            assert_eq!(from, self.name);
            let octets = text(&octets);
            match &mut self.open {
                Some(all) if !octets.is_empty() => {
                    all.push_str(&octets);
                    self.is_answered = true;
                }
                Some(_) => self.end(),
                None => {
                    assert_eq!(octets, "", "it begins with saying so");
                    self.open = Some(String::new());
                }
            }
        }
    }

    /// One connection of the server said all of it, and it is not one of those that spoke before.
    fn end(&mut self) {
        let all = self.open.take().expect("it was open");
        let Some(serial) = all.split_once(';').and_then(|(first, _)| first.split(' ').nth(1)) else { return };
        let serial: u64 = serial.parse().expect("a number");
        let said = words("server", serial).repeat(all.len());
        assert!(said.starts_with(&all), "connection {serial} did not say {all:?}");
        assert!(serial > self.served_by, "{serial} is an old connection");
        self.served_by = serial;
    }
}

fn text(octets: &Message) -> String {
    assert_eq!(octets.part_count(), 1);
    String::from_utf8(octets.first().to_vec()).expect("text was sent")
}
