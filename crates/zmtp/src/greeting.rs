//! The greeting: the first 64 octets of each direction (RFC 37, "Version Negotiation").

use std::fmt;

use crate::error::{Revision, WireError};

/// Octets in a greeting.
pub const GREETING_LEN: usize = 64;

const SIGNATURE_FIRST: u8 = 0xFF;
const SIGNATURE_LAST: u8 = 0x7F;
const MAJOR: u8 = 3;
/// The newest minor version of ZMTP 3 that is spoken here.
pub const NEWEST_MINOR: u8 = 1;

const SIGNATURE_LAST_AT: usize = 9;
const MAJOR_AT: usize = 10;
const MINOR_AT: usize = 11;
const MECHANISM_AT: usize = 12;
const AS_SERVER_AT: usize = MECHANISM_AT + MechanismName::LEN;

/// The name of a security mechanism as it stands in a greeting: padded with zeros to 20 octets.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct MechanismName([u8; MechanismName::LEN]);

impl MechanismName {
    /// Octets with the padding.
    pub const LEN: usize = 20;
    /// No security (RFC 37).
    pub const NULL: MechanismName = MechanismName::from_name("NULL");

    /// For the constants of mechanisms, so that a name that does not fit fails the build.
    const fn from_name(name: &str) -> MechanismName {
        let (name, mut padded) = (name.as_bytes(), [0; MechanismName::LEN]);
        padded.split_at_mut(name.len()).0.copy_from_slice(name);
        MechanismName(padded)
    }
}

impl fmt::Display for MechanismName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name_len = self.0.iter().rposition(|&octet| octet != 0).map_or(0, |last| last + 1);
        write!(f, "{}", self.0[..name_len].escape_ascii())
    }
}

impl fmt::Debug for MechanismName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MechanismName({self})")
    }
}

/// What a peer says before anything else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Greeting {
    /// The minor version to speak with this peer as far as it goes: 0 for 3.0, 1 for 3.1 and for anything newer.
    pub minor: u8,
    /// Its security mechanism.
    pub mechanism: MechanismName,
    /// Whether it calls itself the server of the mechanism. Never rely on it: libzmq always says no.
    pub as_server: bool,
}

/// What [`Greeting::parse`] found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parsed {
    /// Right so far, and not whole.
    Incomplete,
    /// The whole greeting; what follows its 64 octets are frames.
    Complete(Greeting),
}

impl Greeting {
    /// Reads the greeting at the start of `input`, which may hold less than a greeting or any amount more.
    ///
    /// Padding and filler are not looked at: RFC 37 forbids to interpret the one, and the other is room for what comes.
    ///
    /// # Errors
    /// [`WireError::UnsupportedRevision`] as soon as octet 1, 10 or 11 shows that the peer is older than 3.0.
    pub fn parse(input: &[u8]) -> Result<Parsed, WireError> {
        if let Some(revision) = older_revision(input) {
            return Err(WireError::UnsupportedRevision { revision });
        }
        let Some(octets) = input.first_chunk::<GREETING_LEN>() else {
            return Ok(Parsed::Incomplete);
        };
        let mut mechanism = [0; MechanismName::LEN];
        mechanism.copy_from_slice(&octets[MECHANISM_AT..AS_SERVER_AT]);
        // A newer major version promises to speak our newest with us.
        let minor = if octets[MAJOR_AT] > MAJOR { NEWEST_MINOR } else { octets[MINOR_AT].min(NEWEST_MINOR) };
        Ok(Parsed::Complete(Greeting {
            minor,
            mechanism: MechanismName(mechanism),
            as_server: octets[AS_SERVER_AT] != 0,
        }))
    }

    /// Appends the 64 octets.
    pub fn put(&self, out: &mut Vec<u8>) {
        let mut octets = [0; GREETING_LEN];
        octets[0] = SIGNATURE_FIRST;
        octets[SIGNATURE_LAST_AT] = SIGNATURE_LAST;
        octets[MAJOR_AT] = MAJOR;
        octets[MINOR_AT] = self.minor;
        octets[MECHANISM_AT..AS_SERVER_AT].copy_from_slice(&self.mechanism.0);
        octets[AS_SERVER_AT] = u8::from(self.as_server);
        out.extend_from_slice(&octets);
    }
}

/// The signs of RFC 37, "Detecting ZMTP 1.0 and 2.0 Peers", as far as `input` reaches.
fn older_revision(input: &[u8]) -> Option<Revision> {
    if input.first().is_some_and(|&octet| octet != SIGNATURE_FIRST) {
        return Some(Revision::V1);
    }
    // The last octet of a signature is odd; there 1.0 has the flags of a long frame, which are even.
    if input.get(SIGNATURE_LAST_AT).is_some_and(|octet| octet % 2 == 0) {
        return Some(Revision::V1);
    }
    input.get(MAJOR_AT).is_some_and(|&major| major < MAJOR).then_some(Revision::V2)
}
