//! The server on epoll: a call to wait, and two for each echo.

use std::net::TcpStream;

use rustix::{
    buffer::spare_capacity,
    event::epoll::{self, CreateFlags, EventData, EventFlags},
    io::retry_on_intr,
    net::{RecvFlags, SendFlags, recv, send},
};

use super::{
    Fallible, MESSAGE_BYTES, failed_to,
    meter::{Meter, Sample},
};

pub(super) fn serve(connections: &[TcpStream], mut meter: Meter) -> Fallible<Sample> {
    let poller = epoll::create(CreateFlags::CLOEXEC).map_err(failed_to("create an epoll"))?;
    for (index, stream) in connections.iter().enumerate() {
        epoll::add(&poller, stream, EventData::new_u64(index as u64), EventFlags::IN | EventFlags::ET)
            .map_err(failed_to("watch a connection"))?;
    }
    let mut buffer = [0; 2 * MESSAGE_BYTES];
    let mut events = Vec::with_capacity(1024);
    loop {
        // A ring that was closed before this server's turn interrupts this thread while it ends.
        retry_on_intr(|| epoll::wait(&poller, spare_capacity(&mut events), None))
            .map_err(failed_to("wait for messages"))?;
        for event in &events {
            let stream = &connections[event.data.u64() as usize];
            let (_, bytes) =
                recv(stream, &mut buffer, RecvFlags::DONTWAIT).map_err(failed_to("receive a message"))?;
            if bytes == 0 {
                return Err("The client went away.".to_owned());
            }
            send(stream, &buffer[..bytes], SendFlags::DONTWAIT | SendFlags::NOSIGNAL)
                .map_err(failed_to("send a message back"))?;
        }
        if let Some(sample) = meter.add(events.len()) {
            return Ok(sample);
        }
        events.clear();
    }
}
