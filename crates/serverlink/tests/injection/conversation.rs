//! Sockets of three patterns that talk, part and meet again, and check what they hear. Whatever the system refuses meanwhile, it ends well
//! or says why not.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serverlink::{Context, Error, Message, Options, Socket, SocketType};

/// Longer than anything takes, traced and on a loaded machine.
const PATIENCE: Duration = Duration::from_secs(30);
const MESSAGES: u32 = 100;
const QUESTIONS: u32 = 20;
const MEETINGS: usize = 3;

/// What may happen to messages while the system misbehaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Promise {
    /// No connection that stands is broken: everything arrives.
    Everything,
    /// Connections break: what the system had taken may be lost, nothing comes twice or out of order, and the way heals.
    OrderAndHealing,
}

/// The whole conversation over one transport. Returns the sentences of refusals that were told and overcome.
pub(crate) fn converse(endpoint: &str, promise: Promise) -> Vec<String> {
    let before = open_descriptors();
    let mut told = Vec::new();
    let context = in_the_end(&mut told, Context::new);
    push_and_pull(&context, endpoint, promise, &mut told);
    request_and_reply(&context, endpoint, promise, &mut told);
    publish_and_subscribe(&context, endpoint, &mut told);
    context.terminate(PATIENCE).expect("every socket was closed");
    drop(context);
    assert_eq!(open_descriptors(), before, "descriptors that were open before, and after");
    told
}

pub(crate) fn open_descriptors() -> usize {
    std::fs::read_dir("/proc/self/fd").map_or(0, Iterator::count)
}

/// Asks again while the system refuses. Any other error, or one without a sentence, is a failure.
fn in_the_end<T>(told: &mut Vec<String>, mut attempt: impl FnMut() -> Result<T, Error>) -> T {
    for _ in 0..50 {
        match attempt() {
            Ok(done) => return done,
            Err(error @ Error::Io { .. }) => {
                let sentence = error.to_string();
                assert!(sentence.contains(" failed: "), "{sentence}");
                told.push(sentence);
            }
            Err(error) => panic!("{error:?}"),
        }
    }
    panic!("refused again and again: {told:?}");
}

fn in_time() -> Instant {
    Instant::now() + PATIENCE
}

/// A call that a signal, or what looks like one, cut short is made again, with the deadline that it had.
fn uninterrupted<T>(
    deadline: Instant,
    mut call: impl FnMut(Instant) -> Result<T, Error>,
) -> Result<T, Error> {
    loop {
        match call(deadline) {
            Err(Error::Interrupted) => {}
            outcome => return outcome,
        }
    }
}

fn open(context: &Context, kind: SocketType) -> Socket {
    let options = Options {
        reconnect_interval: Duration::from_millis(5),
        reconnect_interval_max: Duration::from_millis(20),
        req_relaxed: kind == SocketType::Req,
        req_correlate: kind == SocketType::Req,
        ..Options::default()
    };
    context.socket_with(kind, options).expect("valid options")
}

fn pair_up(context: &Context, endpoint: &str, kinds: [SocketType; 2], told: &mut Vec<String>) -> [Socket; 2] {
    let [listening, dialing] = kinds.map(|kind| open(context, kind));
    in_the_end(told, || listening.bind(endpoint));
    in_the_end(told, || dialing.connect(endpoint));
    [listening, dialing]
}

fn close(socket: Socket) {
    socket.close(Duration::from_secs(1));
}

fn push_and_pull(context: &Context, endpoint: &str, promise: Promise, told: &mut Vec<String>) {
    for _ in 0..MEETINGS {
        let [pull, push] = pair_up(context, endpoint, [SocketType::Pull, SocketType::Push], told);
        let (mut next, mut heard) = (0, 0);
        let mut last = None;
        let deadline = in_time();
        // The last one has to arrive; where messages may be lost, more follow until one does.
        while last.is_none_or(|last| last < MESSAGES - 1) {
            assert!(
                Instant::now() < deadline,
                "of {next} messages {heard} arrived, up to {last:?}; {told:?}"
            );
            if next < MESSAGES || promise == Promise::OrderAndHealing {
                uninterrupted(deadline, |at| Ok(push.send_deadline(numbered(next), at)?)).expect("room");
                next += 1;
            }
            // Now and then the application waits, which is another way through the library.
            let wait = Duration::from_millis(if next % 20 == 0 { 2 } else { 0 });
            while let Ok(message) = pull.recv_deadline(Instant::now() + wait) {
                let number = number_of(&message);
                assert!(last.is_none_or(|last| last < number), "{number} came after {last:?}");
                (last, heard) = (Some(number), heard + 1);
            }
        }
        if promise == Promise::Everything {
            assert_eq!(heard, MESSAGES, "no connection was broken, so nothing may be missing");
        }
        close(push);
        close(pull);
    }
}

fn request_and_reply(context: &Context, endpoint: &str, promise: Promise, told: &mut Vec<String>) {
    let [reply, request] = pair_up(context, endpoint, [SocketType::Rep, SocketType::Req], told);
    let has_answered_all = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut answered = 0;
            while answered < QUESTIONS {
                let question = uninterrupted(in_time(), |at| reply.recv_deadline(at)).expect("a question");
                answered = number_of(&question) + 1;
                uninterrupted(in_time(), |at| Ok(reply.send_deadline(question.clone(), at)?))
                    .expect("somebody asked");
            }
            has_answered_all.store(true, Ordering::SeqCst);
        });
        // A question that was lost is asked again; where none may be lost its answer is waited for.
        let patience = match promise {
            Promise::Everything => PATIENCE,
            Promise::OrderAndHealing => Duration::from_millis(500),
        };
        for number in 0..QUESTIONS {
            while !ask(&request, number, patience) {
                assert_eq!(promise, Promise::OrderAndHealing, "no answer to question {number}");
                // The last answer may be what was lost, and then nobody answers any more.
                if has_answered_all.load(Ordering::SeqCst) {
                    return;
                }
            }
        }
    });
    close(request);
    close(reply);
}

fn ask(request: &Socket, number: u32, patience: Duration) -> bool {
    uninterrupted(in_time(), |at| Ok(request.send_deadline(numbered(number), at)?)).expect("a peer");
    match uninterrupted(Instant::now() + patience, |at| request.recv_deadline(at)) {
        Ok(answer) => number_of(&answer) == number,
        Err(Error::TimedOut) => false,
        Err(error) => panic!("{error}"),
    }
}

fn publish_and_subscribe(context: &Context, endpoint: &str, told: &mut Vec<String>) {
    let [publisher, subscriber] = pair_up(context, endpoint, [SocketType::Pub, SocketType::Sub], told);
    subscriber.subscribe("").expect("an empty topic");
    for _ in 0..MEETINGS {
        let deadline = in_time();
        let mut number = 0;
        loop {
            assert!(Instant::now() < deadline, "the subscription does not come back; {told:?}");
            publisher.send(numbered(number)).expect("publishing never waits");
            number += 1;
            if uninterrupted(Instant::now() + Duration::from_millis(20), |at| subscriber.recv_deadline(at))
                .is_ok()
            {
                break;
            }
        }
        in_the_end(told, || match subscriber.disconnect(endpoint) {
            // Told to the monitor, and gone by itself.
            Err(Error::NoSuchEndpoint { .. }) => Ok(()),
            outcome => outcome,
        });
        in_the_end(told, || subscriber.connect(endpoint));
    }
    close(subscriber);
    close(publisher);
}

fn numbered(number: u32) -> Message {
    let filler = vec![number as u8; number as usize * 37 % 3000];
    Message::from_parts([number.to_be_bytes().to_vec(), filler])
}

fn number_of(message: &Message) -> u32 {
    let number = u32::from_be_bytes(message.first().as_bytes().try_into().expect("a number was sent"));
    assert_eq!(*message, numbered(number), "no byte of another message is in it");
    number
}
