//! What XPUB's options change: who is told what, and who gets what.

use proptest::prelude::*;
use serverlink_message::{Message, SocketType};
use serverlink_patterns::{Glob, PatternOptions, PipeId, Reserve, Subject};

use crate::publish::Names;
use crate::support::{Socket, message, parts, pipes};

fn told(body: &[u8]) -> Option<Message> {
    Some(message(&[body]))
}

fn targets(socket: &mut Socket, first: &[u8]) -> Vec<PipeId> {
    let reserve = socket.reserve(first);
    assert_ne!(reserve, Reserve::WouldBlock);
    let mut targets = socket.sender.targets().to_vec();
    targets.sort();
    socket.commit();
    targets
}

#[test]
fn a_glob_and_a_topic_deliver_once() {
    let [a, b] = pipes();
    let mut socket = Socket::new(SocketType::Pub);
    socket.attach_all(&[a, b]);
    assert_eq!(socket.asks_for_glob(a, b"n*s"), None);
    assert_eq!(socket.asks_for_glob(a, b"*"), None);
    socket.asks(a, b"news");
    socket.asks_for_glob(b, b"n?ws");
    assert_eq!(targets(&mut socket, b"news"), [a, b]);
    assert_eq!(targets(&mut socket, b"newsy"), [a]);
    assert!(socket.sender.handle_subscribe(a, Subject::Glob(b"[")).is_err());
    assert_eq!((socket.sender.subscriber_count(), socket.sender.subscription_count()), (2, 4));
    let load = socket.sender.subscription_load(a);
    assert_eq!((load.topics, load.bytes), (3, 8));
}

#[test]
fn a_glob_is_told_as_the_topic_that_covers_it() {
    let [a, b] = pipes();
    let mut socket = Socket::new(SocketType::Xpub);
    socket.attach_all(&[a, b]);
    assert_eq!(socket.asks_for_glob(a, b"n*s"), told(b"\x01n"));
    assert_eq!(socket.asks_for_glob(b, b"n?"), None);
    assert_eq!(socket.asks(b, b"n"), None);
    assert_eq!(socket.sender.handle_cancel(a, Subject::Glob(b"n*s")), None);
    assert_eq!(socket.cancels(b, b"n"), None);
    assert_eq!(socket.sender.handle_cancel(b, Subject::Glob(b"n?")), told(b"\x00n"));
}

#[test]
fn or_as_itself() {
    let [a] = pipes();
    let options = PatternOptions { glob_messages: true, ..PatternOptions::default() };
    let mut socket = Socket::with(SocketType::Xpub, &options);
    socket.attach(a);
    assert_eq!(socket.asks_for_glob(a, b"n*s"), told(b"\x02n*s"));
    assert_eq!(socket.sender.handle_cancel(a, Subject::Glob(b"n*s")), told(b"\x03n*s"));
}

#[test]
fn without_drops_all_get_it_or_nobody() {
    let [a, b, c] = pipes();
    let options = PatternOptions { xpub_no_drop: true, ..PatternOptions::default() };
    let mut socket = Socket::with(SocketType::Pub, &options);
    assert!(socket.sender.is_ready(&socket.dialogue), "nobody is there to wait for");
    socket.attach_all(&[a, b, c]);
    for pipe in [a, b] {
        socket.asks(pipe, b"x");
    }
    socket.sender.set_writable(c, false);
    assert_eq!(targets(&mut socket, b"x"), [a, b], "who did not ask is not waited for");
    socket.sender.set_writable(b, false);
    assert_eq!(socket.reserve(b"x"), Reserve::WouldBlock);
    assert_eq!((socket.sender.targets(), socket.sender.dropped()), (&[][..], 0));
    assert!(socket.sender.is_ready(&socket.dialogue));
    socket.sender.set_writable(a, false);
    assert!(!socket.sender.is_ready(&socket.dialogue));
    socket.detach(b);
    socket.sender.set_writable(a, true);
    assert_eq!(targets(&mut socket, b"x"), [a]);
}

#[test]
fn in_manual_mode_the_application_decides() {
    let [a, b] = pipes();
    let options = PatternOptions { xpub_manual: true, ..PatternOptions::default() };
    let mut socket = Socket::with(SocketType::Xpub, &options);
    socket.attach_all(&[a, b]);
    assert_eq!(socket.asks(a, b"A"), told(b"\x01A"));
    assert_eq!(socket.asks(b, b"A"), told(b"\x01A"), "each is told");
    assert_eq!(targets(&mut socket, b"A"), []);
    assert_eq!(socket.sender.subscriber_count(), 0);
    socket.sender.on_received(Some(a));
    assert_eq!(socket.sender.last_subscriber(), Some(a));
    assert_eq!(socket.sender.subscribe_peer(a, Subject::Topic(b"B")), Ok(true));
    assert_eq!(targets(&mut socket, b"A"), []);
    assert_eq!(targets(&mut socket, b"B"), [a]);
    assert_eq!(socket.cancels(a, b"A"), told(b"\x00A"));
    assert_eq!(targets(&mut socket, b"B"), [a], "a cancellation has no effect either");
    assert!(socket.sender.unsubscribe_peer(a, Subject::Topic(b"B")));
    assert_eq!(targets(&mut socket, b"B"), []);
    assert_eq!(socket.sender.detach(a).upstream, [], "it had cancelled all it asked for");
    assert_eq!(socket.sender.last_subscriber(), None);
    assert_eq!(socket.sender.subscribe_peer(a, Subject::Topic(b"B")), Ok(false));
    assert_eq!(socket.sender.detach(b).upstream, [message(&[b"\x00A"])]);
}

#[test]
fn a_last_value_reaches_the_newcomer_alone() {
    let [a, b] = pipes();
    let options = PatternOptions { xpub_manual_last_value: true, ..PatternOptions::default() };
    let mut socket = Socket::with(SocketType::Xpub, &options);
    socket.attach_all(&[a, b]);
    for pipe in [a, b] {
        socket.asks(pipe, b"t");
        socket.sender.on_received(Some(pipe));
        assert_eq!(socket.sender.subscribe_peer(pipe, Subject::Topic(b"t")), Ok(true));
    }
    assert_eq!(socket.reserve(b"t"), Reserve::Many);
    assert_eq!(socket.sender.targets(), [b]);
    socket.rollback();
    assert_eq!(targets(&mut socket, b"t"), [b], "it was not sent before");
    assert_eq!(targets(&mut socket, b"t"), [a, b]);
    socket.sender.on_received(Some(a));
    assert_eq!(targets(&mut socket, b"other"), []);
    assert_eq!(targets(&mut socket, b"t"), [a, b], "the message for the newcomer was another one");
}

#[derive(Debug, Clone)]
enum Op {
    Attach(usize),
    Detach(usize),
    Writable(usize, bool),
    Subscribe(usize, Name),
    Cancel(usize, Name),
    CancelAll(usize),
    Receive(usize),
    Allow(usize, Name),
    Disallow(usize, Name),
    Send { first: Vec<u8>, written: bool },
}

/// A topic or, if true, a glob.
type Name = (bool, Vec<u8>);

fn op() -> impl Strategy<Value = Op> {
    let pipe = 0..4usize;
    let topic = || prop::collection::vec(prop::sample::select(b"ab*".to_vec()), 0..3);
    let name = || (prop::bool::weighted(0.4), topic());
    prop_oneof![
        3 => pipe.clone().prop_map(Op::Attach),
        1 => pipe.clone().prop_map(Op::Detach),
        2 => (pipe.clone(), any::<bool>()).prop_map(|(pipe, writable)| Op::Writable(pipe, writable)),
        6 => (pipe.clone(), name()).prop_map(|(pipe, name)| Op::Subscribe(pipe, name)),
        4 => (pipe.clone(), name()).prop_map(|(pipe, name)| Op::Cancel(pipe, name)),
        1 => pipe.clone().prop_map(Op::CancelAll),
        2 => pipe.clone().prop_map(Op::Receive),
        3 => (pipe.clone(), name()).prop_map(|(pipe, name)| Op::Allow(pipe, name)),
        2 => (pipe, name()).prop_map(|(pipe, name)| Op::Disallow(pipe, name)),
        6 => (topic(), prop::bool::weighted(0.8)).prop_map(|(first, written)| Op::Send { first, written }),
    ]
}

fn options() -> impl Strategy<Value = PatternOptions> {
    let mode = prop::sample::select(vec!["", "verbose", "verboser", "manual", "last value"]);
    (mode, any::<bool>(), any::<bool>(), any::<bool>()).prop_map(|(mode, inverted, no_drop, globs)| {
        PatternOptions {
            xpub_verbose: mode == "verbose",
            xpub_verboser: mode == "verboser",
            xpub_manual: mode == "manual",
            xpub_manual_last_value: mode == "last value",
            xpub_no_drop: no_drop,
            invert_matching: inverted,
            glob_messages: globs,
            ..PatternOptions::default()
        }
    })
}

#[derive(Clone)]
struct Peer {
    is_writable: bool,
    /// As often as it was asked for.
    asked: Vec<Name>,
    /// What it gets; the same, except in manual mode.
    allowed: Vec<Name>,
}

/// Lists, and every question answered by going through them.
struct Model {
    options: PatternOptions,
    pipes: [Option<Peer>; 4],
    last: Option<usize>,
    next: Option<usize>,
    dropped: u64,
}

impl Model {
    fn is_manual(&self) -> bool {
        self.options.xpub_manual || self.options.xpub_manual_last_value
    }

    /// As the application is told of it, if it is at all.
    fn shown(&self, (is_glob, name): &Name) -> Option<(bool, Vec<u8>)> {
        match is_glob {
            false => Some((false, name.clone())),
            true if self.options.glob_messages => Some((true, name.clone())),
            true if self.options.invert_matching && !self.is_manual() => None,
            true => Some((false, Glob::parse(name).expect("a pattern").literal_prefix())),
        }
    }

    fn notice(&self, subscribe: bool, name: &Name) -> Option<Vec<Vec<u8>>> {
        self.shown(name).map(|shown| notice(subscribe, &shown))
    }

    fn is_wanted(&self, name: &Name) -> bool {
        let shown = self.shown(name);
        let asked = self.pipes.iter().flatten().flat_map(|peer| &peer.asked);
        asked.into_iter().any(|asked| self.shown(asked) == shown)
    }

    fn subscribe(&mut self, pipe: usize, name: Name) -> Option<Vec<Vec<u8>>> {
        let is_told = self.options.xpub_verbose
            || self.options.xpub_verboser
            || self.is_manual()
            || !self.is_wanted(&name);
        let is_manual = self.is_manual();
        let peer = self.pipes[pipe].as_mut()?;
        peer.asked.push(name.clone());
        if !is_manual {
            peer.allowed.push(name.clone());
        }
        if is_told { self.notice(true, &name) } else { None }
    }

    fn cancel(&mut self, pipe: usize, name: &Name) -> Option<Vec<Vec<u8>>> {
        let is_manual = self.is_manual();
        let is_held = self.pipes[pipe].as_mut().is_some_and(|peer| {
            if !is_manual {
                take_one(&mut peer.allowed, name);
            }
            take_one(&mut peer.asked, name)
        });
        let is_last = is_held && !self.is_wanted(name);
        if is_manual || self.options.xpub_verboser || is_last { self.notice(false, name) } else { None }
    }

    /// What the application is told when `pipe` asks for nothing any more.
    fn leave(&mut self, pipe: usize, stays: bool) -> Vec<Vec<Vec<u8>>> {
        for remembered in [&mut self.last, &mut self.next] {
            remembered.take_if(|remembered| *remembered == pipe);
        }
        let Some(peer) = &mut self.pipes[pipe] else { return Vec::new() };
        let mut asked = std::mem::take(&mut peer.asked);
        peer.allowed.clear();
        if !stays {
            self.pipes[pipe] = None;
        }
        asked.sort();
        asked.dedup();
        if !self.is_manual() && !self.options.xpub_verboser {
            asked.retain(|name| !self.is_wanted(name));
        }
        let mut told: Vec<_> = asked.iter().filter_map(|name| self.notice(false, name)).collect();
        told.sort();
        if !self.is_manual() {
            told.dedup();
        }
        told
    }

    /// Who gets the message, and how many should and have no room.
    fn matching(&self, first: &[u8]) -> (Vec<usize>, u64) {
        let (mut targets, mut left_out) = (Vec::new(), 0);
        for (pipe, peer) in self.pipes.iter().enumerate() {
            let Some(peer) = peer else { continue };
            let fits = peer.allowed.iter().any(|(is_glob, name)| match is_glob {
                true => Glob::parse(name).expect("a pattern").matches(first),
                false => first.starts_with(name),
            });
            if fits != self.options.invert_matching && self.next.is_none_or(|next| next == pipe) {
                if peer.is_writable { targets.push(pipe) } else { left_out += 1 }
            }
        }
        (targets, left_out)
    }
}

fn take_one(names: &mut Vec<Name>, name: &Name) -> bool {
    let place = names.iter().position(|held| held == name);
    place.map(|place| names.swap_remove(place)).is_some()
}

fn notice(subscribe: bool, (is_glob, name): &Name) -> Vec<Vec<u8>> {
    let kind = u8::from(*is_glob) * 2 + u8::from(subscribe != *is_glob);
    vec![[&[kind], &**name].concat()]
}

fn subject((is_glob, name): &Name) -> Subject<'_> {
    if *is_glob { Subject::Glob(name) } else { Subject::Topic(name) }
}

fn sorted(messages: &[Message]) -> Vec<Vec<Vec<u8>>> {
    let mut all: Vec<_> = messages.iter().map(parts).collect();
    all.sort();
    all
}

proptest! {
    #[test]
    fn follows_the_model(options in options(), ops in prop::collection::vec(op(), 0..150)) {
        let ids = pipes::<4>();
        let mut socket = Socket::with(SocketType::Xpub, &options);
        let mut model = Model { options, pipes: [const { None }; 4], last: None, next: None, dropped: 0 };
        let mut names = Names::default();
        for op in ops {
            match op {
                Op::Attach(pipe) => {
                    socket.attach(ids[pipe]);
                    let new = Peer { is_writable: true, asked: Vec::new(), allowed: Vec::new() };
                    model.pipes[pipe].get_or_insert(new);
                }
                Op::Detach(pipe) => {
                    let told = socket.sender.detach(ids[pipe]).upstream;
                    prop_assert_eq!(sorted(&told), model.leave(pipe, false));
                }
                Op::CancelAll(pipe) => {
                    prop_assert_eq!(sorted(&socket.sender.cancel_all(ids[pipe])), model.leave(pipe, true));
                }
                Op::Writable(pipe, writable) => {
                    socket.sender.set_writable(ids[pipe], writable);
                    if let Some(peer) = &mut model.pipes[pipe] {
                        peer.is_writable = writable;
                    }
                }
                Op::Subscribe(pipe, name) => {
                    let told = socket.sender.handle_subscribe(ids[pipe], subject(&name)).expect("a pattern");
                    prop_assert_eq!(told.as_ref().map(parts), model.subscribe(pipe, name));
                }
                Op::Cancel(pipe, name) => {
                    let told = socket.sender.handle_cancel(ids[pipe], subject(&name));
                    prop_assert_eq!(told.as_ref().map(parts), model.cancel(pipe, &name));
                }
                Op::Receive(pipe) => {
                    socket.sender.on_received(Some(ids[pipe]));
                    if model.is_manual() {
                        model.last = model.pipes[pipe].as_ref().map(|_| pipe);
                        if model.options.xpub_manual_last_value {
                            model.next = model.last;
                        }
                    }
                }
                Op::Allow(pipe, name) if model.is_manual() => {
                    let is_there = socket.sender.subscribe_peer(ids[pipe], subject(&name));
                    prop_assert_eq!(is_there, Ok(model.pipes[pipe].is_some()));
                    if let Some(peer) = &mut model.pipes[pipe] {
                        peer.allowed.push(name);
                    }
                }
                Op::Disallow(pipe, name) if model.is_manual() => {
                    let is_there = socket.sender.unsubscribe_peer(ids[pipe], subject(&name));
                    prop_assert_eq!(is_there, model.pipes[pipe].is_some());
                    if let Some(peer) = &mut model.pipes[pipe] {
                        take_one(&mut peer.allowed, &name);
                    }
                }
                Op::Allow(..) | Op::Disallow(..) => {}
                Op::Send { first, written } => {
                    let (targets, left_out) = model.matching(&first);
                    let reserve = socket.reserve(&first);
                    if model.options.xpub_no_drop && left_out > 0 {
                        prop_assert_eq!(reserve, Reserve::WouldBlock);
                        continue;
                    }
                    let mut found = socket.sender.targets().to_vec();
                    found.sort();
                    let targets: Vec<_> = targets.into_iter().map(|pipe| ids[pipe]).collect();
                    prop_assert_eq!(&found, &targets);
                    prop_assert!(names.are_kept(&socket));
                    let is_for_some = if model.options.xpub_no_drop { Reserve::All } else { Reserve::Many };
                    prop_assert_eq!(reserve == is_for_some, !targets.is_empty());
                    if written { socket.commit() } else { socket.rollback() }
                    // With nobody to write to it is final already, whatever is said of it.
                    if written || targets.is_empty() {
                        model.dropped += left_out;
                        model.next = None;
                    }
                }
            }
            prop_assert_eq!(socket.sender.dropped(), model.dropped);
            prop_assert_eq!(socket.sender.last_subscriber().is_some(), model.last.is_some());
            let with_some = |list: fn(&Peer) -> &Vec<Name>| {
                model.pipes.iter().flatten().filter(|peer| !list(peer).is_empty()).count()
            };
            prop_assert_eq!(socket.sender.subscriber_count(), with_some(|peer| &peer.allowed));
        }
    }
}
