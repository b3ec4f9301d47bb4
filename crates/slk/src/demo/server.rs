//! One server of the demo: a process that subscribes to orders, links up with its likes and moves lines.

mod cuts;
mod peer_link;
mod peers;

use std::io::{self, Read};
use std::process;
use std::thread;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use serverlink::{Context, Error, Push, Router, StatsServer, Subscriber};

use super::lines::Lines;
use super::wire::{News, ORDERS, Order, Report, Status};
use super::{SERVERS, ServerArgs, server_name};
use crate::exit::{Exit, Failure};
use crate::patient::{patiently, send_patiently};
use crate::watch;
use cuts::Cuts;
use peers::Peers;

/// How often a server says how it is doing. It also looks for orders then, when no line comes.
const REPORT_EVERY: Duration = Duration::from_millis(100);
/// How long the others may take to come up.
const LINK_WITHIN: Duration = Duration::from_secs(20);
/// Longer ones are counted as this: a minute.
const LONGEST_LATENCY_US: u64 = 60_000_000;
/// Messages taken in one go, before anything is sent.
const BATCH: usize = 256;

pub(crate) fn serve(args: &ServerArgs) -> Result<(), Failure> {
    exit_with_the_director();
    let name = server_name(args.index);
    Server::open(args)
        .and_then(Server::run)
        .map_err(|failure| Failure { sentence: format!("{name}: {}", failure.sentence), ..failure })
}

/// The director holds the other end of our standard input, so its end is the end of the director.
fn exit_with_the_director() {
    thread::spawn(|| {
        let _ = io::stdin().read_to_end(&mut Vec::new());
        process::exit(Exit::Failed as i32);
    });
}

struct Server {
    _stats: Option<StatsServer>,
    index: usize,
    life: u64,
    /// Where the servers listen, for one that was there before.
    roster: Vec<String>,
    orders: Subscriber,
    reports: Push,
    router: Router,
    peers: Peers,
    /// After so many sent lines, this life ends.
    dies_after: Option<u64>,
    /// Latencies since the last report, and since the beginning, in microseconds.
    lately: Histogram<u64>,
    overall: Histogram<u64>,
    next_report: Instant,
    is_done: bool,
}

impl Server {
    fn open(args: &ServerArgs) -> Result<Server, Failure> {
        let context = Context::new()?;
        let stats = watch::serve(&context, args.text.stats.as_deref(), false)?;
        let orders = context.subscriber().open()?;
        orders.subscribe(ORDERS)?;
        orders.connect(&args.orders)?;
        let reports = context.push().open()?;
        reports.connect(&args.reports)?;
        let router = context
            .router()
            .routing_id(server_name(args.index))
            .router_mandatory(true)
            .router_handover(true)
            .open()?;
        let total = Lines::total(&args.text).map_err(|why| Failure::of("opening the text", why))?;
        let histogram = || {
            Histogram::new_with_bounds(1, LONGEST_LATENCY_US, 3)
                .expect("the bounds and three digits are valid")
        };
        let now = Instant::now();
        let end_of_life = |life| cuts::end_of_life(args.index, life, args.text.restarts, total);
        let cuts = Cuts::of_server(args.index, args.text.unplug, total);
        let cuts = cuts.after(args.life.checked_sub(1).and_then(end_of_life).unwrap_or(0));
        Ok(Server {
            _stats: stats,
            index: args.index,
            life: args.life,
            roster: args.roster.clone(),
            orders,
            reports,
            peers: Peers::open(args, &router, cuts, now)?,
            router,
            dies_after: end_of_life(args.life),
            lately: histogram(),
            overall: histogram(),
            next_report: now,
            is_done: false,
        })
    }

    fn run(mut self) -> Result<(), Failure> {
        match self.roster.is_empty() {
            true => self.link_up()?,
            false => self.link_up_again()?,
        }
        loop {
            let now = Instant::now();
            let received = self.receive(now)?;
            let sent = self.send(now)?;
            self.report(now)?;
            match self.orders.try_recv() {
                Ok(order) if Order::parse(&order) == Some(Order::Finish) => return self.go_home(),
                Ok(_) => {}
                Err(Error::WouldBlock) => {}
                Err(error) => return Err(error.into()),
            }
            if received + sent == 0 {
                self.wait()?;
            }
        }
    }

    /// Listens, tells where, hears where the others are, and calls those that come later in the roster.
    fn link_up(&mut self) -> Result<(), Failure> {
        let endpoint = self.router.bind("tcp://127.0.0.1:*")?;
        self.tell(News::Listening(endpoint.to_string()))?;
        let Order::Roster(endpoints) = self.next_order()? else {
            return Err(Failure::new(Exit::Failed, "the first order was not the roster"));
        };
        self.peers.connect(&self.router, endpoints)?;
        patiently(|| self.router.wait_for_peers(SERVERS - 1, LINK_WITHIN))
            .map_err(|why| Failure::of("not every other server could be reached", why))?;
        self.tell(News::Linked)?;
        match self.next_order()? {
            Order::Go => {
                self.next_report = Instant::now() + REPORT_EVERY;
                Ok(())
            }
            other => Err(Failure::new(Exit::Failed, format!("the order was `{other}` and not `go`"))),
        }
    }

    /// As before, and at the same place: the others call it there, or wait for it.
    fn link_up_again(&mut self) -> Result<(), Failure> {
        if let Some(endpoint) = self.roster.get(self.index) {
            self.router.bind(endpoint)?;
        }
        self.peers.connect(&self.router, std::mem::take(&mut self.roster))
    }

    fn next_order(&self) -> Result<Order, Failure> {
        let message = patiently(|| self.orders.recv())?;
        Order::parse(&message)
            .ok_or_else(|| Failure::new(Exit::Failed, format!("an order makes no sense: {message:?}")))
    }

    /// Takes what is there, up to a batch, and gives back how many messages that were.
    fn receive(&mut self, now: Instant) -> Result<usize, Failure> {
        for count in 0..BATCH {
            match self.router.try_recv_from() {
                Ok((from, message)) => {
                    if let Some(latency) = self.peers.handle_message(&from, &message, now)? {
                        self.record_latency(latency);
                    }
                }
                Err(Error::WouldBlock) => return Ok(count),
                Err(error) => return Err(error.into()),
            }
        }
        Ok(BATCH)
    }

    /// Acknowledges what came and sends what the windows allow.
    fn send(&mut self, now: Instant) -> Result<usize, Failure> {
        self.peers.fill(now)?;
        self.peers.cut(&self.router)?;
        self.peers.handle_time(now);
        let count = self.peers.transmit(&self.router, now)?;
        if self.dies_after.is_some_and(|lines| self.peers.sent() >= lines) {
            self.dies_after = None;
            self.tell(News::Reached)?;
        }
        Ok(count)
    }

    fn record_latency(&mut self, latency: Duration) {
        let microseconds = u64::try_from(latency.as_micros()).unwrap_or(u64::MAX);
        self.lately.saturating_record(microseconds);
        self.overall.saturating_record(microseconds);
    }

    fn report(&mut self, now: Instant) -> Result<(), Failure> {
        if self.is_done {
            return Ok(());
        }
        if self.peers.is_done() {
            self.is_done = true;
            let status = status(&self.router, &mut self.peers, &self.overall);
            return self.tell(News::Done(status, self.peers.tallies()));
        }
        if now < self.next_report {
            return Ok(());
        }
        self.next_report = now + REPORT_EVERY;
        let status = status(&self.router, &mut self.peers, &self.lately);
        self.lately.reset();
        self.tell(News::Moving(status))
    }

    fn tell(&self, news: News) -> Result<(), Failure> {
        let report = Report { server: self.index, life: self.life, news };
        Ok(send_patiently(self.reports.as_socket(), report.to_message())?)
    }

    /// Sleeps until a line or an acknowledgement comes, or there is something to do without one.
    fn wait(&mut self) -> Result<(), Failure> {
        let now = Instant::now();
        let report = self.next_report.max(now + if self.is_done { REPORT_EVERY } else { Duration::ZERO });
        let deadline = self.peers.poll_deadline().map_or(report, |resend| resend.min(report));
        match self.router.recv_from_deadline(deadline) {
            Ok((from, message)) => {
                if let Some(latency) = self.peers.handle_message(&from, &message, Instant::now())? {
                    self.record_latency(latency);
                }
                Ok(())
            }
            Err(Error::TimedOut | Error::Interrupted) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// The last acknowledgements may still be needed by the others, so they are flushed.
    fn go_home(self) -> Result<(), Failure> {
        self.router.close(Duration::from_secs(1));
        self.reports.close(Duration::from_secs(1));
        Ok(())
    }
}

fn status(router: &Router, peers: &mut Peers, latencies: &Histogram<u64>) -> Status {
    Status {
        peers: router.stats().peers,
        p50_us: latencies.value_at_quantile(0.5),
        p99_us: latencies.value_at_quantile(0.99),
        ..peers.poll_status()
    }
}
