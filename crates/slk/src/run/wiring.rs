//! From the command line to a socket that is bound and connected.

use serverlink::{Context, Linger, Options, Socket, SocketType};

use crate::cli::Job;
use crate::exit::{Failure, say};

pub(super) fn open(job: &Job, context: &Context) -> Result<Socket, Failure> {
    let socket = context.socket_with(job.socket_type, options(job))?;
    subscribe(job, &socket)?;
    for endpoint in &job.wiring.bind {
        let bound = socket.bind(endpoint)?;
        if !job.wiring.quiet {
            say(format_args!("listening on {bound}"));
        }
    }
    for endpoint in &job.wiring.connect {
        socket.connect(endpoint)?;
    }
    Ok(socket)
}

fn options(job: &Job) -> Options {
    let wiring = &job.wiring;
    Options {
        send_hwm: wiring.hwm,
        recv_hwm: wiring.hwm,
        linger: Linger::For(wiring.linger),
        send_timeout: wiring.timeout,
        recv_timeout: wiring.timeout,
        routing_id: wiring.routing_id.clone().unwrap_or_default().into_bytes(),
        ipv6: true,
        socks_proxy: wiring.socks_proxy.clone().unwrap_or_default(),
        // A message to a peer that does not exist is a mistake that a user of the command line wants to hear of.
        router_mandatory: job.socket_type == SocketType::Router,
        router_handover: job.socket_type == SocketType::Router,
        ..Options::default()
    }
}

fn subscribe(job: &Job, socket: &Socket) -> Result<(), Failure> {
    if job.socket_type == SocketType::Dish {
        return join(job, socket);
    }
    if !matches!(job.socket_type, SocketType::Sub | SocketType::Xsub) {
        return Ok(());
    }
    if job.subscriptions.is_empty() && job.patterns.is_empty() {
        socket.subscribe("")?;
    }
    for topic in &job.subscriptions {
        socket.subscribe(topic)?;
    }
    for pattern in &job.patterns {
        socket.psubscribe(pattern)?;
    }
    Ok(())
}

fn join(job: &Job, socket: &Socket) -> Result<(), Failure> {
    if job.subscriptions.is_empty() {
        socket.join("")?;
    }
    for group in &job.subscriptions {
        socket.join(group)?;
    }
    Ok(())
}
