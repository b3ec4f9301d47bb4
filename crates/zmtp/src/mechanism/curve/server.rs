//! The side whose key is known beforehand.

use std::borrow::Cow;

use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::boxes::{Key, Nonce, TAG_LEN};
use super::channel::Channel;
use super::{
    COOKIE_LEN, COOKIE_PREFIX, HELLO, HELLO_BOX_INSIDE, HELLO_PADDING_LEN, HELLO_PREFIX, INITIATE,
    INITIATE_PREFIX, LONG_NONCE_LEN, READY, READY_PREFIX, SHORT_NONCE_LEN, VERSION, VOUCH_BOX_LEN,
    VOUCH_PREFIX, WELCOME, WELCOME_PREFIX, malformed, put_command, sealed_wrongly, split_key, unexpected,
};
use crate::command::{Fields, Metadata, MetadataBuilder, split_name};
use crate::error::WireError;
use crate::keys::{KEY_LEN, KeyPair, PublicKey, SecretKey};
use crate::limits::Limits;
use crate::mechanism::{Credentials, Seed, Step};

/// The nonce of READY; those of MESSAGE follow.
const READY_COUNTER: u64 = 1;

/// The server's part of one handshake.
///
/// Between HELLO and INITIATE it keeps one key, its own, and nothing of the client or of the connection's keys: those are in the cookie,
/// which only that key opens and which the client brings back. As every connection has a cookie key of its own, what was recorded on
/// one says nothing on another.
#[derive(Debug)]
pub(crate) struct CurveServer {
    /// S and s.
    keys: KeyPair,
    metadata: MetadataBuilder,
    state: State,
}

#[derive(Debug)]
enum State {
    AwaitingHello(Seed),
    /// WELCOME is to be sent.
    Greeted {
        welcome: Vec<u8>,
        cookie_key: Key,
    },
    AwaitingInitiate {
        cookie_key: Key,
    },
    /// The client has proven who it is, and is being judged.
    Judging(Box<Proven>),
    /// READY is to be sent.
    Introduced(Box<Proven>),
    Ready(Channel),
    /// Nothing more is expected here.
    Over,
}

/// What an INITIATE proves.
#[derive(Debug)]
struct Proven {
    /// The connection's key.
    key: Key,
    /// The nonce of the INITIATE: what follows has higher ones.
    counter: u64,
    /// The client's properties, which were looked at.
    metadata: Vec<u8>,
    limits: Limits,
}

impl CurveServer {
    pub(in crate::mechanism) fn new(keys: KeyPair, seed: Seed, metadata: MetadataBuilder) -> CurveServer {
        CurveServer { keys, metadata, state: State::AwaitingHello(seed) }
    }

    pub(in crate::mechanism) fn handle_command(
        &mut self,
        body: &[u8],
        limits: &Limits,
    ) -> Result<Step<'static>, WireError> {
        let (name, fields) = split_name(body, limits)?;
        match std::mem::replace(&mut self.state, State::Over) {
            State::AwaitingHello(seed) if name == HELLO.as_bytes() => self.on_hello(&seed, fields),
            State::AwaitingInitiate { cookie_key } if name == INITIATE.as_bytes() => {
                self.on_initiate(&cookie_key, fields, limits)
            }
            _ => Err(unexpected(name)),
        }
    }

    fn on_hello(&mut self, seed: &Seed, body: &[u8]) -> Result<Step<'static>, WireError> {
        let mut fields = Fields::new(HELLO, body);
        let version = *fields.array::<2>("it ends before its version does")?;
        if version != VERSION {
            return Err(malformed(HELLO, "its version of CURVE is not 1.0"));
        }
        fields.take(HELLO_PADDING_LEN, "it ends before its padding does")?;
        let theirs = PublicKey::from_bytes(*fields.array::<KEY_LEN>("it ends before its key does")?);
        let counter = *fields.array::<SHORT_NONCE_LEN>("it ends before its nonce does")?;
        let sealed = fields.take(TAG_LEN + HELLO_BOX_INSIDE.len(), "it ends before its box does")?;
        fields.finish("something follows its box")?;
        let key = Key::between(&self.keys.secret, &theirs).ok_or_else(|| sealed_wrongly(HELLO))?;
        let inside = key.open(&Nonce::short(HELLO_PREFIX, counter), sealed);
        let inside = inside.ok_or_else(|| sealed_wrongly(HELLO))?;
        if inside[..] != HELLO_BOX_INSIDE {
            return Err(malformed(HELLO, "its box has something else than zeros in it"));
        }
        let cookie_key = Key::new(seed.key(1));
        let welcome = welcome(&key, &theirs, seed, &cookie_key);
        self.state = State::Greeted { welcome, cookie_key };
        Ok(Step::Continue)
    }

    fn on_initiate(
        &mut self,
        cookie_key: &Key,
        body: &[u8],
        limits: &Limits,
    ) -> Result<Step<'static>, WireError> {
        let mut fields = Fields::new(INITIATE, body);
        let cookie = fields.array::<COOKIE_LEN>("it ends before its cookie does")?;
        let counter = *fields.array::<SHORT_NONCE_LEN>("it ends before its nonce does")?;
        let sealed = fields.rest();
        if sealed.len() < TAG_LEN + KEY_LEN + LONG_NONCE_LEN + VOUCH_BOX_LEN {
            return Err(malformed(INITIATE, "it ends before its box does"));
        }
        let refused = || sealed_wrongly(INITIATE);
        let (their_own, ours) = open_cookie(cookie_key, cookie).ok_or_else(refused)?;
        let key = Key::between(&ours, &their_own).ok_or_else(refused)?;
        let inside = key.open(&Nonce::short(INITIATE_PREFIX, counter), sealed).ok_or_else(refused)?;
        let (theirs, rest) = split_key(&inside);
        let (vouch, metadata) = rest.split_at(LONG_NONCE_LEN + VOUCH_BOX_LEN);
        if !self.vouches(&ours, &theirs, &their_own, vouch) {
            return Err(refused());
        }
        Metadata::parse_of(INITIATE, metadata, limits)?;
        self.state = State::Judging(Box::new(Proven {
            key,
            counter: u64::from_be_bytes(counter),
            metadata: metadata.to_vec(),
            limits: limits.clone(),
        }));
        Ok(Step::Ask(Credentials::Curve { public_key: theirs }))
    }

    /// Whether the holder of C says that C' is its own, and that it wants to talk to us.
    fn vouches(&self, ours: &SecretKey, theirs: &PublicKey, their_own: &PublicKey, vouch: &[u8]) -> bool {
        let (nonce, sealed) = vouch.split_first_chunk().expect("the box's length was checked");
        let Some(key) = Key::between(ours, theirs) else { return false };
        let Some(vouched) = key.open(&Nonce::long(VOUCH_PREFIX, *nonce), sealed) else { return false };
        let expected = [*their_own.as_bytes(), *self.keys.public.as_bytes()].concat();
        vouched.ct_eq(&expected).into()
    }

    pub(in crate::mechanism) fn allow(&mut self) -> Step<'static> {
        match std::mem::replace(&mut self.state, State::Over) {
            State::Judging(proven) => {
                let metadata = proven.metadata.clone();
                self.state = State::Introduced(proven);
                Step::Introduced(Cow::Owned(metadata))
            }
            other => {
                self.state = other;
                Step::Continue
            }
        }
    }

    pub(in crate::mechanism) fn poll_output(&mut self, out: &mut Vec<u8>) {
        match std::mem::replace(&mut self.state, State::Over) {
            State::Greeted { welcome, cookie_key } => {
                put_command(WELCOME, &welcome, out);
                self.state = State::AwaitingInitiate { cookie_key };
            }
            State::Introduced(proven) => {
                let Proven { key, counter, limits, .. } = *proven;
                let ready_counter = READY_COUNTER.to_be_bytes();
                let mut body = ready_counter.to_vec();
                let metadata = self.metadata.metadata();
                key.seal(&Nonce::short(READY_PREFIX, ready_counter), metadata.as_bytes(), &mut body);
                put_command(READY, &body, out);
                self.state = State::Ready(Channel::of_server(&key, READY_COUNTER, counter, &limits));
            }
            other => self.state = other,
        }
    }

    pub(in crate::mechanism) fn take_channel(&mut self) -> Option<Channel> {
        match std::mem::replace(&mut self.state, State::Over) {
            State::Ready(channel) => Some(channel),
            other => {
                self.state = other;
                None
            }
        }
    }
}

/// The body of a WELCOME: S' for the client, and what we will need of this moment, for ourselves.
fn welcome(key: &Key, theirs: &PublicKey, seed: &Seed, cookie_key: &Key) -> Vec<u8> {
    let own = KeyPair::new(SecretKey::from_bytes(seed.key(0)));
    let (cookie_nonce, welcome_nonce) = (seed.nonce(0), seed.nonce(1));
    // With room for both, so that growing leaves no copy of the secret behind.
    let mut remembered = Zeroizing::new(Vec::with_capacity(2 * KEY_LEN));
    remembered.extend_from_slice(theirs.as_bytes());
    remembered.extend_from_slice(own.secret.as_bytes());
    let mut inside = own.public.as_bytes().to_vec();
    inside.extend_from_slice(&cookie_nonce);
    cookie_key.seal(&Nonce::long(COOKIE_PREFIX, cookie_nonce), &remembered, &mut inside);
    let mut body = welcome_nonce.to_vec();
    key.seal(&Nonce::long(WELCOME_PREFIX, welcome_nonce), &inside, &mut body);
    body
}

/// C' and s'.
fn open_cookie(cookie_key: &Key, cookie: &[u8; COOKIE_LEN]) -> Option<(PublicKey, SecretKey)> {
    let (nonce, sealed) = cookie.split_first_chunk()?;
    let inside = cookie_key.open(&Nonce::long(COOKIE_PREFIX, *nonce), sealed)?;
    let (theirs, ours) = split_key(&inside);
    Some((theirs, SecretKey::from_bytes(*ours.first_chunk()?)))
}
