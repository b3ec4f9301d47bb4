//! Patterns over topics: what a glob subscription asks for.

mod automaton;
mod parse;
mod set;

use std::fmt;

pub use parse::{BadGlob, GlobFault};
pub(crate) use set::GlobSet;

use automaton::Automaton;

/// A pattern that a message's whole first part has to fit, parsed once.
///
/// Octets are compared, not characters. `*` fits any number of octets, none included, and `?` exactly one. `[abc]` fits one of
/// those listed, `[a-z]` one of a range, `[^x]` and `[!x]` one that is not listed. `\` takes the special meaning from the octet behind
/// it, also inside brackets; there a `-` that stands first or last is an ordinary octet, too. Everything else fits itself.
///
/// ```
/// use serverlink_patterns::Glob;
///
/// let glob = Glob::parse(b"prices.[a-f]*.eur")?;
/// assert!(glob.matches(b"prices.apples.eur"));
/// assert!(!glob.matches(b"prices.apples.eur.old"));
/// assert_eq!(glob.literal_prefix(), b"prices.");
///
/// let bad = Glob::parse(b"prices.[a-f").unwrap_err();
/// assert_eq!(bad.at, 7);
/// # Ok::<(), serverlink_patterns::BadGlob>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Glob {
    source: Box<[u8]>,
    tokens: Box<[Token]>,
}

/// What a glob is made of. No two stars follow each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Token {
    Octet(u8),
    AnyOctet,
    OneOf(Box<OctetSet>),
    Star,
}

/// A set of octets, one bit for each.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct OctetSet([u64; 4]);

impl Glob {
    /// Octets in the longest pattern: 64 KiB, as in the longest topic.
    pub const MAX_LEN: usize = 64 * 1024;

    /// Reads a pattern.
    ///
    /// # Errors
    /// [`BadGlob`] says what is wrong with it and where: a bracket that is not closed, nothing between brackets, a range from a higher octet
    /// to a lower one, a backslash at the end, or more than [`MAX_LEN`](Self::MAX_LEN) octets.
    pub fn parse(source: &[u8]) -> Result<Glob, BadGlob> {
        Ok(Glob { source: source.into(), tokens: parse::tokens(source)? })
    }

    /// As it was written.
    pub fn as_bytes(&self) -> &[u8] {
        &self.source
    }

    /// Whether it fits all of `topic`. The time is proportional to the topic's length. Who asks often should subscribe instead, which
    /// matches against all patterns at once.
    pub fn matches(&self, topic: &[u8]) -> bool {
        let mut fits = false;
        Automaton::new([(0, self)].into_iter()).for_each_match(topic, |_| fits = true);
        fits
    }

    /// The octets that every topic it fits begins with: a plain subscription to them covers it.
    pub fn literal_prefix(&self) -> Vec<u8> {
        let octet = |token: &Token| match *token {
            Token::Octet(octet) => Some(octet),
            _ => None,
        };
        self.tokens.iter().map_while(octet).collect()
    }

    pub(crate) fn tokens(&self) -> &[Token] {
        &self.tokens
    }
}

impl fmt::Debug for Glob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Glob({})", self.source.escape_ascii())
    }
}

impl fmt::Display for Glob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.source.escape_ascii())
    }
}

impl Token {
    /// Whether it fits this one octet. A star does, and goes on.
    pub(crate) fn fits(&self, octet: u8) -> bool {
        match self {
            Token::Octet(own) => *own == octet,
            Token::AnyOctet | Token::Star => true,
            Token::OneOf(set) => set.contains(octet),
        }
    }
}

impl OctetSet {
    fn insert_range(&mut self, first: u8, last: u8) {
        (first..=last).for_each(|octet| self.0[usize::from(octet >> 6)] |= 1 << (octet & 63));
    }

    fn invert(&mut self) {
        self.0.iter_mut().for_each(|bits| *bits = !*bits);
    }

    fn contains(&self, octet: u8) -> bool {
        self.0[usize::from(octet >> 6)] >> (octet & 63) & 1 == 1
    }
}

#[cfg(test)]
mod tests;
