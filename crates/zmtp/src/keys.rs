//! Keys of CURVE: pairs of 32 octets on Curve25519.

use std::fmt;
use std::str::FromStr;

use dryoc::classic::crypto_box::crypto_box_beforenm;
use dryoc::classic::crypto_core::crypto_scalarmult_base;
use subtle::ConstantTimeEq;
use thiserror::Error;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::z85::{self, Z85Error};

/// Octets in a key.
pub const KEY_LEN: usize = 32;
/// Characters in a key's text.
const TEXT_LEN: usize = 40;

/// The half of a key pair that others may know: it names a peer.
///
/// As text it is 40 characters of Z85.
///
/// ```
/// use serverlink_zmtp::keys::PublicKey;
/// let key: PublicKey = "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7".parse()?;
/// assert_eq!(key.to_string(), "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7");
/// # Ok::<(), serverlink_zmtp::keys::KeyError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PublicKey([u8; KEY_LEN]);

/// The half of a key pair that nobody else may know.
///
/// It is overwritten when it is dropped, compared in constant time, and never shown: not by `Debug`, and there is no `Display`.
/// [`to_z85`](Self::to_z85) is how to write one to a file.
///
/// ```
/// use serverlink_zmtp::keys::SecretKey;
/// let secret = SecretKey::from_bytes([7; 32]);
/// assert_eq!(SecretKey::from_z85(&secret.to_z85())?, secret);
/// assert_eq!(format!("{secret:?}"), "SecretKey(..)");
/// # Ok::<(), serverlink_zmtp::keys::KeyError>(())
/// ```
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct SecretKey([u8; KEY_LEN]);

/// Both halves.
///
/// ```
/// use serverlink_zmtp::keys::{KeyPair, SecretKey};
/// let pair = KeyPair::new(SecretKey::from_bytes([7; 32]));
/// assert_eq!(pair.public, pair.secret.public_key());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeyPair {
    /// For others to know.
    pub public: PublicKey,
    /// For nobody else to know.
    pub secret: SecretKey,
}

/// Why a text or a run of octets is no key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum KeyError {
    /// Neither 32 octets nor their text.
    #[error("a key has 32 octets, or 40 characters of Z85, and this has {0}")]
    Length(usize),
    /// It has the right length and is no Z85 text.
    #[error("a key must be written in Z85: {0}")]
    Text(#[from] Z85Error),
}

impl PublicKey {
    /// A key from its octets.
    pub const fn from_bytes(octets: [u8; KEY_LEN]) -> PublicKey {
        PublicKey(octets)
    }

    /// Its octets.
    pub const fn as_bytes(&self) -> &[u8; KEY_LEN] {
        &self.0
    }

    /// Whether some secret key can belong to it. A few points of the curve make no secret with anybody, so no honest peer has one of
    /// them for a key.
    pub fn is_usable(&self) -> bool {
        // Any secret key shows it.
        crypto_box_beforenm(&self.0, &[0; KEY_LEN]).is_ok()
    }

    /// Reads the 40 characters of a key.
    ///
    /// # Errors
    /// [`KeyError`]: it is no key.
    pub fn from_z85(text: &str) -> Result<PublicKey, KeyError> {
        decode(text).map(|octets| PublicKey(*octets))
    }

    /// Its 40 characters.
    pub fn to_z85(&self) -> String {
        encode(&self.0)
    }
}

impl FromStr for PublicKey {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<PublicKey, KeyError> {
        PublicKey::from_z85(text)
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.to_z85())
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({self})")
    }
}

impl SecretKey {
    /// A key from 32 octets, which must have come from a source of randomness for cryptography, or from a key that did.
    pub const fn from_bytes(octets: [u8; KEY_LEN]) -> SecretKey {
        SecretKey(octets)
    }

    /// Its octets. What is copied of them is the caller's to keep secret.
    pub const fn as_bytes(&self) -> &[u8; KEY_LEN] {
        &self.0
    }

    /// Reads the 40 characters of a key.
    ///
    /// # Errors
    /// [`KeyError`]: it is no key. Nothing of the text is repeated in it.
    pub fn from_z85(text: &str) -> Result<SecretKey, KeyError> {
        decode(text).map(|octets| SecretKey(*octets))
    }

    /// Its 40 characters, overwritten when they are dropped.
    pub fn to_z85(&self) -> Zeroizing<String> {
        Zeroizing::new(encode(&self.0))
    }

    /// Whether it can be one: thirty-two zeros are memory that nobody has filled.
    pub fn is_usable(&self) -> bool {
        !bool::from(self.0.ct_eq(&[0; KEY_LEN]))
    }

    /// The other half of the pair.
    pub fn public_key(&self) -> PublicKey {
        let mut public = [0; KEY_LEN];
        crypto_scalarmult_base(&mut public, &self.0);
        PublicKey(public)
    }
}

impl PartialEq for SecretKey {
    fn eq(&self, other: &SecretKey) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for SecretKey {}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretKey(..)")
    }
}

impl KeyPair {
    /// The pair that a secret key belongs to.
    pub fn new(secret: SecretKey) -> KeyPair {
        KeyPair { public: secret.public_key(), secret }
    }
}

fn encode(octets: &[u8; KEY_LEN]) -> String {
    z85::encode(octets).expect("32 is divisible by 4")
}

fn decode(text: &str) -> Result<Zeroizing<[u8; KEY_LEN]>, KeyError> {
    if text.len() != TEXT_LEN {
        return Err(KeyError::Length(text.len()));
    }
    let octets = Zeroizing::new(z85::decode(text)?);
    let mut key = Zeroizing::new([0; KEY_LEN]);
    key.copy_from_slice(&octets);
    Ok(key)
}
