//! Who waits at a port, who leads, and whose events came.

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::time::Instant;

use slotmap::SlotMap;

use super::MemberId;
use super::sync::{Arc, Condvar};
use crate::{Event, Events};

/// The state of a [`Port`](super::Port), under its lock.
#[derive(Debug)]
pub(super) struct Desk {
    lead: Lead,
    members: SlotMap<MemberId, Member>,
    /// Members whose threads sleep at their bell, in the order in which they came.
    followers: VecDeque<MemberId>,
    tokens: BTreeMap<u64, MemberId>,
    /// How many members the outer poller has to watch.
    unmasked: usize,
    /// Members that the outer poller has to name. One that was masked or served meanwhile is left out later.
    ready: VecDeque<MemberId>,
    pub(super) outer: OuterSeat,
}

/// Who is inside the system's port, or on the way there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lead {
    Free,
    Member(MemberId),
    Outer,
}

#[derive(Debug)]
struct Member {
    events: VecDeque<Event>,
    woken: bool,
    bell: Arc<Condvar>,
    token: Option<u64>,
    masked: bool,
    /// In `ready`.
    listed: bool,
}

/// The outer poller's place.
#[derive(Debug, Default)]
pub(super) struct OuterSeat {
    pub(super) bell: Arc<Condvar>,
    asleep: bool,
    woken: bool,
    armed: Option<Instant>,
    /// A driver wants the lead that the outer poller has.
    asked: bool,
    /// It gave the lead to a driver, and stays out until that one rests or is unmasked.
    yielded: bool,
}

/// Whom to make look at the desk again.
#[derive(Debug)]
pub(super) enum Call {
    /// A sleeper, at its bell.
    Ring(Arc<Condvar>),
    /// The leader, inside the port.
    Interrupt,
}

impl Desk {
    pub(super) fn new() -> Desk {
        Desk {
            lead: Lead::Free,
            members: SlotMap::with_key(),
            followers: VecDeque::new(),
            tokens: BTreeMap::new(),
            unmasked: 0,
            ready: VecDeque::new(),
            outer: OuterSeat::default(),
        }
    }

    // ---- events

    /// Queues an event and tells whom to call. Gives it back if its member is gone.
    pub(super) fn queue(&mut self, id: MemberId, event: Event) -> Result<Option<Call>, Event> {
        let Some(member) = self.members.get_mut(id) else { return Err(event) };
        let known = member.has_news();
        member.events.push_back(event);
        Ok(self.announce(id, known))
    }

    pub(super) fn wake_member(&mut self, id: MemberId) -> Option<Call> {
        let member = self.members.get_mut(id)?;
        let known = member.has_news();
        member.woken = true;
        self.announce(id, known)
    }

    /// A member has news. Where it had some before, somebody was called already.
    fn announce(&mut self, id: MemberId, known: bool) -> Option<Call> {
        if known {
            return None;
        }
        self.list(id);
        self.who_serves(id)
    }

    /// Moves what a member has to its thread. True if there was anything.
    pub(super) fn collect(&mut self, id: MemberId, events: &mut Events) -> bool {
        let Some(member) = self.members.get_mut(id) else { return false };
        let any = member.has_news();
        if std::mem::take(&mut member.woken) {
            events.push(Event::Woken);
        }
        member.events.drain(..).for_each(|event| events.push(event));
        any
    }

    /// Who has to notice that a member has news: its own thread, or the outer poller's.
    fn who_serves(&self, id: MemberId) -> Option<Call> {
        let member = self.members.get(id)?;
        if self.followers.contains(&id) {
            Some(member.ring())
        } else if self.lead == Lead::Member(id) {
            Some(Call::Interrupt)
        } else if member.is_watched() {
            self.who_is_outer()
        } else {
            None
        }
    }

    fn who_is_outer(&self) -> Option<Call> {
        match self.lead {
            _ if self.outer.asleep => Some(Call::Ring(Arc::clone(&self.outer.bell))),
            Lead::Outer => Some(Call::Interrupt),
            _ => None,
        }
    }

    fn list(&mut self, id: MemberId) {
        let member = &mut self.members[id];
        if member.is_watched() && !member.listed {
            member.listed = true;
            self.ready.push_back(id);
        }
    }

    /// The tokens of the members that the outer poller has to name. They stay until somebody collects their events.
    pub(super) fn name_ready(&mut self, ready: &mut Vec<u64>) {
        let members = &mut self.members;
        self.ready.retain(|id| {
            let Some(member) = members.get_mut(*id) else { return false };
            member.listed = member.is_watched() && member.has_news();
            ready.extend(member.token.filter(|_| member.listed));
            member.listed
        });
    }

    // ---- the lead

    /// A member's thread takes the lead, if nobody has it or it was handed over.
    pub(super) fn lead_as(&mut self, id: MemberId) -> bool {
        let may = matches!(self.lead, Lead::Free) || self.lead == Lead::Member(id);
        if may {
            self.lead = Lead::Member(id);
        }
        may
    }

    /// The outer poller takes the lead, if nobody has it and somebody needs it.
    pub(super) fn lead_as_outer(&mut self) -> bool {
        let may = self.lead == Lead::Free && self.unmasked > 0 && !self.outer.yielded;
        if may {
            self.lead = Lead::Outer;
        }
        may
    }

    /// A member's thread wants the lead: the outer poller gives it up. Others keep it until they leave.
    pub(super) fn ask_for_lead(&mut self) -> Option<Call> {
        let first = self.lead == Lead::Outer && !std::mem::replace(&mut self.outer.asked, true);
        first.then_some(Call::Interrupt)
    }

    pub(super) fn leave_as(&mut self, id: MemberId) -> Option<Call> {
        if self.lead == Lead::Member(id) { self.pass_on() } else { None }
    }

    pub(super) fn leave_as_outer(&mut self) -> Option<Call> {
        if self.lead != Lead::Outer {
            return None;
        }
        self.outer.yielded = std::mem::take(&mut self.outer.asked);
        self.pass_on()
    }

    /// The next follower leads. The outer poller is not woken: whoever leaves now is perhaps back at once, and tells when
    /// he [rests](Desk::rest).
    fn pass_on(&mut self) -> Option<Call> {
        match self.followers.front() {
            Some(&next) => {
                self.lead = Lead::Member(next);
                Some(self.members[next].ring())
            }
            None => {
                self.lead = Lead::Free;
                None
            }
        }
    }

    // ---- sleeping

    /// A member's thread goes to sleep at this bell.
    pub(super) fn fall_asleep(&mut self, id: MemberId) -> Arc<Condvar> {
        self.followers.push_back(id);
        Arc::clone(&self.members[id].bell)
    }

    pub(super) fn wake_up(&mut self, id: MemberId) {
        self.followers.retain(|follower| *follower != id);
    }

    pub(super) fn set_outer_asleep(&mut self, asleep: bool) {
        self.outer.asleep = asleep;
    }

    // ---- members come, go and are masked

    pub(super) fn join(&mut self) -> MemberId {
        self.members.insert(Member {
            events: VecDeque::new(),
            woken: false,
            bell: Arc::default(),
            token: None,
            masked: false,
            listed: false,
        })
    }

    /// What its thread has not taken is given back, to be dropped without the lock.
    pub(super) fn part(&mut self, id: MemberId) -> (VecDeque<Event>, Option<Call>) {
        self.wake_up(id);
        let call = self.leave_as(id);
        let Some(member) = self.members.remove(id) else { return Default::default() };
        if let Some(token) = member.token {
            self.tokens.remove(&token);
            self.unmasked -= usize::from(!member.masked);
        }
        let call = call.or_else(|| self.rest());
        (member.events, call)
    }

    pub(super) fn add(&mut self, id: MemberId, token: u64) -> io::Result<Option<Call>> {
        let Some(member) = self.members.get_mut(id) else { return Err(io::ErrorKind::NotFound.into()) };
        if member.token.is_some() || self.tokens.contains_key(&token) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        member.token = Some(token);
        self.tokens.insert(token, id);
        member.masked = true;
        self.set_masked(token, false)
    }

    pub(super) fn remove(&mut self, token: u64) -> io::Result<()> {
        let id = self.tokens.remove(&token).ok_or(io::ErrorKind::NotFound)?;
        let member = &mut self.members[id];
        member.token = None;
        self.unmasked -= usize::from(!member.masked);
        Ok(())
    }

    pub(super) fn set_masked(&mut self, token: u64, masked: bool) -> io::Result<Option<Call>> {
        let id = *self.tokens.get(&token).ok_or(io::ErrorKind::NotFound)?;
        let member = &mut self.members[id];
        if std::mem::replace(&mut member.masked, masked) == masked {
            return Ok(if masked { None } else { self.rest() });
        }
        if masked {
            self.unmasked -= 1;
            return Ok(None);
        }
        self.unmasked += 1;
        let news = member.has_news();
        if news {
            self.list(id);
        }
        self.forget_asking();
        // One who leads already need not be disturbed where there is nothing new.
        Ok(self.who_is_outer().filter(|call| news || matches!(call, Call::Ring(_))))
    }

    /// Whoever drove a member stops for now; the member may be gone. If others depend on the port and nobody leads, the outer poller has to.
    pub(super) fn rest(&mut self) -> Option<Call> {
        self.forget_asking();
        let needed = self.lead == Lead::Free && self.unmasked > 0;
        if needed { self.who_is_outer() } else { None }
    }

    /// Nobody wants the lead any more, as far as this one knows. Who does asks again.
    fn forget_asking(&mut self) {
        // Also what the outer poller has not noticed yet: it would stay out for somebody who is gone.
        self.outer.asked = false;
        self.outer.yielded = false;
    }

    // ---- the outer poller's own wake-ups

    pub(super) fn wake_outer(&mut self) -> Option<Call> {
        self.outer.woken = true;
        self.who_is_outer()
    }

    pub(super) fn arm_outer(&mut self, at: Option<Instant>) -> Option<Call> {
        let sooner = at.is_some_and(|at| self.outer.armed.is_none_or(|armed| at < armed));
        self.outer.armed = at;
        if sooner { self.who_is_outer() } else { None }
    }
}

impl OuterSeat {
    pub(super) fn armed(&self) -> Option<Instant> {
        self.armed
    }

    /// Whether somebody woke it or its timer ran off, and forgets that.
    pub(super) fn take_end(&mut self, now: Instant) -> bool {
        let due = self.armed.is_some_and(|at| at <= now);
        if due {
            self.armed = None;
        }
        std::mem::take(&mut self.woken) || due
    }
}

impl Member {
    fn has_news(&self) -> bool {
        self.woken || !self.events.is_empty()
    }

    /// The outer poller has to name it when it has news.
    fn is_watched(&self) -> bool {
        self.token.is_some() && !self.masked
    }

    fn ring(&self) -> Call {
        Call::Ring(Arc::clone(&self.bell))
    }
}
