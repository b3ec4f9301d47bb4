//! What the processes of the demo say to each other: packets between servers, orders from the director, reports to it.

use std::fmt;

use serverlink::{Message, Part};

use super::link::{Record, Tally};

/// The topic of the orders.
pub(super) const ORDERS: &str = "orders";

/// Between two servers.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Packet {
    Record(u64, Record),
    /// Everything before this number has come.
    Acknowledgement(u64),
    /// The sender lives again: what has come of it?
    Question,
}

const LINE: u8 = b'L';
const END: u8 = b'E';
const ACKNOWLEDGEMENT: u8 = b'A';
const QUESTION: u8 = b'Q';

impl Packet {
    pub(super) fn record(number: u64, record: &Record) -> Vec<u8> {
        match record {
            Record::Line(line) => packet(LINE, number, line),
            Record::End => packet(END, number, &[]),
        }
    }

    pub(super) fn acknowledgement(next: u64) -> Vec<u8> {
        packet(ACKNOWLEDGEMENT, next, &[])
    }

    pub(super) fn question() -> Vec<u8> {
        packet(QUESTION, 0, &[])
    }

    pub(super) fn parse(bytes: &[u8]) -> Option<Packet> {
        let (&kind, rest) = bytes.split_first()?;
        let (&number, line) = rest.split_first_chunk()?;
        let number = u64::from_be_bytes(number);
        match kind {
            LINE => Some(Packet::Record(number, Record::Line(line.to_vec()))),
            END => Some(Packet::Record(number, Record::End)),
            ACKNOWLEDGEMENT => Some(Packet::Acknowledgement(number)),
            QUESTION => Some(Packet::Question),
            _ => None,
        }
    }
}

fn packet(kind: u8, number: u64, body: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(1 + 8 + body.len());
    bytes.push(kind);
    bytes.extend(number.to_be_bytes());
    bytes.extend(body);
    bytes
}

/// From the director to all servers.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Order {
    /// Where each server listens: link up.
    Roster(Vec<String>),
    /// Move the lines.
    Go,
    /// Everything is counted: go home.
    Finish,
}

/// From a server to the director.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Report {
    pub(super) server: usize,
    /// How often it was killed before: a report of an earlier life may come late.
    pub(super) life: u64,
    pub(super) news: News,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum News {
    Listening(String),
    Linked,
    /// Enough lines were moved to be killed now.
    Reached,
    Moving(Status),
    Done(Status, Vec<Tallies>),
}

/// How a server is doing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Status {
    pub(super) peers: u64,
    pub(super) sent: u64,
    pub(super) received: u64,
    pub(super) p50_us: u64,
    pub(super) p99_us: u64,
    pub(super) reconnects: u64,
    pub(super) handovers: u64,
    pub(super) resent: u64,
    pub(super) filtered: u64,
}

/// What a server sent to a peer and received from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Tallies {
    pub(super) peer: usize,
    pub(super) sent: Tally,
    pub(super) received: Tally,
}

impl Order {
    pub(super) fn to_message(&self) -> Message {
        Message::from_parts([ORDERS.to_owned(), self.to_string()])
    }

    pub(super) fn parse(message: &Message) -> Option<Order> {
        let mut words = text(message.part(1)?)?.split(' ');
        let order = match words.next()? {
            "roster" => Order::Roster(words.by_ref().map(str::to_owned).collect()),
            "go" => Order::Go,
            "finish" => Order::Finish,
            _ => return None,
        };
        words.next().is_none().then_some(order)
    }
}

impl fmt::Display for Order {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Order::Roster(endpoints) => write!(f, "roster {}", endpoints.join(" ")),
            Order::Go => f.write_str("go"),
            Order::Finish => f.write_str("finish"),
        }
    }
}

impl Report {
    pub(super) fn to_message(&self) -> Message {
        Message::from(self.to_string())
    }

    pub(super) fn parse(message: &Message) -> Option<Report> {
        let mut words = text(message.first())?.split(' ');
        let server = words.next()?.parse().ok()?;
        let life = words.next()?.parse().ok()?;
        let kind = words.next()?;
        if kind == "listening" {
            return Some(Report { server, life, news: News::Listening(words.next()?.to_owned()) });
        }
        let numbers: Vec<u64> = words.map(|word| word.parse().ok()).collect::<Option<_>>()?;
        let news = match kind {
            "linked" => News::Linked,
            "reached" => News::Reached,
            "moving" => News::Moving(Status::from_numbers(&numbers)?.0),
            "done" => {
                let (status, rest) = Status::from_numbers(&numbers)?;
                let (tallies, []) = rest.as_chunks() else { return None };
                News::Done(status, tallies.iter().map(Tallies::from_numbers).collect())
            }
            _ => return None,
        };
        Some(Report { server, life, news })
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (kind, numbers) = match &self.news {
            News::Listening(endpoint) => {
                return write!(f, "{} {} listening {endpoint}", self.server, self.life);
            }
            News::Linked => ("linked", Vec::new()),
            News::Reached => ("reached", Vec::new()),
            News::Moving(status) => ("moving", status.to_numbers().to_vec()),
            News::Done(status, tallies) => {
                let mut numbers = status.to_numbers().to_vec();
                numbers.extend(tallies.iter().copied().flat_map(Tallies::to_numbers));
                ("done", numbers)
            }
        };
        write!(f, "{} {} {kind}", self.server, self.life)?;
        numbers.iter().try_for_each(|number| write!(f, " {number}"))
    }
}

impl Status {
    /// What is counted anew in each life, with what an earlier life had counted.
    pub(super) fn with_earlier(self, earlier: Status) -> Status {
        Status {
            reconnects: self.reconnects + earlier.reconnects,
            handovers: self.handovers + earlier.handovers,
            resent: self.resent + earlier.resent,
            filtered: self.filtered + earlier.filtered,
            ..self
        }
    }

    fn to_numbers(self) -> [u64; 9] {
        let Status { peers, sent, received, p50_us, p99_us, reconnects, handovers, resent, filtered } = self;
        [peers, sent, received, p50_us, p99_us, reconnects, handovers, resent, filtered]
    }

    fn from_numbers(numbers: &[u64]) -> Option<(Status, &[u64])> {
        let (&[peers, sent, received, p50_us, p99_us, reconnects, handovers, resent, filtered], rest) =
            numbers.split_first_chunk()?;
        Some((
            Status { peers, sent, received, p50_us, p99_us, reconnects, handovers, resent, filtered },
            rest,
        ))
    }
}

impl Tallies {
    fn to_numbers(self) -> [u64; 5] {
        [self.peer as u64, self.sent.lines, self.sent.digest, self.received.lines, self.received.digest]
    }

    fn from_numbers(&[peer, sent, sent_digest, received, received_digest]: &[u64; 5]) -> Tallies {
        Tallies {
            peer: peer as usize,
            sent: Tally { lines: sent, digest: sent_digest },
            received: Tally { lines: received, digest: received_digest },
        }
    }
}

fn text(part: &Part) -> Option<&str> {
    std::str::from_utf8(part.as_bytes()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packets_are_read_as_they_were_written() {
        let line = Record::Line(b"text".to_vec());
        assert_eq!(Packet::parse(&Packet::record(7, &line)), Some(Packet::Record(7, line)));
        assert_eq!(Packet::parse(&Packet::record(8, &Record::End)), Some(Packet::Record(8, Record::End)));
        assert_eq!(Packet::parse(&Packet::acknowledgement(9)), Some(Packet::Acknowledgement(9)));
        assert_eq!(Packet::parse(&Packet::question()), Some(Packet::Question));
        for bytes in [&b""[..], b"L1234567", b"X12345678"] {
            assert_eq!(Packet::parse(bytes), None);
        }
    }

    #[test]
    fn orders_are_read_as_they_were_written() {
        let roster = Order::Roster(vec!["tcp://127.0.0.1:1".into(), "tcp://127.0.0.1:2".into()]);
        for order in [roster, Order::Go, Order::Finish] {
            assert_eq!(Order::parse(&order.to_message()), Some(order));
        }
        assert_eq!(Order::parse(&Message::from("go")), None);
        assert_eq!(Order::parse(&Message::from_parts([ORDERS, "go away"])), None);
    }

    #[test]
    fn reports_are_read_as_they_were_written() {
        let status = Status { peers: 2, sent: 3, p99_us: 4, filtered: 5, ..Status::default() };
        let tally = |lines| Tally { lines, digest: u64::MAX };
        let tallies = vec![Tallies { peer: 1, sent: tally(1), received: tally(2) }; 2];
        let all = [
            News::Listening("tcp://127.0.0.1:1".into()),
            News::Linked,
            News::Reached,
            News::Moving(status),
            News::Done(status, tallies),
        ];
        for news in all {
            let report = Report { server: 2, life: 1, news };
            assert_eq!(Report::parse(&report.to_message()), Some(report));
        }
        for broken in
            ["", "1", "1 0", "1 linked", "1 0 moving 1 2", "x 0 linked", "1 0 done 1 2 3 4 5 6 7 8 9 1"]
        {
            assert_eq!(Report::parse(&Message::from(broken)), None, "{broken}");
        }
    }
}
