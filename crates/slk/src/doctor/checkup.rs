//! A small conversation over loopback, and what the library tells about it while its connections are open.

use std::time::{Duration, Instant};

use serverlink::{ConnectionReport, Context, ContextReport, Dealer, Message, Router};

use super::row;
use crate::exit::{Failure, counted, print};

/// Loopback needs a millisecond.
const PATIENCE: Duration = Duration::from_secs(10);

pub(super) fn run(context: &Context) -> Result<(), Failure> {
    let (router, dealer, took) =
        converse(context).map_err(|why| Failure::of("the self-check over 127.0.0.1 failed", why))?;
    row(("self-check", format!("a question and its answer over tcp on 127.0.0.1 took {took:.0?}")))?;
    tell(&context.report())?;
    drop((router, dealer));
    Ok(())
}

/// A ROUTER answers a DEALER. Both come back open, with how long the question and its answer took.
fn converse(context: &Context) -> Result<(Router, Dealer, Duration), serverlink::Error> {
    let router = context.router().open()?;
    let endpoint = router.bind("tcp://127.0.0.1:*")?;
    let dealer = context.dealer().routing_id("doctor").open()?;
    dealer.connect(&endpoint.to_string())?;
    dealer.wait_for_peers(1, PATIENCE)?;

    let (asked, deadline) = (Instant::now(), Instant::now() + PATIENCE);
    dealer.send_deadline("how are you?", deadline)?;
    let question = router.recv_deadline(deadline)?;
    router.send_deadline(Message::from_parts([question.first().as_bytes(), b"well"]), deadline)?;
    dealer.recv_deadline(deadline)?;
    Ok((router, dealer, asked.elapsed()))
}

fn tell(report: &ContextReport) -> Result<(), Failure> {
    row(("reactors", format!("{}, each serves one socket", report.reactors.len())))?;
    row(("registrations", registrations(report)))?;
    for reactor in &report.reactors {
        print(format_args!(
            "  reactor {} of I/O thread {}: {}",
            reactor.token,
            reactor.io_thread,
            counted(reactor.registrations as u64, "registration")
        ))?;
        for listener in &reactor.listeners {
            print(format_args!(
                "    {} {} listens on {}",
                name(listener.registration),
                listener.socket_type,
                listener.endpoint
            ))?;
        }
        for connection in &reactor.connections {
            print(format_args!("    {}", line(connection)))?;
        }
    }
    Ok(())
}

fn registrations(report: &ContextReport) -> String {
    let (listeners, connections) = (report.listeners().count() as u64, report.connections().count() as u64);
    format!(
        "{} alive: {}, {}",
        report.registrations(),
        counted(listeners, "listener"),
        counted(connections, "connection")
    )
}

/// `#1.1 DEALER dialed tcp://127.0.0.1:5555: open, for 1.2ms`.
fn line(connection: &ConnectionReport) -> String {
    let ConnectionReport { socket_type, origin, endpoint, state, .. } = connection;
    let number = connection.registration.map_or_else(|| "-".to_owned(), name);
    let peer =
        connection.peer_address.as_ref().map_or_else(String::new, |address| format!(", peer {address}"));
    let routing_id = connection
        .routing_id
        .as_ref()
        .map_or_else(String::new, |id| format!(", routing id {}", id.escape_ascii()));
    let age = connection.age;
    format!("{number} {socket_type} {origin} {endpoint}: {state}, for {age:.1?}{peer}{routing_id}")
}

/// A registration by its slot and generation: a slot is used again, the two together never are.
fn name(registration: u64) -> String {
    format!("#{}.{}", registration & u64::from(u32::MAX), registration >> 32)
}
