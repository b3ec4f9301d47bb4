//! Threads that die and foreign code that panics, at the worst moment: what they were in the middle of goes on without them.

use std::sync::Arc;
use std::sync::mpsc;
use std::task::{Context as TaskContext, Poll, Wake, Waker};
use std::thread;

use serverlink::{Context, Message, Part, Socket, SocketType};

#[path = "support/place.rs"]
mod place;
#[path = "support/pushes.rs"]
mod pushes;

use place::{PATIENCE, Place, brisk, in_time, over_wires};
use pushes::{connected, recv, send};

over_wires! {
    a_waker_that_panics_in_the_thread_that_drives
    a_waker_that_panics_in_the_io_thread
    an_owner_that_panics_where_its_message_was_written
    owners_that_panic_in_one_batch
    a_thread_that_dies_with_the_role_left_lying
    a_thread_that_dies_with_unsent_messages
    a_thread_that_dies_while_others_wait_for_what_it_drove
}

/// What foreign code does at the worst moment: a panic that the hook is not told of, so that nobody looks for its cause.
fn die() -> ! {
    std::panic::resume_unwind(Box::new("planned for this test"))
}

struct Dies;

impl Wake for Dies {
    fn wake(self: Arc<Self>) {
        die();
    }
}

/// Large enough to be written by reference, so that it is dropped where it was written.
struct DiesWhenDropped(Vec<u8>);

impl AsRef<[u8]> for DiesWhenDropped {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl Drop for DiesWhenDropped {
    fn drop(&mut self) {
        die();
    }
}

fn deadly_message() -> Message {
    Message::from(Part::from_owner(DiesWhenDropped(vec![b'x'; 20_000])))
}

/// A PULL and a PUSH that is connected to it, and where more can connect to.
fn linked(place: &Place, context: &Context) -> (Arc<Socket>, Socket, String) {
    let pull = brisk(context, SocketType::Pull, |_| {});
    let endpoint = pull.bind(&place.endpoint()).expect("a free endpoint").to_string();
    let push = connected(context, &endpoint, |_| {});
    (Arc::new(pull), push, endpoint)
}

/// The path works, for the one who is connected and for one who comes.
fn assert_unharmed(context: &Context, pull: &Socket, push: &Socket, endpoint: &str) {
    let guest = connected(context, endpoint, |_| {});
    for round in 0..20 {
        for sender in [push, &guest] {
            send(sender, &round.to_string());
            assert_eq!(recv(pull), round.to_string());
        }
    }
}

fn a_waker_that_panics_in_the_thread_that_drives(place: &Place) {
    let context = Context::new().expect("a context");
    let (pull, push, endpoint) = linked(place, &context);
    let waker = Waker::from(Arc::new(Dies));
    let driving = {
        let pull = Arc::clone(&pull);
        thread::spawn(move || [recv(&pull), recv(&pull)])
    };
    // A task waits for the same socket; whoever brings its message wakes it.
    let mut waiting = Box::pin(pull.recv_async());
    assert!(waiting.as_mut().poll(&mut TaskContext::from_waker(&waker)).is_pending());
    send(&push, "one");
    send(&push, "two");
    let mut got = Vec::from(driving.join().expect("the panic is not the driving thread's"));
    got.sort();
    assert_eq!(got, ["one", "two"]);
    drop(waiting);
    assert_unharmed(&context, &pull, &push, &endpoint);
}

fn a_waker_that_panics_in_the_io_thread(place: &Place) {
    let context = Context::new().expect("a context");
    let (pull, push, endpoint) = linked(place, &context);
    let waker = Waker::from(Arc::new(Dies));
    for round in 0..10 {
        let mut waiting = Box::pin(pull.recv_async());
        let mut task = TaskContext::from_waker(&waker);
        if waiting.as_mut().poll(&mut task).is_pending() {
            send(&push, &round.to_string());
            // The task is never told, so it asks.
            place::eventually("the message", || {
                matches!(waiting.as_mut().poll(&mut TaskContext::from_waker(&waker)), Poll::Ready(Ok(_)))
            });
        }
    }
    assert_unharmed(&context, &pull, &push, &endpoint);
}

fn an_owner_that_panics_where_its_message_was_written(place: &Place) {
    let context = Context::new().expect("a context");
    let (pull, push, endpoint) = linked(place, &context);
    for round in 0..20 {
        push.send_deadline(deadly_message(), in_time()).expect("room");
        assert_eq!(recv(&pull).len(), 20_000);
        send(&push, &round.to_string());
        assert_eq!(recv(&pull), round.to_string());
    }
    assert_unharmed(&context, &pull, &push, &endpoint);
}

/// Several go out with one write, and are given up together.
fn owners_that_panic_in_one_batch(place: &Place) {
    let context = Context::new().expect("a context");
    let (pull, push, endpoint) = linked(place, &context);
    for round in 0..20 {
        for _ in 0..5 {
            push.send_deadline(deadly_message(), in_time()).expect("room");
        }
        send(&push, &round.to_string());
        for _ in 0..5 {
            assert_eq!(recv(&pull).len(), 20_000);
        }
        assert_eq!(recv(&pull), round.to_string());
    }
    assert_unharmed(&context, &pull, &push, &endpoint);
}

/// It received, and would have come back: the role was left for it.
fn a_thread_that_dies_with_the_role_left_lying(place: &Place) {
    let context = Context::new().expect("a context");
    let (pull, push, endpoint) = linked(place, &context);
    for round in 0..10 {
        let dying = {
            let pull = Arc::clone(&pull);
            thread::spawn(move || {
                recv(&pull);
                die();
            })
        };
        send(&push, &round.to_string());
        dying.join().expect_err("it died");
        // Nobody calls the socket, and yet a newcomer is greeted.
        connected(&context, &endpoint, |_| {});
    }
    assert_unharmed(&context, &pull, &push, &endpoint);
}

/// The socket goes down with its thread, while that unwinds, and what is queued in it has deadly owners.
fn a_thread_that_dies_with_unsent_messages(place: &Place) {
    let context = Context::new().expect("a context");
    let (pull, push, endpoint) = linked(place, &context);
    let dying = {
        let (context, endpoint, deserted) = (context.clone(), endpoint.clone(), place.endpoint());
        thread::spawn(move || {
            let doomed = brisk(&context, SocketType::Push, |options| {
                options.linger = serverlink::Linger::For(std::time::Duration::ZERO);
            });
            doomed.connect(&deserted).expect("nobody need be there");
            doomed.send_deadline(deadly_message(), in_time()).expect("room");
            let heir = connected(&context, &endpoint, |_| {});
            send(&heir, "the last words");
            die();
        })
    };
    dying.join().expect_err("it died");
    assert_eq!(recv(&pull), "the last words");
    assert_unharmed(&context, &pull, &push, &endpoint);
}

/// Several threads wait in one socket: one drives, the others rely on it. Whichever gets a message dies of it.
fn a_thread_that_dies_while_others_wait_for_what_it_drove(place: &Place) {
    const THREADS: usize = 4;
    let context = Context::new().expect("a context");
    let (pull, push, endpoint) = linked(place, &context);
    let (tell, told) = mpsc::channel();
    let dying: Vec<_> = (0..THREADS)
        .map(|_| {
            let (pull, tell) = (Arc::clone(&pull), tell.clone());
            thread::spawn(move || {
                tell.send(recv(&pull)).expect("the test listens");
                die();
            })
        })
        .collect();
    for round in 0..THREADS {
        send(&push, &round.to_string());
        let heard = told.recv_timeout(PATIENCE).expect("one of those who are left gets it");
        assert_eq!(heard, round.to_string());
    }
    for thread in dying {
        thread.join().expect_err("it died");
    }
    assert_unharmed(&context, &pull, &push, &endpoint);
}
