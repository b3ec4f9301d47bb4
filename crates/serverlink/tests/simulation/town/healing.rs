//! The end of a town: everything heals by itself, what is said then arrives, and nothing is left.

use std::time::Duration;

use serverlink::Stats;
use serverlink::sim::Faults;

use super::plan::{Role, TOPICS};
use super::{Node, Town};
use crate::ending::leftovers;
use crate::oracle::{Complaint, Law, Letter, Oracle, Verdict, Way, demand};

/// So long everybody gets to notice what is broken, and to connect again: more than a heartbeat, a handshake and the longest pause together.
const HEALING: Duration = Duration::from_secs(90);
const PATIENCE: Duration = Duration::from_secs(600);
const LETTERS_AT_THE_END: usize = 3;

impl Town {
    /// Nothing goes wrong any more. All paths heal by themselves, and everything that is said after that arrives.
    pub(super) fn heal(&mut self) -> Verdict {
        self.calm_down()?;
        let healed = self.machine.world().now() + HEALING;
        while self.machine.world().now() < healed {
            self.take_everything()?;
            self.pass(Duration::from_secs(1))?;
        }
        self.oracle.topics.settle();
        self.say_the_last()?;
        let until = self.machine.world().now() + PATIENCE;
        while self.oracle.letters.open_promises() > 0 && self.machine.world().now() < until {
            self.take_everything()?;
            self.pass(Duration::from_millis(200))?;
        }
        // What should not come had the time to come, too.
        self.pass(Duration::from_secs(1))?;
        self.take_everything()?;
        self.check_peers()?;
        self.count_all_drops();
        self.oracle.judge(self.system_bytes)
    }

    fn calm_down(&mut self) -> Verdict {
        let world = self.machine.world();
        world.set_faults(Faults::NONE);
        world.fail_registrations(0);
        world.spare_connections();
        self.healed = true;
        self.remedy()
    }

    fn take_everything(&mut self) -> Verdict {
        (0..self.nodes.len()).try_for_each(|index| self.take(index, usize::MAX))
    }

    /// Everybody who sends says something more.
    fn say_the_last(&mut self) -> Verdict {
        for node in &mut self.nodes {
            let topics = TOPICS.iter().copied();
            node.to_say = match node.spec.role {
                Role::Publish => topics.collect(),
                _ => topics.take(LETTERS_AT_THE_END).collect(),
            };
        }
        let until = self.machine.world().now() + PATIENCE;
        let mut more = true;
        while std::mem::take(&mut more) && self.machine.world().now() < until {
            for index in 0..self.nodes.len() {
                more |= self.say_one_of_the_last(index)?;
            }
            self.take_everything()?;
            self.pass(Duration::from_millis(100))?;
        }
        demand(!more, Law::Loss, || "somebody never gets to say his last words".to_owned())
    }

    /// Whether it has still something to say.
    fn say_one_of_the_last(&mut self, index: usize) -> Result<bool, Complaint> {
        let role = self.nodes[index].spec.role;
        if !matches!(role, Role::Push | Role::Pair | Role::Dealer | Role::Ask | Role::Publish) {
            return Ok(false);
        }
        let Some(topic) = self.nodes[index].to_say.front().copied() else { return Ok(false) };
        if let Some(letter) = self.say(index, topic)? {
            self.nodes[index].to_say.pop_front();
            self.promise(&letter, role);
        }
        Ok(true)
    }

    fn promise(&mut self, letter: &Letter, role: Role) {
        let letters = &mut self.oracle.letters;
        match letter.way {
            Way::Published => {
                for receiver in self.receivers_of(letter) {
                    self.oracle.letters.promise(letter, Some(receiver));
                }
            }
            Way::Sent | Way::Answer => letters.promise(letter, None),
        }
        if matches!(role, Role::Ask | Role::Dealer) {
            self.oracle.letters.promise(&letter.answer(), None);
        }
    }

    /// Monitors and counters know of the same peers.
    fn check_peers(&mut self) -> Verdict {
        for node in &self.nodes {
            let Some(tap) = &node.tap else { continue };
            let (told, counted) = (node.story.peers(), tap.stats().peers);
            demand(told == counted, Law::Events, || {
                format!("the events tell of {told} peers, and {counted} are there: {:?}", node.spec)
            })?;
        }
        Ok(())
    }

    fn count_all_drops(&mut self) {
        let Town { nodes, oracle, .. } = self;
        for node in nodes {
            if let Some(tap) = &node.tap {
                node.count_drops(oracle, &tap.stats());
            }
        }
    }

    /// Everybody leaves.
    pub(super) fn close(mut self) -> Verdict {
        let monitors: Vec<_> = self
            .nodes
            .iter_mut()
            .filter_map(|node| Some((std::mem::take(&mut node.story), node.tap.take()?.close())))
            .collect();
        self.nodes.clear();
        self.places.clear();
        self.machine.run_for(Duration::from_secs(60));
        for (mut story, monitor) in monitors {
            while let Some(event) = monitor.try_next() {
                story.tell(&event.kind)?;
            }
            story.check_ended()?;
        }
        let left = leftovers(&self.machine);
        demand(left.is_empty(), Law::Leftovers, || format!("{left:?}"))
    }
}

impl Node {
    /// Once, at the end of a socket's life.
    pub(super) fn count_drops(&self, oracle: &mut Oracle, stats: &Stats) {
        oracle.counted_drops += stats.dropped_at_high_water_mark
            + stats.dropped_without_receiver
            + stats.dropped_with_peer
            + stats.discarded
            + stats.discarded_at_handover;
        oracle.counted_drops += u64::from(self.forth.is_some()) + u64::from(self.back.is_some());
    }
}
