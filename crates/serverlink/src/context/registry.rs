//! The `inproc://` names of a context: who has bound one, and who waits for it.

use std::collections::BTreeMap;
use std::sync::Arc;

use serverlink_message::SocketType;
use serverlink_patterns::PipeId;

use crate::pipe::{RingInlet, RingOutlet};
use crate::socket::core::Core;

/// See the module's page.
#[derive(Default)]
pub(crate) struct Registry {
    names: BTreeMap<String, Name>,
}

#[derive(Default)]
struct Name {
    bound: Option<Arc<Core>>,
    waiting: Vec<Connecting>,
}

/// A socket that connected to a name, and the far ends of its rings, which will be the binder's.
pub(crate) struct Connecting {
    pub(crate) core: Arc<Core>,
    pub(crate) pipe: PipeId,
    pub(crate) outlet: RingOutlet,
    pub(crate) inlet: RingInlet,
}

/// What has become of a name, for whoever wants to talk to its holder.
pub(crate) enum Bound {
    /// It is free.
    Nobody,
    /// Its holder does not talk to sockets of the type that asks.
    OfAnotherType,
    /// Its holder is about to give it up.
    Closing,
    By(Arc<Core>),
}

impl Registry {
    /// Takes the name. Gives those who waited for it, or `None` if it is taken.
    pub(crate) fn bind(&mut self, name: &str, core: &Arc<Core>) -> Option<Vec<Connecting>> {
        let entry = self.names.entry(name.to_owned()).or_default();
        if entry.bound.is_some() {
            return None;
        }
        entry.bound = Some(Arc::clone(core));
        Some(std::mem::take(&mut entry.waiting))
    }

    /// Who has bound the name, and whether he would talk to a socket of this type.
    pub(crate) fn bound_for(&self, name: &str, socket_type: SocketType) -> Bound {
        match self.names.get(name).and_then(|entry| entry.bound.as_ref()) {
            None => Bound::Nobody,
            Some(core) if !core.kind.accepts(socket_type) => Bound::OfAnotherType,
            Some(core) if core.is_closing() => Bound::Closing,
            Some(core) => Bound::By(Arc::clone(core)),
        }
    }

    /// Gives the name up, if it is this socket's.
    pub(crate) fn unbind(&mut self, name: &str, core: &Arc<Core>) {
        if let Some(entry) = self.names.get_mut(name)
            && entry.bound.as_ref().is_some_and(|bound| Arc::ptr_eq(bound, core))
        {
            entry.bound = None;
            self.tidy(name);
        }
    }

    /// Who has bound the name; if nobody has, `connecting` waits for it.
    pub(crate) fn connect(&mut self, name: &str, connecting: Connecting) -> Option<(Arc<Core>, Connecting)> {
        let entry = self.names.entry(name.to_owned()).or_default();
        match &entry.bound {
            Some(core) if !core.is_closing() => Some((Arc::clone(core), connecting)),
            _ => {
                entry.waiting.push(connecting);
                None
            }
        }
    }

    /// This socket waits for nobody any more, or one pipe of it does not. Gives what waited, to be dropped
    /// without the registry's lock.
    pub(crate) fn stop_waiting(&mut self, core: &Arc<Core>, pipe: Option<PipeId>) -> Vec<Connecting> {
        let mut stopped = Vec::new();
        for entry in self.names.values_mut() {
            let is_its = |connecting: &mut Connecting| {
                Arc::ptr_eq(&connecting.core, core) && pipe.is_none_or(|pipe| connecting.pipe == pipe)
            };
            stopped.extend(entry.waiting.extract_if(.., is_its));
        }
        self.names.retain(|_, entry| !entry.is_empty());
        stopped
    }

    fn tidy(&mut self, name: &str) {
        if self.names.get(name).is_some_and(Name::is_empty) {
            self.names.remove(name);
        }
    }
}

impl Name {
    fn is_empty(&self) -> bool {
        self.bound.is_none() && self.waiting.is_empty()
    }
}
