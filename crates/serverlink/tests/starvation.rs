//! Nobody starves while the application is busy with somebody else.
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll, Wake};
use std::thread::Thread;
use std::time::{Duration, Instant};

use serverlink::{Context, SocketType};

#[test]
fn wire_peers_are_heard_beside_a_busy_ring() {
    let (here, there) = (Context::new().unwrap(), Context::new().unwrap());
    let pull = here.socket(SocketType::Pull).unwrap();
    let endpoint = pull.bind("tcp://127.0.0.1:*").unwrap().to_string();
    pull.bind("inproc://p").unwrap();
    let busy = here.socket(SocketType::Push).unwrap();
    busy.connect("inproc://p").unwrap();
    let far = there.socket(SocketType::Push).unwrap();
    far.connect(&endpoint).unwrap();
    far.send("drive once").unwrap();
    assert_eq!(pull.recv_deadline(Instant::now() + Duration::from_secs(5)).unwrap(), "drive once".into());
    busy.send("busy").unwrap();
    far.send("far").unwrap();
    let until = Instant::now() + Duration::from_secs(3);
    while Instant::now() < until {
        busy.send("busy").unwrap();
        if pull.recv().unwrap() == "far".into() {
            return;
        }
    }
    panic!("nobody drove the tcp connection for three seconds");
}

/// Tasks wait, so nobody drives but the I/O threads, over which the sockets are spread.
#[test]
fn four_io_threads_serve_sockets_that_no_thread_waits_on() {
    let context = Context::builder().io_threads(4).build().unwrap();
    let pairs: Vec<_> = (0..16)
        .map(|_| {
            let near = context.socket(SocketType::Pair).unwrap();
            let endpoint = near.bind("tcp://127.0.0.1:*").unwrap().to_string();
            let far = context.socket(SocketType::Pair).unwrap();
            far.connect(&endpoint).unwrap();
            (near, far)
        })
        .collect();
    for round in 0..50 {
        let text = format!("round {round}");
        for (near, far) in &pairs {
            block_on(far.send_async(&text)).unwrap();
            block_on(near.send_async(&text)).unwrap();
        }
        for (near, far) in &pairs {
            assert_eq!(block_on(near.recv_async()).unwrap().first(), &text);
            assert_eq!(block_on(far.recv_async()).unwrap().first(), &text);
        }
    }
}

/// Runs a future on this thread, and gives it half a minute.
fn block_on<F: Future>(future: F) -> F::Output {
    struct Unpark(Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Arc::new(Unpark(std::thread::current())).into();
    let mut future = pin!(future);
    let until = Instant::now() + Duration::from_secs(30);
    loop {
        match future.as_mut().poll(&mut TaskContext::from_waker(&waker)) {
            Poll::Ready(output) => return output,
            Poll::Pending => std::thread::park_timeout(until.saturating_duration_since(Instant::now())),
        }
        assert!(Instant::now() < until, "nobody woke the task");
    }
}
