//! Who is woken behind messages to many rings.
//!
//! Waking a thread costs more than a message to everybody else, so the rule is that of wires: a publisher that was quiet wakes at once. One
//! that goes on has the I/O thread do it, and while that one watches, it wakes nobody who has few messages: they are all looked at within a
//! tick of the watchdog, and before this publisher sleeps.

use std::sync::atomic::Ordering::{self, SeqCst};
use std::sync::atomic::fence;

use serverlink_patterns::PipeId;

use super::core::{Core, PeerEnd, SendSide};
use super::fan_out::Aftermath;
use crate::pipe::{Outlet, RingOutlet};

/// How many sleepers one call wakes itself; the rest is left to the I/O thread.
const INLINE_WAKES: usize = 16;

/// What a message to many rings leaves to be done.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Announce {
    /// Whoever sleeps is looked for later.
    Nothing,
    /// Some have so much that they are looked at now.
    Many,
    All,
}

/// Somebody is going to look whether this ring's reader sleeps.
#[inline]
pub(super) fn note_unannounced(
    core: &Core,
    outlet: &mut RingOutlet,
    pipe: PipeId,
    unannounced: &mut Vec<PipeId>,
) -> Announce {
    outlet.unannounced += 1;
    if !outlet.listed {
        list(core, outlet, pipe, unannounced);
    }
    if outlet.is_worth_announcing() { Announce::Many } else { Announce::Nothing }
}

fn list(core: &Core, outlet: &mut RingOutlet, pipe: PipeId, unannounced: &mut Vec<PipeId>) {
    outlet.listed = true;
    unannounced.push(pipe);
    core.unflushed.store(true, Ordering::Relaxed);
}

impl SendSide {
    /// Nobody watches: whoever sleeps is woken now, by this call or by the I/O thread.
    pub(super) fn announce(&mut self, core: &Core, targets: &[PipeId], aftermath: &mut Aftermath) {
        fence(SeqCst);
        let mut sleepers = 0;
        for &pipe in targets {
            let Some(Outlet::Ring(outlet)) = self.outlets.get_mut(pipe) else { continue };
            let Some(peer) = outlet.sleeper_behind_fence() else { continue };
            sleepers += 1;
            if sleepers <= INLINE_WAKES && aftermath.is_quiet(core, &self.fan_out) {
                aftermath.more.wake.push(peer);
            } else if !outlet.listed {
                list(core, outlet, pipe, &mut self.fan_out.unannounced);
            }
        }
        if !self.fan_out.unannounced.is_empty() {
            self.ask_to_flush(aftermath);
        }
    }

    /// The readers of rings with many messages are woken if they sleep.
    #[cold]
    pub(super) fn announce_many(&mut self, targets: &[PipeId], aftermath: &mut Aftermath) {
        fence(SeqCst);
        for &pipe in targets {
            if let Some(Outlet::Ring(outlet)) = self.outlets.get_mut(pipe)
                && outlet.is_worth_announcing()
            {
                outlet.unannounced = 0;
                aftermath.more.wake.extend(outlet.sleeper_behind_fence());
            }
        }
    }

    /// All who sleep although there is something for them. Wake them without the lock.
    pub(super) fn take_sleepers(&mut self) -> Vec<PeerEnd> {
        let SendSide { fan_out, outlets, .. } = self;
        if fan_out.unannounced.is_empty() {
            return Vec::new();
        }
        fence(SeqCst);
        let sleeper = |pipe| match outlets.get_mut(pipe) {
            Some(Outlet::Ring(outlet)) => {
                (outlet.unannounced, outlet.listed) = (0, false);
                outlet.sleeper_behind_fence()
            }
            _ => None,
        };
        fan_out.unannounced.drain(..).filter_map(sleeper).collect()
    }
}

/// Wakes them. Call without locks.
pub(super) fn wake(sleepers: &[PeerEnd]) {
    sleepers.iter().for_each(|peer| peer.core.readers.notify_one());
}
