//! The competitors' colours: grey for the kernel, one strong colour for us, families of hues for the others.

use crate::Peer;

pub(super) fn colour(peer: Peer) -> &'static str {
    match peer {
        Peer::Raw => "#8a8f98",
        Peer::RawOwned => "#b9bec6",
        Peer::Libzmq => "#3f7fc1",
        Peer::Nng => "#35a7b5",
        Peer::OmqBlocking => "#8e6bbf",
        Peer::OmqCurrentThread => "#a98ad3",
        Peer::OmqExclusive => "#c9b1e6",
        Peer::Monocoque => "#4f9e5a",
        Peer::Zeromq => "#c9a227",
        Peer::Rzmq => "#b0764a",
        Peer::Serverlink => "#e4572e",
        Peer::ServerlinkNoSpin => "#f0a58f",
        Peer::ServerlinkBatch => "#f2a08a",
    }
}
