//! The ways messages flow, one for each kind of pattern.

use std::thread;
use std::time::Duration;

use serverlink::{Error, Message, Socket, SocketType};

use super::ending::Ending;
use super::progress::Progress;
use super::sink::{Sink, Wanted};
use super::source::Source;
use crate::cli::Job;
use crate::exit::{Exit, Failure};
use crate::patient::{patiently, send_patiently};

/// Everything a flow needs.
#[derive(Clone, Copy)]
struct Flow<'a> {
    job: &'a Job,
    socket: &'a Socket,
    ending: &'a Ending,
    progress: &'a Progress,
}

/// Moves messages until the input ends, the count is reached, the output is closed, the time is over, or ^C.
pub(super) fn run(job: &Job, socket: &Socket, ending: &Ending, progress: &Progress) -> Result<(), Failure> {
    let flow = Flow { job, socket, ending, progress };
    let flowed = match job.socket_type {
        SocketType::Push | SocketType::Pub | SocketType::Scatter | SocketType::Radio => {
            flow.send_all(job.wiring.count)
        }
        SocketType::Pull | SocketType::Sub | SocketType::Gather | SocketType::Dish => flow.receive_all(),
        SocketType::Req => flow.ask(),
        SocketType::Rep => flow.answer(),
        _ => flow.both_ways(),
    };
    flowed.or_else(Failure::unless_ended)
}

impl Flow<'_> {
    fn send_all(self, count: Option<u64>) -> Result<(), Failure> {
        let mut source = Source::open(self.job, self.ending)?;
        self.await_peers()?;
        let mut left = count.unwrap_or(u64::MAX);
        while left > 0 {
            let Some(message) = source.next()? else { break };
            self.send(message)?;
            left -= 1;
        }
        Ok(())
    }

    fn receive_all(self) -> Result<(), Failure> {
        let mut sink = Sink::open(&self.job.output)?;
        let mut left = self.job.wiring.count.unwrap_or(u64::MAX);
        while left > 0 {
            let Some(message) = self.receive(&mut sink)? else { return Ok(()) };
            if sink.write(&message)? == Wanted::No {
                return Ok(());
            }
            left -= 1;
        }
        sink.flush().map(drop)
    }

    /// Both at once. Receiving decides when it is over: the last answers come after the last question.
    fn both_ways(self) -> Result<(), Failure> {
        thread::scope(|scope| {
            let sending = scope.spawn(move || self.send_all(None).inspect_err(|_| self.ending.end()));
            let received = self.receive_all();
            self.ending.end();
            let sent = sending.join().expect("the sending thread returns its failures");
            received.or_else(Failure::unless_ended).and(sent)
        })
    }

    fn ask(self) -> Result<(), Failure> {
        let mut source = Source::open(self.job, self.ending)?;
        let mut sink = Sink::open(&self.job.output)?;
        let mut left = self.job.wiring.count.unwrap_or(u64::MAX);
        while left > 0 {
            let Some(request) = source.next()? else { break };
            self.send(request)?;
            let Some(reply) = self.receive(&mut sink)? else { return Ok(()) };
            // Whoever types the questions may want to see an answer before the next one.
            if sink.write(&reply)? == Wanted::No || sink.flush()? == Wanted::No {
                return Ok(());
            }
            left -= 1;
        }
        Ok(())
    }

    fn answer(self) -> Result<(), Failure> {
        let mut replies = Replies::open(self.job, self.ending);
        let mut sink = Sink::open(&self.job.output)?;
        let mut left = self.job.wiring.count.unwrap_or(u64::MAX);
        while left > 0 {
            let Some(request) = self.receive(&mut sink)? else { return Ok(()) };
            let mut wanted = sink.write(&request)?;
            if replies.are_typed() && wanted == Wanted::Yes {
                // Whoever types the answers has to see the question.
                wanted = sink.flush()?;
            }
            let Some(reply) = replies.to(request)? else { break };
            self.send(reply)?;
            if wanted == Wanted::No {
                return Ok(());
            }
            left -= 1;
        }
        sink.flush().map(drop)
    }

    /// A publisher that sends before anybody listens sends for nobody.
    fn await_peers(self) -> Result<(), Failure> {
        if self.job.await_peers == 0 {
            return Ok(());
        }
        let within = self.job.wiring.timeout.unwrap_or(Duration::MAX);
        match patiently(|| self.socket.wait_for_subscribers(self.job.await_peers, within)) {
            Ok(_) => Ok(()),
            Err(Error::TimedOut) => {
                Err(Failure::new(Exit::TimedOut, "not enough subscribers came in time; see --subscribers"))
            }
            Err(error) => Err(error.into()),
        }
    }

    fn send(self, mut message: Message) -> Result<(), Failure> {
        if let Some(prefix) = &self.job.prefix {
            message.push_front(prefix.as_str());
        }
        let bytes = message.len_bytes();
        send_patiently(self.socket, message).map_err(|error| match error {
            Error::TimedOut => Failure::new(Exit::TimedOut, "no peer took a message in time; see --timeout"),
            Error::Terminated => Failure::from(Error::Terminated),
            error => Failure::of("a message could not be sent", error),
        })?;
        self.progress.on_sent(bytes);
        Ok(())
    }

    /// The next message; `None` when nobody wants it any more. Before it waits, everything so far is passed on.
    fn receive(self, sink: &mut Sink) -> Result<Option<Message>, Failure> {
        let message = match self.socket.try_recv() {
            Err(Error::WouldBlock) => {
                if sink.flush()? == Wanted::No {
                    return Ok(None);
                }
                patiently(|| self.socket.recv())
            }
            tried => tried,
        };
        match message {
            Ok(message) => {
                self.progress.on_received(message.len_bytes());
                Ok(Some(message))
            }
            Err(Error::TimedOut) => {
                Err(Failure::new(Exit::TimedOut, "no message came in time; see --timeout"))
            }
            Err(error) => {
                // What came before is not lost with the reason why nothing more comes.
                sink.flush()?;
                Err(error.into())
            }
        }
    }
}

/// What a REP answers.
enum Replies {
    Echo,
    Always(Message),
    Next(Source),
}

impl Replies {
    fn open(job: &Job, ending: &Ending) -> Replies {
        match (&job.replies.reply, job.replies.replies) {
            (Some(text), _) => Replies::Always(Message::from(text.as_str())),
            (None, Some(format)) => Replies::Next(Source::replies(format, ending)),
            (None, None) => Replies::Echo,
        }
    }

    fn are_typed(&self) -> bool {
        matches!(self, Replies::Next(_))
    }

    /// `None` when there are no more replies.
    fn to(&mut self, request: Message) -> Result<Option<Message>, Failure> {
        match self {
            Replies::Echo => Ok(Some(request)),
            Replies::Always(reply) => Ok(Some(reply.clone())),
            Replies::Next(source) => source.next(),
        }
    }
}

impl Failure {
    /// The context is only ever shut down by our own [`Ending`], and then a call that it cut short did what it should.
    fn unless_ended(self) -> Result<(), Failure> {
        if self.exit == Exit::Interrupted { Ok(()) } else { Err(self) }
    }
}
