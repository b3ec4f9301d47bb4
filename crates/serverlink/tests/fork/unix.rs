//! The parent, its traffic, and what its children try.

use std::ffi::{c_int, c_uint};
use std::path::PathBuf;
use std::pin::Pin;
use std::process::{ExitCode, exit};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context as TaskContext, Waker};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use serverlink::{
    Context, Error, EventKind, Interest, Monitor, Pair, PollEvents, Poller, Proxy, Pull, Push, RecvFuture,
};
use tempfile::TempDir;

const CHILDREN: u32 = 30;
const PATIENCE: Duration = Duration::from_secs(30);

// SAFETY: as POSIX declares them. The child does what any child may that goes on with the same program: this test is about that.
unsafe extern "C" {
    safe fn fork() -> c_int;
    safe fn alarm(seconds: c_uint) -> c_uint;
    fn waitpid(pid: c_int, status: *mut c_int, options: c_int) -> c_int;
}

pub(crate) fn run() -> ExitCode {
    let traffic = Traffic::start();
    let quiet = Quiet::new(&traffic.context);
    for number in 0..CHILDREN {
        let received = traffic.received.load(Ordering::SeqCst);
        let mut future = quiet.one.recv_async();
        assert!(Pin::new(&mut future).poll(&mut TaskContext::from_waker(Waker::noop())).is_pending());
        let child = fork();
        assert!(child >= 0, "forking");
        if child == 0 {
            // A child that hangs dies of this, and the parent sees it.
            alarm(60);
            quiet.try_everything(&traffic.context, future);
            begin_anew();
            // Half of them leave everything as it is, the others drop it.
            if number % 2 == 0 {
                exit(0);
            }
            return ExitCode::SUCCESS;
        }
        drop(future);
        assert_eq!(wait_for(child), 0, "child {number} failed, or was killed because it hung");
        traffic.await_progress(received);
        quiet.assert_unharmed();
    }
    traffic.stop();
    std::fs::remove_dir_all(&quiet.directory).unwrap();
    println!("fork: {CHILDREN} children got their errors, and the parent its messages");
    ExitCode::SUCCESS
}

fn wait_for(child: c_int) -> c_int {
    let mut status = -1;
    // SAFETY: it writes one number, to where there is room for it.
    assert_eq!(unsafe { waitpid(child, &mut status, 0) }, child);
    status
}

/// Messages that move all the time: at each fork some thread is amid something.
struct Traffic {
    context: Context,
    received: Arc<AtomicU64>,
    over: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

impl Traffic {
    fn start() -> Traffic {
        let context = Context::new().unwrap();
        let received = Arc::new(AtomicU64::new(0));
        let over = Arc::new(AtomicBool::new(false));
        let mut threads = Vec::new();
        for endpoint in ["tcp://127.0.0.1:*", "inproc://traffic"] {
            let pull: Pull = context.pull().open().unwrap();
            let endpoint = pull.bind(endpoint).unwrap();
            let push: Push = context.push().open().unwrap();
            push.connect(&endpoint.to_string()).unwrap();
            threads.push(thread::spawn({
                let over = Arc::clone(&over);
                move || send_until(&push, &over)
            }));
            let received = Arc::clone(&received);
            threads.push(thread::spawn(move || receive_in_order(&pull, &received)));
        }
        Traffic { context, received, over, threads }
    }

    fn await_progress(&self, since: u64) {
        let deadline = Instant::now() + PATIENCE;
        while self.received.load(Ordering::SeqCst) < since + 1000 {
            assert!(Instant::now() < deadline, "the parent's messages do not move any more");
            thread::yield_now();
        }
    }

    fn stop(self) {
        self.over.store(true, Ordering::SeqCst);
        for thread in self.threads {
            thread.join().expect("every message came once and in order");
        }
    }
}

/// The last one says so.
fn send_until(push: &Push, over: &AtomicBool) {
    let mut number = 0u64;
    while !over.load(Ordering::SeqCst) {
        push.send(&number.to_be_bytes()).unwrap();
        number += 1;
    }
    push.send("over").unwrap();
}

fn receive_in_order(pull: &Pull, received: &AtomicU64) {
    let mut next = 0u64;
    loop {
        let message = pull.recv_deadline(Instant::now() + PATIENCE).unwrap();
        if message == "over".into() {
            return;
        }
        assert_eq!(message.first().as_bytes(), next.to_be_bytes());
        next += 1;
        received.fetch_add(1, Ordering::SeqCst);
    }
}

/// Sockets that a child tries to use: linked over ipc, so that there is a file to lose as well.
struct Quiet {
    one: Pair,
    other: Pair,
    events: Monitor,
    poller: Poller,
    /// Not a `TempDir`: a child that drops it would remove it.
    directory: PathBuf,
}

impl Quiet {
    fn new(context: &Context) -> Quiet {
        let directory = TempDir::new().unwrap().keep();
        let pair = || context.pair().open().unwrap();
        let (one, other) = (pair(), pair());
        let endpoint = one.bind(&format!("ipc://{}", directory.join("socket").display())).unwrap();
        other.connect(&endpoint.to_string()).unwrap();
        one.wait_for_peers(1, PATIENCE).unwrap();
        other.wait_for_peers(1, PATIENCE).unwrap();
        let poller = Poller::new();
        poller.add(1, &one, Interest::READABLE).unwrap();
        let (stream, peer) = std::os::unix::net::UnixStream::pair().unwrap();
        poller.add_foreign(2, &stream, Interest::READABLE).unwrap();
        // The poller's duplicate of it has to stay quiet as long as the test goes on.
        std::mem::forget(peer);
        let events = one.monitor();
        Quiet { one, other, events, poller, directory }
    }

    /// Also what would only have to look gets no answer from the parent's memory.
    fn try_everything(&self, context: &Context, mut future: RecvFuture<'_>) {
        let one = &self.one;
        forked(one.recv());
        forked(one.try_recv());
        forked(one.recv_deadline(Instant::now()));
        forked(one.send("x"));
        forked(one.try_send("x"));
        forked(one.bind("tcp://127.0.0.1:*"));
        forked(one.connect("inproc://nowhere"));
        forked(one.disconnect("inproc://nowhere"));
        forked(one.unbind("inproc://nowhere"));
        forked(one.wait_for_peers(1, PATIENCE));
        assert_eq!(one.readiness(), serverlink::Readiness::default());
        assert_eq!(one.stats(), serverlink::Stats::default());
        assert!(one.connections().is_empty() && one.last_endpoint().is_none());
        assert!(one.monitor().try_next().is_none());
        assert!((&one.monitor()).into_iter().next().is_none(), "nobody waits for what never comes");
        assert!(one.peer_stats().is_empty());
        one.on_event(|event| panic!("{event}"));

        let polled = Pin::new(&mut future).poll(&mut TaskContext::from_waker(Waker::noop()));
        assert!(matches!(polled, std::task::Poll::Ready(Err(Error::Forked))), "{polled:?}");
        drop(future);
        drop(one.recv_async());

        forked(self.poller.wait(&mut PollEvents::new(), None));
        forked(self.poller.add(9, one, Interest::BOTH));
        forked(self.poller.remove(1));
        self.poller.wake();
        forked(Proxy::new(one, &self.other).unwrap().run());

        forked(context.pair().open().map(drop));
        forked(context.terminate(PATIENCE));
        context.shutdown();
        assert!(context.report().reactors.is_empty());
        assert!(context.stats().sockets.is_empty() && context.monitor().try_next().is_none());
        forked(context.serve_stats("inproc://stats"));
    }

    /// The connection is as it was, in both directions, and so is the file.
    fn assert_unharmed(&self) {
        let within = || Instant::now() + PATIENCE;
        self.one.send_deadline("there", within()).unwrap();
        let mut events = PollEvents::new();
        self.poller.wait(&mut events, Some(Duration::ZERO)).unwrap();
        assert!(events.is_empty(), "{events:?}");
        assert_eq!(self.other.recv_deadline(within()).unwrap(), "there".into());
        self.other.send_deadline("back", within()).unwrap();
        self.poller.wait(&mut events, Some(PATIENCE)).unwrap();
        assert!(events.of(1).is_some_and(|event| event.readable), "{events:?}");
        assert_eq!(self.one.try_recv().unwrap(), "back".into());
        let event = self.events.try_next().map(|event| event.kind);
        assert!(!matches!(event, Some(EventKind::Disconnected { .. })), "{event:?}");
        assert!(self.directory.join("socket").exists());
    }
}

fn forked<T>(result: Result<T, impl Into<Error>>) {
    match result.map_err(Into::into) {
        Err(Error::Forked) => {}
        Err(other) => panic!("another error: {other}"),
        Ok(_) => panic!("it worked"),
    }
}

/// A new context is as good as any.
fn begin_anew() {
    let context = Context::new().unwrap();
    let directory = TempDir::new().unwrap();
    for endpoint in
        ["tcp://127.0.0.1:*", "inproc://traffic", &format!("ipc://{}/s", directory.path().display())]
    {
        let (one, other) = (context.request().open().unwrap(), context.reply().open().unwrap());
        let endpoint = other.bind(endpoint).unwrap();
        one.connect(&endpoint.to_string()).unwrap();
        one.send("question").unwrap();
        assert_eq!(other.recv_deadline(Instant::now() + PATIENCE).unwrap(), "question".into());
        other.send("answer").unwrap();
        assert_eq!(one.recv_deadline(Instant::now() + PATIENCE).unwrap(), "answer".into());
    }
    context.terminate(PATIENCE).unwrap();
}
