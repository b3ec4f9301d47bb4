//! Options that change while a socket is open: what holds for whom, and since when.

use std::sync::Arc;

use super::core::{Core, PeerEnd, SendSide, pattern_options};
use super::{Socket, core};
use crate::error::Error;
use crate::options::Options;
use crate::pipe::high_water::HighWater;
use crate::pipe::{Inlet, Outlet};

impl Socket {
    /// Changes the options of an open socket, where they can change. [`options`](Socket::options) goes on telling what it was opened with.
    ///
    /// - At once, and for the peers that are there: `send_hwm`, `recv_hwm` and their bytes; ROUTER: `router_mandatory`, `router_handover`,
    ///   `router_notify_connect`, `router_notify_disconnect`; REQ: `req_correlate`, `req_relaxed`; PUB, XPUB: `xpub_no_drop`, `invert_matching`; SUB:
    ///   `invert_matching`; XPUB: `xpub_verbose`, `xpub_verboser`, and `xpub_manual` and `xpub_manual_last_value` to be turned on.
    ///   A queue that is longer than a mark says now keeps what it has.
    /// - For what is bound and connected from now on, and all connections that come of it: everything that is said or set when a connection is made:
    ///   `routing_id`, `metadata`, `security`, `zap_domain`, `handshake_timeout`, `connect_timeout`, heartbeats, `max_message_bytes`, buffers, `tcp`, `backlog`, `ipv6`,
    ///   `accept_filters`, the SOCKS5 proxy, pauses between attempts to connect. What is there keeps what it was made with.
    /// - For whoever comes from now on: `welcome_message`.
    /// - Never: everything else, among it hello messages, `conflate`, `affinity` and the timeouts of calls.
    ///
    /// # Errors
    /// [`Error::InvalidOption`] as for a socket that is opened with them, [`Error::Closed`], [`Error::Terminated`], [`Error::Forked`]. Nothing changed.
    ///
    /// ```
    /// use serverlink::{Context, Error, Options};
    ///
    /// let context = Context::new()?;
    /// let router = context.router().open()?;
    /// router.send_to(b"nobody", "dropped")?;
    /// let options = Options { router_mandatory: true, ..router.options().clone() };
    /// router.as_socket().reconfigure(&options)?;
    /// assert!(router.send_to(b"nobody", "refused").is_err());
    /// # Ok::<(), Error>(())
    /// ```
    pub fn reconfigure(&self, options: &Options) -> Result<(), Error> {
        options.validate_for(self.core.kind)?;
        self.core.check_open()?;
        let patterns = pattern_options(options, 0);
        self.core.send.lock().sender.reconfigure(&patterns);
        self.core.recv.lock().receiver.reconfigure(&patterns);
        if let Some(dialogue) = &self.core.dialogue {
            dialogue.lock().reconfigure(&patterns);
        }
        let before = std::mem::replace(&mut *self.core.settings.lock(), Arc::new(options.clone()));
        if Marks::of(&before) != Marks::of(options) {
            self.core.apply_marks();
        }
        // What was refused, or had to wait, may be possible now.
        self.core.writers.notify_all();
        Ok(())
    }
}

/// Of both directions.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Marks {
    pub(super) send: HighWater,
    pub(super) recv: HighWater,
}

impl Marks {
    fn of(options: &Options) -> Marks {
        Marks {
            send: HighWater::from_options(options.send_hwm, options.send_hwm_bytes),
            recv: HighWater::from_options(options.recv_hwm, options.recv_hwm_bytes),
        }
    }
}

impl Core {
    /// What is bound and connected now is made with these.
    pub(crate) fn settings(&self) -> Arc<Options> {
        Arc::clone(&self.settings.lock())
    }

    pub(super) fn marks(&self) -> Marks {
        Marks::of(&self.settings.lock())
    }

    fn apply_marks(self: &Arc<Self>) {
        let rings = self.apply_send_marks();
        self.apply_recv_marks();
        // A ring has one mark, of both its ends.
        for PeerEnd { core: peer, pipe } in rings {
            let (to_peer, from_peer) = (core::ring_limit(self, &peer), core::ring_limit(&peer, self));
            {
                let mut guard = peer.send.lock();
                let SendSide { outlets, sender, .. } = &mut **guard;
                if let Some(Outlet::Ring(outlet)) = outlets.get_mut(pipe) {
                    outlet.limit = from_peer;
                    sender.set_writable(pipe, outlet.has_room());
                }
            }
            if let Some(Inlet::Ring(inlet)) = peer.recv.lock().inlets.get_mut(pipe) {
                inlet.set_limit(to_peer);
            }
            peer.writers.notify_all();
        }
    }

    /// Gives the other ends of rings.
    fn apply_send_marks(&self) -> Vec<PeerEnd> {
        let limit = self.send_high_water();
        let mut rings = Vec::new();
        let mut guard = self.send.lock();
        let pipes: Vec<_> = guard.outlets.keys().collect();
        for pipe in pipes {
            // How much may be logged for many was worked out with the old mark.
            guard.leave_cohort(pipe);
            let SendSide { outlets, sender, .. } = &mut **guard;
            let has_room = match outlets.get_mut(pipe) {
                Some(Outlet::Wire(outbox)) => {
                    outbox.set_limit(limit);
                    outbox.has_room() || self.options.conflate
                }
                Some(Outlet::Ring(outlet)) => {
                    outlet.limit = limit;
                    if let Some(peer) = &outlet.peer {
                        outlet.limit = core::ring_limit(self, &peer.core);
                        rings.push(peer.clone());
                    }
                    outlet.has_room()
                }
                None => continue,
            };
            sender.set_writable(pipe, has_room);
        }
        rings
    }

    fn apply_recv_marks(&self) {
        let limit = self.marks().recv;
        for (_, inlet) in self.recv.lock().inlets.iter_mut() {
            match inlet {
                Inlet::Wire(inbox) => inbox.set_high_water(limit),
                Inlet::Ring(inlet) => {
                    if let Some(peer) = &inlet.peer {
                        let limit = core::ring_limit(&peer.core, self);
                        inlet.set_limit(limit);
                    }
                }
            }
        }
    }
}
