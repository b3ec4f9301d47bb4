//! The client: a process of its own, the same for every server.

use std::{
    env,
    net::{SocketAddr, TcpListener, TcpStream},
    process::{Child, Command},
};

use rustix::{
    buffer::spare_capacity,
    event::epoll::{self, CreateFlags, EventData, EventFlags},
    io::retry_on_intr,
    net::{RecvFlags, SendFlags, recv, send},
};

use super::{Fallible, MESSAGE_BYTES, failed_to, machine};

/// A running client. It ends with this value, and its connections with it.
pub(super) struct ClientProcess(Child);

impl ClientProcess {
    pub(super) fn start(server: &TcpListener, connections: u16, core: usize) -> Fallible<Self> {
        let address = server.local_addr().map_err(failed_to("learn the server's address"))?;
        let program = env::current_exe().map_err(failed_to("find this program"))?;
        Command::new(program)
            .args(["--client", &address.to_string()])
            .args(["--connections", &connections.to_string()])
            .args(["--client-core", &core.to_string()])
            .spawn()
            .map(Self)
            .map_err(failed_to("start the client"))
    }
}

impl Drop for ClientProcess {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Sends a message on every connection, and another one whenever one comes back, until the server goes away.
pub(super) fn run(server: SocketAddr, connections: u16, core: usize) -> Fallible<()> {
    machine::allow_descriptors()?;
    machine::stay_on(core)?;
    let poller = epoll::create(CreateFlags::CLOEXEC).map_err(failed_to("create an epoll"))?;
    let mut streams = Vec::new();
    for index in 0..connections {
        let stream = TcpStream::connect(server).map_err(failed_to("connect to the server"))?;
        machine::hasten(&stream)?;
        epoll::add(&poller, &stream, EventData::new_u64(index.into()), EventFlags::IN | EventFlags::ET)
            .map_err(failed_to("watch a connection"))?;
        streams.push(stream);
    }
    let message = [b'.'; MESSAGE_BYTES];
    for stream in &streams {
        send(stream, &message, SendFlags::NOSIGNAL).map_err(failed_to("send the first message"))?;
    }
    let mut answer = [0; 2 * MESSAGE_BYTES];
    let mut events = Vec::with_capacity(1024);
    loop {
        retry_on_intr(|| epoll::wait(&poller, spare_capacity(&mut events), None))
            .map_err(failed_to("wait for answers"))?;
        for event in events.drain(..) {
            let stream = &streams[event.data.u64() as usize];
            match recv(stream, &mut answer, RecvFlags::DONTWAIT) {
                Ok((_, MESSAGE_BYTES)) => {}
                Ok((_, 0)) | Err(_) => return Ok(()),
                Ok((_, bytes)) => {
                    return Err(format!("The server answered {bytes} bytes to {MESSAGE_BYTES}."));
                }
            }
            if send(stream, &message, SendFlags::NOSIGNAL).is_err() {
                return Ok(());
            }
        }
    }
}
