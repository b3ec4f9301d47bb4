//! Processes with ROUTERs and DEALERs that come and go, and what must be true of their messages.

use std::collections::BTreeMap;
use std::time::Duration;

use fastrand::Rng;
use serverlink::sim::{Faults, Simulation};
use serverlink::{Context, Dealer, Linger, Message, Router};

/// Routing ids. Clients that share one take it from each other, or are refused.
const NAMES: [&str; 4] = ["anna", "ben", "carla", "dan"];

const MAX_CLIENTS: usize = 8;

/// So long a fleet gets to heal: more than the longest pause between attempts, a handshake and a heartbeat together.
const PATIENCE: Duration = Duration::from_secs(300);

/// A machine, and everybody on it.
pub(crate) struct Fleet {
    pub(crate) machine: Simulation,
    random: Rng,
    contexts: Vec<Context>,
    servers: Vec<Server>,
    clients: Vec<Client>,
    /// The name of every client that ever was.
    born: Vec<usize>,
}

/// A ROUTER and where it listens. It may be away for a while.
struct Server {
    endpoint: String,
    handover: bool,
    router: Option<Router>,
    bound: bool,
    heard: BTreeMap<usize, Heard>,
}

/// A DEALER with one server.
struct Client {
    serial: usize,
    name: usize,
    server: usize,
    dealer: Dealer,
    sent: u64,
    answered: Heard,
}

/// Numbers that came from one client.
#[derive(Clone, Copy, Default)]
struct Heard {
    last: Option<u64>,
    count: u64,
}

impl Heard {
    /// In order, and each at most once, whatever broke in between.
    fn hear(&mut self, number: u64, whose: usize) {
        let last = self.last.replace(number);
        assert!(last.is_none_or(|last| last < number), "client {whose}: {number} came after {last:?}");
        self.count += 1;
    }
}

impl Fleet {
    /// One to three processes with one to four I/O threads each, and one to four ROUTERs, all of them listening.
    pub(crate) fn new(seed: u64, faults: Faults) -> Fleet {
        let mut machine = Simulation::new(seed, faults);
        let mut random = Rng::with_seed(seed.rotate_left(32));
        let contexts = (0..random.usize(1..=3)).map(|_| machine.context_with(random.usize(1..=4))).collect();
        let servers = (0..random.usize(1..=4)).map(|index| Server::new(index, random.bool())).collect();
        let mut fleet = Fleet { machine, random, contexts, servers, clients: Vec::new(), born: Vec::new() };
        (0..fleet.servers.len()).for_each(|index| fleet.open_server(index));
        fleet
    }

    // ---- who comes and goes

    fn open_server(&mut self, index: usize) {
        let context = &self.contexts[index % self.contexts.len()];
        let server = &mut self.servers[index];
        let router = context.router().router_handover(server.handover).linger(SHORT);
        server.router = Some(router.open().expect("sockets enough"));
        server.bind();
    }

    /// One more client, with a name that may be another's.
    pub(crate) fn open_client(&mut self) {
        let (name, server) = (self.random.usize(..NAMES.len()), self.random.usize(..self.servers.len()));
        self.open_client_as(name, server);
    }

    /// A client of each name at each server, so that no two of them want the same.
    pub(crate) fn open_one_of_each(&mut self) {
        for server in 0..self.servers.len() {
            (0..NAMES.len()).for_each(|name| self.open_client_as(name, server));
        }
    }

    fn open_client_as(&mut self, name: usize, server: usize) {
        let context = self.random.choice(&self.contexts).expect("at least one");
        let dealer = context.dealer().routing_id(NAMES[name]).linger(SHORT).open().expect("sockets enough");
        dealer.connect(&self.servers[server].endpoint).expect("a good endpoint");
        let serial = self.born.len();
        self.born.push(name);
        self.clients.push(Client { serial, name, server, dealer, sent: 0, answered: Heard::default() });
    }

    /// Something happens: to a client, to a server, to the network or to the whole machine.
    pub(crate) fn stir(&mut self) {
        match self.random.u8(..100) {
            0..34 => self.send_some(),
            34..46 if self.clients.len() < MAX_CLIENTS => self.open_client(),
            46..54 => self.with_client(|fleet, index| drop(fleet.clients.swap_remove(index))),
            54..58 => self.with_client(Fleet::connect_anew),
            58..66 => self.restart_a_server(),
            66..70 => self.machine.world().reset_connections(),
            70..74 => {
                let frozen = self.random.bool();
                self.machine.world().set_frozen(frozen);
            }
            74..84 => self.run_short(),
            _ => {}
        }
        self.let_time_pass();
    }

    fn with_client(&mut self, act: impl FnOnce(&mut Fleet, usize)) {
        if !self.clients.is_empty() {
            let index = self.random.usize(..self.clients.len());
            act(self, index);
        }
    }

    /// What was queued for the old connection is given up.
    fn connect_anew(&mut self, index: usize) {
        let Client { dealer, server, .. } = &self.clients[index];
        let endpoint = &self.servers[*server].endpoint;
        dealer.disconnect(endpoint).expect("it is connected there");
        dealer.connect(endpoint).expect("a good endpoint");
    }

    /// Its listener stops and starts again, or the whole socket does; perhaps not at once.
    fn restart_a_server(&mut self) {
        let index = self.random.usize(..self.servers.len());
        let server = &mut self.servers[index];
        match &server.router {
            None => self.open_server(index),
            Some(router) if self.random.bool() => {
                if std::mem::take(&mut server.bound) {
                    router.unbind(&server.endpoint).expect("it listens there");
                }
                if self.random.bool() {
                    server.bind();
                }
            }
            Some(_) => {
                (server.router, server.bound) = (None, false);
                if self.random.bool() {
                    self.open_server(index);
                }
            }
        }
    }

    /// Descriptors run out, or come back, or the system refuses the next registrations.
    pub(crate) fn run_short(&mut self) {
        let world = self.machine.world();
        match self.random.u8(..4) {
            0 => world.set_descriptor_limit(Some(world.descriptor_count() + self.random.usize(..3))),
            1 => world.fail_registrations(self.random.usize(1..=3)),
            _ => world.set_descriptor_limit(None),
        }
    }

    pub(crate) fn let_time_pass(&mut self) {
        let longest = if self.random.u8(..8) == 0 { 3000 } else { 100 };
        let time = Duration::from_millis(self.random.u64(..=longest));
        self.machine.run_for(time);
        self.take_everything();
    }

    // ---- messages

    pub(crate) fn send_some(&mut self) {
        let count = self.random.usize(1..=12);
        self.with_client(|fleet, index| (0..count).for_each(|_| fleet.clients[index].send()));
    }

    /// Every server takes what came and answers, every client takes its answers.
    fn take_everything(&mut self) {
        for server in &mut self.servers {
            server.serve(&self.born);
        }
        for client in &mut self.clients {
            client.take_answers(&self.born);
        }
    }

    // ---- the end

    /// Nothing goes wrong any more.
    pub(crate) fn calm_down(&mut self) {
        let world = self.machine.world();
        world.set_faults(Faults::NONE);
        world.set_frozen(false);
        world.set_descriptor_limit(None);
        world.fail_registrations(0);
    }

    /// Servers come back, of clients that share a name at a server only the youngest stays, and all paths heal by themselves: something that is
    /// sent now arrives.
    pub(crate) fn heal(&mut self) {
        self.calm_down();
        for index in 0..self.servers.len() {
            if self.servers[index].router.is_none() {
                self.open_server(index);
            }
        }
        let youngest: BTreeMap<(usize, usize), usize> =
            self.clients.iter().map(|client| ((client.server, client.name), client.serial)).collect();
        self.clients.retain(|client| youngest[&(client.server, client.name)] == client.serial);
        let sent: Vec<u64> = self.clients.iter().map(|client| client.sent).collect();
        self.until("a path does not heal", |fleet| {
            fleet.clients.iter_mut().for_each(Client::send);
            fleet.clients.iter().zip(&sent).all(|(client, sent)| {
                let server = &fleet.servers[client.server];
                server.heard(client).last.is_some_and(|last| last >= *sent)
            })
        });
    }

    /// Every message arrives, and every answer: nothing more and nothing less.
    pub(crate) fn expect_everything(&mut self) {
        self.until("a message is missing", |fleet| {
            fleet.clients.iter().all(|client| {
                let heard = fleet.servers[client.server].heard(client);
                (heard.count, client.answered.count) == (client.sent, client.sent)
            })
        });
    }

    fn until(&mut self, otherwise: &str, mut reached: impl FnMut(&mut Fleet) -> bool) {
        let deadline = self.machine.world().now() + PATIENCE;
        while !reached(self) {
            assert!(self.machine.world().now() < deadline, "{otherwise}: {}", self.describe());
            self.machine.run_for(Duration::from_millis(200));
            self.servers.iter_mut().for_each(Server::bind);
            self.take_everything();
        }
    }

    fn describe(&self) -> String {
        let line = |client: &Client| {
            let server = &self.servers[client.server];
            let heard = server.heard(client);
            format!(
                "client {} ({} at {}, handover {}): sent {}, heard {} up to {:?}, answered {}",
                client.serial,
                NAMES[client.name],
                server.endpoint,
                server.handover,
                client.sent,
                heard.count,
                heard.last,
                client.answered.count
            )
        };
        self.clients.iter().map(line).collect::<Vec<_>>().join("; ")
    }

    /// Everybody leaves.
    pub(crate) fn close(mut self) -> Simulation {
        self.clients.clear();
        self.servers.clear();
        self.contexts.clear();
        self.machine.run_for(Duration::from_secs(10));
        // What is on its way in a frozen network stays on its way.
        self.machine.world().set_frozen(false);
        self.machine.run_for(Duration::from_secs(60));
        self.machine
    }
}

const SHORT: Linger = Linger::For(Duration::from_secs(1));

impl Server {
    fn new(index: usize, handover: bool) -> Server {
        let endpoint = format!("tcp://10.0.0.{}:5555", index + 1);
        Server { endpoint, handover, router: None, bound: false, heard: BTreeMap::new() }
    }

    /// It fails while the one before it still has the address, or while the machine is short of something.
    fn bind(&mut self) {
        if let Some(router) = self.router.as_ref().filter(|_| !self.bound) {
            self.bound = router.bind(&self.endpoint).is_ok();
        }
    }

    fn heard(&self, client: &Client) -> Heard {
        self.heard.get(&client.serial).copied().unwrap_or_default()
    }

    fn serve(&mut self, born: &[usize]) {
        let Some(router) = &self.router else { return };
        while let Ok((from, message)) = router.try_recv_from() {
            let (serial, number) = read(&message);
            assert_eq!(
                &from[..],
                NAMES[born[serial]].as_bytes(),
                "a message of another's came under this name"
            );
            self.heard.entry(serial).or_default().hear(number, serial);
            // Its peer may be gone.
            let _ = router.try_send_to(&from, message);
        }
    }
}

impl Client {
    fn send(&mut self) {
        if self.dealer.try_send(body(self.serial, self.sent)).is_ok() {
            self.sent += 1;
        }
    }

    fn take_answers(&mut self, born: &[usize]) {
        while let Ok(message) = self.dealer.try_recv() {
            let (serial, number) = read(&message);
            assert_eq!(born[serial], self.name, "an answer to another name");
            // Whoever had the name before may have asked.
            if serial == self.serial {
                self.answered.hear(number, serial);
            }
        }
    }
}

/// Of a length that varies, so that connections are lost at any byte of a frame, header included, and often between two.
fn body(serial: usize, number: u64) -> String {
    let more = if number.is_multiple_of(3) { (number as usize * 37 + serial) % 700 } else { 0 };
    format!("{serial} {number} {}", "x".repeat(more))
}

fn read(message: &Message) -> (usize, u64) {
    let text = std::str::from_utf8(message.first()).expect("text was sent");
    let mut words = text.split(' ');
    let serial = words.next().and_then(|word| word.parse().ok()).expect("a client's number was sent");
    let number = words.next().and_then(|word| word.parse().ok()).expect("a message's number was sent");
    assert_eq!(text, body(serial, number), "no byte of another message is in it");
    (serial, number)
}
