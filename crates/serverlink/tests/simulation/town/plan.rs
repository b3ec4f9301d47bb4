//! Topologies, drawn from the seed.

use fastrand::Rng;
use serverlink::{Linger, Options, SocketType};
use std::time::Duration;

pub(crate) const TOPICS: [&str; 6] = ["", "a", "ab", "b", "news", "news.de"];

/// Which sockets there are, on which places, and who dials whom.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    pub(crate) places: usize,
    pub(crate) nodes: Vec<Spec>,
}

/// One socket.
#[derive(Clone, Debug)]
pub(crate) struct Spec {
    pub(crate) place: usize,
    pub(crate) role: Role,
    pub(crate) binds: Vec<String>,
    pub(crate) dials: Vec<String>,
    pub(crate) options: Options,
}

/// What a program does with its socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    Push,
    Pull,
    Pair,
    Publish,
    Subscribe,
    /// The XSUB of a forwarder.
    Upstream,
    /// Its XPUB; which node the XSUB is.
    Downstream(usize),
    Ask,
    Reply,
    /// The DEALER of a broker.
    Back,
    /// Its ROUTER; which node the DEALER is.
    Front(usize),
    Dealer,
    Router,
}

/// A kind of topology.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Shape {
    /// PUSHes and PULLs: fan-out, fan-in, and both.
    Pipeline,
    /// REQs, a ROUTER and a DEALER between, REPs.
    Broker,
    /// PUBs, levels of XSUB and XPUB, SUBs.
    Tree,
    /// Two PAIRs.
    Pair,
    /// ROUTERs, and DEALERs with names.
    Names,
}

impl Role {
    pub(crate) fn socket_type(self) -> SocketType {
        match self {
            Role::Push => SocketType::Push,
            Role::Pull => SocketType::Pull,
            Role::Pair => SocketType::Pair,
            Role::Publish => SocketType::Pub,
            Role::Subscribe => SocketType::Sub,
            Role::Upstream => SocketType::Xsub,
            Role::Downstream(_) => SocketType::Xpub,
            Role::Ask => SocketType::Req,
            Role::Reply => SocketType::Rep,
            Role::Back | Role::Dealer => SocketType::Dealer,
            Role::Front(_) | Role::Router => SocketType::Router,
        }
    }
}

impl Plan {
    /// `calm`: nobody is to take silence for the end.
    pub(crate) fn draw(shape: Shape, calm: bool, random: &mut Rng) -> Plan {
        let mut plan = Plan { places: random.usize(2..=5), nodes: Vec::new() };
        match shape {
            Shape::Pipeline => plan.draw_pipeline(random),
            Shape::Broker => plan.draw_broker(random),
            Shape::Tree => plan.draw_tree(random),
            Shape::Pair => plan.draw_pair(random),
            Shape::Names => plan.draw_names(random),
        }
        if calm {
            let patient = Duration::from_secs(3600);
            plan.nodes.iter_mut().for_each(|node| node.options.heartbeat_timeout = patient);
        }
        plan
    }

    fn draw_pipeline(&mut self, random: &mut Rng) {
        let (pushes, pulls) = (random.usize(1..=4), random.usize(1..=4));
        let pull_binds: Vec<bool> = (0..pulls).map(|_| random.bool()).collect();
        let first = self.nodes.len();
        for _ in 0..pushes {
            self.add(Role::Push, random);
        }
        for binds in pull_binds {
            let pull = self.add(Role::Pull, random);
            for push in first..first + pushes {
                // Everybody with everybody, and one of the two dials.
                if binds { self.link(push, pull) } else { self.link(pull, push) }
            }
        }
    }

    fn draw_broker(&mut self, random: &mut Rng) {
        let back = self.add(Role::Back, random);
        let front = self.add_at(self.nodes[back].place, Role::Front(back), random);
        for _ in 0..random.usize(1..=4) {
            let asks = self.add(Role::Ask, random);
            self.link(asks, front);
        }
        for _ in 0..random.usize(1..=3) {
            let replies = self.add(Role::Reply, random);
            if random.bool() { self.link(replies, back) } else { self.link(back, replies) }
        }
    }

    fn draw_tree(&mut self, random: &mut Rng) {
        let publishers: Vec<usize> =
            (0..random.usize(1..=2)).map(|_| self.add(Role::Publish, random)).collect();
        // Whoever has subscribers, and the level it is on.
        let mut above: Vec<usize> = Vec::new();
        for level in 0..random.usize(0..=2) {
            let mut forwarders = Vec::new();
            for _ in 0..random.usize(1..=2) {
                let upstream = self.add(Role::Upstream, random);
                let sources =
                    if level == 0 { publishers.clone() } else { vec![*random.choice(&above).expect("one")] };
                sources.into_iter().for_each(|source| self.link(upstream, source));
                forwarders.push(self.add_at(self.nodes[upstream].place, Role::Downstream(upstream), random));
            }
            above = forwarders;
        }
        for _ in 0..random.usize(1..=4) {
            let subscriber = self.add(Role::Subscribe, random);
            match random.choice(&above).copied() {
                Some(source) => self.link(subscriber, source),
                None => publishers.iter().for_each(|source| self.link(subscriber, *source)),
            }
        }
    }

    fn draw_pair(&mut self, random: &mut Rng) {
        let (one, other) = (self.add_at(0, Role::Pair, random), self.add_at(1, Role::Pair, random));
        self.link(one, other);
    }

    fn draw_names(&mut self, random: &mut Rng) {
        let routers: Vec<usize> = (0..random.usize(1..=2)).map(|_| self.add(Role::Router, random)).collect();
        for name in 0..random.usize(1..=5) {
            let dealer = self.add(Role::Dealer, random);
            self.nodes[dealer].options.routing_id = format!("dealer {name}").into_bytes();
            self.link(dealer, *random.choice(&routers).expect("one"));
        }
    }

    fn add(&mut self, role: Role, random: &mut Rng) -> usize {
        let place = random.usize(..self.places);
        self.add_at(place, role, random)
    }

    fn add_at(&mut self, place: usize, role: Role, random: &mut Rng) -> usize {
        let linger = Linger::For(Duration::from_secs(1));
        let longest = Duration::from_secs(2);
        let mut options = Options { linger, reconnect_interval_max: longest, ..Options::default() };
        // A REP, too, drops what a full peer has no room for.
        let drops = matches!(role, Role::Publish | Role::Downstream(_) | Role::Upstream | Role::Reply);
        if !drops {
            options.send_hwm = random.u32(1..=20);
            options.recv_hwm = random.u32(1..=20);
        }
        options.router_mandatory = matches!(role, Role::Front(_) | Role::Router);
        options.router_handover = role == Role::Router;
        options.req_relaxed = role == Role::Ask;
        options.req_correlate = role == Role::Ask;
        self.nodes.push(Spec { place, role, binds: Vec::new(), dials: Vec::new(), options });
        self.nodes.len() - 1
    }

    fn link(&mut self, dialer: usize, listener: usize) {
        let endpoint = format!("tcp://10.0.0.{}:{}", self.nodes[listener].place + 1, 5000 + listener);
        if self.nodes[listener].binds.is_empty() {
            self.nodes[listener].binds.push(endpoint.clone());
        }
        self.nodes[dialer].dials.push(endpoint);
    }
}
