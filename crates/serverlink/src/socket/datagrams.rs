//! Datagrams: a RADIO sends them to a udp endpoint, a DISH receives them on one, a DGRAM does both.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use serverlink_driver::{DatagramOptions, Interface, Key, Remote, Stream};
use serverlink_message::SocketType;
use serverlink_message::chunk::Slice;
use serverlink_patterns::PipeId;
use serverlink_zmtp::datagram::{self, MAX_DATAGRAM_LEN};

use super::core::Core;
use super::endpoints::bind_error;
use crate::endpoint::Endpoint;
use crate::error::Error;
use crate::options::Options;
use crate::payload::Outgoing;
use crate::pipe::Inlet;
pub(super) use crate::pipe::outbox::datagrams::parse_address;
use crate::reactor::command::NewStream;
use crate::reactor::{Attention, Command};
use crate::report::Origin;
use crate::resolve;

/// What is to be done with an endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    Bind,
    Connect,
}

impl Core {
    /// Whether the socket's type has anything to do with such an endpoint.
    pub(super) fn check_transport(&self, endpoint: &Endpoint, purpose: Purpose) -> Result<(), Error> {
        use SocketType::{Dgram, Dish, Radio};
        let why = match (endpoint.is_udp(), self.kind, purpose) {
            (false, Dgram, _) => "it has datagrams alone; write udp://",
            (false, ..) | (true, Radio, Purpose::Connect) | (true, Dish | Dgram, Purpose::Bind) => "",
            (true, Radio, Purpose::Bind) => "over udp a RADIO connects, and its DISHes bind",
            (true, Dish, Purpose::Connect) => "over udp a DISH binds, and its RADIOs connect",
            (true, Dgram, Purpose::Connect) => {
                "it binds, to port * if any will do, and names the other end in each message"
            }
            (true, ..) => "datagrams are for RADIO, DISH and DGRAM; write tcp://",
        };
        let settings = self.settings();
        let is_protected = || !settings.security.is_none() || self.judges_credentials(&settings);
        match why {
            "" if endpoint.is_udp() && is_protected() => Err(self
                .wrong_transport(endpoint, "nothing protects datagrams, and its options ask for security")),
            "" => Ok(()),
            why => Err(self.wrong_transport(endpoint, why)),
        }
    }

    fn wrong_transport(&self, endpoint: &Endpoint, why: &'static str) -> Error {
        Error::WrongTransport { endpoint: endpoint.clone(), socket_type: self.kind, why }
    }

    /// Receives there from now on.
    pub(super) fn bind_datagrams(self: &Arc<Self>, endpoint: &Endpoint) -> Result<(Endpoint, Key), Error> {
        let settings = self.settings();
        let wanted = resolve::datagrams_to_bind(&self.env, endpoint, settings.ipv6)?;
        let home = self.home_reactor()?;
        let failed = |error| bind_error(endpoint, error);
        let (socket, local) =
            home.remote().open_datagrams(&with_settings(wanted, &settings)).map_err(failed)?;
        let stream = home.remote().adopt(socket).map_err(|refused| failed(refused.error))?;
        let (key, bound) = (stream.key(), resolve::bound_for_datagrams(endpoint, local));
        let topology = self.topology_of_open()?;
        if self.kind == SocketType::Dgram && !topology.pipes.is_empty() {
            return Err(self.wrong_transport(endpoint, "it is bound already, and has one address at a time"));
        }
        let (core, endpoint) = (Arc::clone(self), bound.clone());
        home.post(Command::TakeIn(Box::new(NewStream { core, stream, endpoint, origin: Origin::Bound })));
        drop(topology);
        Ok((bound, key))
    }

    /// A RADIO's messages have to fit from now on. Fails where there is no udp.
    pub(super) fn begin_sending_datagrams(self: &Arc<Self>, endpoint: &Endpoint) -> Result<(), Error> {
        if !self.home_reactor()?.remote().has_datagrams() {
            let source = std::io::Error::new(std::io::ErrorKind::Unsupported, "udp is not built in here yet");
            return Err(Error::Io { doing: "connecting", endpoint: Some(endpoint.clone()), source });
        }
        self.sends_datagrams.store(true, Ordering::Release);
        Ok(())
    }

    /// A message that goes out as a datagram has to fit into one.
    pub(super) fn check_fits_datagram(&self, outgoing: &Outgoing<'_>) -> Result<(), Error> {
        let (first, body) = (outgoing.first(), outgoing.last());
        let size = match self.kind {
            SocketType::Radio if self.sends_datagrams.load(Ordering::Acquire) => {
                datagram::len_of(first, body)
            }
            SocketType::Dgram => body.len(),
            _ => return Ok(()),
        };
        match size > MAX_DATAGRAM_LEN {
            true => Err(Error::TooLarge { size: size as u64, limit: MAX_DATAGRAM_LEN as u64 }),
            false => Ok(()),
        }
    }

    /// Whether another datagram may wait for the application.
    pub(crate) fn has_room_for_datagram(&self, pipe: PipeId) -> bool {
        match self.recv.lock().inlets.get(pipe) {
            Some(Inlet::Wire(inbox)) => inbox.has_room_for_datagram(),
            _ => true,
        }
    }

    /// One came. What is none of ours is dropped and counted, and so is what finds no room: nobody can be held back.
    pub(crate) fn take_datagram(&self, pipe: PipeId, from: SocketAddr, octets: &[u8], attention: Attention) {
        let mut recv = self.recv.lock();
        recv.received.bytes += octets.len() as u64;
        let sender;
        let message = if self.kind == SocketType::Dgram {
            sender = from.to_string();
            Some((sender.as_bytes(), octets))
        } else {
            datagram::parse(octets).ok().filter(|(group, _)| recv.receiver.has_joined(group))
        };
        let Some((first, body)) = message else {
            recv.received.discarded += 1;
            return;
        };
        let Some(Inlet::Wire(inbox)) = recv.inlets.get_mut(pipe) else { return };
        if !inbox.allows_message(first.len() + body.len()) {
            recv.received.discarded += 1;
            return;
        }
        if !inbox.has_room_for_datagram() {
            recv.received.at_high_water_mark += 1;
            return;
        }
        let mut frames = Vec::new();
        datagram::frame_incoming(first, body, &mut frames);
        inbox.handle_input(Slice::from(frames));
        // Whole and within its limits: there is nothing to find wrong.
        let _ = inbox.scan(drop);
        recv.receiver.set_readable(pipe, true);
        drop(recv);
        self.fresh.store(true, Ordering::Relaxed);
        if attention == Attention::Absent || self.readers.any_sleeper() {
            self.readers.notify_one_sleeper();
        }
    }
}

/// For sending to there alone.
pub(crate) fn sending_to(
    to: SocketAddr,
    interface: Option<&Interface>,
    settings: &Options,
) -> DatagramOptions {
    let any: IpAddr = if to.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
    let wanted =
        DatagramOptions { interface: interface.cloned(), ..DatagramOptions::on(SocketAddr::new(any, 0)) };
    with_settings(wanted, settings)
}

fn with_settings(wanted: DatagramOptions, settings: &Options) -> DatagramOptions {
    DatagramOptions {
        hops: Some(settings.udp.multicast_hops),
        loops_back: Some(settings.udp.multicast_loop),
        send_buffer: settings.send_buffer_bytes,
        receive_buffer: settings.receive_buffer_bytes,
        type_of_service: settings.tcp.type_of_service,
        device: settings.tcp.device.clone(),
        ..wanted
    }
}

/// A stream that has just been registered for sending.
pub(crate) fn open_for_sending(remote: &Remote, options: &DatagramOptions) -> std::io::Result<Stream> {
    let (socket, _local) = remote.open_datagrams(options)?;
    Ok(remote.adopt(socket)?)
}
