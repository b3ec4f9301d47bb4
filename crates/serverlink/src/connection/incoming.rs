//! From what a peer sends to the frames that everything else understands: of one that does not speak ZMTP 3, or that seals what it says.

use serverlink_zmtp::mechanism::curve::Opener;
use serverlink_zmtp::v1::Incoming as V1;
use serverlink_zmtp::{WireError, raw};

/// How it is rewritten.
pub(super) enum Incoming {
    /// The frames of ZMTP 1.0.
    V1(V1),
    /// Octets without frames, in messages of at most so many.
    Octets { max_message_bytes: u64 },
    /// Sealed.
    Sealed(Opener),
}

impl Incoming {
    pub(super) fn v1() -> Incoming {
        Incoming::V1(V1::new())
    }

    /// # Errors
    /// The peer's fault. What came before something wrong is in `out`.
    pub(super) fn handle_input(&mut self, input: &[u8], out: &mut Vec<u8>) -> Result<(), WireError> {
        match self {
            Incoming::V1(incoming) => incoming.handle_input(input, out),
            Incoming::Octets { max_message_bytes } => {
                raw::frame_incoming(input, *max_message_bytes, out);
                Ok(())
            }
            Incoming::Sealed(opener) => opener.handle_input(input, out),
        }
    }
}
