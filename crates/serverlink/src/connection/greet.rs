//! The handshake of a connection.

use std::io;
use std::sync::Arc;
use std::time::Instant;

use serverlink_driver::{Batch, Read};
use serverlink_message::chunk::Slice;
use serverlink_patterns::AttachRefusal;
use serverlink_zmtp::Version;
use serverlink_zmtp::handshake::{self, Config, Handshake};
use serverlink_zmtp::mechanism::curve::Channel;

use super::incoming::Incoming;
use super::judging::Judging;
use super::landing::Landing;
use super::{Connection, Flow, Phase, Unwritten, farewell_of, write};
use crate::monitor::EventKind;
use crate::peer::Peer;
use crate::reactor::{Farewell, number};
use crate::report::Origin;
use crate::socket::attach::Arrival;
use crate::socket::core::limits_of;

/// More than most handshakes have, and what one connection may have kept behind its own.
const HANDSHAKE_READ_BYTES: usize = 4 * 1024;

impl Connection {
    /// Our greeting begins as soon as it was looked whether the peer's is here: a peer that waits for ours must not wait for its own. Who
    /// came to us has mostly sent it already, and what both call for is one write.
    pub(super) fn begin_greeting(&mut self, now: Instant) -> Flow {
        if self.core.is_raw() || self.has_datagrams() {
            return self.take_in(now, handshake::Peer::unknown(Version::V1_0), None);
        }
        let (core, settings) = (&self.core, &self.settings);
        let config = Config {
            identity: settings.routing_id.clone(),
            limits: limits_of(settings),
            globs: true,
            takes_refusals: settings.announce_extensions,
            // Of two ends that were adopted, neither may wait for the other to speak first.
            properties: settings.metadata.clone(),
            judges: self.origin == Origin::Accepted && core.may_refuse_peers(),
            asks: core.judges_credentials(settings),
            ..Config::new(core.kind)
        };
        let security = match settings.security.for_connection(&core.env) {
            Ok(security) => security,
            Err(error) => return Flow::End(Farewell::Io(error)),
        };
        if let Some(server) = settings.security.server_key() {
            self.judging.get_or_insert_default().public_key = Some(server);
        }
        let handshake = Handshake::with_security(config, security);
        self.phase = Phase::Greeting(Box::new(handshake), Unwritten::Nothing);
        self.readable = true;
        if self.origin == Origin::Accepted {
            return Flow::Again;
        }
        match self.write_greeting(now) {
            // Something may have come before we were ready for it.
            Flow::Idle => Flow::Again,
            flow => flow,
        }
    }

    /// Nothing more is here: says what there is to say, which is the beginning where the peer has not said any.
    pub(super) fn greet_unheard(&mut self, now: Instant) -> Flow {
        match &self.phase {
            Phase::Greeting(handshake, unwritten) if unwritten.is_nothing() && handshake.has_output() => {
                self.write_greeting(now)
            }
            _ => Flow::Idle,
        }
    }

    /// Reads what a peer says that nobody has let in yet: little at once, so that it makes us keep no more than that of what lies behind.
    pub(super) fn read_handshake(&mut self, landing: &mut Landing, now: Instant) -> Flow {
        loop {
            let Phase::Greeting(handshake, unwritten) = &self.phase else { return Flow::Again };
            // While somebody judges it, what comes is kept, and a peer that hangs up is noticed. The socket takes no peer in before all of our
            // greeting is out.
            if self.early.is_some() || (handshake.is_done() && !unwritten.is_nothing()) {
                return self.pause(now);
            }
            self.paused = false;
            let spare = landing.spare(self.core.read_bytes().min(HANDSHAKE_READ_BYTES));
            let room = spare.len();
            let count = match self.stream.read(spare) {
                Ok(Read::Bytes(count)) => count,
                Ok(Read::WouldBlock) => return self.read_everything(now),
                Ok(Read::End) => return Flow::End(Farewell::PeerClosed),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Flow::End(farewell_of(error)),
            };
            self.heartbeat.last_heard = now;
            match self.read_greeting(landing, count) {
                Flow::Idle => {}
                flow => return flow,
            }
            if self.stream.is_drained_by(count, room) {
                return self.read_everything(now);
            }
        }
    }

    fn read_greeting(&mut self, landing: &mut Landing, count: usize) -> Flow {
        let Phase::Greeting(handshake, _) = &mut self.phase else { return Flow::Idle };
        let input = landing.peek(count);
        let consumed = match handshake.handle_input(input) {
            Ok(consumed) => consumed,
            Err(error) => {
                // Tells the peer why, if it still listens.
                self.write_greeting(self.heartbeat.last_heard);
                return Flow::End(Farewell::Wire(error));
            }
        };
        if consumed < count {
            self.early = Some(Box::new(Slice::copy_from(&input[consumed..])));
        }
        self.write_greeting(self.heartbeat.last_heard)
    }

    /// Writes what the handshake has to say; once it is done and said, the socket takes the peer in.
    pub(super) fn write_greeting(&mut self, now: Instant) -> Flow {
        let Phase::Greeting(handshake, unwritten) = &mut self.phase else { return Flow::Idle };
        loop {
            let batch = match std::mem::take(unwritten) {
                Unwritten::Rest(batch) => *batch,
                Unwritten::WithDriver => {
                    *unwritten = Unwritten::WithDriver;
                    return Flow::Idle;
                }
                Unwritten::Nothing => {
                    if let Some(candidate) = handshake.candidate() {
                        match self.core.judge(candidate) {
                            Ok(()) => handshake.admit(),
                            Err(why) => return self.refuse(why),
                        }
                    }
                    let mut output = Vec::new();
                    handshake.poll_output(&mut output);
                    if output.is_empty() {
                        break;
                    }
                    Batch::from(output)
                }
            };
            match write(&self.stream, batch) {
                Ok(rest) => *unwritten = rest,
                Err(error) => return Flow::End(farewell_of(error)),
            }
            if !unwritten.is_nothing() {
                return Flow::Idle;
            }
        }
        if let Some(credentials) = handshake.question() {
            return self.have_judged(credentials, now);
        }
        if handshake.is_done() { self.establish(now) } else { Flow::Idle }
    }

    /// Tells the peer why it is turned away, if it is one whose dialer can say so and tries again all the same.
    fn refuse(&mut self, why: AttachRefusal) -> Flow {
        let Phase::Greeting(handshake, _) = &mut self.phase else { return Flow::Idle };
        let routing_id = handshake.candidate().map(|peer| peer.identity.clone()).unwrap_or_default();
        handshake.refuse(reason_for_peer(why));
        let mut output = Vec::new();
        handshake.poll_output(&mut output);
        // The connection ends in any case; whoever cannot be told anything is not told why.
        let _ = write(&self.stream, Batch::from(output));
        if why != AttachRefusal::PairTaken {
            self.core.tell_refused(self.endpoint.clone(), &routing_id, Some(why));
        }
        Flow::End(Farewell::TurnedAway(why.to_string()))
    }

    fn establish(&mut self, now: Instant) -> Flow {
        let Phase::Greeting(handshake, _) = &mut self.phase else { return Flow::Idle };
        let Some(peer) = handshake.poll_peer() else { return Flow::Idle };
        let channel = handshake.take_channel();
        if channel.is_some() != self.settings.security.encrypts() {
            // It would go on in clear. A mistake of ours, and not to be made up for.
            return Flow::End(Farewell::TurnedAway("its connection has no keys to encrypt with".to_owned()));
        }
        self.take_in(now, peer, channel)
    }

    /// It is known who the peer is, or that nothing more is going to be known.
    fn take_in(&mut self, now: Instant, peer: handshake::Peer, channel: Option<Channel>) -> Flow {
        let (version, has_heartbeats) = (peer.version, peer.heartbeats);
        let (sealer, opener) = channel.map(|Channel { sealer, opener }| (sealer, opener)).unzip();
        let Judging { user, public_key, .. } = self.judging.take().map(|found| *found).unwrap_or_default();
        let mut introduced = match self.core.is_raw() || self.has_datagrams() {
            true => Peer::unknown(self.peer_address(), self.credentials),
            false => Peer::introduced(&peer, self.peer_address(), self.credentials),
        };
        introduced.is_judged(user, public_key);
        let introduced = Arc::new(introduced);
        let arrival = Arrival {
            key: self.stream.key(),
            writer: self.stream.writer(),
            sealer,
            datagrams: self.datagrams.as_deref().copied(),
            handshake: peer,
            peer: Arc::clone(&introduced),
            endpoint: self.endpoint.clone(),
            pipe: self.pipe,
        };
        match self.core.attach_connection(arrival) {
            Ok(pipe) => {
                self.pipe = Some(pipe);
                self.phase = Phase::Open;
                self.has_heartbeats = has_heartbeats;
                let incoming = match (opener, version) {
                    (Some(opener), _) => Some(Incoming::Sealed(opener)),
                    _ if self.has_datagrams() => None,
                    _ if self.core.is_raw() => {
                        let max_message_bytes = self.settings.max_message_bytes;
                        Some(Incoming::Octets { max_message_bytes })
                    }
                    (None, Version::V1_0) => Some(Incoming::v1()),
                    _ => None,
                };
                self.incoming = incoming.map(Box::new);
                self.is_special |= self.incoming.is_some();
                self.core.monitor.tell(|| EventKind::Established {
                    endpoint: self.endpoint.clone(),
                    registration: number(self.key()),
                    peer_address: self.peer_address(),
                    socket_type: introduced.socket_type,
                    routing_id: introduced.routing_id.clone(),
                    version: introduced.version.map_or((0, 0), Version::numbers),
                    peer: Arc::clone(&introduced),
                });
                self.introduced = Some(introduced);
                let pace = self.pace();
                let next = if self.has_heartbeats { self.heartbeat.begin(now, pace) } else { None };
                // What came behind the handshake waits to be read, and so may more.
                self.readable = true;
                Flow::Established(next)
            }
            Err(why) => Flow::End(Farewell::TurnedAway(why.to_string())),
        }
    }
}

/// As RFC 37 wants it in an ERROR: visible characters.
fn reason_for_peer(why: AttachRefusal) -> &'static str {
    match why {
        AttachRefusal::PairTaken => "this-PAIR-has-a-peer",
        AttachRefusal::DuplicateRoutingId => "routing-id-is-taken",
        AttachRefusal::ReservedRoutingId => "routing-id-is-reserved",
        _ => "not-accepted",
    }
}
