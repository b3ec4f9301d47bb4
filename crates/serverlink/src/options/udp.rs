/// What a socket wants of its datagrams; see [`Options::udp`](super::Options::udp).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UdpOptions {
    /// How many routers a datagram to a group of multicast may pass (`IP_MULTICAST_TTL`, `IPV6_MULTICAST_HOPS`). 0: none leaves this machine; 1: none
    /// leaves its networks. 0 to 255, default 1. libzmq: `ZMQ_MULTICAST_HOPS`.
    pub multicast_hops: u8,
    /// Whether datagrams to a group also reach the members on this machine (`IP_MULTICAST_LOOP`, `IPV6_MULTICAST_LOOP`): those that this socket sends, on
    /// Windows those that it receives. Default true. libzmq: `ZMQ_MULTICAST_LOOP`.
    pub multicast_loop: bool,
}

impl Default for UdpOptions {
    fn default() -> UdpOptions {
        UdpOptions { multicast_hops: 1, multicast_loop: true }
    }
}
