mod reply;
mod request;

use serverlink_message::{Part, SocketType};

use crate::{PatternOptions, PipeId};
pub(crate) use reply::{Asker, Reply};
pub(crate) use request::Request;

/// Where a REQ or REP socket stands in its conversation (RFC 28), shared by both halves of the socket.
///
/// For every other type it is empty, and the shell need not lock it.
#[derive(Debug)]
pub struct Dialogue {
    state: State,
}

#[derive(Debug)]
enum State {
    None,
    Request(Request),
    Reply(Reply),
}

impl Dialogue {
    /// `seed` is where REQ's request numbers start; it should differ from one socket to the next, so that a reply
    /// to a socket that was closed is not taken for one to its successor.
    pub fn new(socket_type: SocketType, options: &PatternOptions, seed: u32) -> Dialogue {
        let state = match socket_type {
            SocketType::Req => State::Request(Request::new(options, seed)),
            SocketType::Rep => State::Reply(Reply::default()),
            _ => State::None,
        };
        Dialogue { state }
    }

    /// REQ: takes over how requests are numbered, and whether one may follow before the reply, from the next request on.
    pub fn reconfigure(&mut self, options: &PatternOptions) {
        if let State::Request(request) = &mut self.state {
            request.reconfigure(options);
        }
    }

    /// The pipe is gone: a reply owed to it will be dropped, one awaited from it will not come.
    ///
    /// The turn does not change, as in libzmq: REP still has to answer (nobody hears it), and a strict REQ still
    /// waits; [`is_reply_lost`](Self::is_reply_lost) tells the shell so.
    pub fn on_detach(&mut self, pipe: PipeId) {
        match &mut self.state {
            State::None => {}
            State::Request(request) => request.on_detach(pipe),
            State::Reply(reply) => reply.on_detach(pipe),
        }
    }

    /// REQ: the reply that is awaited can no longer come from the peer that was asked.
    pub fn is_reply_lost(&self) -> bool {
        matches!(&self.state, State::Request(request) if request.is_reply_lost())
    }

    pub(crate) fn prefix(&self) -> &[Part] {
        match &self.state {
            State::None => &[],
            State::Request(request) => request.prefix(),
            State::Reply(reply) => reply.envelope(),
        }
    }

    pub(crate) fn request(&self) -> &Request {
        match &self.state {
            State::Request(request) => request,
            _ => panic!("a REQ socket's dialogue is made for REQ: {self:?}"),
        }
    }

    pub(crate) fn request_mut(&mut self) -> &mut Request {
        match &mut self.state {
            State::Request(request) => request,
            other => panic!("a REQ socket's dialogue is made for REQ: {other:?}"),
        }
    }

    pub(crate) fn reply(&self) -> &Reply {
        match &self.state {
            State::Reply(reply) => reply,
            _ => panic!("a REP socket's dialogue is made for REP: {self:?}"),
        }
    }

    pub(crate) fn reply_mut(&mut self) -> &mut Reply {
        match &mut self.state {
            State::Reply(reply) => reply,
            other => panic!("a REP socket's dialogue is made for REP: {other:?}"),
        }
    }
}
