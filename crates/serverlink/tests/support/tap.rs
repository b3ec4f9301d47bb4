//! Somebody on the way, who passes everything on and keeps a copy.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

pub(crate) struct Tap {
    endpoint: String,
    target: String,
    /// Until it is open.
    listener: Option<TcpListener>,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    /// One direction of a connection each.
    copies: Mutex<Vec<Arc<Mutex<Vec<u8>>>>>,
    /// Both ends of each connection.
    streams: Mutex<Vec<TcpStream>>,
}

impl Tap {
    /// In front of a tcp endpoint. Whoever connects to it hears nothing before it is open.
    pub(crate) fn before(target: &str) -> Tap {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let endpoint = format!("tcp://{}", listener.local_addr().expect("it is bound"));
        let target = target.strip_prefix("tcp://").expect("a tcp endpoint").to_owned();
        Tap { endpoint, target, listener: Some(listener), shared: Arc::default() }
    }

    pub(crate) fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// From now on connections are made, by a thread that ends with the process.
    pub(crate) fn open(&mut self) {
        let listener = self.listener.take().expect("it is opened once");
        let (target, shared) = (self.target.clone(), Arc::clone(&self.shared));
        thread::spawn(move || {
            while let Ok((here, _)) = listener.accept() {
                // Whoever listens there may be gone; then so is who came.
                if let Ok(there) = TcpStream::connect(&target) {
                    shared.join(&here, &there);
                    shared.join(&there, &here);
                    shared.streams.lock().expect("no panic").extend([here, there]);
                }
            }
        });
    }

    /// Breaks all connections, wherever they are.
    pub(crate) fn cut(&self) {
        for stream in self.shared.streams.lock().expect("no panic").drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }

    /// What passed, one direction of a connection each.
    pub(crate) fn copies(&self) -> Vec<Vec<u8>> {
        let copies = self.shared.copies.lock().expect("no panic");
        copies.iter().map(|copy| copy.lock().expect("no panic").clone()).collect()
    }
}

impl Shared {
    fn join(&self, from: &TcpStream, to: &TcpStream) {
        let copy = Arc::new(Mutex::new(Vec::new()));
        self.copies.lock().expect("no panic").push(Arc::clone(&copy));
        let (mut from, mut to) = (from.try_clone().expect("a handle"), to.try_clone().expect("a handle"));
        thread::spawn(move || {
            let mut buffer = vec![0; 64 * 1024];
            while let Ok(count @ 1..) = from.read(&mut buffer) {
                // Whatever has arrived is in the copy.
                copy.lock().expect("no panic").extend_from_slice(&buffer[..count]);
                if to.write_all(&buffer[..count]).is_err() {
                    break;
                }
            }
            let _ = to.shutdown(Shutdown::Write);
        });
    }
}
