//! Z85 (RFC 32): four octets as five characters that can be pasted anywhere.

const ALPHABET: &[u8; 85] =
    b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#";

/// The characters. `None` unless the octets are a multiple of four.
pub fn encode(octets: &[u8]) -> Option<Vec<u8>> {
    let (groups, []) = octets.as_chunks::<4>() else { return None };
    let mut text = Vec::with_capacity(groups.len() * 5);
    for group in groups {
        let value = u32::from_be_bytes(*group);
        for power in [85_u32.pow(4), 85_u32.pow(3), 85_u32.pow(2), 85, 1] {
            text.push(ALPHABET[(value / power % 85) as usize]);
        }
    }
    Some(text)
}

/// The octets. `None` for other characters, a length that is no multiple of five, or a group of more than 32 bits.
pub fn decode(text: &[u8]) -> Option<Vec<u8>> {
    let (groups, []) = text.as_chunks::<5>() else { return None };
    let mut octets = Vec::with_capacity(groups.len() * 4);
    for group in groups {
        let mut value = 0_u32;
        for character in group {
            let digit = ALPHABET.iter().position(|known| known == character)?;
            value = value.checked_mul(85)?.checked_add(digit as u32)?;
        }
        octets.extend(value.to_be_bytes());
    }
    Some(octets)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_the_rfc() {
        let octets = [0x86, 0x4F, 0xD2, 0x6F, 0xB5, 0x59, 0xF7, 0x5B];
        assert_eq!(encode(&octets).as_deref(), Some(&b"HelloWorld"[..]));
        assert_eq!(decode(b"HelloWorld").as_deref(), Some(&octets[..]));
    }

    #[test]
    fn what_is_no_z85_is_refused() {
        assert!(encode(b"abc").is_none() && decode(b"abcd").is_none());
        assert!(decode(b"ab cd").is_none() && decode(b"#####").is_none());
    }
}
