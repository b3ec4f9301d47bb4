//! What a message has beside its bytes, in eight of them.

use std::ffi::{CStr, CString, c_char};
use std::mem::ManuallyDrop;
use std::ptr;
use std::sync::Arc;

use serverlink::Peer;

/// Says that the pointer leads to a box.
const BOXED: usize = 1;

const _: () = assert!(align_of::<Peer>() > BOXED && align_of::<Extra>() > BOXED);

/// Nothing, or who sent the message, or a box of all there can be: most messages have no more than a sender, and need no memory for that.
pub(super) struct Beside(*mut ());

/// What a part can have beside its bytes.
#[derive(Clone, Default)]
pub struct Extra {
    /// Who sent it.
    pub peer: Option<Arc<Peer>>,
    /// Which peer of a SERVER or PEER it is from or for; 0: none.
    pub routing_id: u32,
    /// Of RADIO and DISH.
    pub group: CString,
    /// Texts that were asked for, which stay as long as the message.
    texts: Vec<(CString, CString)>,
}

// SAFETY: it owns an `Arc<Peer>` or a box of `Extra`, and both may go to another thread.
unsafe impl Send for Beside {}

const _: fn() = || {
    fn may_go<T: Send>() {}
    may_go::<(Arc<Peer>, Box<Extra>)>();
};

impl Beside {
    pub(super) const NOTHING: Beside = Beside(ptr::null_mut());

    #[inline]
    pub(super) fn sender(peer: Option<Arc<Peer>>) -> Beside {
        peer.map_or(Beside::NOTHING, |peer| Beside(Arc::into_raw(peer).cast_mut().cast()))
    }

    fn boxed(extra: Box<Extra>) -> Beside {
        Beside(Box::into_raw(extra).cast::<()>().map_addr(|address| address | BOXED))
    }

    #[inline]
    pub(super) fn is_nothing(&self) -> bool {
        self.0.is_null()
    }

    #[inline]
    pub(super) fn is_boxed(&self) -> bool {
        self.0.addr() & BOXED != 0
    }

    fn as_boxed(&self) -> *mut Extra {
        self.0.map_addr(|address| address & !BOXED).cast()
    }

    /// Who sent it, if nothing else is here.
    #[inline]
    pub(super) fn peer(&self) -> Option<&Peer> {
        // SAFETY: without the bit, and not null, it came from `Arc::into_raw`, and that share is kept as long as this.
        (!self.0.is_null() && !self.is_boxed()).then(|| unsafe { &*self.0.cast_const().cast::<Peer>() })
    }

    /// What is boxed, if it is.
    #[inline]
    pub(super) fn extra(&self) -> Option<&Extra> {
        // SAFETY: the bit says that it is a box, which lives as long as this.
        self.is_boxed().then(|| unsafe { &*self.as_boxed() })
    }

    /// The same, in a box from now on.
    pub(super) fn extra_mut(&mut self) -> &mut Extra {
        if !self.is_boxed() {
            let peer = self.take_sender();
            *self = Beside::boxed(Box::new(Extra { peer, ..Extra::default() }));
        }
        // SAFETY: as in `extra`, and nobody else looks at it.
        unsafe { &mut *self.as_boxed() }
    }

    fn take_sender(&mut self) -> Option<Arc<Peer>> {
        let taken = ManuallyDrop::new(std::mem::replace(self, Beside::NOTHING));
        // SAFETY: without the bit, and not null, it came from `Arc::into_raw`, and is not dropped again.
        (!taken.0.is_null()).then(|| unsafe { Arc::from_raw(taken.0.cast_const().cast()) })
    }

    /// A property of the sender: `None` if there is none. The text stays as long as the message.
    pub(super) fn property(&mut self, name: &CStr) -> Option<*const c_char> {
        if self.0.is_null() { None } else { self.extra_mut().property(name) }
    }
}

impl Clone for Beside {
    fn clone(&self) -> Beside {
        if let Some(extra) = self.extra() {
            return Beside::boxed(Box::new(extra.clone()));
        }
        if !self.0.is_null() {
            // SAFETY: as in `take_sender`; the copy is one more owner.
            unsafe { Arc::increment_strong_count(self.0.cast_const().cast::<Peer>()) };
        }
        Beside(self.0)
    }
}

impl Drop for Beside {
    #[inline]
    fn drop(&mut self) {
        if self.is_boxed() {
            // SAFETY: it came from `Box::into_raw`.
            drop(unsafe { Box::from_raw(self.as_boxed()) });
        } else if !self.0.is_null() {
            // SAFETY: it came from `Arc::into_raw`.
            drop(unsafe { Arc::from_raw(self.0.cast_const().cast::<Peer>()) });
        }
    }
}

impl Extra {
    fn property(&mut self, name: &CStr) -> Option<*const c_char> {
        if let Some((_, value)) = self.texts.iter().find(|(known, _)| known.as_c_str() == name) {
            return Some(value.as_ptr());
        }
        let value = self.find(name.to_str().ok()?)?;
        let end = value.iter().position(|&octet| octet == 0).unwrap_or(value.len());
        let text = CString::new(&value[..end]).expect("it ends at its first zero");
        self.texts.push((name.to_owned(), text));
        self.texts.last().map(|(_, value)| value.as_ptr())
    }

    fn find(&self, name: &str) -> Option<Vec<u8>> {
        let peer = self.peer.as_ref()?;
        match name {
            "Peer-Address" => match peer.address.as_ref()? {
                serverlink::Endpoint::Tcp { host: serverlink::Host::Ip(address), .. } => {
                    Some(address.to_string().into_bytes())
                }
                _ => None,
            },
            "Routing-Id" => Some(peer.routing_id.clone()),
            _ => peer.property(name).map(<[u8]>::to_vec),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_a_sender_and_a_box() {
        let context = serverlink::Context::new().expect("a context");
        let pull = context.pull().open().expect("a socket");
        pull.bind("inproc://beside").expect("a name of its own");
        let push = context.push().metadata("X-Zone", "north").open().expect("a socket");
        push.connect("inproc://beside").expect("it is bound");
        push.send("hello").expect("room");
        let (_, peer) = pull.recv_with_peer().expect("a message");
        let peer = peer.expect("it came from a peer");

        let mut nothing = Beside::NOTHING;
        assert!(nothing.property(c"X-Zone").is_none() && nothing.clone().extra().is_none());
        let before = Arc::strong_count(&peer);
        let sender = Beside::sender(Some(Arc::clone(&peer)));
        let mut boxed = sender.clone();
        assert_eq!(Arc::strong_count(&peer), before + 2);
        boxed.extra_mut().routing_id = 7;
        let mut copy = boxed.clone();
        let text = copy.property(c"X-Zone").expect("the peer said so");
        // SAFETY: the text stays as long as `copy`.
        assert_eq!(unsafe { CStr::from_ptr(text) }, c"north");
        assert_eq!(copy.extra().map(|extra| extra.routing_id), Some(7));
        assert!(sender.extra().is_none());
        drop((sender, boxed, copy));
        assert_eq!(Arc::strong_count(&peer), before);
    }
}
