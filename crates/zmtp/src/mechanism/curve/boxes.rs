//! The boxes that everything of CURVE travels in: Curve25519, XSalsa20 and Poly1305, as in NaCl.
//!
//! The only place that calls a cipher. A box is an authenticator of 16 octets and as many octets as there were inside.

use std::fmt;

use dryoc::classic::crypto_box::{
    crypto_box_beforenm, crypto_box_detached_afternm_inplace, crypto_box_open_detached_afternm,
};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::keys::{KEY_LEN, PublicKey, SecretKey};

/// Octets of an authenticator.
pub(super) const TAG_LEN: usize = 16;
/// Octets of a nonce.
const NONCE_LEN: usize = 24;
/// Octets that the nonces of a series have in common.
pub(super) const PREFIX_LEN: usize = 16;

/// What opens and seals boxes.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub(super) struct Key([u8; KEY_LEN]);

impl Key {
    pub(super) fn new(octets: [u8; KEY_LEN]) -> Key {
        Key(octets)
    }

    /// The key of two who know each other's public keys. `None`: theirs makes no secret, so it is no honest peer's.
    pub(super) fn between(ours: &SecretKey, theirs: &PublicKey) -> Option<Key> {
        crypto_box_beforenm(theirs.as_bytes(), ours.as_bytes()).ok().map(Key)
    }

    /// Appends the box of `inside`.
    pub(super) fn seal(&self, nonce: &Nonce, inside: &[u8], out: &mut Vec<u8>) {
        let start = out.len();
        out.extend_from_slice(&[0; TAG_LEN]);
        out.extend_from_slice(inside);
        self.seal_in_place(nonce, &mut out[start..]);
    }

    /// Makes a box of what lies behind room for the authenticator.
    pub(super) fn seal_in_place(&self, nonce: &Nonce, room_and_inside: &mut [u8]) {
        let (tag, body) = room_and_inside.split_first_chunk_mut::<TAG_LEN>().expect("there is room for it");
        crypto_box_detached_afternm_inplace(body, tag, &nonce.0, &self.0);
    }

    /// What is in a box. `None`: it was not sealed with this key and nonce, or it was changed since.
    pub(super) fn open(&self, nonce: &Nonce, sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let mut inside = Zeroizing::new(vec![0; sealed.len().checked_sub(TAG_LEN)?]);
        self.open_into(nonce, sealed, &mut inside).then_some(inside)
    }

    /// Opens a box into memory of its length without the authenticator. False as above, and what is in the memory then means nothing.
    pub(super) fn open_into(&self, nonce: &Nonce, sealed: &[u8], inside: &mut [u8]) -> bool {
        let Some((tag, body)) = sealed.split_first_chunk::<TAG_LEN>() else { return false };
        crypto_box_open_detached_afternm(inside, body, tag, &nonce.0, &self.0).is_ok()
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(..)")
    }
}

/// Used once with a key.
#[derive(Clone, Copy)]
pub(super) struct Nonce([u8; NONCE_LEN]);

impl Nonce {
    /// One of a series.
    pub(super) fn short(prefix: &[u8; PREFIX_LEN], counter: [u8; 8]) -> Nonce {
        let mut nonce = [0; NONCE_LEN];
        nonce[..PREFIX_LEN].copy_from_slice(prefix);
        nonce[PREFIX_LEN..].copy_from_slice(&counter);
        Nonce(nonce)
    }

    /// One that was drawn by chance.
    pub(super) fn long(prefix: &[u8; 8], chance: [u8; 16]) -> Nonce {
        let mut nonce = [0; NONCE_LEN];
        nonce[..8].copy_from_slice(prefix);
        nonce[8..].copy_from_slice(&chance);
        Nonce(nonce)
    }
}
