//! Many globs in one pass over a topic.
//!
//! Each place between two tokens of a glob is a place where the match may have got to. A state is the set of places that are reached
//! together, and the step from one state to the next is worked out when a topic first takes it. So a topic costs one look into a table
//! for each octet, however many globs there are, and ends early where none can fit any more.
//!
//! The table is bounded. When it is full it is thrown away and begun anew; at worst, with patterns made for it, each octet costs
//! one step of every place reached.

use std::collections::BTreeMap;

use super::{Glob, Token};

/// Steps are kept for so many states: 2 MiB.
const MAX_STATES: usize = 2048;
/// So many places are kept in states, or as many as make a few full states.
const MIN_PLACES: usize = 1 << 16;
const FULL_STATES: usize = 8;

/// No place is reached: whatever follows, nothing fits.
const DEAD: StateId = 0;
const START: StateId = 1;

/// In the table: the step has not been worked out.
const UNKNOWN: StateId = StateId::MAX;
/// In the table: a flag beside the state's number that some glob fits from there on, whatever follows.
const FITS: StateId = 1 << 31;

type StateId = u32;
/// An index into `tokens`.
type Place = u32;

#[derive(Debug)]
pub(super) struct Automaton {
    /// The tokens of all globs, each glob with an end behind its own.
    tokens: Vec<Step>,
    states: Vec<State>,
    /// Where each octet leads from each state.
    next: Vec<[StateId; 256]>,
    by_places: BTreeMap<Box<[Place]>, StateId>,
    start: Box<[Place]>,
    /// Those that fit whatever comes.
    fit_at_once: Box<[u32]>,
    places: usize,
    max_places: usize,
}

#[derive(Debug)]
enum Step {
    Token(Token),
    /// The glob with this number fits if the topic ends here.
    End(u32),
    /// A star at the end of a glob: it fits, whatever follows.
    Rest(u32),
}

#[derive(Debug)]
struct State {
    places: Box<[Place]>,
    /// Globs that fit from here on, whatever follows.
    fits: Box<[u32]>,
    /// Globs that fit if the topic ends here.
    fits_at_end: Box<[u32]>,
}

impl Automaton {
    pub(super) fn new<'a>(globs: impl Iterator<Item = (u32, &'a Glob)>) -> Automaton {
        let mut tokens = Vec::new();
        let mut firsts = Vec::new();
        for (number, glob) in globs {
            firsts.push(place(tokens.len()));
            let (last, body) = match glob.tokens() {
                [body @ .., Token::Star] => (Step::Rest(number), body),
                body => (Step::End(number), body),
            };
            tokens.extend(body.iter().cloned().map(Step::Token));
            tokens.push(last);
        }
        let mut reached = Reached::default();
        firsts.into_iter().for_each(|first| reached.reach(first, &tokens));
        let (start, fit_at_once) = reached.finish();
        let max_places = MIN_PLACES.max(FULL_STATES * tokens.len());
        let mut automaton = Automaton {
            tokens,
            states: Vec::new(),
            next: Vec::new(),
            by_places: BTreeMap::new(),
            start,
            fit_at_once,
            places: 0,
            max_places,
        };
        automaton.begin_anew();
        automaton
    }

    /// Names every glob that fits all of `topic`, some perhaps more than once.
    #[inline]
    pub(super) fn for_each_match(&mut self, topic: &[u8], mut visit: impl FnMut(u32)) {
        self.states[START as usize].fits.iter().copied().for_each(&mut visit);
        let mut at = START;
        for &octet in topic {
            let mut next = self.next[at as usize][usize::from(octet)];
            // Nearly every step leads to another known state, and nothing is to be told of it.
            if DEAD < next && next < FITS {
                at = next;
                continue;
            }
            if next == UNKNOWN {
                next = self.step(at, octet);
            }
            if next == DEAD {
                return;
            }
            at = next & !FITS;
            self.states[at as usize].fits.iter().copied().for_each(&mut visit);
        }
        self.states[at as usize].fits_at_end.iter().copied().for_each(&mut visit);
    }

    /// Works out where `octet` leads, and remembers it. Gives what stands in the table.
    #[cold]
    fn step(&mut self, from: StateId, octet: u8) -> StateId {
        let mut reached = Reached::default();
        for &at in &*self.states[from as usize].places {
            let Step::Token(token) = &self.tokens[at as usize] else { continue };
            if token.fits(octet) {
                // A star stays where it is; what stands behind it is reached with it.
                let next = if *token == Token::Star { at } else { at + 1 };
                reached.reach(next, &self.tokens);
            }
        }
        let (places, fits) = reached.finish();
        if places.is_empty() && fits.is_empty() {
            self.next[from as usize][usize::from(octet)] = DEAD;
            return DEAD;
        }
        let key = key_of(&places, &fits);
        if let Some(&known) = self.by_places.get(&key) {
            self.next[from as usize][usize::from(octet)] = known;
            return known;
        }
        let is_full = self.states.len() >= MAX_STATES || self.places + key.len() > self.max_places;
        if is_full {
            self.begin_anew();
        }
        let id = self.add(places, fits, key);
        if !is_full {
            self.next[from as usize][usize::from(octet)] = id;
        }
        id
    }

    fn begin_anew(&mut self) {
        self.states.clear();
        self.next.clear();
        self.by_places.clear();
        self.places = 0;
        self.add(Box::default(), Box::default(), key_of(&[], &[]));
        let key = key_of(&self.start, &self.fit_at_once);
        self.add(self.start.clone(), self.fit_at_once.clone(), key);
    }

    fn add(&mut self, places: Box<[Place]>, fits: Box<[u32]>, key: Box<[Place]>) -> StateId {
        let id = place(self.states.len()) | if fits.is_empty() { 0 } else { FITS };
        let ends = places.iter().filter_map(|&at| match self.tokens[at as usize] {
            Step::End(number) => Some(number),
            _ => None,
        });
        let fits_at_end = ends.collect();
        self.places += key.len() + places.len();
        self.by_places.insert(key, id);
        self.states.push(State { places, fits, fits_at_end });
        self.next.push([UNKNOWN; 256]);
        id
    }
}

/// The places that a state is made of, while they are collected.
#[derive(Default)]
struct Reached {
    places: Vec<Place>,
    fits: Vec<u32>,
}

impl Reached {
    /// A place, and where its glob may be as well because a star can fit nothing.
    fn reach(&mut self, at: Place, tokens: &[Step]) {
        match &tokens[at as usize] {
            Step::Rest(number) => self.fits.push(*number),
            Step::Token(Token::Star) => {
                self.places.push(at);
                // No two stars follow each other, and a star at the end is none of these.
                self.places.push(at + 1);
            }
            Step::Token(_) | Step::End(_) => self.places.push(at),
        }
    }

    fn finish(mut self) -> (Box<[Place]>, Box<[u32]>) {
        self.places.sort_unstable();
        self.places.dedup();
        self.fits.sort_unstable();
        self.fits.dedup();
        (self.places.into(), self.fits.into())
    }
}

/// Two lists as one: no place is as large as what stands between them.
fn key_of(places: &[Place], fits: &[u32]) -> Box<[Place]> {
    let separator: &[Place] = if fits.is_empty() { &[] } else { &[Place::MAX] };
    [places, separator, fits].concat().into()
}

fn place(index: usize) -> u32 {
    u32::try_from(index).expect("memory ends long before four thousand million tokens")
}
