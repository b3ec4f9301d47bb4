//! nng as a competitor: the patterns that it shares with ZeroMQ, over its own protocol.

use std::ffi::{CStr, CString, c_int};

use super::{
    Kind, Library, Setup, Socket, fresh_endpoint,
    nng_api::{Api, Id},
};
use crate::{Error, Transport, load::Counter};

/// The longest queue that it allows.
const MOST_QUEUED: u32 = 8192;

/// Its threads are its own affair: it has no number of I/O threads to set.
pub(crate) struct Nng {
    api: &'static Api,
    setup: Setup,
}

impl Library for Nng {
    type Socket = NngSocket;

    fn open(setup: &Setup) -> Result<Self, Error> {
        Ok(Nng { api: Api::load()?, setup: setup.clone() })
    }

    fn bind(&self, kind: Kind, transport: Transport) -> Result<(NngSocket, String), Error> {
        let socket = self.socket(kind)?;
        let endpoint = fresh_endpoint(transport);
        let name = c_string(&endpoint);
        let mut listener: Id = 0;
        // SAFETY: the socket is open; the string ends in a zero and outlives the call; the listener's number is written to a local.
        let code = unsafe { (self.api.listen)(socket.id, name.as_ptr(), &mut listener, 0) };
        self.api.check("listening", code)?;
        if transport != Transport::Tcp {
            return Ok((socket, endpoint));
        }
        let mut port: c_int = 0;
        // SAFETY: the listener is open; the port is written to a local.
        self.api.check("asking for the port", unsafe {
            (self.api.listener_int)(listener, c"tcp-bound-port".as_ptr(), &mut port)
        })?;
        Ok((socket, format!("tcp://127.0.0.1:{port}")))
    }

    fn connect(&self, kind: Kind, endpoint: &str) -> Result<NngSocket, Error> {
        let socket = self.socket(kind)?;
        let endpoint = c_string(endpoint);
        let mut dialer: Id = 0;
        // SAFETY: as for listening.
        let code = unsafe { (self.api.dial)(socket.id, endpoint.as_ptr(), &mut dialer, 0) };
        self.api.check("connecting", code)?;
        Ok(socket)
    }
}

impl Nng {
    fn socket(&self, kind: Kind) -> Result<NngSocket, Error> {
        let open = match kind {
            Kind::Push => self.api.push,
            Kind::Pull => self.api.pull,
            Kind::Req => self.api.req,
            Kind::Rep => self.api.rep,
            Kind::Pub => self.api.publisher,
            Kind::Sub => self.api.subscriber,
            Kind::Dealer | Kind::Router => {
                return Err(Error::Absent("it has no DEALER and ROUTER, and does not speak ZMTP".into()));
            }
        };
        let mut id: Id = 0;
        // SAFETY: the new socket's number is written to a local.
        self.api.check("creating a socket", unsafe { open(&mut id) })?;
        let socket = NngSocket { api: self.api, id };
        let queued = self.setup.high_water_mark.min(MOST_QUEUED) as c_int;
        for queue in [c"send-buffer", c"recv-buffer"] {
            socket.set_queue(queue, queued);
        }
        // SAFETY: the socket is open; zero means that no message is too large.
        self.api.check("allowing large messages", unsafe {
            (self.api.set_size)(id, c"recv-size-max".as_ptr(), 0)
        })?;
        Ok(socket)
    }
}

/// Never closed: measured processes simply end.
pub(crate) struct NngSocket {
    api: &'static Api,
    id: Id,
}

impl NngSocket {
    /// Not every pattern has both queues, and what it does not have cannot be set.
    fn set_queue(&self, name: &CStr, messages: c_int) {
        // SAFETY: the socket is open; the name ends in a zero.
        let _ = unsafe { (self.api.set_int)(self.id, name.as_ptr(), messages) };
    }
}

impl Socket for NngSocket {
    fn send(&mut self, body: &[u8]) -> Result<u64, Error> {
        // SAFETY: the socket is open; without flags nng copies the body in the call.
        let code = unsafe { (self.api.send)(self.id, body.as_ptr().cast(), body.len(), 0) };
        self.api.check("sending", code)?;
        Ok(1)
    }

    fn recv(&mut self, counter: &mut Counter) -> Result<(), Error> {
        let mut message = std::ptr::null_mut();
        // SAFETY: the socket is open; the message's address is written to a local, and the message is ours then.
        self.api.check("receiving", unsafe { (self.api.recvmsg)(self.id, &mut message, 0) })?;
        // SAFETY: the message is ours until it is freed below, on this thread, after the last look at its body.
        unsafe {
            let body = std::slice::from_raw_parts((self.api.msg_body)(message), (self.api.msg_len)(message));
            counter.message(body);
            (self.api.msg_free)(message);
        }
        Ok(())
    }

    fn subscribe(&mut self, topic: &[u8]) -> Result<(), Error> {
        // SAFETY: the socket is open; the call copies the topic's bytes.
        self.api.check("subscribing", unsafe {
            (self.api.set)(self.id, c"sub:subscribe".as_ptr(), topic.as_ptr().cast(), topic.len())
        })
    }

    fn share(&self) -> Result<Self, Error> {
        Ok(NngSocket { api: self.api, id: self.id })
    }
}

fn c_string(text: &str) -> CString {
    CString::new(text).expect("endpoints made here contain no zero")
}
