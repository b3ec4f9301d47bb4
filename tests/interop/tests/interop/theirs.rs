//! libzmq's end of a case.

use serverlink::SocketType;

use crate::ends::{End, GLANCE, Library, PATIENCE, Parts};

pub(crate) struct Theirs {
    socket: zmq::Socket,
    disconnects: zmq::Socket,
    socket_type: SocketType,
}

impl Theirs {
    pub(crate) fn open(socket_type: SocketType) -> Theirs {
        let context = zmq::Context::new();
        let socket = context.socket(raw_type(socket_type)).expect("a libzmq socket");
        socket.set_linger(0).expect("a valid option");
        socket.set_sndtimeo(PATIENCE.as_millis() as i32).expect("a valid option");
        socket.set_rcvtimeo(PATIENCE.as_millis() as i32).expect("a valid option");
        socket.set_reconnect_ivl(20).expect("a valid option");
        if socket_type == SocketType::Router {
            socket.set_identity(b"theirs").expect("a valid option");
            socket.set_router_mandatory(true).expect("a valid option");
        }
        let disconnects = monitor(&context, &socket);
        Theirs { socket, disconnects, socket_type }
    }

    pub(crate) fn socket(&self) -> &zmq::Socket {
        &self.socket
    }
}

impl End for Theirs {
    /// libzmq closes in the background: an address that was just given up may take a moment.
    fn bind(&self, endpoint: &str) -> String {
        let deadline = std::time::Instant::now() + PATIENCE;
        while let Err(error) = self.socket.bind(endpoint) {
            assert_eq!(error, zmq::Error::EADDRINUSE, "libzmq binding {endpoint}");
            assert!(std::time::Instant::now() < deadline, "{endpoint} stays in use");
            std::thread::yield_now();
        }
        self.socket.get_last_endpoint().expect("bound").expect("endpoints are text")
    }

    fn connect(&self, endpoint: &str) {
        self.socket.connect(endpoint).expect("libzmq connecting");
    }

    fn send(&self, parts: &Parts) {
        self.socket.send_multipart(parts, 0).expect("libzmq sending");
    }

    fn recv(&self) -> Parts {
        self.socket.recv_multipart(0).expect("libzmq receiving")
    }

    fn glance(&self) -> Option<Parts> {
        let ready = self.socket.poll(zmq::POLLIN, GLANCE.as_millis() as i64).expect("libzmq polling");
        (ready > 0).then(|| self.recv())
    }

    fn subscribe(&self, topic: &[u8]) {
        match self.socket_type {
            SocketType::Xsub => self.send(&vec![[&[1], topic].concat()]),
            _ => self.socket.set_subscribe(topic).expect("libzmq subscribing"),
        }
    }

    fn unsubscribe(&self, topic: &[u8]) {
        match self.socket_type {
            SocketType::Xsub => self.send(&vec![[&[0], topic].concat()]),
            _ => self.socket.set_unsubscribe(topic).expect("libzmq unsubscribing"),
        }
    }

    fn has_subscriptions(&self, _: usize) -> Option<bool> {
        None
    }

    fn nudge(&self) {
        self.socket.get_events().expect("libzmq working off its commands");
    }

    fn wait_for_peer(&self) {}

    fn wait_until_alone(&self) {
        self.disconnects.recv_multipart(0).expect("libzmq noticing the end of the connection");
    }

    fn close(self: Box<Self>) {}

    fn library(&self) -> Library {
        Library::Theirs
    }
}

/// A socket that receives an event whenever the other one loses a connection.
fn monitor(context: &zmq::Context, socket: &zmq::Socket) -> zmq::Socket {
    let events = i32::from(zmq::SocketEvent::DISCONNECTED.to_raw());
    socket.monitor("inproc://disconnects", events).expect("a monitor");
    let monitor = context.socket(zmq::PAIR).expect("a monitor's socket");
    monitor.set_linger(0).expect("a valid option");
    monitor.set_rcvtimeo(PATIENCE.as_millis() as i32).expect("a valid option");
    monitor.connect("inproc://disconnects").expect("the monitor is bound");
    monitor
}

fn raw_type(socket_type: SocketType) -> zmq::SocketType {
    match socket_type {
        SocketType::Pair => zmq::PAIR,
        SocketType::Pub => zmq::PUB,
        SocketType::Sub => zmq::SUB,
        SocketType::Req => zmq::REQ,
        SocketType::Rep => zmq::REP,
        SocketType::Dealer => zmq::DEALER,
        SocketType::Router => zmq::ROUTER,
        SocketType::Pull => zmq::PULL,
        SocketType::Push => zmq::PUSH,
        SocketType::Xpub => zmq::XPUB,
        SocketType::Xsub => zmq::XSUB,
        SocketType::Stream => zmq::STREAM,
        draft => panic!("this libzmq is built without {draft}"),
    }
}
