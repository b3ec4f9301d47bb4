//! From the octets of a pattern to its tokens.

use super::{Glob, OctetSet, Token};

/// A pattern that cannot be subscribed to: the caller's, or the peer's, mistake.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("octet {at} of the pattern: {fault}")]
pub struct BadGlob {
    /// The offset of the octet at which it goes wrong, counted from 0.
    pub at: usize,
    /// What is wrong there.
    pub fault: GlobFault,
}

/// What can be wrong with a pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum GlobFault {
    /// `[abc`
    #[error("this bracket is not closed; add ], or write \\[ for the octet itself")]
    OpenBracket,
    /// `[]`, `[^]`
    #[error("nothing stands between these brackets, so nothing can fit them")]
    EmptyClass,
    /// `[z-a]`
    #[error("this range goes from a higher octet to a lower one")]
    ReversedRange,
    /// `abc\`
    #[error("nothing follows this backslash; write \\\\ for the octet itself")]
    DanglingBackslash,
    /// See [`Glob::MAX_LEN`].
    #[error("a pattern may have 65536 octets and goes on behind them")]
    TooLong,
}

/// All of a pattern, a run of stars as one.
pub(super) fn tokens(source: &[u8]) -> Result<Box<[Token]>, BadGlob> {
    if source.len() > Glob::MAX_LEN {
        return Err(BadGlob { at: Glob::MAX_LEN, fault: GlobFault::TooLong });
    }
    let mut reader = Reader { source, at: 0 };
    let mut tokens = Vec::new();
    while let Some(octet) = reader.next() {
        let token = match octet {
            b'*' if tokens.last() == Some(&Token::Star) => continue,
            b'*' => Token::Star,
            b'?' => Token::AnyOctet,
            b'[' => reader.class()?,
            b'\\' => Token::Octet(reader.escaped()?),
            octet => Token::Octet(octet),
        };
        tokens.push(token);
    }
    Ok(tokens.into())
}

struct Reader<'a> {
    source: &'a [u8],
    at: usize,
}

impl Reader<'_> {
    fn next(&mut self) -> Option<u8> {
        let octet = *self.source.get(self.at)?;
        self.at += 1;
        Some(octet)
    }

    fn peek(&self) -> Option<u8> {
        self.source.get(self.at).copied()
    }

    /// Behind a backslash.
    fn escaped(&mut self) -> Result<u8, BadGlob> {
        let at = self.at - 1;
        self.next().ok_or(BadGlob { at, fault: GlobFault::DanglingBackslash })
    }

    /// Behind an opening bracket.
    fn class(&mut self) -> Result<Token, BadGlob> {
        let opened_at = self.at - 1;
        let open = BadGlob { at: opened_at, fault: GlobFault::OpenBracket };
        let inverted = matches!(self.peek(), Some(b'^' | b'!'));
        self.at += usize::from(inverted);
        let mut set = OctetSet::default();
        let mut is_empty = true;
        loop {
            let at = self.at;
            let first = match self.next().ok_or(open)? {
                b']' if is_empty => return Err(BadGlob { at: opened_at, fault: GlobFault::EmptyClass }),
                b']' => break,
                b'\\' => self.escaped()?,
                octet => octet,
            };
            let last = self.end_of_range()?.unwrap_or(first);
            if last < first {
                return Err(BadGlob { at, fault: GlobFault::ReversedRange });
            }
            set.insert_range(first, last);
            is_empty = false;
        }
        if inverted {
            set.invert();
        }
        Ok(Token::OneOf(Box::new(set)))
    }

    /// `-z`, where it is not the end of the class that follows the hyphen.
    fn end_of_range(&mut self) -> Result<Option<u8>, BadGlob> {
        let Some([b'-', behind, ..]) = self.source.get(self.at..) else { return Ok(None) };
        if *behind == b']' {
            return Ok(None);
        }
        self.at += 2;
        match *behind {
            b'\\' => self.escaped().map(Some),
            octet => Ok(Some(octet)),
        }
    }
}
