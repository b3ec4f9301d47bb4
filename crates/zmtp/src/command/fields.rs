//! Takes the fields of a command off its front; the only place that cuts a command's body.

use crate::error::WireError;

/// What is left of a command's body.
pub(crate) struct Fields<'a> {
    command: &'static str,
    rest: &'a [u8],
}

impl<'a> Fields<'a> {
    pub(crate) fn new(command: &'static str, body: &'a [u8]) -> Self {
        Fields { command, rest: body }
    }

    /// `len` octets.
    pub(crate) fn take(&mut self, len: usize, why: &'static str) -> Result<&'a [u8], WireError> {
        let (field, rest) = self.rest.split_at_checked(len).ok_or_else(|| self.malformed(why))?;
        self.rest = rest;
        Ok(field)
    }

    /// `N` octets.
    pub(crate) fn array<const N: usize>(&mut self, why: &'static str) -> Result<&'a [u8; N], WireError> {
        let (field, rest) = self.rest.split_first_chunk::<N>().ok_or_else(|| self.malformed(why))?;
        self.rest = rest;
        Ok(field)
    }

    /// A field with its length in one octet before it.
    pub(crate) fn short(&mut self, why: &'static str) -> Result<&'a [u8], WireError> {
        let [len] = *self.array::<1>(why)?;
        self.take(usize::from(len), why)
    }

    /// Everything that was not taken yet.
    pub(crate) fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// Refuses what is left over.
    pub(crate) fn finish(&self, why: &'static str) -> Result<(), WireError> {
        if self.rest.is_empty() { Ok(()) } else { Err(self.malformed(why)) }
    }

    pub(crate) fn malformed(&self, why: &'static str) -> WireError {
        WireError::MalformedCommand { command: self.command, why }
    }
}
