//! The side that knows the server's key.

use std::borrow::Cow;

use zeroize::Zeroizing;

use super::boxes::{Key, Nonce, TAG_LEN};
use super::channel::Channel;
use super::{
    COOKIE_LEN, ERROR, HELLO, HELLO_BOX_INSIDE, HELLO_PADDING_LEN, HELLO_PREFIX, INITIATE, INITIATE_PREFIX,
    LONG_NONCE_LEN, READY, READY_PREFIX, SHORT_NONCE_LEN, VERSION, VOUCH_PREFIX, WELCOME, WELCOME_PREFIX,
    put_command, sealed_wrongly, split_key, unexpected,
};
use crate::command::{Fields, Metadata, MetadataBuilder, parse_error, split_name};
use crate::error::{WireError, printable};
use crate::keys::{KEY_LEN, KeyPair, PublicKey, SecretKey};
use crate::limits::Limits;
use crate::mechanism::{Seed, Step};

/// The nonces of the first two commands; those of MESSAGE follow.
const HELLO_COUNTER: u64 = 1;
const INITIATE_COUNTER: u64 = 2;

/// The client's part of one handshake.
#[derive(Debug)]
pub(crate) struct CurveClient {
    /// C and c.
    keys: KeyPair,
    /// S.
    server: PublicKey,
    /// C' and c'.
    own: KeyPair,
    vouch_nonce: [u8; LONG_NONCE_LEN],
    metadata: MetadataBuilder,
    state: State,
}

#[derive(Debug)]
enum State {
    /// HELLO is to be sent.
    Beginning,
    /// The key of the first two commands.
    AwaitingWelcome(Key),
    /// INITIATE is to be sent.
    Welcomed {
        /// S'.
        theirs: PublicKey,
        cookie: Box<[u8; COOKIE_LEN]>,
        /// The connection's key.
        key: Key,
    },
    AwaitingReady(Key),
    Ready(Channel),
    /// Nothing more is expected here.
    Over,
}

impl CurveClient {
    /// Whoever wants to reach `server`.
    pub(in crate::mechanism) fn new(
        keys: KeyPair,
        server: PublicKey,
        seed: &Seed,
        metadata: MetadataBuilder,
    ) -> CurveClient {
        CurveClient {
            keys,
            server,
            own: KeyPair::new(SecretKey::from_bytes(seed.key(0))),
            vouch_nonce: seed.nonce(0),
            metadata,
            state: State::Beginning,
        }
    }

    pub(in crate::mechanism) fn handle_command(
        &mut self,
        body: &[u8],
        limits: &Limits,
    ) -> Result<Step<'static>, WireError> {
        let (name, fields) = split_name(body, limits)?;
        // In clear, so anybody on the way can say it: but such a one can also cut the connection.
        if name == ERROR.as_bytes() {
            return Err(WireError::RefusedByPeer { reason: printable(parse_error(fields)?) });
        }
        match std::mem::replace(&mut self.state, State::Over) {
            State::AwaitingWelcome(key) if name == WELCOME.as_bytes() => self.on_welcome(&key, fields),
            State::AwaitingReady(key) if name == READY.as_bytes() => self.on_ready(&key, fields, limits),
            _ => Err(unexpected(name)),
        }
    }

    fn on_welcome(&mut self, key: &Key, body: &[u8]) -> Result<Step<'static>, WireError> {
        let mut fields = Fields::new(WELCOME, body);
        let nonce = *fields.array::<LONG_NONCE_LEN>("it ends before its nonce does")?;
        let sealed = fields.take(TAG_LEN + KEY_LEN + COOKIE_LEN, "it ends before its box does")?;
        fields.finish("something follows its box")?;
        let inside = key.open(&Nonce::long(WELCOME_PREFIX, nonce), sealed);
        let inside = inside.ok_or_else(|| sealed_wrongly(WELCOME))?;
        let (theirs, cookie) = split_key(&inside);
        let cookie = Box::new(*cookie.first_chunk().expect("the box's length was checked"));
        let key = Key::between(&self.own.secret, &theirs).ok_or_else(|| sealed_wrongly(WELCOME))?;
        self.state = State::Welcomed { theirs, cookie, key };
        Ok(Step::Continue)
    }

    fn on_ready(&mut self, key: &Key, body: &[u8], limits: &Limits) -> Result<Step<'static>, WireError> {
        let mut fields = Fields::new(READY, body);
        let counter = *fields.array::<SHORT_NONCE_LEN>("it ends before its nonce does")?;
        let inside = key.open(&Nonce::short(READY_PREFIX, counter), fields.rest());
        let inside = inside.ok_or_else(|| sealed_wrongly(READY))?;
        Metadata::parse(&inside, limits)?;
        self.state =
            State::Ready(Channel::of_client(key, INITIATE_COUNTER, u64::from_be_bytes(counter), limits));
        Ok(Step::Introduced(Cow::Owned(inside.to_vec())))
    }

    pub(in crate::mechanism) fn poll_output(&mut self, out: &mut Vec<u8>) {
        match std::mem::replace(&mut self.state, State::Over) {
            State::Beginning => {
                // Whoever made the settings has asked whether the server's key is one.
                if let Some(key) = Key::between(&self.own.secret, &self.server) {
                    put_command(HELLO, &self.hello(&key), out);
                    self.state = State::AwaitingWelcome(key);
                }
            }
            State::Welcomed { theirs, cookie, key } => {
                if let Some(initiate) = self.initiate(&theirs, &cookie, &key) {
                    put_command(INITIATE, &initiate, out);
                    self.state = State::AwaitingReady(key);
                }
            }
            other => self.state = other,
        }
    }

    fn hello(&self, key: &Key) -> Vec<u8> {
        let counter = HELLO_COUNTER.to_be_bytes();
        let mut body = Vec::new();
        body.extend_from_slice(&VERSION);
        body.extend_from_slice(&[0; HELLO_PADDING_LEN]);
        body.extend_from_slice(self.own.public.as_bytes());
        body.extend_from_slice(&counter);
        key.seal(&Nonce::short(HELLO_PREFIX, counter), &HELLO_BOX_INSIDE, &mut body);
        body
    }

    /// `None`: the server's key of this connection is none.
    fn initiate(&self, theirs: &PublicKey, cookie: &[u8; COOKIE_LEN], key: &Key) -> Option<Vec<u8>> {
        let counter = INITIATE_COUNTER.to_be_bytes();
        let vouched = [*self.own.public.as_bytes(), *self.server.as_bytes()].concat();
        let mut inside = Zeroizing::new(self.keys.public.as_bytes().to_vec());
        inside.extend_from_slice(&self.vouch_nonce);
        Key::between(&self.keys.secret, theirs)?.seal(
            &Nonce::long(VOUCH_PREFIX, self.vouch_nonce),
            &vouched,
            &mut inside,
        );
        inside.extend_from_slice(self.metadata.metadata().as_bytes());
        let mut body = cookie.to_vec();
        body.extend_from_slice(&counter);
        key.seal(&Nonce::short(INITIATE_PREFIX, counter), &inside, &mut body);
        Some(body)
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
