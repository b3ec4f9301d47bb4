//! The end of a context.

use std::{sync::Arc, thread, time::Duration};

use serverlink::{Context, Error, Linger, SocketType::*};

use crate::{
    over_transports,
    world::{MOMENT, PATIENCE, World, fill, peers, promptly, recv_text, send},
};

over_transports! {
    shutdown_wakes_blocked_receivers
    shutdown_wakes_blocked_senders
    shutdown_wakes_those_who_wait_for_peers
    after_shutdown_nothing_works
    terminate_waits_for_lingering_sockets
    terminate_keeps_its_deadline
}

fn terminated<T: std::fmt::Debug>(result: Result<T, Error>) {
    assert!(matches!(result, Err(Error::Terminated)), "{result:?}");
}

/// Runs `blocked` on a thread, and shuts the context down. Whether the thread is blocked by then or
/// not there yet must make no difference.
fn ends_with_the_context<T: std::fmt::Debug + Send + 'static>(
    context: &Context,
    blocked: impl FnOnce() -> Result<T, Error> + Send + 'static,
) {
    let context = context.clone();
    promptly("a blocked call on a shut down context", move || {
        let caller = thread::spawn(blocked);
        context.shutdown();
        terminated(caller.join().expect("the call returned"));
    });
}

fn shutdown_wakes_blocked_receivers(world: &World) {
    let (pull, _push) = world.linked(Pull, Push);
    ends_with_the_context(&world.context, move || pull.recv());
}

fn shutdown_wakes_blocked_senders(world: &World) {
    let (push, _pull) = world.linked_with(Push, Pull, |options| {
        options.send_hwm = 1;
        options.recv_hwm = 1;
    });
    fill(&push, 60_000);
    ends_with_the_context::<()>(&world.context, move || {
        let body = vec![0; 60_000];
        loop {
            push.send(body.as_slice())?;
        }
    });
}

fn shutdown_wakes_those_who_wait_for_peers(world: &World) {
    let (pull, _endpoint) = world.bound(Pull);
    ends_with_the_context(&world.context, move || pull.wait_for_peers(1, 10 * PATIENCE));
}

fn after_shutdown_nothing_works(world: &World) {
    let (pull, push) = world.linked(Pull, Push);
    world.context.shutdown();
    terminated(pull.try_recv());
    let refused = push.try_send(String::from("precious")).expect_err("the context ended");
    assert!(matches!(refused.error, Error::Terminated), "{}", refused.error);
    assert_eq!(refused.into_message(), "precious");
    terminated(pull.bind(&world.fresh_endpoint()));
    terminated(push.connect(&world.deserted_endpoint()));
    terminated(world.context.socket(Pull).map(drop));
}

fn terminate_waits_for_lingering_sockets(world: &World) {
    let endpoint = world.deserted_endpoint();
    let push = world.socket_with(Push, |options| options.linger = Linger::Forever);
    push.connect(&endpoint).expect("nobody need be there");
    // Inside a process the peer belongs to the same context and must be open before it ends.
    let pull = world.socket(Pull);
    for number in 0..10 {
        send(&push, [&number.to_string()]);
    }
    drop(push);
    pull.bind(&endpoint).expect("binding later");
    let pull = Arc::new(pull);
    let reader = {
        let pull = Arc::clone(&pull);
        thread::spawn(move || (0..10).map(|_| recv_text(&pull).concat()).collect::<String>())
    };
    assert_eq!(reader.join().expect("everything arrived"), "0123456789");
    drop(pull);
    let context = world.context.clone();
    promptly("terminating", move || context.terminate(PATIENCE)).expect("nothing is left to wait for");
}

fn terminate_keeps_its_deadline(world: &World) {
    let push = world.socket_with(Push, |options| options.linger = Linger::Forever);
    push.connect(&world.deserted_endpoint()).expect("nobody need be there");
    send(&push, ["undeliverable"]);
    drop(push);
    let context = world.context.clone();
    let result = promptly("terminating with a deadline", move || context.terminate(MOMENT));
    assert!(matches!(result, Err(Error::TimedOut)), "{result:?}");
}

#[test]
fn contexts_do_not_know_each_other() {
    let (one, other) = (Context::new().expect("a context"), Context::new().expect("a context"));
    let pull = one.socket(Pull).expect("a socket");
    pull.bind("inproc://same name").expect("binding");
    let elsewhere = other.socket(Pull).expect("a socket");
    elsewhere.bind("inproc://same name").expect("names belong to a context");
    one.shutdown();
    let push = other.socket(Push).expect("a socket of the context that goes on");
    push.connect("inproc://same name").expect("connecting");
    peers(&elsewhere, 1);
    send(&push, ["unharmed"]);
    assert_eq!(recv_text(&elsewhere), ["unharmed"]);
}

#[test]
fn a_context_limits_its_sockets() {
    let context = Context::builder().max_sockets(2).build().expect("a context");
    let first = context.socket(Pull).expect("the first");
    let _second = context.socket(Pull).expect("the second");
    let refused = context.socket(Pull).map(drop);
    assert!(matches!(refused, Err(Error::TooManySockets)), "{refused:?}");
    first.close(Duration::ZERO);
    context.socket(Pull).expect("there is room again");
}
