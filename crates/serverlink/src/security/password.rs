//! A secret text.

use std::fmt;

use zeroize::Zeroizing;

/// A password: never shown by `Debug`, and overwritten when it is dropped. What of it went through a connection's buffers is not overwritten there.
///
/// ```
/// use serverlink::security::Password;
///
/// let password: Password = "swordfish".into();
/// assert_eq!(password.as_bytes(), b"swordfish");
/// assert_eq!(format!("{password:?}"), "Password(..)");
/// ```
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Password(Zeroizing<Vec<u8>>);

impl Password {
    /// Its bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// How many bytes it has.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl From<Vec<u8>> for Password {
    fn from(bytes: Vec<u8>) -> Password {
        Password(Zeroizing::new(bytes))
    }
}

impl From<String> for Password {
    fn from(text: String) -> Password {
        text.into_bytes().into()
    }
}

impl From<&[u8]> for Password {
    fn from(bytes: &[u8]) -> Password {
        bytes.to_vec().into()
    }
}

impl From<&str> for Password {
    fn from(text: &str) -> Password {
        text.as_bytes().into()
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(..)")
    }
}
