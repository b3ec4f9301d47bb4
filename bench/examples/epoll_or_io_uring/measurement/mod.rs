//! The servers take turns, and their figures become a table.

mod client;
mod epoll;
mod linked;
mod machine;
mod meter;
mod multishot;
mod ring;

use std::{
    fmt::Display,
    net::{SocketAddr, TcpListener, TcpStream},
    process::ExitCode,
    time::Duration,
};

use clap::Parser;

use client::ClientProcess;
use meter::{Meter, Sample};

/// A frame of ZMTP: two bytes, and a body of 64.
const MESSAGE_BYTES: usize = 66;

/// What goes wrong is told in a sentence and ends the program.
type Fallible<T> = Result<T, String>;

type Server = fn(&[TcpStream], Meter) -> Fallible<Sample>;

const SERVERS: [(&str, Server); 3] =
    [("epoll", epoll::serve), ("io_uring, linked", linked::serve), ("io_uring, multishot", multishot::serve)];

/// What an echo costs a server with epoll and with io_uring.
#[derive(Debug, Parser)]
struct Arguments {
    /// How many connections, with commas between: a row of the table for each
    #[arg(long, value_delimiter = ',', default_value = "1,10,100,1000,10000",
        value_parser = clap::value_parser!(u16).range(1..=16_000))]
    connections: Vec<u16>,
    /// Every server is measured so often, in turns; the table has medians and ranges
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..))]
    rounds: u16,
    /// How long one server is measured, in milliseconds
    #[arg(long, default_value_t = 500, value_parser = clap::value_parser!(u64).range(1..))]
    measure: u64,
    /// The core of the server
    #[arg(long, default_value_t = 0)]
    server_core: usize,
    /// The core of the client; the server's own makes both take turns
    #[arg(long, default_value_t = 1)]
    client_core: usize,
    /// Be the client of the server at this address
    #[arg(long, hide = true)]
    client: Option<SocketAddr>,
}

pub(crate) fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let result = match arguments.client {
        Some(server) => client::run(server, arguments.connections[0], arguments.client_core),
        None => compare(&arguments),
    };
    if let Err(why) = result {
        eprintln!("{why}");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

fn compare(arguments: &Arguments) -> Fallible<()> {
    ring::is_permitted()?;
    machine::allow_descriptors()?;
    // A client that cannot have its core would be waited for in vain.
    machine::stay_on(arguments.client_core)?;
    machine::stay_on(arguments.server_core)?;
    println!(
        "Linux {}; microseconds of the server's CPU for each echo: median (range), echoes a second\n",
        machine::kernel()
    );
    println!("| connections | {} |", SERVERS.map(|(name, _)| name).join(" | "));
    println!("|---|{}", "---|".repeat(SERVERS.len()));
    for &connections in &arguments.connections {
        let mut samples = SERVERS.map(|_| Vec::new());
        for round in 0..usize::from(arguments.rounds) {
            for turn in 0..SERVERS.len() {
                let server = (round + turn) % SERVERS.len();
                samples[server].push(measure(SERVERS[server].1, connections, arguments)?);
            }
        }
        println!("| {connections} | {} |", samples.map(Sample::summary).join(" | "));
    }
    Ok(())
}

fn measure(serve: Server, connections: u16, arguments: &Arguments) -> Fallible<Sample> {
    let listener = TcpListener::bind("127.0.0.1:0").map_err(failed_to("listen on loopback"))?;
    // The client connects faster than a queue of the standard library's length is emptied, and what does not fit comes a second later.
    rustix::net::listen(&listener, 4096).map_err(failed_to("lengthen the listener's queue"))?;
    let _client = ClientProcess::start(&listener, connections, arguments.client_core)?;
    let streams = (0..connections).map(|_| accept(&listener)).collect::<Fallible<Vec<_>>>()?;
    serve(&streams, Meter::new(Duration::from_millis(arguments.measure)))
}

fn accept(listener: &TcpListener) -> Fallible<TcpStream> {
    let (stream, _) = listener.accept().map_err(failed_to("accept a connection of the client"))?;
    machine::hasten(&stream)?;
    Ok(stream)
}

fn failed_to<E: Display>(what: &str) -> impl FnOnce(E) -> String {
    move |why| format!("Failed to {what}: {why}.")
}
