//! A handler of the application that judges peers, reached as libzmq reaches it: by messages over `inproc://zeromq.zap.01` (RFC 27).
//!
//! Each question is a socket of the library's own, for as long as it stands. It takes no thread: the handler's reply wakes it.

mod wire;

use std::fmt;
use std::sync::{Arc, Mutex};
use std::task::{Wake, Waker};
use std::time::Duration;

use serverlink_message::{Message, SocketType};

use crate::context::core::ContextCore;
use crate::context::registry::Bound;
use crate::options::{Linger, Options};
use crate::security::{Answer, AuthRequest, Denial, Opinion};
use crate::socket::Socket;
use crate::socket::core::Core;
use crate::sync::Registration;
use crate::sync::later::run_later;

/// Where a handler binds, in the context of the sockets whose peers it judges.
const NAME: &str = "zeromq.zap.01";

/// A question to a handler. Dropping it takes it back.
pub(crate) struct Question(Arc<Task>);

/// What goes on for one question.
struct Task(Mutex<Option<Asked>>);

/// To be dropped without the task's lock, and in this order: a socket that closes wakes whoever waits on it.
struct Asked {
    registration: Option<Registration>,
    socket: Socket,
    answer: Answer,
}

/// Asks the handler, if there is one. Something at its place that cannot answer is not nobody: whoever bound it wanted peers to be judged.
pub(crate) fn ask(
    context: &Arc<ContextCore>,
    request: AuthRequest,
    answer: impl FnOnce() -> Answer,
) -> Option<Opinion> {
    let bound = context.registry.lock().bound_for(NAME, SocketType::Dealer);
    let handler = match bound {
        Bound::Nobody => return None,
        Bound::OfAnotherType => return Some(Opinion::Denied(Denial::Failed)),
        Bound::Closing => return Some(Opinion::Denied(Denial::Temporary)),
        Bound::By(handler) => handler,
    };
    if is_overrun(&handler) {
        return Some(Opinion::Denied(Denial::Temporary));
    }
    let options = Options { linger: Linger::For(Duration::ZERO), ..Options::default() };
    let socket = Socket::open_internal(SocketType::Dealer, options, Arc::clone(context));
    let asked = Asked { registration: None, socket, answer: answer() };
    let task = Arc::new(Task(Mutex::new(Some(asked))));
    // The handler is woken, which is for when this thread has let go of its locks.
    let asking = Arc::clone(&task);
    run_later(move || asking.begin(&request));
    Some(Opinion::Later(Some(Question(task))))
}

/// What was asked lies with the handler until it looks, also where nobody waits for the answer any more; so a handler that does not look must
/// not be asked for ever.
fn is_overrun(handler: &Core) -> bool {
    let most = handler.options.recv_hwm as usize;
    most != 0 && handler.recv.lock().rings.len() >= most
}

impl Task {
    fn begin(self: &Arc<Self>, request: &AuthRequest) {
        let sent = match &*self.lock() {
            Some(asked) => asked
                .socket
                .connect(&format!("inproc://{NAME}"))
                .and_then(|()| asked.socket.try_send(wire::request(request)).map_err(|failed| failed.error)),
            None => return,
        };
        match sent {
            Ok(()) => self.look(),
            Err(_) => self.end(None),
        }
    }

    /// Takes the reply, if it is here; otherwise it will wake us.
    fn look(self: &Arc<Self>) {
        let mut guard = self.lock();
        let Some(asked) = &mut *guard else { return };
        asked.registration = None;
        let mut found = asked.socket.try_recv();
        if matches!(found, Err(crate::Error::WouldBlock)) {
            let waker = Waker::from(Arc::clone(self));
            asked.registration = Some(asked.socket.core().readers.register_task(&waker));
            found = asked.socket.try_recv();
        }
        drop(guard);
        match found {
            Ok(reply) => self.end(Some(reply)),
            Err(crate::Error::WouldBlock) => {}
            Err(_) => self.end(None),
        }
    }

    fn end(&self, reply: Option<Message>) {
        let asked = self.lock().take();
        let Some(Asked { registration, socket, answer }) = asked else { return };
        drop(registration);
        drop(socket);
        answer.give(reply.map_or(Err(Denial::Failed), |reply| wire::verdict(&reply)));
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Asked>> {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl Wake for Task {
    fn wake(self: Arc<Self>) {
        self.look();
    }
}

impl Drop for Question {
    /// The connection has its answer, or is gone.
    fn drop(&mut self) {
        let task = Arc::clone(&self.0);
        run_later(move || {
            let asked = task.lock().take();
            drop(asked);
        });
    }
}

impl fmt::Debug for Question {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Question(..)")
    }
}
