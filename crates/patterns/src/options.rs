/// The options that change what a pattern decides. The defaults are those of libzmq 4.3.
///
/// Options that only concern the shell (high-water marks, linger, routing ids to announce, probing) are not here.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PatternOptions {
    /// ROUTER: refuse a message for an unknown routing id, and wait for one whose pipe is full, instead of dropping
    /// both.
    pub router_mandatory: bool,
    /// ROUTER: a peer that announces a routing id in use takes it over and the older pipe is closed; otherwise the
    /// newcomer stays connected under no name.
    pub router_handover: bool,
    /// ROUTER: tell the application `[routing id][]` when a peer is there.
    pub router_notify_connect: bool,
    /// ROUTER: tell the application `[routing id][]` when a peer is gone.
    pub router_notify_disconnect: bool,
    /// REQ: number the requests, and accept only the reply that carries the number of the last one.
    pub req_correlate: bool,
    /// REQ: a new request may be sent while a reply is still owed; that reply is then discarded. Best used together
    /// with [`req_correlate`](Self::req_correlate): without it a late reply from the same peer cannot be told apart.
    pub req_relaxed: bool,
    /// PUB, XPUB and SUB: select the messages that match *no* subscription.
    pub invert_matching: bool,
    /// XPUB: the application is told every subscription.
    pub xpub_verbose: bool,
    /// XPUB: the application is told every subscription and every cancellation.
    pub xpub_verboser: bool,
    /// XPUB: subscriptions have no effect but that the application is told; it subscribes peers itself.
    pub xpub_manual: bool,
    /// XPUB with `xpub_manual`: what is sent after a subscription was received goes to that subscriber alone.
    pub xpub_manual_last_value: bool,
    /// PUB, XPUB: wait for subscribers without room, instead of leaving them out.
    pub xpub_no_drop: bool,
    /// XPUB and XSUB: globs are messages of the application, `[2 glob]` to subscribe and `[3 glob]` to cancel. Otherwise an XPUB's application is told
    /// the plain subscription that covers the glob, and to an XSUB's such messages mean nothing.
    pub glob_messages: bool,
    /// XPUB, XSUB: of a message of several parts only the first can be a subscription. Otherwise each can.
    pub only_first_subscribe: bool,
    /// XSUB: every cancellation is told to the publishers.
    pub xsub_verbose_unsubscribe: bool,
    /// Only the newest message is kept in each pipe. The patterns do not act on it; it stands here so that whoever
    /// holds a socket's pattern options sees every property of its queues.
    pub conflate: bool,
    /// Where the numbers of anonymous ROUTER peers start, and the key of the hash under which routing ids are
    /// filed. Peers choose routing ids, so it must be unpredictable to them; only tests leave it at zero.
    pub seed: u64,
}
