//! Security as C programs set it: piece by piece, in any order. The piece that was set last says which mechanism it is.

use std::ffi::c_int;

use serverlink::security::{KeyPair, PublicKey, SecretKey, Security, z85};

use super::get::Value;
use super::numbers::*;
use super::set;
use crate::errno::{Answer, EINVAL, Errno, fail};

const KEY_LEN: usize = 32;
const KEY_TEXT_LEN: usize = 40;
const MAX_PLAIN_LEN: usize = 255;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Mechanism {
    #[default]
    Null,
    Plain,
    Curve,
}

/// What was set so far.
#[derive(Clone, Default)]
pub(super) struct Pieces {
    mechanism: Mechanism,
    is_server: bool,
    username: Vec<u8>,
    password: Vec<u8>,
    public: Option<PublicKey>,
    secret: Option<SecretKey>,
    server: Option<PublicKey>,
}

impl Pieces {
    pub(super) const fn has(option: c_int) -> bool {
        matches!(
            option,
            PLAIN_SERVER
                | PLAIN_USERNAME
                | PLAIN_PASSWORD
                | CURVE_SERVER
                | CURVE_PUBLICKEY
                | CURVE_SECRETKEY
                | CURVE_SERVERKEY
        )
    }

    pub(super) fn set(&mut self, option: c_int, value: &[u8]) -> Answer<()> {
        match option {
            PLAIN_SERVER | CURVE_SERVER => {
                self.is_server = set::flag(value)?;
                self.mechanism = match (self.is_server, option) {
                    (false, _) => Mechanism::Null,
                    (true, PLAIN_SERVER) => Mechanism::Plain,
                    (true, _) => Mechanism::Curve,
                };
            }
            PLAIN_USERNAME | PLAIN_PASSWORD if value.is_empty() => self.mechanism = Mechanism::Null,
            PLAIN_USERNAME | PLAIN_PASSWORD => {
                if value.len() > MAX_PLAIN_LEN {
                    return fail(EINVAL);
                }
                let place = if option == PLAIN_USERNAME { &mut self.username } else { &mut self.password };
                *place = value.to_vec();
                (self.mechanism, self.is_server) = (Mechanism::Plain, false);
            }
            CURVE_PUBLICKEY => self.public = Some(PublicKey::from_bytes(key(value)?)),
            CURVE_SECRETKEY => self.secret = Some(SecretKey::from_bytes(key(value)?)),
            CURVE_SERVERKEY => {
                self.server = Some(PublicKey::from_bytes(key(value)?));
                self.is_server = false;
            }
            _ => return fail(EINVAL),
        }
        if matches!(option, CURVE_PUBLICKEY | CURVE_SECRETKEY | CURVE_SERVERKEY) {
            self.mechanism = Mechanism::Curve;
        }
        Ok(())
    }

    pub(super) fn get(&self, option: c_int) -> Answer<Value> {
        let serves = |mechanism| Value::Int((self.is_server && self.mechanism == mechanism).into());
        let text = |octets: &[u8]| Value::Text(String::from_utf8_lossy(octets).into_owned());
        let public = |key: Option<PublicKey>| Value::Key(key.map_or([0; KEY_LEN], |key| *key.as_bytes()));
        Ok(match option {
            MECHANISM => Value::Int(self.mechanism as c_int),
            PLAIN_SERVER => serves(Mechanism::Plain),
            CURVE_SERVER => serves(Mechanism::Curve),
            PLAIN_USERNAME => text(&self.username),
            PLAIN_PASSWORD => text(&self.password),
            CURVE_PUBLICKEY => public(self.public),
            CURVE_SERVERKEY => public(self.server),
            CURVE_SECRETKEY => {
                Value::Key(self.secret.as_ref().map_or([0; KEY_LEN], |secret| *secret.as_bytes()))
            }
            _ => return fail(EINVAL),
        })
    }

    /// All of it. `EINVAL` where a key is missing: a socket that was to be safe is not opened without.
    pub(super) fn whole(&self) -> Answer<Security> {
        let missing = Errno(EINVAL);
        Ok(match (self.mechanism, self.is_server) {
            (Mechanism::Null, _) => Security::none(),
            (Mechanism::Plain, true) => Security::plain_server(),
            (Mechanism::Plain, false) => Security::plain_client(&self.username[..], &self.password[..]),
            (Mechanism::Curve, is_server) => {
                let keys = KeyPair::new(self.secret.clone().ok_or(missing)?);
                match is_server {
                    true => Security::curve_server(keys),
                    false => Security::curve_client(keys, self.server.ok_or(missing)?),
                }
            }
        })
    }
}

/// 32 octets, or 40 characters of Z85 with or without the zero that ends a text.
fn key(value: &[u8]) -> Answer<[u8; KEY_LEN]> {
    let octets = match value.len() {
        KEY_LEN => value.to_vec(),
        len if len == KEY_TEXT_LEN || len == KEY_TEXT_LEN + 1 => {
            let text = std::str::from_utf8(&value[..KEY_TEXT_LEN]).map_err(|_| Errno(EINVAL))?;
            z85::decode(text).map_err(|_| Errno(EINVAL))?
        }
        _ => return fail(EINVAL),
    };
    octets.try_into().map_err(|_| Errno(EINVAL))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &[u8] = b"rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7";

    fn pieces(set: &[(c_int, &[u8])]) -> Pieces {
        let mut pieces = Pieces::default();
        for (option, value) in set {
            pieces.set(*option, value).expect("it can be set");
        }
        pieces
    }

    #[test]
    fn a_key_is_given_in_three_forms() {
        let raw = key(TEXT).expect("a key");
        assert_eq!(key(&[TEXT, b"\0"].concat()), Ok(raw));
        assert_eq!(key(&raw), Ok(raw));
        for wrong in [&TEXT[..39], b"", &[b' '; 40]] {
            assert_eq!(key(wrong), Err(Errno(EINVAL)));
        }
    }

    #[test]
    fn nothing_is_opened_with_half_of_its_security() {
        assert!(pieces(&[]).whole().is_ok());
        assert!(pieces(&[(CURVE_SERVER, &1_i32.to_ne_bytes())]).whole().is_err());
        assert!(pieces(&[(CURVE_SECRETKEY, TEXT)]).whole().is_err(), "whose client?");
        assert!(pieces(&[(CURVE_SERVERKEY, TEXT)]).whole().is_err(), "with which key?");
        let server = pieces(&[(CURVE_SECRETKEY, TEXT), (CURVE_SERVER, &1_i32.to_ne_bytes())]);
        assert_eq!(
            server.whole().map(|security| (security.mechanism(), security.is_server())),
            Ok(("CURVE", true))
        );
        let client = pieces(&[(PLAIN_USERNAME, b"admin"), (PLAIN_PASSWORD, b"secret")]);
        assert_eq!(client.get(MECHANISM), Ok(Value::Int(1)));
        assert_eq!(client.whole().map(|security| security.is_server()), Ok(false));
    }
}
