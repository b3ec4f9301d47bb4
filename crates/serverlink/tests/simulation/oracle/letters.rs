//! Every message, from the one who sent it to those who got it.

use std::collections::{BTreeMap, BTreeSet};

use super::{Law, Verdict, demand};

/// The longest letter, in bytes on the wire.
pub(crate) const LONGEST: usize = 760;

/// What a letter is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Way {
    /// To one receiver, whoever it is.
    Sent,
    /// The answer to a letter, to its sender.
    Answer,
    /// To everybody who subscribed to its topic.
    Published,
}

/// A message as the programs of a run send it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Letter {
    pub(crate) topic: &'static str,
    pub(crate) way: Way,
    /// Who sent it, or asked for it: one socket from its opening to its end.
    pub(crate) from: usize,
    pub(crate) number: u64,
}

impl Letter {
    pub(crate) fn answer(&self) -> Letter {
        Letter { way: Way::Answer, ..self.clone() }
    }

    /// Of a length that varies, so that connections are lost at any byte of a frame, header included, and often between two.
    pub(crate) fn text(&self) -> String {
        let Letter { topic, way, from, number } = self;
        let number = *number as usize;
        let more = if number % 4 == 3 { (number * 37 + from) % 700 } else { number % 5 };
        format!("{topic}|{} {from} {number} {}", *way as u8, "x".repeat(more))
    }

    /// Nothing but what was written: no byte of another message is in it.
    pub(crate) fn read(bytes: &[u8], topics: &[&'static str]) -> Option<Letter> {
        let (topic, rest) = std::str::from_utf8(bytes).ok()?.split_once('|')?;
        let topic = topics.iter().find(|known| **known == topic)?;
        let mut words = rest.split(' ');
        let way = match words.next()? {
            "0" => Way::Sent,
            "1" => Way::Answer,
            _ => Way::Published,
        };
        let (from, number) = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
        let letter = Letter { topic, way, from, number };
        (letter.text().as_bytes() == bytes).then_some(letter)
    }
}

/// Letters of one sender in one way.
#[derive(Default)]
struct Book {
    sent: BTreeMap<u64, Letter>,
    /// What each receiver got, as it came.
    got: BTreeMap<usize, Vec<u64>>,
    received: BTreeSet<u64>,
    /// Its sender died: what it had queued went with it.
    closed: bool,
}

/// A letter that has to arrive; publications once for each subscriber.
type Promise = (Way, usize, u64, Option<usize>);

#[derive(Default)]
pub(crate) struct Letters {
    books: BTreeMap<(Way, usize), Book>,
    promises: BTreeSet<Promise>,
    /// Receivers that keep the order of a sender over its reconnects too.
    pub(crate) strict: BTreeSet<usize>,
}

impl Letters {
    pub(crate) fn sent(&mut self, letter: &Letter) {
        self.book(letter).sent.insert(letter.number, letter.clone());
    }

    /// It will arrive; `receiver`: there.
    pub(crate) fn promise(&mut self, letter: &Letter, receiver: Option<usize>) {
        self.promises.insert((letter.way, letter.from, letter.number, receiver));
    }

    pub(crate) fn open_promises(&self) -> usize {
        self.promises.len()
    }

    /// A sender died, and with it what it had to say and what it was to be told.
    pub(crate) fn close(&mut self, sender: usize) {
        self.promises.retain(|(_, from, ..)| *from != sender);
        self.books
            .iter_mut()
            .filter(|((_, from), _)| *from == sender)
            .for_each(|(_, book)| book.closed = true);
    }

    fn book(&mut self, letter: &Letter) -> &mut Book {
        self.books.entry((letter.way, letter.from)).or_default()
    }

    pub(crate) fn received(&mut self, receiver: usize, letter: &Letter) -> Verdict {
        let Letter { way, from, number, .. } = *letter;
        self.promises.remove(&(way, from, number, None));
        self.promises.remove(&(way, from, number, Some(receiver)));
        let book = self.book(letter);
        demand(book.sent.get(&number) == Some(letter), Law::Once, || {
            format!("{receiver} got {letter:?}, which nobody sent")
        })?;
        let got = book.got.entry(receiver).or_default();
        let again = match way {
            Way::Published => got.contains(&number),
            Way::Sent | Way::Answer => book.received.contains(&number),
        };
        got.push(number);
        book.received.insert(number);
        demand(!again, Law::Once, || format!("{receiver} got {letter:?}, which had arrived before"))
    }

    /// What was on its way over a connection that broke may be read after what came over the next one; between the two lies a break.
    pub(super) fn check_order(&self, breaks: u64) -> Verdict {
        for ((way, from), book) in &self.books {
            for (receiver, got) in &book.got {
                let needed = breaks_between(got);
                let allowed = if self.strict.contains(receiver) && *way == Way::Sent { 0 } else { breaks };
                demand(needed <= allowed, Law::Order, || {
                    format!(
                        "{receiver} got {way:?} letters of {from} over {needed} more connections than one, and \
                         {allowed} broke: {got:?}"
                    )
                })?;
            }
        }
        Ok(())
    }

    pub(super) fn check_loss(&self, may_be_lost: u64) -> Verdict {
        let books = self.books.iter().filter(|((way, _), book)| *way == Way::Sent && !book.closed);
        let missing = |book: &Book| -> Vec<Letter> {
            let lost = book.sent.values().filter(|letter| !book.received.contains(&letter.number));
            lost.cloned().collect()
        };
        let lost: Vec<Letter> = books.flat_map(|(_, book)| missing(book)).collect();
        let bytes: u64 = lost.iter().map(|letter| letter.text().len() as u64 + 2).sum();
        demand(bytes <= may_be_lost, Law::Loss, || {
            format!(
                "{} letters of {bytes} bytes never came, and {may_be_lost} bytes may be lost: {lost:?}",
                lost.len()
            )
        })
    }

    pub(super) fn check_promises(&self) -> Verdict {
        let Some(first) = self.promises.first() else { return Ok(()) };
        let law = if first.0 == Way::Published { Law::Subscriptions } else { Law::Loss };
        demand(false, law, || {
            format!("{} promised letters never came: {:?}", self.promises.len(), self.promises)
        })
    }
}

/// How many times a connection must have been replaced so that these numbers, sent in their order, can be read like this: the least number
/// of boundaries that stand between every two of them that were read the wrong way round.
fn breaks_between(got: &[u64]) -> u64 {
    let mut seen = BTreeSet::new();
    let mut wrong: Vec<(u64, u64)> = Vec::new();
    for &number in got {
        wrong.extend(seen.range(number + 1..).next().map(|&later| (later, number)));
        seen.insert(number);
    }
    wrong.sort_unstable();
    let (mut boundaries, mut last) = (0, None);
    for (later, number) in wrong {
        // A boundary at `later` stands between it and all before it.
        if last.is_none_or(|boundary| boundary <= number) {
            boundaries += 1;
            last = Some(later);
        }
    }
    boundaries
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boundaries_are_counted() {
        for (got, boundaries) in [
            (&[1, 2, 3, 9][..], 0),
            (&[1, 3, 2], 1),
            (&[5, 1, 6, 2, 7, 3], 1),
            (&[2, 1, 4, 3], 2),
            (&[3, 2, 1], 2),
        ] {
            assert_eq!(breaks_between(got), boundaries, "{got:?}");
        }
    }

    #[test]
    fn a_letter_with_a_strange_byte_is_none() {
        let letter = Letter { topic: "", way: Way::Sent, from: 3, number: 7 };
        assert_eq!(Letter::read(letter.text().as_bytes(), &[""]), Some(letter.clone()));
        assert_eq!(Letter::read(letter.text().replace('x', "y").as_bytes(), &[""]), None);
        assert!((0..2000).all(|number| Letter { number, ..letter.clone() }.text().len() + 9 < LONGEST));
    }
}
