//! The greeting: the first 64 octets of each direction (RFC 37, "Version Negotiation"), and what they show of older peers.
//!
//! It goes out in three steps, because a peer before 3.0 would take for frames what it does not know: the *signature*, which
//! such a peer reads as the start of our identity; the *revision* once it has shown a signature of its own; the *rest* once its
//! revision is here.

use std::fmt;

use crate::version::Version;

/// Octets in a greeting.
pub const GREETING_LEN: usize = 64;

const SIGNATURE_FIRST: u8 = 0xFF;
const SIGNATURE_LAST: u8 = 0x7F;
/// Our revision, or major version.
pub(crate) const MAJOR: u8 = 3;
/// The newest minor version of ZMTP 3 that is spoken here.
pub const NEWEST_MINOR: u8 = 1;

/// Octets in the signature.
pub const SIGNATURE_LEN: usize = 10;
/// Octets in the greeting of ZMTP 2.0: signature, revision and socket type.
pub(crate) const V2_GREETING_LEN: usize = 12;
const SIGNATURE_LAST_AT: usize = SIGNATURE_LEN - 1;
const MAJOR_AT: usize = SIGNATURE_LEN;
/// Where the octet of the socket type is in the greeting of ZMTP 2.0.
pub(crate) const V2_SOCKET_TYPE_AT: usize = MAJOR_AT + 1;
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
    /// A user name and a password, in clear (RFC 24).
    pub const PLAIN: MechanismName = MechanismName::from_name("PLAIN");
    /// Encryption and keys (RFC 26).
    pub const CURVE: MechanismName = MechanismName::from_name("CURVE");

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

/// What a peer's first octets show of its version (RFC 37, "Detecting ZMTP 1.0 and 2.0 Peers").
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shown {
    /// Nothing for certain.
    Nothing,
    /// It has a signature, so it is no older than 2.0. The revision has not come.
    Signature,
    /// ZMTP 1.0, or no ZMTP at all. There is no greeting: the first octet belongs to its identity's frame.
    Unversioned,
    /// A signature and a revision below 3: signature, revision, socket type, then its identity's frame.
    ///
    /// As in libzmq, revision 0 says frames of ZMTP 1.0 from here on.
    Older(Version),
    /// A greeting of 64 octets.
    Current,
}

/// Looks at the first octets of a peer. What is shown once does not change with more of them.
pub fn look(input: &[u8]) -> Shown {
    match input.first() {
        None => return Shown::Nothing,
        Some(&SIGNATURE_FIRST) => {}
        Some(_) => return Shown::Unversioned,
    }
    match input.get(SIGNATURE_LAST_AT) {
        None => return Shown::Nothing,
        // The last octet of a signature is odd; there 1.0 has the flags of a long frame, which are even.
        Some(octet) if octet % 2 == 0 => return Shown::Unversioned,
        Some(_) => {}
    }
    match input.get(MAJOR_AT) {
        None => Shown::Signature,
        Some(0) => Shown::Older(Version::V1_0),
        Some(&major) if major < MAJOR => Shown::Older(Version::V2_0),
        Some(_) => Shown::Current,
    }
}

/// Appends the signature. Its padding has the length that a peer of ZMTP 1.0 reads there: that of a frame with our
/// identity of `identity_len` octets, whose body follows.
pub fn put_signature(out: &mut Vec<u8>, identity_len: usize) {
    out.push(SIGNATURE_FIRST);
    out.extend_from_slice(&(identity_len as u64 + 1).to_be_bytes());
    out.push(SIGNATURE_LAST);
}

impl Greeting {
    /// Reads a whole greeting, for which [`look`] shows [`Shown::Current`].
    ///
    /// Padding and filler are not looked at: RFC 37 forbids to interpret the one, and the other is room for what comes.
    pub fn parse(octets: &[u8; GREETING_LEN]) -> Greeting {
        let mut mechanism = [0; MechanismName::LEN];
        mechanism.copy_from_slice(&octets[MECHANISM_AT..AS_SERVER_AT]);
        // A newer major version promises to speak our newest with us.
        let minor = if octets[MAJOR_AT] > MAJOR { NEWEST_MINOR } else { octets[MINOR_AT].min(NEWEST_MINOR) };
        Greeting { minor, mechanism: MechanismName(mechanism), as_server: octets[AS_SERVER_AT] != 0 }
    }

    /// Appends what follows signature and revision.
    pub fn put_rest(&self, out: &mut Vec<u8>) {
        let mut octets = [0; GREETING_LEN];
        octets[MINOR_AT] = self.minor;
        octets[MECHANISM_AT..AS_SERVER_AT].copy_from_slice(&self.mechanism.0);
        octets[AS_SERVER_AT] = u8::from(self.as_server);
        out.extend_from_slice(&octets[MINOR_AT..]);
    }
}
