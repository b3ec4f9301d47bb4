//! One machine, and whatever the input has its sockets do.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::{Context as TaskContext, Poll, Waker};
use std::time::Duration;

use serverlink::sim::{Faults, Simulation};
use serverlink::{Context, Error, Message, SocketType};
use serverlink_driver::Address;

use crate::actor::{Actor, Record};
use crate::choices::Choices;
use crate::ending::assert_nothing_is_left;
use crate::mail::{Letter, Post, Serial};
use crate::setting::{NAMES, options};
use crate::stranger::Stranger;
use crate::topics::Wish;

/// All types that speak ZMTP.
const KINDS: [SocketType; 19] = {
    use SocketType::*;
    [
        Pair, Pub, Sub, Req, Rep, Dealer, Router, Pull, Push, Xpub, Xsub, Server, Client, Radio, Dish,
        Gather, Scatter, Peer, Channel,
    ]
};

/// Groups that a DISH joins; others are topics only.
const GROUPS: [&str; 2] = ["", "ab"];

/// Where anybody listens and connects.
const ENDPOINTS: [&str; 6] = [
    "tcp://10.0.0.1:5555",
    "tcp://10.0.0.2:5555",
    "tcp://10.0.0.3:5555",
    "ipc:///run/one",
    "inproc://one",
    "inproc://two",
];

const MAX_SOCKETS: usize = 6;
/// An input that goes on for ever says nothing new.
const MAX_STEPS: usize = 150;

/// Longer than every linger, handshake and pause between attempts that a socket may have here, together.
const PATIENCE: Duration = Duration::from_secs(60);

/// Plays the input to its end, and asks then whether everything is as it should be.
pub(crate) fn play(input: &[u8]) {
    let mut choices = Choices::new(input);
    let mut play = Play::new(&mut choices);
    for _ in 0..MAX_STEPS {
        if choices.is_used_up() {
            break;
        }
        play.step(&mut choices);
    }
    play.end();
}

struct Play {
    machine: Simulation,
    contexts: Vec<Context>,
    sockets: Vec<Actor>,
    /// Of every socket that ever was, by its serial.
    records: Vec<Record>,
    post: Post,
    stranger: Stranger,
    addresses: Vec<Address>,
}

impl Play {
    fn new(choices: &mut Choices<'_>) -> Play {
        let seed = choices.word();
        let faults = match choices.index(4) {
            0 => Faults::NONE.under_laws_of(seed),
            1 => Faults::HARSH.under_laws_of(seed),
            _ => Faults::chosen_by(seed),
        };
        let mut machine = Simulation::new(seed, faults);
        let contexts = vec![machine.context_with(1 + choices.index(2)), machine.context()];
        let stranger = Stranger::new(machine.world());
        let tcp = (1..=3).map(|host| Address::Tcp(([10, 0, 0, host], 5555).into()));
        let addresses = tcp.chain([Address::Ipc("/run/one".into())]).collect();
        let post = Post::default();
        Play { machine, contexts, sockets: Vec::new(), records: Vec::new(), post, stranger, addresses }
    }

    fn step(&mut self, choices: &mut Choices<'_>) {
        match choices.index(45) {
            0..2 => self.open(choices),
            2..4 => self.open_couple(choices),
            4 => self.with_socket(choices, |play, at, _| drop(play.sockets.swap_remove(at))),
            5..8 => self.with_socket(choices, Play::bind),
            8..12 => self.with_socket(choices, Play::connect),
            12 => self.with_socket(choices, Play::unbind),
            13 => self.with_socket(choices, Play::disconnect),
            14..20 => self.with_socket(choices, Play::send),
            20..24 => self.with_socket(choices, Play::receive),
            24 => self.with_socket(choices, Play::await_one),
            25..27 => self.with_socket(choices, |play, at, choices| play.sockets[at].subscribe(choices)),
            27 => self.with_socket(choices, |play, at, choices| play.sockets[at].unsubscribe(choices)),
            40..42 => {
                self.with_socket(choices, |play, at, choices| play.sockets[at].say_subscription(choices))
            }
            42..44 => self.with_socket(choices, |play, at, choices| play.sockets[at].grant(choices)),
            28 => self.with_socket(choices, Play::look),
            44 => self.with_socket(choices, Play::hang_up),
            29..34 => self.stranger.act(choices, &self.addresses),
            34 => self.stir(choices),
            35 => self.receive_everything(),
            _ => {
                self.let_pass(choices.time());
                if choices.once_in(2) {
                    self.receive_everything();
                }
            }
        }
    }

    /// What changes for everybody.
    fn stir(&mut self, choices: &mut Choices<'_>) {
        let world = self.machine.world();
        match choices.index(10) {
            0 => world.reset_connections(),
            1 => world.set_frozen(true),
            2 => world.set_frozen(false),
            3 => world.set_descriptor_limit(Some(world.descriptor_count() + choices.index(3))),
            4 => world.set_descriptor_limit(None),
            5 => world.fail_registrations(1 + choices.index(3)),
            6 => world.reset_next_connection_at(u64::from(choices.byte())),
            7 => world.set_faults(Faults::NONE),
            8 => world.set_faults(Faults::chosen_by(choices.word())),
            _ if choices.once_in(8) => self.contexts[0].shutdown(),
            _ => {}
        }
    }

    fn let_pass(&mut self, time: Duration) {
        let end = self.machine.world().now() + time;
        let (world, stranger) = (self.machine.world().clone(), &mut self.stranger);
        // The stranger has to take its events, or the machine never comes to rest.
        let passing = poll_fn(|_| {
            stranger.go_on();
            if world.now() < end { Poll::Pending } else { Poll::Ready(()) }
        });
        let _ = self.machine.run(passing, time);
    }

    // ---- sockets

    fn with_socket(
        &mut self,
        choices: &mut Choices<'_>,
        act: impl FnOnce(&mut Play, usize, &mut Choices<'_>),
    ) {
        if !self.sockets.is_empty() {
            let at = choices.index(self.sockets.len());
            act(self, at, choices);
        }
    }

    /// Two that understand each other, connected: by chance alone few meet.
    fn open_couple(&mut self, choices: &mut Choices<'_>) {
        let kind = choices.of(&KINDS);
        let peers: Vec<SocketType> = SocketType::ALL.into_iter().filter(|peer| kind.accepts(*peer)).collect();
        let endpoint = choices.of(&ENDPOINTS);
        self.open_one(kind, choices);
        self.open_one(choices.of(&peers), choices);
        for Actor { serial, socket, subscribed, .. } in self.sockets.iter_mut().rev().take(2) {
            if socket.subscribe("").is_ok() {
                subscribed.push(Wish::Topic(""));
            }
            for group in GROUPS {
                let _ = socket.join(group);
            }
            let record = &mut self.records[*serial as usize];
            // Who comes second finds it in use, and connects.
            match socket.bind(endpoint) {
                Ok(_) => record.binds += 1,
                Err(_) => record.connects += usize::from(socket.connect(endpoint).is_ok()),
            }
        }
    }

    fn open(&mut self, choices: &mut Choices<'_>) {
        let kind = choices.of(&KINDS);
        self.open_one(kind, choices);
    }

    fn open_one(&mut self, kind: SocketType, choices: &mut Choices<'_>) {
        if self.sockets.len() == MAX_SOCKETS {
            return;
        }
        let context = &self.contexts[choices.index(2)];
        let options = options(choices, kind);
        match context.socket_with(kind, options.clone()) {
            Ok(socket) => {
                let monitor = socket.monitor();
                self.records.push(Record { kind, options, sent: 0, binds: 0, connects: 0, monitor });
                self.sockets.push(Actor::new(self.records.len() as Serial - 1, socket));
            }
            Err(error) => assert!(matches!(error, Error::Terminated), "opening a {kind}: {error}"),
        }
    }

    fn bind(&mut self, at: usize, choices: &mut Choices<'_>) {
        let Actor { serial, socket, .. } = &self.sockets[at];
        if socket.bind(choices.of(&ENDPOINTS)).is_ok() {
            self.records[*serial as usize].binds += 1;
        }
    }

    fn connect(&mut self, at: usize, choices: &mut Choices<'_>) {
        let Actor { serial, socket, heard, .. } = &mut self.sockets[at];
        let endpoint = choices.of(&ENDPOINTS);
        let connected = match socket.socket_type() {
            SocketType::Router if choices.once_in(2) => {
                socket.connect_as(endpoint, choices.of(&NAMES).as_bytes())
            }
            SocketType::Peer if choices.once_in(2) => {
                socket.connect_peer(endpoint).map(|number| heard.push(number.to_vec()))
            }
            _ => socket.connect(endpoint),
        };
        if connected.is_ok() {
            self.records[*serial as usize].connects += 1;
        }
    }

    fn unbind(&mut self, at: usize, choices: &mut Choices<'_>) {
        let _ = self.sockets[at].socket.unbind(choices.of(&ENDPOINTS));
    }

    fn disconnect(&mut self, at: usize, choices: &mut Choices<'_>) {
        let _ = self.sockets[at].socket.disconnect(choices.of(&ENDPOINTS));
    }

    fn hang_up(&mut self, at: usize, choices: &mut Choices<'_>) {
        // Few can.
        let mut from_here_on = (at..self.sockets.len()).chain(0..at);
        let at = from_here_on.find(|at| is_addressed(self.sockets[*at].socket.socket_type())).unwrap_or(at);
        let actor = &self.sockets[at];
        let peer = actor.addressee(choices);
        let outcome = match choices.once_in(4) {
            true => actor.socket.has_room_for(&peer).map(drop),
            false => actor.socket.hang_up(&peer),
        };
        outcome.unwrap_or_else(|error| assert_expected(&error));
    }

    /// Everything that can be asked; the answers only have to come.
    fn look(&mut self, at: usize, choices: &mut Choices<'_>) {
        let Actor { serial, socket, .. } = &self.sockets[at];
        match choices.index(8) {
            0 => drop(socket.readiness()),
            1 => drop(socket.connections()),
            2 => drop(self.contexts[choices.index(2)].report()),
            3 => drop(socket.last_endpoint()),
            4 => drop(socket.peers()),
            5 => drop(socket.peer_stats()),
            6 => drop(socket.topics_count()),
            _ => drop(self.records[*serial as usize].monitor.dropped()),
        }
        self.sockets[at].assert_counted();
    }

    // ---- messages

    fn send(&mut self, at: usize, choices: &mut Choices<'_>) {
        let by_future = choices.once_in(4);
        for _ in 0..choices.of(&[1, 2, 5, 30]) {
            self.send_one(at, by_future, choices);
        }
    }

    fn send_one(&mut self, at: usize, by_future: bool, choices: &mut Choices<'_>) {
        let actor = &mut self.sockets[at];
        let record = &mut self.records[actor.serial as usize];
        let letter = Letter { sender: actor.serial, number: record.sent };
        record.sent += 1;
        let mut message: Message = letter.parts_for(record.kind).into_iter().collect();
        if is_addressed(record.kind) {
            message.push_front(actor.addressee(choices));
        }
        let sent = match by_future {
            false => {
                let kept = message.clone();
                actor.socket.try_send(message).map_err(|failed| {
                    assert_eq!(failed.message, kept, "a failed send gives back what it was given");
                    failed.error
                })
            }
            true => match poll_once(actor.socket.send_async(message)) {
                Some(outcome) => outcome.map_err(|failed| failed.error),
                None => return,
            },
        };
        match sent {
            Ok(()) => {
                actor.sent += 1;
                self.post.accept(letter);
            }
            Err(error) => assert_expected(&error),
        }
    }

    fn receive(&mut self, at: usize, choices: &mut Choices<'_>) {
        let with_peer = choices.once_in(4);
        for _ in 0..=choices.index(8) {
            let socket = &self.sockets[at].socket;
            let received = match with_peer {
                true => socket.try_recv_with_peer().map(|(message, _)| message),
                false => socket.try_recv(),
            };
            match received {
                Ok(message) => self.take(at, &message),
                Err(error) => return assert_expected(&error),
            }
        }
    }

    fn receive_everything(&mut self) {
        for at in 0..self.sockets.len() {
            // A REP or REQ takes one and waits for its turn; others end when nothing more is here.
            while let Ok(message) = self.sockets[at].socket.try_recv() {
                self.take(at, &message);
            }
        }
    }

    /// A future that is asked once and dropped.
    fn await_one(&mut self, at: usize, _: &mut Choices<'_>) {
        match poll_once(self.sockets[at].socket.recv_async()) {
            Some(Ok(message)) => self.take(at, &message),
            Some(Err(error)) => assert_expected(&error),
            None => {}
        }
    }

    fn take(&mut self, at: usize, message: &Message) {
        let actor = &mut self.sockets[at];
        actor.received += 1;
        assert!(message.part_count() > 0);
        let kind = actor.socket.socket_type();
        if is_addressed(kind) {
            actor.heard.push(message.first().to_vec());
        }
        let Some(letter) = Letter::read(message) else { return };
        let from = self.records[letter.sender as usize].kind;
        letter.assert_whole(message, from, matches!(kind, SocketType::Req | SocketType::Rep));
        assert!(kind != SocketType::Dish || GROUPS.contains(&letter.group()), "a DISH got another's group");
        assert!(from.accepts(kind), "a {kind} got a message of a {from}");
        if self.is_filtered(at, letter.sender) {
            let (actor, first) = (&self.sockets[at], message.first());
            let wanted = actor.subscribed.iter().any(|wish| wish.fits(first));
            assert!(
                wanted,
                "a {kind} got {first:?} of a {from}, and subscribed to {:?} only",
                actor.subscribed
            );
        }
        use SocketType::{Pub, Radio, Xpub, Xsub};
        let to_one = !matches!(from, Pub | Xpub | Xsub | Radio);
        self.post.deliver(letter, self.sockets[at].serial, to_one);
    }

    /// Whether a subscriber hears of this sender only what it has subscribed to. A SUB looks itself at what comes.
    fn is_filtered(&self, at: usize, sender: Serial) -> bool {
        let socket = &self.sockets[at].socket;
        let Record { options, connects, .. } = &self.records[sender as usize];
        match socket.socket_type() {
            SocketType::Sub => !socket.options().invert_matching,
            // An XSUB passes on what comes, and what a publisher had queued for one whom it dialed goes to whoever is there next.
            SocketType::Xsub => {
                let by_hand = options.xpub_manual || options.xpub_manual_last_value;
                *connects == 0 && !by_hand && !options.invert_matching
            }
            _ => false,
        }
    }

    // ---- the end

    /// Nothing goes wrong any more: the machine still serves newcomers, and when all have left, nothing of them is left.
    fn end(mut self) {
        self.calm_down();
        self.assert_a_newcomer_is_served();
        self.receive_everything();
        self.sockets.iter().for_each(Actor::assert_counted);
        self.assert_nobody_overtook();
        self.sockets.clear();
        self.records.clear();
        self.contexts.clear();
        self.stranger.hang_up_all();
        self.let_pass(PATIENCE);
        assert!(self.stranger.has_left(), "closed sources of the stranger did not come home");
        let Play { machine, stranger, .. } = self;
        drop(stranger);
        assert_nothing_is_left(&machine);
    }

    fn calm_down(&mut self) {
        let world = self.machine.world();
        world.set_faults(Faults::NONE);
        world.set_frozen(false);
        world.set_descriptor_limit(None);
        world.fail_registrations(0);
        // Connections that were doomed and not made yet.
        self.stranger.hang_up_all();
        self.let_pass(Duration::from_secs(1));
    }

    fn assert_a_newcomer_is_served(&mut self) {
        let context = self.machine.context();
        let pull = context.pull().open().expect("a new context");
        pull.bind("tcp://10.0.0.9:5555").expect("nobody else has it");
        let push =
            context.push().linger(serverlink::Linger::For(Duration::ZERO)).open().expect("a new context");
        push.connect("tcp://10.0.0.9:5555").expect("a good endpoint");
        // The first connections may be doomed still.
        for number in 0..300u32 {
            push.try_send(number.to_string()).expect("room");
            self.let_pass(Duration::from_secs(1));
            if pull.try_recv().is_ok() {
                return;
            }
        }
        panic!("a newcomer's messages do not arrive");
    }

    fn assert_nobody_overtook(&self) {
        for (from, to) in self.post.overtaken() {
            let ends = [from, to].map(|serial| &self.records[serial as usize]);
            let by_one_connection = ends.iter().any(|record| record.had_one_connection());
            assert!(!by_one_connection, "of {from} to {to} a message overtook another on one connection");
        }
    }
}

/// What is sent and received names its peer in front.
fn is_addressed(kind: SocketType) -> bool {
    matches!(kind, SocketType::Router | SocketType::Server | SocketType::Peer)
}

fn poll_once<F: Future>(future: F) -> Option<F::Output> {
    match pin!(future).poll(&mut TaskContext::from_waker(Waker::noop())) {
        Poll::Ready(output) => Some(output),
        Poll::Pending => None,
    }
}

/// What a call that does not wait may answer on a machine on which things go wrong.
pub(crate) fn assert_expected(error: &Error) {
    let expected = matches!(
        error,
        Error::WouldBlock
            | Error::WrongState { .. }
            | Error::NotSupported { .. }
            | Error::UnsuitableMessage { .. }
            | Error::Unroutable { .. }
            | Error::Terminated
    );
    assert!(expected, "{error:?}");
}
