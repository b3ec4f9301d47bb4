//! `slk proxy`: two sockets, and everything that one receives goes to the other.

mod end;

use std::process;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serverlink::{
    Context, Linger, Options, Proxy, ProxyHandle, ProxyStatistics, SideStatistics, Socket, SocketType,
};

use self::end::End;
use crate::cli::duration;
use crate::exit::{Exit, Failure, counted, print, say};
use crate::watch;

/// Between what.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// Where messages come in, as router@tcp://*:5555. Repeatable, with one and the same type; connect: before the endpoint connects
    /// instead of binding: xsub@connect:tcp://feed:5556
    #[arg(long, value_name = "TYPE@ENDPOINT", required = true)]
    frontend: Vec<End>,

    /// Where they go, as dealer@tcp://*:5556. Repeatable
    #[arg(long, value_name = "TYPE@ENDPOINT", required = true)]
    backend: Vec<End>,

    /// Publish a copy of every message on ENDPOINT, to whoever subscribes there; who is too slow misses some
    #[arg(long, value_name = "ENDPOINT")]
    capture: Option<String>,

    /// High-water mark: messages that may wait for each peer, in either direction; 0 is no limit
    #[arg(long, value_name = "MESSAGES", default_value_t = 1000)]
    hwm: u32,

    /// At the end, wait so long for messages that are not sent yet
    #[arg(long, value_name = "TIME", value_parser = duration, default_value = "30s")]
    linger: Duration,

    /// Let others follow the proxy at ENDPOINT: slk top, slk monitor and slk stats connect there
    #[arg(long, value_name = "ENDPOINT")]
    stats: Option<String>,

    /// Say nothing on standard error unless something is wrong
    #[arg(short, long)]
    quiet: bool,
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let context = Context::new()?;
    let _stats = watch::serve(&context, args.stats.as_deref(), args.quiet)?;
    let (front, back) = (end::common_type(&args.frontend)?, end::common_type(&args.backend)?);
    let frontend = context.socket_with(front, options(args, front))?;
    let backend = context.socket_with(back, options(args, back))?;
    let capture = context.socket_with(SocketType::Pub, options(args, SocketType::Pub))?;
    let mut proxy = Proxy::new(&frontend, &backend)?;
    if args.capture.is_some() {
        proxy = proxy.capture(&capture)?;
    }
    end_at_interrupt(proxy.handle())?;
    subscribe(&frontend, back)?;
    subscribe(&backend, front)?;
    wire("frontend", &frontend, &args.frontend, args.quiet)?;
    wire("backend", &backend, &args.backend, args.quiet)?;
    if let Some(endpoint) = &args.capture {
        announce("capture", &capture.bind(endpoint)?, args.quiet);
    }

    let ended = proxy.run();
    let (statistics, held) = (proxy.statistics(), proxy.take_held().len() as u64);
    drop(proxy);
    let left: u64 = [frontend, backend].map(|socket| socket.close(args.linger).undelivered).iter().sum();
    show(&statistics)?;
    ended?;
    let left = match left + held {
        0 => "nothing was left undelivered".to_owned(),
        some => format!("{} left undelivered", counted(some, "message")),
    };
    Err(Failure::new(Exit::Interrupted, format!("interrupted; {left}")))
}

fn options(args: &Args, socket_type: SocketType) -> Options {
    Options {
        send_hwm: args.hwm,
        recv_hwm: args.hwm,
        linger: Linger::For(args.linger),
        ipv6: true,
        router_handover: socket_type == SocketType::Router,
        ..Options::default()
    }
}

/// A second ^C does not wait for the linger.
fn end_at_interrupt(handle: ProxyHandle) -> Result<(), Failure> {
    let interrupted = AtomicBool::new(false);
    let handler = move || {
        if interrupted.swap(true, Ordering::SeqCst) {
            process::exit(Exit::Interrupted as i32);
        }
        handle.terminate();
    };
    ctrlc::set_handler(handler).map_err(|why| Failure::of("^C cannot be caught", why))
}

/// Everything, where no subscriptions come from the other end.
fn subscribe(socket: &Socket, other_end: SocketType) -> Result<(), Failure> {
    let is_told = other_end == SocketType::Xpub && socket.socket_type() == SocketType::Xsub;
    if matches!(socket.socket_type(), SocketType::Sub | SocketType::Xsub) && !is_told {
        socket.subscribe("")?;
    }
    Ok(())
}

fn wire(name: &str, socket: &Socket, ends: &[End], quiet: bool) -> Result<(), Failure> {
    for end in ends {
        match end.connects {
            true => socket.connect(&end.endpoint)?,
            false => announce(name, &socket.bind(&end.endpoint)?, quiet),
        }
    }
    Ok(())
}

fn announce(name: &str, endpoint: &serverlink::Endpoint, quiet: bool) {
    if !quiet {
        say(format_args!("{name} listening on {endpoint}"));
    }
}

fn show(statistics: &ProxyStatistics) -> Result<(), Failure> {
    print(format_args!("frontend  {}", Shown(statistics.frontend)))?;
    print(format_args!("backend   {}", Shown(statistics.backend)))?;
    print(format_args!("dropped   {}", counted(statistics.dropped, "message")))
}

struct Shown(SideStatistics);

impl std::fmt::Display for Shown {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let SideStatistics { received, received_bytes, sent, sent_bytes, .. } = self.0;
        let (received, sent) = (counted(received, "message"), counted(sent, "message"));
        write!(f, "received {received} of {received_bytes} bytes, sent {sent} of {sent_bytes} bytes")
    }
}
