//! libzmq as a competitor.

use std::{
    ffi::{CString, c_int, c_void},
    ptr,
};

use super::{
    Kind, Library, Setup, Socket, fresh_endpoint,
    libzmq_api::{Api, RawMessage},
};
use crate::{Error, Transport, load::Counter};

const ZMQ_IO_THREADS: c_int = 1;
const ZMQ_MAX_SOCKETS: c_int = 2;
const ZMQ_SUBSCRIBE: c_int = 6;
const ZMQ_BACKLOG: c_int = 19;
const ZMQ_SNDHWM: c_int = 23;
const ZMQ_RCVHWM: c_int = 24;
const ZMQ_LAST_ENDPOINT: c_int = 32;
const ZMQ_XPUB_NODROP: c_int = 69;
const ZMQ_SNDMORE: c_int = 2;

/// The longest address that its ROUTER makes up, and more.
const ADDRESS_BYTES: usize = 32;

/// Its version, if it is installed.
pub(crate) fn version() -> Option<String> {
    let (major, minor, patch) = Api::load().ok()?.version();
    Some(format!("{major}.{minor}.{patch}"))
}

/// One context with one I/O thread. Never terminated: measured processes simply end.
pub(crate) struct Libzmq {
    api: &'static Api,
    context: *mut c_void,
    setup: Setup,
}

impl Library for Libzmq {
    type Socket = ZmqSocket;

    fn open(setup: &Setup) -> Result<Self, Error> {
        let api = Api::load()?;
        // SAFETY: no arguments; the context is never terminated, so it outlives every socket.
        let context = unsafe { (api.ctx_new)() };
        if context.is_null() {
            return Err(api.last_error("creating a context"));
        }
        // SAFETY: the context was created above and contexts may be used from any thread.
        check(api, "setting the I/O threads", unsafe { (api.ctx_set)(context, ZMQ_IO_THREADS, 1) })?;
        let sockets = setup.connections.max(1000) as c_int;
        // SAFETY: as above.
        check(api, "setting the number of sockets", unsafe {
            (api.ctx_set)(context, ZMQ_MAX_SOCKETS, sockets)
        })?;
        Ok(Libzmq { api, context, setup: setup.clone() })
    }

    fn bind(&self, kind: Kind, transport: Transport) -> Result<(ZmqSocket, String), Error> {
        let socket = self.socket(kind)?;
        let endpoint = c_string(&fresh_endpoint(transport));
        // SAFETY: the socket is live and used by this thread alone; the string ends in a zero and
        // outlives the call.
        check(self.api, "binding", unsafe { (self.api.bind)(socket.handle, endpoint.as_ptr()) })?;
        let endpoint = socket.last_endpoint()?;
        Ok((socket, endpoint))
    }

    fn connect(&self, kind: Kind, endpoint: &str) -> Result<ZmqSocket, Error> {
        let socket = self.socket(kind)?;
        let endpoint = c_string(endpoint);
        // SAFETY: as for bind.
        check(self.api, "connecting", unsafe { (self.api.connect)(socket.handle, endpoint.as_ptr()) })?;
        Ok(socket)
    }
}

impl Libzmq {
    fn socket(&self, kind: Kind) -> Result<ZmqSocket, Error> {
        let number = match kind {
            Kind::Pub => 1,
            Kind::Sub => 2,
            Kind::Req => 3,
            Kind::Rep => 4,
            Kind::Dealer => 5,
            Kind::Router => 6,
            Kind::Pull => 7,
            Kind::Push => 8,
        };
        // SAFETY: the context is live for the whole process.
        let handle = unsafe { (self.api.socket)(self.context, number) };
        if handle.is_null() {
            return Err(self.api.last_error("creating a socket"));
        }
        let mut message = Box::new(RawMessage([0; 64]));
        // SAFETY: initialises the 64 bytes behind the pointer, which live in a box of the socket.
        check(self.api, "initialising a message", unsafe { (self.api.msg_init)(&mut *message) })?;
        let socket = ZmqSocket { api: self.api, handle, message, addressed: kind == Kind::Router };
        // What a SUB sends are its subscriptions, and those beyond the mark are lost.
        let send_mark = if kind == Kind::Sub { 0 } else { self.setup.high_water_mark };
        socket.set_int(ZMQ_SNDHWM, send_mark as c_int)?;
        socket.set_int(ZMQ_RCVHWM, self.setup.high_water_mark as c_int)?;
        socket.set_int(ZMQ_BACKLOG, self.setup.connections.max(100) as c_int)?;
        if kind == Kind::Pub && self.setup.no_drop {
            socket.set_int(ZMQ_XPUB_NODROP, 1)?;
        }
        Ok(socket)
    }
}

pub(crate) struct ZmqSocket {
    api: &'static Api,
    handle: *mut c_void,
    message: Box<RawMessage>,
    /// Every message begins with a part that is an address.
    addressed: bool,
}

// SAFETY: libzmq lets a socket move to another thread if a full fence lies between; spawning the
// worker that takes it is one. `&mut self` keeps two threads from using it at once, and the boxed
// message is reached through the socket only.
unsafe impl Send for ZmqSocket {}

impl ZmqSocket {
    fn set_int(&self, option: c_int, value: c_int) -> Result<(), Error> {
        // SAFETY: the socket is live and on this thread; the call reads one integer from a local.
        check(self.api, "setting an option", unsafe {
            (self.api.setsockopt)(self.handle, option, ptr::from_ref(&value).cast(), size_of::<c_int>())
        })
    }

    fn last_endpoint(&self) -> Result<String, Error> {
        let mut text = [0_u8; 512];
        let mut length = text.len();
        // SAFETY: the call writes at most `length` bytes into the local array, and the new length.
        check(self.api, "asking for the endpoint", unsafe {
            (self.api.getsockopt)(self.handle, ZMQ_LAST_ENDPOINT, text.as_mut_ptr().cast(), &mut length)
        })?;
        let text = &text[..length.saturating_sub(1)];
        Ok(String::from_utf8_lossy(text).into_owned())
    }
}

impl Socket for ZmqSocket {
    fn send(&mut self, body: &[u8]) -> Result<u64, Error> {
        self.send_part(body, 0)?;
        Ok(1)
    }

    fn recv(&mut self, counter: &mut Counter) -> Result<(), Error> {
        if self.addressed {
            self.recv_part()?;
        }
        self.recv_part()?;
        counter.message(self.body());
        Ok(())
    }

    fn echo(&mut self, counter: &mut Counter) -> Result<(), Error> {
        let mut address = [0_u8; ADDRESS_BYTES];
        // SAFETY: the socket is live and used by one thread; the call writes at most the array's length into it.
        let length = unsafe { (self.api.recv)(self.handle, address.as_mut_ptr().cast(), ADDRESS_BYTES, 0) };
        if length < 0 {
            return Err(self.api.last_error("receiving an address"));
        }
        self.recv_part()?;
        counter.message(self.body());
        self.send_part(&address[..(length as usize).min(ADDRESS_BYTES)], ZMQ_SNDMORE)?;
        // Gives the received message away without a copy, and leaves an empty one.
        // SAFETY: the message was initialised with the socket; the socket is used by one thread.
        if unsafe { (self.api.msg_send)(&mut *self.message, self.handle, 0) } < 0 {
            return Err(self.api.last_error("sending"));
        }
        Ok(())
    }

    fn subscribe(&mut self, topic: &[u8]) -> Result<(), Error> {
        // SAFETY: the socket is live and on this thread; the call reads the topic's bytes.
        check(self.api, "subscribing", unsafe {
            (self.api.setsockopt)(self.handle, ZMQ_SUBSCRIBE, topic.as_ptr().cast(), topic.len())
        })
    }
}

impl ZmqSocket {
    #[inline]
    fn send_part(&mut self, body: &[u8], flags: c_int) -> Result<(), Error> {
        // SAFETY: the socket is live and used by one thread; libzmq copies the body in the call.
        let sent = unsafe { (self.api.send)(self.handle, body.as_ptr().cast(), body.len(), flags) };
        if sent < 0 { Err(self.api.last_error("sending")) } else { Ok(()) }
    }

    #[inline]
    fn recv_part(&mut self) -> Result<(), Error> {
        let message: *mut RawMessage = &mut *self.message;
        // SAFETY: the message was initialised with the socket; receiving releases what it held.
        let received = unsafe { (self.api.msg_recv)(message, self.handle, 0) };
        if received < 0 { Err(self.api.last_error("receiving")) } else { Ok(()) }
    }

    #[inline]
    fn body(&mut self) -> &[u8] {
        let message: *mut RawMessage = &mut *self.message;
        // SAFETY: the data belongs to the message until the next receive into it, which needs the socket that is borrowed here.
        unsafe {
            let data = (self.api.msg_data)(message).cast::<u8>();
            std::slice::from_raw_parts(data, (self.api.msg_size)(message))
        }
    }
}

fn check(api: &Api, doing: &'static str, result: c_int) -> Result<(), Error> {
    if result == 0 { Ok(()) } else { Err(api.last_error(doing)) }
}

fn c_string(text: &str) -> CString {
    CString::new(text).expect("endpoints made here contain no zero")
}
