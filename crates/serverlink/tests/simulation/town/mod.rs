//! Processes in several places, with sockets that make up a topology, and what happens to them.

mod acts;
mod healing;
mod plan;
mod tap;
mod trouble;

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use fastrand::Rng;
use serverlink::sim::{Faults, Simulation};
use serverlink::{Context, Message};

use crate::oracle::{Letter, Marks, Oracle, Story, Verdict};

pub(crate) use plan::Shape;
use plan::{Plan, Role, Spec, TOPICS};
pub(crate) use tap::Planted;
use tap::Tap;
use trouble::Remedy;

/// The longest time between two looks at the monitors, which keep a limited number of events.
const SLICE: Duration = Duration::from_secs(30);

pub(crate) struct Town {
    machine: Simulation,
    random: Rng,
    oracle: Oracle,
    places: Vec<Place>,
    nodes: Vec<Node>,
    remedies: Vec<(Instant, Remedy)>,
    planted: Option<Planted>,
    /// What the system holds of one connection: at both ends together, in one direction.
    system_bytes: u64,
    /// No connection breaks that stands, and so everything arrives.
    calm: bool,
    /// How many sockets there were: each has its number.
    opened: usize,
    /// Nothing goes wrong any more.
    healed: bool,
}

struct Place {
    context: Context,
    suspended: bool,
    /// Its process died and nobody started it again yet.
    deserted: bool,
}

/// A socket and the program that uses it. It may be gone for a while.
struct Node {
    spec: Spec,
    tap: Option<Tap>,
    /// A number that no other socket has, neither the one before it in this place.
    serial: usize,
    unbound: Vec<String>,
    marks: Marks,
    story: Story,
    /// The number of the next letter.
    next: u64,
    /// Taken from one side, and not yet taken by the other.
    forth: Option<Message>,
    back: Option<Message>,
    /// REQ: what it asked last, and when.
    asked: Option<(Letter, Instant)>,
    /// Publications and letters that it is still to send at the end.
    to_say: VecDeque<&'static str>,
}

impl Town {
    pub(crate) fn new(seed: u64, shape: Shape, calm: bool, planted: Option<Planted>) -> Town {
        let mut random = Rng::with_seed(seed.rotate_left(32) ^ 0x746f_776e);
        let plan = Plan::draw(shape, calm, &mut random);
        let mut faults = Faults::chosen_by(seed);
        if calm {
            faults.reset = 0.0;
        }
        let system_bytes = 2 * faults.buffer_bytes as u64;
        let mut machine = Simulation::new(seed, faults);
        let places =
            (0..plan.places).map(|_| Place::new(machine.context_with(random.usize(1..=2)))).collect();
        let mut town = Town {
            machine,
            random,
            oracle: Oracle::default(),
            places,
            nodes: plan.nodes.into_iter().map(Node::new).collect(),
            remedies: Vec::new(),
            planted,
            system_bytes,
            calm,
            opened: 0,
            healed: false,
        };
        (0..town.places.len()).for_each(|place| town.open_place(place));
        town
    }

    /// The whole life of a town.
    pub(crate) fn live(mut self) -> Verdict {
        for _ in 0..self.random.usize(20..80) {
            if self.random.u8(..8) == 0 {
                self.stir()?;
            }
            self.act_somewhere()?;
            let time = self.draw_time();
            self.pass(time)?;
        }
        self.heal()?;
        self.close()
    }

    fn draw_time(&mut self) -> Duration {
        match self.random.u8(..40) {
            0 => Duration::from_millis(self.random.u64(..8000)),
            1..20 => Duration::from_millis(self.random.u64(..100)),
            _ => Duration::from_micros(self.random.u64(..500)),
        }
    }

    /// Lets time pass, ends troubles whose time is over, and looks at what was told meanwhile.
    fn pass(&mut self, time: Duration) -> Verdict {
        let until = self.machine.world().now() + time;
        loop {
            let now = self.machine.world().now();
            let next = self.remedies.iter().map(|(at, _)| *at).chain([until]).min().unwrap_or(until);
            let step = next.saturating_duration_since(now).min(SLICE);
            self.machine.run_for(step);
            self.remedy()?;
            self.bind_again();
            self.look()?;
            if self.machine.world().now() >= until {
                return Ok(());
            }
        }
    }

    /// Events and counters of every socket whose process runs.
    fn look(&mut self) -> Verdict {
        let Town { nodes, places, oracle, .. } = self;
        for node in nodes.iter_mut().filter(|node| !places[node.spec.place].suspended) {
            node.hear(oracle)?;
            if let Some(tap) = &node.tap {
                node.marks.check(&tap.stats())?;
            }
        }
        Ok(())
    }

    // ---- processes

    fn open_place(&mut self, place: usize) {
        self.places[place].deserted = false;
        let Town { nodes, places, machine, oracle, opened, planted, random, .. } = self;
        let context = &places[place].context;
        for node in nodes.iter_mut().filter(|node| node.spec.place == place) {
            let Spec { role, options, .. } = node.spec.clone();
            let tap = Tap::open(context, role.socket_type(), options, machine.world(), *planted);
            *node = Node::new(node.spec.clone());
            (node.serial, node.tap) = (*opened, Some(tap.expect("sockets enough")));
            *opened += 1;
            node.begin(oracle, random);
        }
        self.bind_again();
    }

    /// It fails while descriptors are short.
    fn bind_again(&mut self) {
        for node in self.nodes.iter_mut().filter(|node| !self.places[node.spec.place].suspended) {
            if let Some(tap) = &node.tap {
                node.unbound.retain(|endpoint| tap.bind(endpoint).is_err());
            }
        }
    }

    fn receivers_of(&self, letter: &Letter) -> Vec<usize> {
        let subscribers = self.nodes.iter().filter(|node| node.spec.role == Role::Subscribe);
        subscribers.map(|node| node.serial).filter(|who| self.oracle.topics.wants(*who, letter)).collect()
    }
}

impl Place {
    fn new(context: Context) -> Place {
        Place { context, suspended: false, deserted: false }
    }

    fn runs(&self) -> bool {
        !self.suspended && !self.deserted
    }
}

impl Node {
    fn new(spec: Spec) -> Node {
        let marks = Marks {
            send_hwm: u64::from(spec.options.send_hwm),
            dialed: spec.dials.len() as u64,
            listens: !spec.binds.is_empty(),
            counts: !matches!(spec.role, Role::Upstream | Role::Downstream(_)),
            ..Marks::default()
        };
        Node {
            unbound: spec.binds.clone(),
            spec,
            tap: None,
            serial: 0,
            marks,
            story: Story::default(),
            next: 0,
            forth: None,
            back: None,
            asked: None,
            to_say: VecDeque::new(),
        }
    }

    /// Subscribes, dials, and lets the oracle know.
    fn begin(&mut self, oracle: &mut Oracle, random: &mut Rng) {
        let Some(tap) = &mut self.tap else { return };
        if self.spec.role == Role::Subscribe {
            for _ in 0..random.usize(1..=3) {
                let topic = *random.choice(&TOPICS).expect("some");
                oracle.topics.subscribe(self.serial, topic);
                tap.subscribe(topic);
            }
        }
        if self.spec.role == Role::Router {
            oracle.letters.strict.insert(self.serial);
        }
        for endpoint in &self.spec.dials {
            tap.connect(endpoint).expect("a good endpoint");
            self.story.dials(endpoint);
        }
    }

    /// Takes in what the monitor tells.
    fn hear(&mut self, oracle: &mut Oracle) -> Verdict {
        let Some(tap) = &mut self.tap else { return Ok(()) };
        let before = self.story.breaks;
        while let Some(event) = tap.next_event() {
            self.story.tell(&event)?;
            if tap.tells_twice(&event) {
                self.story.tell(&event)?;
            }
        }
        assert_eq!(tap.monitor_dropped(), 0, "the test looked too late");
        oracle.breaks += self.story.breaks - before;
        if !matches!(self.spec.role, Role::Pull | Role::Reply | Role::Router) {
            oracle.breaks_of_senders += self.story.breaks - before;
        }
        Ok(())
    }
}
