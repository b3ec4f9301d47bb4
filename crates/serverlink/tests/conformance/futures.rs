//! The asynchronous forms: any executor runs them, and dropping one loses nothing.

use std::{
    future::Future,
    pin::pin,
    sync::Arc,
    task::{Context, Poll, Wake, Waker},
    thread::{self, Thread},
    time::Instant,
};

use serverlink::{Error, SocketType::*};

use crate::{
    over_transports,
    world::{MOMENT, PATIENCE, World, fill, promptly, recv, recv_text, send},
};

over_transports! {
    a_future_receives
    a_future_sends
    a_dropped_receive_loses_nothing
    a_dropped_send_sends_nothing
    a_refused_send_returns_the_message
    futures_end_with_the_context
    a_future_and_a_blocking_caller_share_a_socket
}

struct Unparker(Thread);

impl Wake for Unparker {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// The smallest executor there is.
pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let waker = Waker::from(Arc::new(Unparker(thread::current())));
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            return output;
        }
        let left = deadline.saturating_duration_since(Instant::now());
        assert!(!left.is_zero(), "the future was never woken");
        thread::park_timeout(left);
    }
}

/// Polls once and drops the future.
fn poll_once<F: Future>(future: F) -> Poll<F::Output> {
    pin!(future).poll(&mut Context::from_waker(Waker::noop()))
}

fn a_future_receives(world: &World) {
    let (pull, push) = world.linked(Pull, Push);
    let receiver = thread::spawn(move || {
        for round in 0..100 {
            let message = block_on(pull.recv_async()).expect("a message");
            assert_eq!(crate::world::text(&message), [round.to_string()]);
        }
    });
    for round in 0..100 {
        send(&push, [&round.to_string()]);
        thread::yield_now();
    }
    receiver.join().expect("everything came");
}

fn a_future_sends(world: &World) {
    let (push, pull) = world.linked_with(Push, Pull, |options| {
        options.send_hwm = 2;
        options.recv_hwm = 2;
    });
    let sender = thread::spawn(move || {
        for round in 0..50_u8 {
            block_on(push.send_async(vec![round; 60_000])).expect("sent when there is room");
        }
        push
    });
    for round in 0..50 {
        assert_eq!(recv(&pull).first()[..3], [round; 3]);
    }
    sender.join().expect("everything was sent");
}

fn a_dropped_receive_loses_nothing(world: &World) {
    let (pull, push) = world.linked(Pull, Push);
    for round in 0..100 {
        assert!(poll_once(pull.recv_async()).is_pending(), "round {round}");
        send(&push, [&round.to_string()]);
        assert_eq!(recv_text(&pull), [round.to_string()]);
    }
}

fn a_dropped_send_sends_nothing(world: &World) {
    let (push, pull) = world.linked_with(Push, Pull, |options| {
        options.send_hwm = 2;
        options.recv_hwm = 2;
    });
    let taken = fill(&push, 60_000);
    assert!(poll_once(push.send_async("never sent")).is_pending());
    for _ in 0..taken {
        assert_eq!(recv(&pull).len_bytes(), 60_000);
    }
    send(&push, ["next"]);
    assert_eq!(recv_text(&pull), ["next"]);
}

fn a_refused_send_returns_the_message(world: &World) {
    let (pull, _push) = world.linked(Pull, Push);
    let refused = block_on(pull.send_async(String::from("wrong way"))).expect_err("a PULL does not send");
    assert!(matches!(refused.error, Error::NotSupported { .. }), "{}", refused.error);
    assert_eq!(refused.into_message(), "wrong way");
}

fn futures_end_with_the_context(world: &World) {
    let (pull, _push) = world.linked(Pull, Push);
    let context = world.context.clone();
    promptly("a future of a context that was shut down", move || {
        let receiver = thread::spawn(move || block_on(pull.recv_async()));
        context.shutdown();
        let result = receiver.join().expect("the future was woken");
        assert!(matches!(result, Err(Error::Terminated)), "{result:?}");
    });
}

/// A waker that nobody polls again must not swallow what a blocked caller waits for.
fn a_future_and_a_blocking_caller_share_a_socket(world: &World) {
    let (pull, push) = world.linked(Pull, Push);
    let mut abandoned = Box::pin(pull.recv_async());
    assert!(abandoned.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    send(&push, ["for whoever asks"]);
    assert_eq!(recv_text(&pull), ["for whoever asks"]);
    drop(abandoned);
    let nothing = pull.recv_deadline(Instant::now() + MOMENT);
    assert!(matches!(nothing, Err(Error::TimedOut)), "{nothing:?}");
}
