//! The command line: what can be said, and what it means.

mod args;
mod time;

pub(crate) use args::{Input, Output, Replies, Wiring};
pub(crate) use time::duration;

use clap::{Parser, Subcommand};
use clap_complete::Shell;
use serverlink::SocketType;

use args::{
    Answering, Both, Broadcasting, Joining, Publishing, Receiving, Routing, Sending, Subscribe, Subscribing,
    XPublishing, XSubscribing,
};

const EXIT_CODES: &str = "\
Exit codes:
  0    done: everything was sent, COUNT messages were received, or the reader of the output went away
  1    it could not be done; standard error says why
  2    the command line was not understood
  3    --timeout passed: nothing to receive, or nobody to send to
  4    messages were left when --linger was over; standard error says how many
  130  interrupted (^C); what was left is on standard error, a second ^C does not wait for it";

/// ServerLink on the command line: moves data over sockets without a broker, and talks to every ZeroMQ peer.
///
/// On one machine:  slk pull --bind tcp://*:5555
/// On another:      slk push --connect tcp://first-machine:5555 < lines.txt
#[derive(Debug, Parser)]
#[command(version, verbatim_doc_comment, after_help = EXIT_CODES, max_term_width = 100)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Sends each message to one of the peers, in turn
    #[command(after_help = EXIT_CODES)]
    Push(Sending),
    /// Receives messages from all peers in turn
    #[command(after_help = EXIT_CODES)]
    Pull(Receiving),
    /// Publishes every message to all subscribers of its topic
    #[command(after_help = EXIT_CODES)]
    Pub(Publishing),
    /// Receives the topics it subscribes to
    #[command(after_help = EXIT_CODES)]
    Sub(Subscribing),
    /// Sends requests, one at a time, and writes the replies
    #[command(after_help = EXIT_CODES)]
    Req(Both),
    /// Writes requests and answers them
    #[command(after_help = EXIT_CODES)]
    Rep(Answering),
    /// Sends to the peers in turn while receiving from all of them
    #[command(after_help = EXIT_CODES)]
    Dealer(Both),
    /// Sends to the peer that a message names first; writes who sent what
    #[command(after_help = EXIT_CODES)]
    Router(Routing),
    /// Talks with exactly one peer, in both directions
    #[command(after_help = EXIT_CODES)]
    Pair(Both),
    /// Publishes, and writes the subscriptions it gets
    #[command(after_help = EXIT_CODES)]
    Xpub(XPublishing),
    /// Subscribes, and sends to its publishers
    #[command(after_help = EXIT_CODES)]
    Xsub(XSubscribing),
    /// Sends each message, of one part, to one of the GATHERs, in turn
    #[command(after_help = EXIT_CODES)]
    Scatter(Sending),
    /// Receives messages of one part from all SCATTERs in turn
    #[command(after_help = EXIT_CODES)]
    Gather(Receiving),
    /// Sends messages of one part to the SERVERs in turn while receiving from all of them
    #[command(after_help = EXIT_CODES)]
    Client(Both),
    /// Talks with exactly one CHANNEL, in both directions and in messages of one part
    #[command(after_help = EXIT_CODES)]
    Channel(Both),
    /// Sends every message, of one part, to all who joined its group
    #[command(after_help = EXIT_CODES)]
    Radio(Broadcasting),
    /// Receives the groups that it joins
    #[command(after_help = EXIT_CODES)]
    Dish(Joining),
    /// Moves messages between two sockets until ^C, and says then how many
    ///
    /// A queue:  slk proxy --frontend router@tcp://*:5555 --backend dealer@tcp://*:5556
    /// A hub:    slk proxy --frontend xsub@tcp://*:5555 --backend xpub@tcp://*:5556
    #[command(verbatim_doc_comment, after_help = EXIT_CODES)]
    Proxy(crate::proxy::Args),
    /// Starts three linked servers and a publisher and moves text between them
    ///
    /// The servers are processes of their own. A publisher tells them about each other (SUB sockets), then they link up with ROUTER
    /// sockets over tcp and move the lines as fast as they can, each with a sequence number and acknowledged by its receiver.
    /// The last line, on standard output, says what came of it; the exit code is 0 only if nothing was lost or came twice.
    Demo(crate::demo::Args),
    /// One of the demo's servers
    #[command(hide = true)]
    DemoServer(crate::demo::ServerArgs),
    /// Measures ServerLink on this machine, beside libzmq where that is installed
    Bench(crate::bench::Args),
    /// Writes what happens to the connections of another program, a line for each event
    Monitor(crate::watch::events::Args),
    /// Writes the counters of another program, once
    Stats(crate::watch::stats::Args),
    /// Shows the sockets and peers of another program, live
    Top(crate::top::Args),
    /// Says which driver is in use and why, versions and limits; talks to itself and tells the state of each connection
    Doctor,
    /// Writes what a shell needs to complete command lines of slk
    Completions {
        /// For which shell
        shell: Shell,
    },
    /// Writes the manual page
    Man,
}

/// What a command line asks for: one of the tools, or moving messages, which is one job whatever the pattern.
#[derive(Debug)]
pub(crate) enum Task {
    Move(Box<Job>),
    Demo(crate::demo::Args),
    DemoServer(crate::demo::ServerArgs),
    Bench(crate::bench::Args),
    Monitor(crate::watch::events::Args),
    Stats(crate::watch::stats::Args),
    Top(crate::top::Args),
    Doctor,
    Proxy(crate::proxy::Args),
    Completions(Shell),
    Man,
}

/// Moving messages between a socket and the standard streams.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) socket_type: SocketType,
    pub(crate) wiring: Wiring,
    pub(crate) input: Input,
    pub(crate) output: Output,
    /// What to receive, topics or groups; this and `patterns` empty: everything.
    pub(crate) subscriptions: Vec<String>,
    pub(crate) patterns: Vec<String>,
    /// A part that goes in front of every message: a topic, a group, or the address of a peer.
    pub(crate) prefix: Option<String>,
    /// How many peers must be there before the first message goes out.
    pub(crate) await_peers: usize,
    pub(crate) replies: Replies,
}

impl Command {
    pub(crate) fn into_task(self) -> Task {
        let job = match self {
            Command::Push(args) => Job::new(SocketType::Push, args.wiring).with_input(args.input),
            Command::Pull(args) => Job::new(SocketType::Pull, args.wiring).with_output(args.output),
            Command::Pub(args) => Job {
                prefix: args.publish.topic,
                await_peers: args.publish.subscribers,
                ..Job::new(SocketType::Pub, args.wiring).with_input(args.input)
            },
            Command::Sub(args) => Job {
                subscriptions: args.subscribe.topic,
                patterns: args.subscribe.pattern,
                ..Job::new(SocketType::Sub, args.wiring).with_output(args.output)
            },
            Command::Req(args) => args.into_job(SocketType::Req),
            Command::Rep(args) => Job {
                replies: args.replies,
                ..Job::new(SocketType::Rep, args.wiring).with_output(args.output)
            },
            Command::Dealer(args) => args.into_job(SocketType::Dealer),
            Command::Router(args) => Job { prefix: args.to, ..args.both.into_job(SocketType::Router) },
            Command::Pair(args) => args.into_job(SocketType::Pair),
            Command::Xpub(args) => Job {
                prefix: args.publish.topic,
                await_peers: args.publish.subscribers,
                ..args.both.into_job(SocketType::Xpub)
            },
            Command::Xsub(args) => {
                let Subscribe { topic, pattern } = args.subscribe;
                let both = args.both.into_job(SocketType::Xsub);
                Job { subscriptions: topic, patterns: pattern, ..both }
            }
            Command::Scatter(args) => Job::new(SocketType::Scatter, args.wiring).with_input(args.input),
            Command::Gather(args) => Job::new(SocketType::Gather, args.wiring).with_output(args.output),
            Command::Client(args) => args.into_job(SocketType::Client),
            Command::Channel(args) => args.into_job(SocketType::Channel),
            Command::Radio(args) => Job {
                prefix: args.group,
                await_peers: args.subscribers,
                ..Job::new(SocketType::Radio, args.wiring).with_input(args.input)
            },
            Command::Dish(args) => Job {
                subscriptions: args.group,
                ..Job::new(SocketType::Dish, args.wiring).with_output(args.output)
            },
            Command::Demo(args) => return Task::Demo(args),
            Command::DemoServer(args) => return Task::DemoServer(args),
            Command::Bench(args) => return Task::Bench(args),
            Command::Monitor(args) => return Task::Monitor(args),
            Command::Stats(args) => return Task::Stats(args),
            Command::Top(args) => return Task::Top(args),
            Command::Doctor => return Task::Doctor,
            Command::Proxy(args) => return Task::Proxy(args),
            Command::Completions { shell } => return Task::Completions(shell),
            Command::Man => return Task::Man,
        };
        Task::Move(Box::new(job))
    }
}

impl Both {
    fn into_job(self, socket_type: SocketType) -> Job {
        Job::new(socket_type, self.wiring).with_input(self.input).with_output(self.output)
    }
}

impl Job {
    fn new(socket_type: SocketType, wiring: Wiring) -> Job {
        Job {
            socket_type,
            wiring,
            input: Input::default(),
            output: Output::default(),
            subscriptions: Vec::new(),
            patterns: Vec::new(),
            prefix: None,
            await_peers: 0,
            replies: Replies::default(),
        }
    }

    fn with_input(self, input: Input) -> Job {
        Job { input, ..self }
    }

    fn with_output(self, output: Output) -> Job {
        Job { output, ..self }
    }
}

#[cfg(test)]
mod tests;
