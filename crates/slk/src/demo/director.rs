//! The process that starts the servers, publishes the orders and counts what came of them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serverlink::{Context, Error, Publisher, Pull};

use super::account::Account;
use super::lines::Lines;
use super::servers::Servers;
use super::table::Table;
use super::wire::{News, Order, Report, Status};
use super::{Args, SERVERS};
use crate::exit::{Exit, Failure, print, say};
use crate::patient::{patiently, send_patiently};

/// How often the director looks after its servers when they are silent.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// The servers may go on for so long without moving a line.
const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    // What is wrong with the text is said once, here, and not by each server.
    let total = Lines::open(args, 0, SERVERS).and_then(|_| Lines::total(args)).map_err(|why| {
        let path = args.input.as_deref().map_or_else(|| "the text".into(), |path| path.display().to_string());
        Failure::of(format_args!("demo: {path} cannot be moved"), why)
    })?;
    let account = Director::open(args, total)?.direct()?;
    say(account.summary());
    print(&account)?;
    account.verdict()
}

struct Director {
    total: u64,
    orders: Publisher,
    reports: Pull,
    servers: Servers,
    interrupted: Arc<AtomicBool>,
    /// Where each server listens.
    roster: Vec<String>,
    /// The last that each server said.
    statuses: [Status; SERVERS],
    /// What its earlier lives had counted.
    earlier: [Status; SERVERS],
    lives: [u64; SERVERS],
    last_change: Instant,
}

impl Director {
    fn open(args: &Args, total: u64) -> Result<Director, Failure> {
        let interrupted = Arc::new(AtomicBool::new(false));
        let handler = Arc::clone(&interrupted);
        ctrlc::set_handler(move || handler.store(true, Ordering::SeqCst))
            .map_err(|why| Failure::of("^C cannot be caught", why))?;
        let context = Context::new()?;
        let orders = context.publisher().open()?;
        let reports = context.pull().open()?;
        let orders_at = orders.bind("tcp://127.0.0.1:*")?;
        let reports_at = reports.bind("tcp://127.0.0.1:*")?;
        let servers = Servers::start(args, total, &orders_at.to_string(), &reports_at.to_string())?;
        let last_change = Instant::now();
        Ok(Director {
            total,
            orders,
            reports,
            servers,
            interrupted,
            roster: Vec::new(),
            statuses: Default::default(),
            earlier: Default::default(),
            lives: [0; SERVERS],
            last_change,
        })
    }

    fn direct(mut self) -> Result<Account, Failure> {
        self.introduce()?;
        let began = Instant::now();
        self.order(&Order::Go)?;
        let mut account = self.watch()?;
        account.took = began.elapsed();
        let orders = self.orders;
        self.servers.send_home(Duration::from_secs(10), || order(&orders, &Order::Finish))?;
        Ok(account)
    }

    /// Collects where the servers listen, tells all of them, and waits until they have linked up.
    fn introduce(&mut self) -> Result<(), Failure> {
        let mut endpoints = vec![String::new(); SERVERS];
        for _ in 0..SERVERS {
            let report = self.next_report()?;
            match (endpoints.get_mut(report.server), report.news) {
                (Some(endpoint), News::Listening(at)) => *endpoint = at,
                (_, news) => return Err(unexpected(&news)),
            }
        }
        // A server is subscribed when the publisher has heard of it, which may be after its report.
        patiently(|| self.orders.wait_for_subscribers(SERVERS, PATIENCE))
            .map_err(|why| Failure::of("demo: not every server subscribed to the orders", why))?;
        self.roster.clone_from(&endpoints);
        self.order(&Order::Roster(endpoints))?;
        for _ in 0..SERVERS {
            match self.next_report()?.news {
                News::Linked => {}
                news => return Err(unexpected(&news)),
            }
        }
        Ok(())
    }

    /// Follows the servers until all of them are done.
    fn watch(&mut self) -> Result<Account, Failure> {
        let mut account = Account::default();
        let mut table = Table::new(self.total);
        while !account.is_complete() {
            let Report { server, news, .. } = self.next_report()?;
            match news {
                News::Reached => self.restart(server, &mut account)?,
                News::Moving(status) => self.note(server, status)?,
                News::Done(status, tallies) => {
                    self.note(server, status)?;
                    account.add(server, status.with_earlier(self.earlier[server]), tallies);
                }
                news => return Err(unexpected(&news)),
            }
            table.show(&self.statuses);
        }
        table.finish();
        Ok(account)
    }

    /// The server is killed with what it had on its way, and goes on from what it and its peers have kept.
    fn restart(&mut self, server: usize, account: &mut Account) -> Result<(), Failure> {
        self.lives[server] += 1;
        self.earlier[server] = self.statuses[server].with_earlier(self.earlier[server]);
        account.restarts += 1;
        account.forget(server);
        self.servers.restart(server, self.lives[server], &self.roster)
    }

    fn note(&mut self, server: usize, status: Status) -> Result<(), Failure> {
        let known = self.statuses.get_mut(server).ok_or_else(|| unexpected(&News::Moving(status)))?;
        if (known.sent, known.received) != (status.sent, status.received) {
            self.last_change = Instant::now();
        }
        *known = status;
        if self.last_change.elapsed() > PATIENCE {
            let sentence = format!("demo: no line was moved for {} s", PATIENCE.as_secs());
            return Err(Failure::new(Exit::Failed, sentence));
        }
        Ok(())
    }

    fn order(&self, what: &Order) -> Result<(), Failure> {
        order(&self.orders, what)
    }

    fn next_report(&mut self) -> Result<Report, Failure> {
        loop {
            if self.interrupted.load(Ordering::SeqCst) {
                return Err(Failure::new(Exit::Interrupted, "demo: interrupted; the servers were stopped"));
            }
            match self.reports.recv_deadline(Instant::now() + LOOK_EVERY) {
                Ok(message) => {
                    let report = Report::parse(&message).filter(|report| report.server < SERVERS);
                    let report = report.ok_or_else(|| {
                        Failure::new(Exit::Failed, format!("demo: a report makes no sense: {message:?}"))
                    })?;
                    // What a server said before it was killed may come late.
                    if report.life == self.lives[report.server] {
                        return Ok(report);
                    }
                }
                Err(Error::TimedOut | Error::Interrupted) => self.servers.check_alive()?,
                Err(error) => return Err(error.into()),
            }
        }
    }
}

fn order(orders: &Publisher, order: &Order) -> Result<(), Failure> {
    Ok(send_patiently(orders.as_socket(), order.to_message())?)
}

fn unexpected(news: &News) -> Failure {
    Failure::new(Exit::Failed, format!("demo: a server reported out of turn: {news:?}"))
}
