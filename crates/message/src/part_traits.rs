//! How a part compares, converts and prints: always as its bytes.

use std::{
    borrow::Borrow,
    cmp::Ordering,
    fmt,
    hash::{Hash, Hasher},
    ops::Deref,
};

use crate::Part;

impl Default for Part {
    fn default() -> Part {
        Part::new()
    }
}

impl Deref for Part {
    type Target = [u8];

    #[inline]
    fn deref(&self) -> &[u8] {
        self.as_bytes()
    }
}

impl AsRef<[u8]> for Part {
    #[inline]
    fn as_ref(&self) -> &[u8] {
        self.as_bytes()
    }
}

impl Borrow<[u8]> for Part {
    fn borrow(&self) -> &[u8] {
        self.as_bytes()
    }
}

impl PartialEq for Part {
    #[inline]
    fn eq(&self, other: &Part) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl Eq for Part {}

impl PartialOrd for Part {
    fn partial_cmp(&self, other: &Part) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Part {
    fn cmp(&self, other: &Part) -> Ordering {
        self.as_bytes().cmp(other.as_bytes())
    }
}

impl Hash for Part {
    fn hash<H: Hasher>(&self, state: &mut H) {
        // As `[u8]` does, so that a map keyed by parts can be asked with bytes.
        self.as_bytes().hash(state);
    }
}

macro_rules! eq_with {
    ($({$($generics:tt)*} $other:ty;)*) => {$(
        impl<$($generics)*> PartialEq<$other> for Part {
            #[inline]
            fn eq(&self, other: &$other) -> bool {
                self.as_bytes() == AsRef::<[u8]>::as_ref(other)
            }
        }

        impl<$($generics)*> PartialEq<Part> for $other {
            #[inline]
            fn eq(&self, other: &Part) -> bool {
                other == self
            }
        }
    )*};
}

eq_with! {
    {} [u8];
    {} &[u8];
    {const N: usize} [u8; N];
    {const N: usize} &[u8; N];
    {} str;
    {} &str;
    {} String;
    {} Vec<u8>;
}

impl From<&[u8]> for Part {
    /// Copies the bytes.
    #[inline]
    fn from(bytes: &[u8]) -> Part {
        Part::copy_from(bytes)
    }
}

impl<const N: usize> From<&[u8; N]> for Part {
    /// Copies the bytes.
    #[inline]
    fn from(bytes: &[u8; N]) -> Part {
        Part::copy_from(bytes)
    }
}

impl From<&str> for Part {
    /// Copies the text as UTF-8.
    #[inline]
    fn from(text: &str) -> Part {
        Part::copy_from(text.as_bytes())
    }
}

impl From<String> for Part {
    /// Takes the buffer over; copies it only when the text fits in place.
    #[inline]
    fn from(text: String) -> Part {
        Part::from(text.into_bytes())
    }
}

impl fmt::Debug for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Part({:?})", Preview(self))
    }
}

/// Bytes for a log line: escaped text, the beginning only, with the length when that is not all.
pub(crate) struct Preview<'a>(pub(crate) &'a [u8]);

impl Preview<'_> {
    const MAX_SHOWN_BYTES: usize = 64;
}

impl fmt::Debug for Preview<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Preview(bytes) = self;
        let shown = &bytes[..bytes.len().min(Self::MAX_SHOWN_BYTES)];
        write!(f, "\"{}\"", shown.escape_ascii())?;
        if shown.len() < bytes.len() {
            write!(f, ".. {} bytes", bytes.len())?;
        }
        Ok(())
    }
}
