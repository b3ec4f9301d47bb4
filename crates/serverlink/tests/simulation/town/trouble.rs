//! What happens to processes and to the network, and when it is over.

use std::time::Duration;

use super::{Place, Town};
use crate::oracle::Verdict;

/// What ends a trouble.
#[derive(Clone, Copy, Debug)]
pub(super) enum Remedy {
    Heal(usize, usize),
    Resume(usize),
    /// The process starts again.
    Start(usize),
    LiftLimit(usize),
}

impl Town {
    /// Something happens.
    pub(super) fn stir(&mut self) -> Verdict {
        let place = self.random.usize(..self.places.len());
        let other = (place + self.random.usize(1..self.places.len())) % self.places.len();
        match self.random.u8(..if self.calm { 5 } else { 12 }) {
            0 | 1 => self.cut(place, other),
            2 => self.suspend(place),
            3 => self.run_short(place),
            4 => self.machine.world().fail_registrations(self.random.usize(1..=3)),
            5 | 6 => self.end_process(place)?,
            7 => self.machine.world().reset_connections(),
            8 | 9 => self.machine.world().reset_next_connection_at(self.random.u64(..2000)),
            10 => return self.sleep(),
            _ => self.cut_one_way(place, other),
        }
        Ok(())
    }

    /// What is short enough not to be noticed, or anything up to an hour.
    fn draw_trouble(&mut self) -> Duration {
        match self.random.u8(..if self.calm { 4 } else { 40 }) {
            0..4 => Duration::from_millis(self.random.u64(..3000)),
            4..39 => Duration::from_secs(self.random.u64(1..60)),
            _ => Duration::from_secs(3600),
        }
    }

    fn later(&mut self, remedy: Remedy) {
        let at = self.machine.world().now() + self.draw_trouble();
        self.remedies.push((at, remedy));
    }

    fn cut(&mut self, one: usize, other: usize) {
        self.machine.partition(&self.places[one].context, &self.places[other].context);
        self.later(Remedy::Heal(one, other));
    }

    fn cut_one_way(&mut self, from: usize, to: usize) {
        self.machine.partition_one_way(&self.places[from].context, &self.places[to].context);
        self.later(Remedy::Heal(from, to));
    }

    fn suspend(&mut self, place: usize) {
        if self.places[place].runs() {
            self.places[place].suspended = true;
            self.machine.suspend(&self.places[place].context);
            self.later(Remedy::Resume(place));
        }
    }

    fn run_short(&mut self, place: usize) {
        let context = &self.places[place].context;
        let count = self.machine.world().descriptor_count_of(self.machine.host_of(context));
        self.machine.limit_descriptors(context, Some(count + self.random.usize(..3)));
        self.later(Remedy::LiftLimit(place));
    }

    /// It is killed, or its computer has no power any more, and starts again at once or after a while.
    fn end_process(&mut self, place: usize) -> Verdict {
        if !self.places[place].runs() {
            return Ok(());
        }
        self.take_stock_of_the_dying(place)?;
        let context = &self.places[place].context;
        let next = match self.random.bool() {
            true => self.machine.kill(context),
            false => self.machine.lose_power(context),
        };
        let dead = self.nodes.iter_mut().filter(|node| node.spec.place == place);
        dead.for_each(|node| node.tap = None);
        self.places[place] = Place { deserted: true, ..Place::new(next) };
        match self.random.bool() {
            true => self.open_place(place),
            false => self.later(Remedy::Start(place)),
        }
        Ok(())
    }

    /// What its sockets had to say goes with them, and so does what they had not read.
    fn take_stock_of_the_dying(&mut self, place: usize) -> Verdict {
        let Town { nodes, oracle, .. } = self;
        for node in nodes.iter_mut().filter(|node| node.spec.place == place) {
            node.hear(oracle)?;
            oracle.letters.close(node.serial);
            oracle.breaks += node.story.peers();
            let Some(tap) = &node.tap else { continue };
            node.count_drops(oracle, &tap.stats());
            // What a reader has at its mark, and what came with the last read.
            let unread = (u64::from(node.spec.options.recv_hwm) + 1) * (1024 + crate::oracle::LONGEST as u64);
            oracle.bytes_in_the_dead += unread * (node.story.established + 1);
        }
        Ok(())
    }

    /// The whole machine stands still while the clock goes on.
    fn sleep(&mut self) -> Verdict {
        let time = self.draw_trouble();
        self.machine.jump(time);
        self.pass(Duration::ZERO)
    }

    /// Ends what is over.
    pub(super) fn remedy(&mut self) -> Verdict {
        let now = self.machine.world().now();
        let healed = self.healed;
        let due = self.remedies.extract_if(.., |(at, _)| healed || *at <= now).collect::<Vec<_>>();
        for (_, remedy) in due {
            match remedy {
                Remedy::Heal(one, other) => {
                    self.machine.heal(&self.places[one].context, &self.places[other].context);
                }
                Remedy::Resume(place) => {
                    self.places[place].suspended = false;
                    self.machine.resume(&self.places[place].context);
                }
                Remedy::Start(place) => self.open_place(place),
                Remedy::LiftLimit(place) => {
                    self.machine.limit_descriptors(&self.places[place].context, None);
                }
            }
        }
        Ok(())
    }
}
