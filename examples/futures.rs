//! The same sockets from asynchronous code. The futures run on any executor; this one is the smallest there can be.
//!
//! `cargo run -p serverlink-examples --example futures`

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll, Wake, Waker};
use std::thread::{self, Thread};

use serverlink::{Context, Error};

fn main() -> Result<(), Error> {
    for line in run()? {
        println!("{line}");
    }
    Ok(())
}

fn run() -> Result<Vec<String>, Error> {
    let context = Context::new()?;
    let server = context.dealer().open()?;
    let endpoint = server.bind("tcp://127.0.0.1:*")?;
    let client = context.dealer().open()?;
    client.connect(&endpoint.to_string())?;

    block_on(async {
        let mut lines = Vec::new();
        for question in ["here?", "and now?"] {
            client.send_async(question).await?;
            let asked = server.recv_async().await?;
            server.send_async(format!("yes, to `{}`", asked.first().escape_ascii())).await?;
            let answer = client.recv_async().await?;
            lines.push(answer.first().escape_ascii().to_string());
        }
        Ok(lines)
    })
}

/// Polls when it is woken, and sleeps in between.
fn block_on<F: Future>(future: F) -> F::Output {
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut context = TaskContext::from_waker(&waker);
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut context) {
            Poll::Ready(output) => return output,
            Poll::Pending => thread::park(),
        }
    }
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn it_talks_to_itself() {
        assert_eq!(super::run().expect("it runs"), ["yes, to `here?`", "yes, to `and now?`"]);
    }
}
