use std::hash::{BuildHasher, Hasher};

/// SipHash-1-3 under a key that the caller gives.
///
/// Peers choose the strings that are hashed, so a fixed function would let them collide at will; the standard
/// library's keyed state takes its key from the process, which a pure crate must not.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SipKey {
    k0: u64,
    k1: u64,
}

impl SipKey {
    pub(crate) fn new(seed: u64) -> SipKey {
        // A second word that differs from the first; the seed carries all the secrecy there is.
        SipKey { k0: seed, k1: seed.rotate_left(32) ^ 0x9e37_79b9_7f4a_7c15 }
    }
}

impl BuildHasher for SipKey {
    type Hasher = SipHasher;

    fn build_hasher(&self) -> SipHasher {
        SipHasher {
            v: [
                self.k0 ^ 0x736f_6d65_7073_6575,
                self.k1 ^ 0x646f_7261_6e64_6f6d,
                self.k0 ^ 0x6c79_6765_6e65_7261,
                self.k1 ^ 0x7465_6462_7974_6573,
            ],
            tail: 0,
            tail_len: 0,
            length: 0,
        }
    }
}

pub(crate) struct SipHasher {
    v: [u64; 4],
    /// Up to seven bytes that do not fill a word yet, little-endian.
    tail: u64,
    tail_len: usize,
    length: u64,
}

impl SipHasher {
    #[inline]
    fn round(&mut self) {
        let [v0, v1, v2, v3] = &mut self.v;
        *v0 = v0.wrapping_add(*v1);
        *v1 = v1.rotate_left(13) ^ *v0;
        *v0 = v0.rotate_left(32);
        *v2 = v2.wrapping_add(*v3);
        *v3 = v3.rotate_left(16) ^ *v2;
        *v0 = v0.wrapping_add(*v3);
        *v3 = v3.rotate_left(21) ^ *v0;
        *v2 = v2.wrapping_add(*v1);
        *v1 = v1.rotate_left(17) ^ *v2;
        *v2 = v2.rotate_left(32);
    }

    #[inline]
    fn word(&mut self, word: u64) {
        self.v[3] ^= word;
        self.round();
        self.v[0] ^= word;
    }

    /// Adds up to eight bytes, given in the low end of `bytes`.
    #[inline]
    fn short(&mut self, bytes: u64, len: usize) {
        self.length = self.length.wrapping_add(len as u64);
        let shift = 8 * self.tail_len;
        self.tail |= bytes << shift;
        self.tail_len += len;
        if self.tail_len >= 8 {
            let word = self.tail;
            self.word(word);
            self.tail_len -= 8;
            self.tail = if self.tail_len == 0 { 0 } else { bytes >> (64 - shift) };
        }
    }
}

impl Hasher for SipHasher {
    #[inline]
    fn write(&mut self, bytes: &[u8]) {
        let mut words = bytes.chunks_exact(8);
        for word in words.by_ref() {
            self.short(u64::from_le_bytes(word.try_into().expect("chunks of eight")), 8);
        }
        let rest = words.remainder();
        if !rest.is_empty() {
            let mut word = [0; 8];
            word[..rest.len()].copy_from_slice(rest);
            self.short(u64::from_le_bytes(word), rest.len());
        }
    }

    fn finish(&self) -> u64 {
        let mut end = SipHasher { v: self.v, ..*self };
        end.word(self.tail | (self.length << 56));
        end.v[2] ^= 0xff;
        for _ in 0..3 {
            end.round();
        }
        end.v[0] ^ end.v[1] ^ end.v[2] ^ end.v[3]
    }
}

#[cfg(test)]
mod tests {
    use std::hash::DefaultHasher;

    use super::*;

    fn hash(key: SipKey, pieces: &[&[u8]]) -> u64 {
        let mut hasher = key.build_hasher();
        pieces.iter().for_each(|piece| hasher.write(piece));
        hasher.finish()
    }

    #[test]
    fn agrees_with_the_published_function() {
        // The key 00 01 .. 0f and no input: the first of the reference vectors for 1-3.
        let key = SipKey { k0: 0x0706_0504_0302_0100, k1: 0x0f0e_0d0c_0b0a_0908 };
        assert_eq!(hash(key, &[]), 0xabac_0158_050f_c4dc);
    }

    #[test]
    fn agrees_with_the_standard_library_at_any_length_and_split() {
        let bytes: Vec<u8> = (0..64).map(|byte| byte * 3 + 7).collect();
        let zero = SipKey { k0: 0, k1: 0 };
        for len in 0..bytes.len() {
            let input = &bytes[..len];
            let mut reference = DefaultHasher::new();
            reference.write(input);
            for split in 0..=len {
                assert_eq!(
                    hash(zero, &[&input[..split], &input[split..]]),
                    reference.finish(),
                    "{len} at {split}"
                );
            }
        }
    }

    #[test]
    fn another_seed_is_another_function() {
        assert_ne!(hash(SipKey::new(1), &[b"peer"]), hash(SipKey::new(2), &[b"peer"]));
    }
}
