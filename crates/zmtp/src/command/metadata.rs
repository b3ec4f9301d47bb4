//! Metadata: the properties by which peers introduce themselves (RFC 37, "Connection Metadata").

use std::fmt;

use thiserror::Error;

use super::MAX_SHORT_LEN;
use super::fields::Fields;
use crate::error::{Limited, WireError, check_limit};
use crate::limits::Limits;

/// Octets in the longest value, 2^31-1.
const MAX_VALUE_LEN: u32 = i32::MAX as u32;

/// The properties of one READY in the form they have on the wire, known to be well-formed.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct Metadata<'a> {
    encoded: &'a [u8],
}

/// One property of a peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Property<'a> {
    /// Letters, digits and `-_.+`; as the peer wrote it. Compare with [`Property::is`].
    pub name: &'a str,
    /// Any octets.
    pub value: &'a [u8],
}

impl Property<'_> {
    /// Whether this is the property `name`; the case of names does not count.
    pub fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }
}

impl<'a> Metadata<'a> {
    /// Checks a whole list of properties.
    ///
    /// # Errors
    /// The peer's fault: [`WireError::MalformedCommand`] or [`WireError::LimitExceeded`].
    pub fn parse(encoded: &'a [u8], limits: &Limits) -> Result<Metadata<'a>, WireError> {
        Metadata::parse_of(super::READY, encoded, limits)
    }

    /// The same, of another command than READY.
    pub(crate) fn parse_of(
        command: &'static str,
        encoded: &'a [u8],
        limits: &Limits,
    ) -> Result<Metadata<'a>, WireError> {
        let mut fields = Fields::new(command, encoded);
        let mut count = 0;
        while !fields.rest().is_empty() {
            count += 1;
            check_limit(Limited::MetadataProperties, count, limits.max_metadata_properties as u64)?;
            parse_property(&mut fields)?;
        }
        Ok(Metadata { encoded })
    }

    /// The properties in their order.
    pub fn properties(&self) -> Properties<'a> {
        Properties { fields: Fields::new(super::READY, self.encoded) }
    }

    /// The value of the first property of that name, in any case.
    pub fn value(&self, name: &str) -> Option<&'a [u8]> {
        self.properties().find(|property| property.is(name)).map(|property| property.value)
    }

    /// As they stand on the wire.
    pub fn as_bytes(&self) -> &'a [u8] {
        self.encoded
    }
}

impl fmt::Debug for Metadata<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let printable =
            self.properties().map(|property| (property.name, property.value.escape_ascii().to_string()));
        f.debug_map().entries(printable).finish()
    }
}

/// The properties of a [`Metadata`], one after the other.
pub struct Properties<'a> {
    fields: Fields<'a>,
}

impl<'a> Iterator for Properties<'a> {
    type Item = Property<'a>;

    fn next(&mut self) -> Option<Property<'a>> {
        if self.fields.rest().is_empty() {
            return None;
        }
        Some(parse_property(&mut self.fields).expect("the whole list was checked when the metadata was made"))
    }
}

fn parse_property<'a>(fields: &mut Fields<'a>) -> Result<Property<'a>, WireError> {
    let name = fields.short("a property's name is longer than the command")?;
    let name = parse_name(name)
        .ok_or_else(|| fields.malformed("a property's name is empty or has an illegal character"))?;
    let value_len = u32::from_be_bytes(*fields.array("a property has no value")?);
    if value_len > MAX_VALUE_LEN {
        return Err(fields.malformed("a property's value is longer than 2^31-1 octets"));
    }
    let value = fields.take(value_len as usize, "a property's value is longer than the command")?;
    Ok(Property { name, value })
}

fn parse_name(name: &[u8]) -> Option<&str> {
    let legal = |octet: &u8| octet.is_ascii_alphanumeric() || b"-_.+".contains(octet);
    if name.is_empty() || name.len() > MAX_SHORT_LEN || !name.iter().all(legal) {
        return None;
    }
    std::str::from_utf8(name).ok()
}

/// Puts metadata together.
///
/// ```
/// use serverlink_zmtp::command::MetadataBuilder;
/// let mut builder = MetadataBuilder::new();
/// builder.push("Socket-Type", b"PULL")?;
/// assert_eq!(builder.metadata().value("socket-type"), Some(&b"PULL"[..]));
/// # Ok::<(), serverlink_zmtp::command::PropertyError>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct MetadataBuilder {
    encoded: Vec<u8>,
}

impl MetadataBuilder {
    /// No properties.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a property after the others.
    ///
    /// # Errors
    /// The caller's fault; nothing was added.
    pub fn push(&mut self, name: &str, value: &[u8]) -> Result<(), PropertyError> {
        let name = parse_name(name.as_bytes()).ok_or(PropertyError::Name)?;
        let value_len = u32::try_from(value.len()).ok().filter(|&len| len <= MAX_VALUE_LEN);
        let value_len = value_len.ok_or(PropertyError::Value)?;
        self.encoded.push(name.len() as u8);
        self.encoded.extend_from_slice(name.as_bytes());
        self.encoded.extend_from_slice(&value_len.to_be_bytes());
        self.encoded.extend_from_slice(value);
        Ok(())
    }

    /// What has been added so far.
    pub fn metadata(&self) -> Metadata<'_> {
        Metadata { encoded: &self.encoded }
    }
}

/// Why a property cannot be put on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("{}", self.sentence())]
pub enum PropertyError {
    /// Names have 1 to 255 characters out of letters, digits and `-_.+`.
    Name,
    /// Values have at most 2^31-1 octets.
    Value,
}

impl PropertyError {
    pub(crate) fn sentence(self) -> &'static str {
        match self {
            PropertyError::Name => "a property's name must have 1 to 255 letters, digits or -_.+",
            PropertyError::Value => "a property's value must have at most 2^31-1 octets",
        }
    }
}
