//! A deliberately wrong design, to show that the tests can fail: what the C++ ServerLink did, step by step.
//!
//! Its *connecter* registered a socket to learn that it is connected, let go of it, and handed the bare handle to an *engine*, which
//! registered it again, often with another I/O thread. epoll can undo a registration, so it worked there. A completion port cannot.
//!
//! It is written here against bare handle values ([`RawSocket`]), because with the driver's own types it cannot be written:
//! [`Remote::connect`](serverlink_driver::Remote::connect) makes the socket and registers it in one step, the
//! [`Stream`](serverlink_driver::Stream) that it returns has no handle to give away, and only an
//! [`OsStream`](serverlink_driver::OsStream), which nobody can make from a `Stream`, can be adopted. That those steps do not compile is
//! held by `compile_fail.rs`.

use std::io;

use serverlink_driver::sim::{Association, Faults, RawPort, RawSocket, World};
use serverlink_driver::{Address, Driver, ListenOptions, Listener};

/// Registers a socket to learn that it is connected.
struct WrongConnecter<'a> {
    port: &'a RawPort,
    socket: RawSocket,
}

impl<'a> WrongConnecter<'a> {
    fn start(world: &World, port: &'a RawPort, target: &Address) -> io::Result<WrongConnecter<'a>> {
        let socket = world.raw_socket()?;
        socket.associate(port)?;
        socket.connect(target)?;
        Ok(WrongConnecter { port, socket })
    }

    /// Hands the bare handle on when the port says that it is connected.
    fn finish(self, world: &World) -> io::Result<RawSocket> {
        world.advance_to(world.next_due().expect("the attempt is on its way"));
        for (value, outcome) in self.port.take() {
            if value == self.socket.value() {
                outcome?;
            }
        }
        // Where registrations can be undone it is undone here. There is no such call on a completion port, so nothing is.
        match self.socket.forget(self.port) {
            Err(error) if error.kind() == io::ErrorKind::Unsupported => {}
            outcome => outcome?,
        }
        Ok(self.socket)
    }
}

/// Registers the handle that it is given, to speak the protocol over it.
struct WrongEngine {
    _socket: RawSocket,
}

impl WrongEngine {
    fn attach(socket: RawSocket, port: &RawPort) -> io::Result<WrongEngine> {
        socket.associate(port)?;
        Ok(WrongEngine { _socket: socket })
    }
}

/// Somebody to connect to, made the right way.
fn listening(world: &World) -> (Driver, Listener) {
    let driver = world.driver();
    let remote = driver.remote();
    let address = Address::Tcp("127.0.0.1:0".parse().expect("an address"));
    let listener = remote.bind(&address, &ListenOptions::default()).expect("a free address");
    let listener = remote.listen(listener).expect("a first registration");
    (driver, listener)
}

/// The whole wrong way: how the engine fared, and what the ledger says of the socket.
fn hand_over(faults: Faults) -> (io::Result<()>, Association) {
    let world = World::with_faults(1, faults);
    let (_driver, listener) = listening(&world);
    let (connecters_port, engines_port) = (world.raw_port(), world.raw_port());
    let connecter = WrongConnecter::start(&world, &connecters_port, &listener.local_address());
    let socket = connecter.and_then(|connecter| connecter.finish(&world)).expect("it connects");
    let value = socket.value();
    let outcome = WrongEngine::attach(socket, &engines_port).map(drop);
    let ledger = world.associations();
    let entry = *ledger.iter().find(|entry| entry.handle == value).expect("it was associated");
    assert_eq!(world.refused_associations(), entry.refused);
    (outcome, entry)
}

#[test]
fn a_connecter_that_hands_its_handle_on_is_caught_with_error_87() {
    let (outcome, entry) = hand_over(Faults { completions: true, ..Faults::NONE });
    let error = outcome.expect_err(
        "the engine registered a socket that the connecter had registered: a completion port keeps a socket for life, so this must fail",
    );
    assert_eq!(
        error.raw_os_error(),
        Some(87),
        "ERROR_INVALID_PARAMETER is what Windows says to a second registration, and what ended the C++ process: {error}"
    );
    assert_eq!(
        (entry.associated, entry.refused),
        (1, 1),
        "the ledger shows the registration that counts and the one that was refused"
    );
}

/// Why nobody noticed before: the same steps pass where registrations can be undone. Only the ledger tells.
#[test]
fn epoll_lets_the_same_design_pass_and_the_ledger_does_not() {
    let (outcome, entry) = hand_over(Faults::NONE);
    outcome.expect("epoll was told to forget the socket in between");
    assert_eq!((entry.associated, entry.refused), (2, 0), "registered twice in its life");
}

/// The failure came a second time in another guise: a table keyed by the handle's value accuses the innocent.
#[test]
fn a_value_that_is_used_again_is_another_socket() {
    let world = World::with_faults(1, Faults { completions: true, ..Faults::NONE });
    let ports = [world.raw_port(), world.raw_port()];
    let first = world.raw_socket().expect("descriptors enough");
    first.associate(&ports[0]).expect("the first time");
    let kept_too_long = first.clone();
    first.close().expect("it is open");
    let second = world.raw_socket().expect("descriptors enough");
    assert_eq!(second.value(), kept_too_long.value());
    kept_too_long.associate(&ports[1]).expect("to the system the value is the second socket, which is new");
    let error =
        second.associate(&ports[1]).expect_err("whoever kept the value took the second one's only chance");
    assert_eq!(error.raw_os_error(), Some(87));
    let counts: Vec<_> = world.associations().iter().map(|entry| (entry.associated, entry.refused)).collect();
    assert_eq!(counts, [(1, 0), (1, 1)]);
}
