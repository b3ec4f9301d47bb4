//! What programs do with their sockets.

use std::time::Duration;

use serverlink::{Error, Message, Part};

use super::plan::{Role, TOPICS};
use super::tap::Tap;
use super::{Node, Town};
use crate::oracle::{Letter, Oracle, Verdict, Way};

/// A REQ asks something else when it was not answered for so long.
const ANSWER: Duration = Duration::from_secs(40);

impl Town {
    /// Some program does something.
    pub(super) fn act_somewhere(&mut self) -> Verdict {
        let index = self.random.usize(..self.nodes.len());
        if !self.places[self.nodes[index].spec.place].runs() {
            return Ok(());
        }
        if self.random.u8(..8) == 0 {
            self.change_a_subscription(index);
        }
        let words = if self.random.u8(..10) == 0 { 40 } else { self.random.usize(..6) };
        for _ in 0..words {
            let topic = *self.random.choice(&TOPICS).expect("some");
            if self.say(index, topic)?.is_none() {
                break;
            }
        }
        let appetite = if self.random.bool() { usize::MAX } else { self.random.usize(..4) };
        self.take(index, appetite)
    }

    /// Sends a letter, if this is who does so of himself and if there is room.
    pub(super) fn say(
        &mut self,
        index: usize,
        topic: &'static str,
    ) -> Result<Option<Letter>, crate::oracle::Complaint> {
        let now = self.machine.world().now();
        let Town { nodes, oracle, calm, .. } = self;
        let node = &mut nodes[index];
        let (topic, way) = match node.spec.role {
            Role::Push | Role::Pair | Role::Dealer | Role::Ask => ("", Way::Sent),
            Role::Publish => (topic, Way::Published),
            _ => return Ok(None),
        };
        if node.asked.as_ref().is_some_and(|(_, since)| *calm || now < *since + ANSWER) {
            return Ok(None);
        }
        let letter = Letter { topic, way, from: node.serial, number: node.next };
        if !node.send(Message::from(letter.text()))? {
            return Ok(None);
        }
        node.next += 1;
        oracle.letters.sent(&letter);
        if *calm && way == Way::Sent {
            oracle.letters.promise(&letter, None);
        }
        if node.spec.role == Role::Ask {
            node.asked = Some((letter.clone(), now));
        }
        Ok(Some(letter))
    }

    /// Takes at most so many messages, and does with them what there is to do.
    pub(super) fn take(&mut self, index: usize, most: usize) -> Verdict {
        match self.nodes[index].spec.role {
            Role::Front(other) | Role::Downstream(other) => return self.relay(index, other, most),
            Role::Back | Role::Upstream => return Ok(()),
            _ => {}
        }
        let Town { nodes, oracle, calm, .. } = self;
        let node = &mut nodes[index];
        for _ in 0..most {
            if !node.answer(oracle, *calm)? {
                return Ok(());
            }
            let Some(message) = node.receive() else { return Ok(()) };
            node.read(message, oracle)?;
        }
        Ok(())
    }

    /// From the side of the clients to the side of the servers, and back.
    fn relay(&mut self, front: usize, back: usize, most: usize) -> Verdict {
        for _ in 0..most {
            let [front, back] = self.nodes.get_disjoint_mut([front, back]).expect("two nodes");
            let forth = Node::carry(front, back, |node| &mut node.forth)?;
            let home = Node::carry(back, front, |node| &mut node.back)?;
            if !forth && !home {
                break;
            }
        }
        Ok(())
    }

    fn change_a_subscription(&mut self, index: usize) {
        let Town { nodes, oracle, random, .. } = self;
        let node = &mut nodes[index];
        let Some(tap) = node.tap.as_mut().filter(|_| node.spec.role == Role::Subscribe) else { return };
        let current = oracle.topics.of(node.serial);
        if current.len() > 1 && random.bool() {
            let topic = *random.choice(&current).expect("more than one");
            tap.unsubscribe(topic);
            oracle.topics.unsubscribe(node.serial, topic);
        } else {
            let topic = *random.choice(&TOPICS).expect("some");
            oracle.topics.subscribe(node.serial, topic);
            tap.subscribe(topic);
        }
    }
}

impl Node {
    /// False: there is no room now. What can go nowhere is gone.
    fn send(&mut self, message: Message) -> Result<bool, crate::oracle::Complaint> {
        let Some(tap) = &self.tap else { return Ok(false) };
        match tap.try_send(message) {
            Ok(()) => {
                self.marks.sent += 1;
                Ok(true)
            }
            Err(Error::WouldBlock) => {
                let many = matches!(self.spec.role, Role::Push | Role::Dealer | Role::Pair);
                if many {
                    self.marks.check_full(&tap.stats())?;
                }
                Ok(false)
            }
            Err(Error::Unroutable { .. }) => Ok(true),
            Err(error) => panic!("{:?}: {error}", self.spec),
        }
    }

    fn receive(&mut self) -> Option<Message> {
        let message = self.tap.as_mut().and_then(Tap::try_recv)?;
        self.marks.received += 1;
        Some(message)
    }

    /// Sends what it owes. False: it cannot now.
    fn answer(&mut self, oracle: &mut Oracle, calm: bool) -> Result<bool, crate::oracle::Complaint> {
        let Some(message) = self.back.take() else { return Ok(true) };
        let letter = read(&message);
        let before = self.marks.sent;
        // Whoever gets it may have it before this call is over.
        oracle.letters.sent(&letter);
        if !self.send(message.clone())? {
            self.back = Some(message);
            return Ok(false);
        }
        if calm && self.marks.sent > before {
            oracle.letters.promise(&letter, None);
        }
        Ok(true)
    }

    /// One message from one socket of this process to the other. False: nothing moved.
    fn carry(
        from: &mut Node,
        to: &mut Node,
        hand: fn(&mut Node) -> &mut Option<Message>,
    ) -> Result<bool, crate::oracle::Complaint> {
        let carried = match hand(from).take() {
            Some(message) => Some(message),
            None => from.receive(),
        };
        let Some(message) = carried else { return Ok(false) };
        let sent = to.send(message.clone())?;
        if !sent {
            *hand(from) = Some(message);
        }
        Ok(sent)
    }

    /// Its owner looks at a message.
    fn read(&mut self, message: Message, oracle: &mut Oracle) -> Verdict {
        let letter = read(&message);
        match self.spec.role {
            Role::Ask => {
                // Only the answer to the last question comes through.
                let asked = self.asked.take().map(|(asked, _)| asked.answer());
                let right = asked.as_ref() == Some(&letter);
                crate::oracle::demand(right, crate::oracle::Law::Once, || {
                    format!("{letter:?} came as the answer instead of {asked:?}")
                })?;
            }
            Role::Reply => self.back = Some(Message::from(letter.answer().text())),
            Role::Router => {
                let mut parts: Vec<Part> = message.into_iter().collect();
                *parts.last_mut().expect("a message has parts") = Part::from(letter.answer().text());
                self.back = Some(Message::from_parts(parts));
            }
            _ => {}
        }
        oracle.received(self.serial, &letter)
    }
}

fn read(message: &Message) -> Letter {
    let text = message.iter().next_back().expect("a message has parts");
    Letter::read(text, &TOPICS).unwrap_or_else(|| panic!("a message that nobody wrote: {message:?}"))
}
