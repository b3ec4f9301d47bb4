//! What a driver reports, and in which order.

use std::collections::VecDeque;

use super::operations::Operation;
use super::state::{DriverId, SocketId, State};
use crate::{Event, Interest, Key};

impl State {
    /// Reports to whoever waits on the driver.
    pub(super) fn report(&mut self, driver: DriverId, event: Event) {
        let spurious = self.chance(self.faults.spurious);
        self.enqueue(driver, event);
        let Some(stale) = self.drivers[driver].last_closed.filter(|_| spurious) else { return };
        // With completions nothing comes after `Closed`.
        if !self.faults.completions || self.drivers[driver].sources.contains_key(stale) {
            self.enqueue(driver, Event::Readable(stale));
        }
    }

    fn enqueue(&mut self, driver: DriverId, event: Event) {
        let overtakes = self.faults.completions && self.chance(self.faults.reorder);
        let queue = &mut self.drivers[driver];
        if queue.gone {
            // Its memory may be foreign, so it is not dropped here, under the world's lock.
            if let Event::Written(_, batch, _) = event {
                self.unclaimed.push(*batch);
            }
            return;
        }
        let last = queue.events.len();
        let place = match overtakes {
            true => self.random.usize(earliest_place(&queue.events, &event)..=last),
            false => last,
        };
        queue.events.insert(place, event);
    }

    /// What a wait takes from the queue: all of it, or only some.
    pub(super) fn take_events(&mut self, driver: DriverId) -> Vec<Event> {
        let all = self.drivers[driver].events.len();
        let chance = if self.faults.completions { self.faults.reorder } else { 0.0 };
        let count = self.cut(all, chance);
        self.drivers[driver].events.drain(..count).collect()
    }

    /// Reports that a socket became readable or writable, unless its next event of that kind is not owed yet.
    pub(super) fn raise(&mut self, socket: SocketId, interest: Interest) {
        let Some(registration) = self.sockets.get(socket).and_then(|state| state.registration) else {
            return;
        };
        let (driver, key) = registration;
        let event = match interest {
            Interest::Readable if self.land(registration, Operation::Receive) => Event::Readable(key),
            Interest::Readable => return,
            Interest::Writable => Event::Writable(key),
        };
        self.report(driver, event);
        if self.chance(self.faults.spurious) {
            self.report(driver, Event::Readable(key));
        }
    }
}

/// The first place where an event may stand: behind the outcome of its own connection attempt, and `Closed` behind everything of its key.
fn earliest_place(queue: &VecDeque<Event>, event: &Event) -> usize {
    let Some(key) = event.key() else { return 0 };
    let stays_behind = |other: &Event| must_follow(event, other, key);
    queue.iter().rposition(stays_behind).map_or(0, |place| place + 1)
}

fn must_follow(event: &Event, other: &Event, key: Key) -> bool {
    other.key() == Some(key) && (matches!(event, Event::Closed(_)) || matches!(other, Event::Connected(..)))
}
