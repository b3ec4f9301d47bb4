//! Z85: octets as text that can be typed, four of them in five characters (RFC 32).
//!
//! Keys of CURVE are written in this form: 32 octets in 40 characters.

use thiserror::Error;

const DIGITS: &[u8; 85] =
    b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#";
const BASE: u32 = 85;
/// Octets that are written together.
const GROUP_LEN: usize = 4;
/// Characters of a group.
const TEXT_LEN: usize = 5;

/// What no digit has, in [`VALUES`].
const NO_DIGIT: u8 = 0xFF;
/// The value of each character.
const VALUES: [u8; 256] = values();

const fn values() -> [u8; 256] {
    let mut values = [NO_DIGIT; 256];
    let mut value = 0;
    while value < DIGITS.len() {
        values[DIGITS[value] as usize] = value as u8;
        value += 1;
    }
    values
}

/// Why something has no form in Z85, or is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Z85Error {
    /// Only whole groups of four octets can be written.
    #[error("{0} octets cannot be written in Z85: their number must be divisible by 4")]
    OctetCount(usize),
    /// Only whole groups of five characters can be read.
    #[error("{0} characters are no Z85 text: their number must be divisible by 5")]
    CharacterCount(usize),
    /// A character that is no digit, and where it stands, from 0.
    #[error("the character at position {at} is none of the 85 of Z85")]
    Character {
        /// Its place in the text.
        at: usize,
    },
    /// Five characters that stand for more than 32 bits, and where they begin, from 0.
    #[error("the five characters at position {at} stand for more than four octets can hold")]
    TooLarge {
        /// Where they begin.
        at: usize,
    },
}

/// Writes octets as text.
///
/// ```
/// use serverlink_zmtp::z85;
/// assert_eq!(z85::encode(&[0x86, 0x4F, 0xD2, 0x6F, 0xB5, 0x59, 0xF7, 0x5B])?, "HelloWorld");
/// # Ok::<(), z85::Z85Error>(())
/// ```
///
/// # Errors
/// [`Z85Error::OctetCount`], the caller's fault.
pub fn encode(octets: &[u8]) -> Result<String, Z85Error> {
    let (groups, rest) = octets.as_chunks::<GROUP_LEN>();
    if !rest.is_empty() {
        return Err(Z85Error::OctetCount(octets.len()));
    }
    let mut text = String::with_capacity(groups.len() * TEXT_LEN);
    for group in groups {
        let mut value = u32::from_be_bytes(*group);
        let mut characters = [0; TEXT_LEN];
        for character in characters.iter_mut().rev() {
            *character = DIGITS[(value % BASE) as usize];
            value /= BASE;
        }
        text.extend(characters.map(char::from));
    }
    Ok(text)
}

/// Reads octets back.
///
/// ```
/// use serverlink_zmtp::z85;
/// assert_eq!(z85::decode("HelloWorld")?, [0x86, 0x4F, 0xD2, 0x6F, 0xB5, 0x59, 0xF7, 0x5B]);
/// assert!(z85::decode("Hello World").is_err());
/// # Ok::<(), z85::Z85Error>(())
/// ```
///
/// # Errors
/// Everything but [`Z85Error::OctetCount`]: the text is not Z85.
pub fn decode(text: &str) -> Result<Vec<u8>, Z85Error> {
    let (groups, rest) = text.as_bytes().as_chunks::<TEXT_LEN>();
    if !rest.is_empty() {
        return Err(Z85Error::CharacterCount(text.len()));
    }
    let mut octets = Vec::with_capacity(groups.len() * GROUP_LEN);
    for (index, group) in groups.iter().enumerate() {
        octets.extend_from_slice(&decode_group(group, index * TEXT_LEN)?);
    }
    Ok(octets)
}

fn decode_group(group: &[u8; TEXT_LEN], at: usize) -> Result<[u8; GROUP_LEN], Z85Error> {
    let mut value = 0_u64;
    for (index, &character) in group.iter().enumerate() {
        let digit = VALUES[usize::from(character)];
        if digit == NO_DIGIT {
            return Err(Z85Error::Character { at: at + index });
        }
        value = value * u64::from(BASE) + u64::from(digit);
    }
    match u32::try_from(value) {
        Ok(value) => Ok(value.to_be_bytes()),
        Err(_) => Err(Z85Error::TooLarge { at }),
    }
}
