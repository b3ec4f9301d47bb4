//! Who asked for what.

use std::collections::{BTreeMap, BTreeSet};

use super::{Law, Letter, Verdict, demand};

#[derive(Default)]
pub(crate) struct Topics(BTreeMap<usize, Subscriber>);

#[derive(Default)]
struct Subscriber {
    now: BTreeMap<&'static str, usize>,
    ever: BTreeSet<&'static str>,
}

impl Topics {
    pub(crate) fn subscribe(&mut self, who: usize, topic: &'static str) {
        let subscriber = self.0.entry(who).or_default();
        *subscriber.now.entry(topic).or_default() += 1;
        subscriber.ever.insert(topic);
    }

    /// What is on its way may still come.
    pub(crate) fn unsubscribe(&mut self, who: usize, topic: &'static str) {
        let Some(subscriber) = self.0.get_mut(&who) else { return };
        let Some(count) = subscriber.now.get_mut(topic) else { return };
        *count -= 1;
        if *count == 0 {
            subscriber.now.remove(topic);
        }
    }

    pub(crate) fn of(&self, who: usize) -> Vec<&'static str> {
        self.0.get(&who).map(|subscriber| subscriber.now.keys().copied().collect()).unwrap_or_default()
    }

    /// From now on only what is subscribed to now is right: everything else had the time to be heard.
    pub(crate) fn settle(&mut self) {
        for subscriber in self.0.values_mut() {
            subscriber.ever = subscriber.now.keys().copied().collect();
        }
    }

    pub(crate) fn wants(&self, who: usize, letter: &Letter) -> bool {
        let text = letter.text();
        self.0.get(&who).is_some_and(|subscriber| subscriber.now.keys().any(|topic| text.starts_with(topic)))
    }

    pub(super) fn check(&self, who: usize, letter: &Letter) -> Verdict {
        let text = letter.text();
        let asked =
            self.0.get(&who).is_some_and(|known| known.ever.iter().any(|topic| text.starts_with(topic)));
        demand(asked, Law::Subscriptions, || format!("{who} got {letter:?} and did not ask for it"))
    }
}
