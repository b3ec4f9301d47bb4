//! Somebody in the process closes a descriptor that is not his, and the system gives its number to something else. The connection
//! it belonged to ends with an event; all others go on. A binary of its own, because it meddles with the whole process.
//!
//! The number is replaced (`dup2`) and not merely closed: then the library closes what it finds under it, as it would in a program
//! where another file got the number. A number that nothing stands behind is a matter of the standard library, which ends debug
//! builds that close one.
#![cfg(target_os = "linux")]

use std::collections::BTreeSet;
use std::fs::File;
use std::os::fd::{FromRawFd, IntoRawFd, OwnedFd};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serverlink::{Context, Error, EventKind, Options, Socket, SocketType};

#[path = "support/place.rs"]
mod place;
#[path = "support/pushes.rs"]
mod pushes;
#[path = "support/registrations.rs"]
mod registrations;

use place::{PATIENCE, Place, brisk, eventually, in_time, over_wires, wait_for};
use pushes::{connected, recv, send};

over_wires! {
    an_accepted_connection
    a_dialed_connection
    a_connection_that_is_written_to
    a_listener
    a_driver
}

/// Held by the one test that meddles.
static ALONE: Mutex<()> = Mutex::new(());

/// Somebody's socket lingers for a name that nobody binds, and ends when its time is over although its driver reports nothing any more.
#[test]
fn timers_go_on_where_the_driver_has_failed() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    eventually("the last scene is gone", || watched().is_empty());
    let context = Context::new().expect("a context");
    let dealer = context.socket(SocketType::Dealer).expect("a socket");
    dealer.bind("tcp://127.0.0.1:*").expect("a free port");
    dealer.connect("inproc://nobody").expect("a name");
    send(&dealer, "for nobody");
    replace(watched().first().expect("it listens").epoll);
    match dealer.recv_deadline(in_time()) {
        Err(Error::Io { .. }) => {}
        other => panic!("a receive that cannot succeed any more ended with {other:?}"),
    }
    let _ = dealer.close(Duration::from_millis(50));
    context.terminate(PATIENCE).expect("the linger of 50 ms is over");
}

/// A PULL with two peers, of whom one is to have bad luck, and another pair beside it in the same context.
struct Scene {
    context: Context,
    pull: Socket,
    unlucky: Socket,
    lucky: Socket,
    beside: (Socket, Socket),
    endpoint: String,
    /// Descriptors of the unlucky connection, and the epolls that watch them.
    near: Watched,
    far: Watched,
    listener: Watched,
    _alone: MutexGuard<'static, ()>,
}

/// A socket and the epoll that watches it, as descriptors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Watched {
    epoll: u32,
    socket: u32,
}

fn watched() -> BTreeSet<Watched> {
    registrations::of_descriptors().into_iter().map(|(socket, epoll)| Watched { epoll, socket }).collect()
}

impl Scene {
    fn new(place: &Place, change: impl Fn(&mut Options)) -> Scene {
        let alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
        // What the last scene had is closed when its sockets are through, and its numbers are used again then.
        eventually("the last scene is gone", || watched().is_empty());
        // Without traffic nothing but a heartbeat finds out.
        let beating = |options: &mut Options| {
            options.heartbeat_interval = Duration::from_millis(20);
            change(options);
        };
        let context = Context::builder().io_threads(2).build().expect("a context");
        let beside = {
            let pull = brisk(&context, SocketType::Pull, |_| {});
            let endpoint = pull.bind(&place.endpoint()).expect("a free endpoint").to_string();
            (pull, connected(&context, &endpoint, |_| {}))
        };
        let before = watched();
        let pull = brisk(&context, SocketType::Pull, beating);
        let endpoint = pull.bind(&place.endpoint()).expect("a free endpoint").to_string();
        let listening = watched();
        let listener = *listening.difference(&before).next().expect("a listener");
        let unlucky = connected(&context, &endpoint, beating);
        pull.wait_for_peers(1, PATIENCE).expect("its other end");
        let both: Vec<Watched> = watched().difference(&listening).copied().collect();
        let near = *both.iter().find(|end| end.epoll == listener.epoll).expect("the accepted end");
        let far = *both.iter().find(|end| end.epoll != listener.epoll).expect("the dialed end");
        let lucky = connected(&context, &endpoint, beating);
        pull.wait_for_peers(2, PATIENCE).expect("both peers");
        Scene { context, pull, unlucky, lucky, beside, endpoint, near, far, listener, _alone: alone }
    }

    /// The others' messages come through, and a newcomer's, if the listener had no bad luck.
    fn assert_others_unharmed(&self) {
        for round in 0..20 {
            for (pull, push) in [(&self.pull, &self.lucky), (&self.beside.0, &self.beside.1)] {
                send(push, &round.to_string());
                assert_eq!(recv(pull), round.to_string());
            }
        }
    }

    /// The one who lost his connection has made a new one.
    fn assert_healed(&self) {
        eventually("both are back", || self.pull.stats().peers == 2 && self.unlucky.stats().peers == 1);
        send(&self.unlucky, "back again");
        assert_eq!(recv(&self.pull), "back again");
        self.assert_others_unharmed();
    }
}

/// What stood behind the number is closed, and something else stands there.
fn replace(descriptor: u32) {
    let other: OwnedFd = File::open("/dev/null").expect("every system has it").into();
    let number = i32::try_from(descriptor).expect("descriptors are small");
    // SAFETY: the number is open, as its owner in the library keeps it so; it is given back below without being closed, so that it has
    // one owner again when this returns. That the owner finds another file there is what is tested.
    let mut victim = unsafe { OwnedFd::from_raw_fd(number) };
    rustix::io::dup2(&other, &mut victim).expect("a number that is open");
    let _ = victim.into_raw_fd();
}

fn reason_of_the_end(socket: &serverlink::Monitor) -> String {
    wait_for(socket, "the end of the connection", |event| match event {
        EventKind::Disconnected { reason, .. } => Some(reason),
        _ => None,
    })
}

fn an_accepted_connection(place: &Place) {
    let scene = Scene::new(place, |_| {});
    let monitor = scene.pull.monitor();
    replace(scene.near.socket);
    let reason = reason_of_the_end(&monitor);
    assert!(reason.len() > 10, "{reason:?} explains nothing");
    scene.assert_healed();
}

fn a_dialed_connection(place: &Place) {
    let scene = Scene::new(place, |_| {});
    let monitor = scene.unlucky.monitor();
    replace(scene.far.socket);
    let reason = reason_of_the_end(&monitor);
    assert!(reason.len() > 10, "{reason:?} explains nothing");
    scene.assert_healed();
}

/// The write finds out, and the message that it was for is sent again on the next connection.
fn a_connection_that_is_written_to(place: &Place) {
    let scene = Scene::new(place, |options| options.heartbeat_interval = Duration::ZERO);
    let monitor = scene.unlucky.monitor();
    replace(scene.far.socket);
    send(&scene.unlucky, "kept");
    reason_of_the_end(&monitor);
    assert_eq!(recv(&scene.pull), "kept");
    scene.assert_others_unharmed();
}

/// Nobody hears of it: no system tells that a listener has gone. Its connections go on, and it can be opened again.
fn a_listener(place: &Place) {
    let scene = Scene::new(place, |_| {});
    replace(scene.listener.socket);
    scene.assert_others_unharmed();
    scene.pull.unbind(&scene.endpoint).expect("it was bound");
    scene.pull.bind(&scene.endpoint).expect("the endpoint is free");
    let guest = connected(&scene.context, &scene.endpoint, |_| {});
    send(&guest, "hello");
    assert_eq!(recv(&scene.pull), "hello");
    scene.assert_others_unharmed();
}

/// The port itself: its socket can do no more, and says so; other sockets do not notice.
fn a_driver(place: &Place) {
    let scene = Scene::new(place, |_| {});
    replace(scene.listener.epoll);
    for round in 0..20 {
        send(&scene.beside.1, &round.to_string());
        assert_eq!(recv(&scene.beside.0), round.to_string());
    }
    match scene.pull.recv_deadline(in_time()) {
        Err(Error::Io { .. }) => {}
        other => panic!("a receive that cannot succeed any more ended with {other:?}"),
    }
}
