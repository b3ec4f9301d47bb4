//! A caller that drove its socket's connections and left serves them no more: the I/O thread has to.

use std::io::Read;
use std::net::TcpStream;
use std::time::Duration;

use serverlink::{Context, Endpoint, Error, Port};

/// Only a failing test waits so long.
const PATIENCE: Duration = Duration::from_secs(10);

/// Of the greeting, what comes before the peer has said anything.
const SIGNATURE_BYTES: usize = 10;

fn greeting_of(endpoint: &Endpoint) -> std::io::Result<[u8; SIGNATURE_BYTES]> {
    let Endpoint::Tcp { port: Port::Number(port), .. } = endpoint else {
        panic!("a bound tcp endpoint has a port: {endpoint}");
    };
    let mut peer = TcpStream::connect(("127.0.0.1", *port))?;
    peer.set_read_timeout(Some(PATIENCE))?;
    let mut greeting = [0; SIGNATURE_BYTES];
    peer.read_exact(&mut greeting)?;
    Ok(greeting)
}

#[test]
fn a_socket_that_was_polled_once_still_greets_its_peers() {
    let context = Context::new().expect("a context");
    let pull = context.pull().open().expect("a socket");
    let endpoint = pull.bind("tcp://127.0.0.1:*").expect("a free port");
    assert!(matches!(pull.try_recv(), Err(Error::WouldBlock)));
    let greeting = greeting_of(&endpoint).expect("the I/O thread answers for the caller that left");
    assert_eq!((greeting[0], greeting[9]), (0xff, 0x7f));
}

/// The second time the role was used since the I/O thread looked first.
#[test]
fn a_socket_that_was_polled_again_still_greets_its_peers() {
    let context = Context::new().expect("a context");
    let pull = context.pull().open().expect("a socket");
    let endpoint = pull.bind("tcp://127.0.0.1:*").expect("a free port");
    for _ in 0..3 {
        assert!(matches!(pull.try_recv(), Err(Error::WouldBlock)));
        greeting_of(&endpoint).expect("the I/O thread answers for the caller that left");
    }
}
