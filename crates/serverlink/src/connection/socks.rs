//! Reaching the peer through a SOCKS5 proxy, on the stream that will be the connection's.

use std::io;
use std::time::Instant;

use serverlink_driver::{Batch, Read};
use serverlink_zmtp::socks::{Credentials, MAX_MESSAGE_LEN, Negotiation, Target};

use super::{Connection, Flow, Phase, Unwritten, write};
use crate::endpoint::{Endpoint, Host, Port};
use crate::monitor::{Cause, Trouble};
use crate::options::Options;
use crate::reactor::Farewell;

impl Connection {
    /// Whether this stream leads to a proxy, or did.
    pub(crate) fn goes_through_proxy(&self) -> bool {
        self.dialer.is_some()
            && !self.settings.socks_proxy.is_empty()
            && matches!(self.endpoint, Endpoint::Tcp { .. })
    }

    /// The proxy is reached.
    pub(super) fn begin_asking(&mut self) -> Flow {
        match negotiation(&self.settings, &self.endpoint) {
            Ok(negotiation) => {
                self.phase = Phase::Asking(Box::new(negotiation), Unwritten::Nothing);
                self.readable = true;
                self.ask()
            }
            Err(why) => Flow::End(self.no_way(Cause::Refused, why)),
        }
    }

    /// Reads what the proxy says, and not an octet of what the peer says behind it. Nothing is read before all that it answers is out.
    pub(super) fn read_answer(&mut self, now: Instant) -> Flow {
        loop {
            let Phase::Asking(negotiation, unwritten) = &mut self.phase else { return Flow::Again };
            if !unwritten.is_nothing() {
                return Flow::Idle;
            }
            let mut room = [0; MAX_MESSAGE_LEN];
            let room = &mut room[..negotiation.wanted()];
            let count = match self.stream.read(room) {
                Ok(Read::Bytes(count)) => count,
                Ok(Read::WouldBlock) => return self.read_everything(now),
                Ok(Read::End) => {
                    let failure = negotiation.handle_end();
                    return Flow::End(self.no_way(Cause::Socks(failure), failure));
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Flow::End(self.farewell_of(error)),
            };
            match negotiation.handle_input(&room[..count]) {
                Ok(_) if negotiation.is_done() => return Flow::Reached,
                Ok(_) if negotiation.has_output() => return self.ask(),
                Ok(_) => {}
                Err(failure) => return Flow::End(self.no_way(Cause::Socks(failure), failure)),
            }
        }
    }

    /// Writes what is to be said; once it is out, the answer may be read.
    pub(super) fn ask(&mut self) -> Flow {
        let Phase::Asking(negotiation, unwritten) = &mut self.phase else { return Flow::Idle };
        let batch = match std::mem::take(unwritten) {
            Unwritten::Rest(batch) => *batch,
            Unwritten::WithDriver => {
                *unwritten = Unwritten::WithDriver;
                return Flow::Idle;
            }
            Unwritten::Nothing => {
                let mut output = Vec::new();
                negotiation.poll_output(&mut output);
                if output.is_empty() {
                    return Flow::Again;
                }
                Batch::from(output)
            }
        };
        match write(&self.stream, batch) {
            Ok(rest) => *unwritten = rest,
            Err(error) => return Flow::End(self.farewell_of(error)),
        }
        if unwritten.is_nothing() { Flow::Again } else { Flow::Idle }
    }

    /// The time of the attempt is over.
    pub(super) fn give_proxy_up(&self) -> Flow {
        let (cause, option) = match self.settings.connect_timeout {
            Some(_) => (Cause::ConnectTimeout, "connect_timeout"),
            None => (Cause::HandshakeTimeout, "handshake_timeout"),
        };
        let it_did = match self.phase {
            Phase::Connecting => "it was not reached",
            _ => "it gave no answer",
        };
        Flow::End(self.no_way(cause, format!("{it_did} within the {option}; check the proxy")))
    }

    /// What the system says of a stream that it gave up.
    pub(crate) fn farewell_of(&self, error: io::Error) -> Farewell {
        match self.phase {
            Phase::Connecting if self.goes_through_proxy() => {
                Farewell::Socks(Box::new(proxy_unreached(&self.settings, &self.endpoint, &error)))
            }
            Phase::Asking(..) => {
                self.no_way(Cause::System(error.kind()), format!("the connection to it broke: {error}"))
            }
            _ => Farewell::Io(error),
        }
    }

    fn no_way(&self, cause: Cause, why: impl std::fmt::Display) -> Farewell {
        Farewell::Socks(Box::new(no_way(&self.settings, &self.endpoint, cause, why)))
    }
}

/// A proxy that the system does not reach.
pub(crate) fn proxy_unreached(settings: &Options, target: &Endpoint, error: &io::Error) -> Trouble {
    let why = format!("it was not reached: {error}; check its address, and whether it is up");
    no_way(settings, target, Cause::System(error.kind()), why)
}

/// Why there is no way through the proxy, with all that the reader needs to know.
pub(crate) fn no_way(
    settings: &Options,
    target: &Endpoint,
    cause: Cause,
    why: impl std::fmt::Display,
) -> Trouble {
    let sentence = format!("the SOCKS5 proxy {} did not connect to {target}: {why}", settings.socks_proxy);
    Trouble { cause, sentence }
}

/// The question for a peer.
fn negotiation(settings: &Options, target: &Endpoint) -> Result<Negotiation, String> {
    let Endpoint::Tcp { host, port: Port::Number(port), .. } = target else {
        return Err("the endpoint names no port of a peer".to_owned());
    };
    let target = match host {
        Host::Ip(address) => Target::Ip(*address),
        Host::Name(name) => Target::Name(name),
        Host::Any => return Err("the endpoint names no peer".to_owned()),
    };
    let (username, password) = (&settings.socks_username[..], settings.socks_password.as_bytes());
    let credentials = (!username.is_empty()).then_some(Credentials { username, password });
    Negotiation::new(target, *port, credentials).map_err(|too_long| too_long.to_string())
}
