//! A peer of bytes: says on the wire what a well-behaved library never would.
#![allow(dead_code, reason = "each test binary uses what it needs")]

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

pub(crate) fn greeting(minor: u8) -> Vec<u8> {
    let mut greeting = vec![0; 64];
    (greeting[0], greeting[9], greeting[10], greeting[11]) = (0xff, 0x7f, 3, minor);
    greeting[12..16].copy_from_slice(b"NULL");
    greeting
}

pub(crate) fn frame(flags: u8, body: &[u8]) -> Vec<u8> {
    match u8::try_from(body.len()) {
        Ok(len) => [&[flags, len], body].concat(),
        Err(_) => [&[flags | 2][..], &(body.len() as u64).to_be_bytes(), body].concat(),
    }
}

pub(crate) fn command(name: &str, data: &[u8]) -> Vec<u8> {
    frame(4, &[&[name.len() as u8], name.as_bytes(), data].concat())
}

pub(crate) fn property(name: &str, value: &[u8]) -> Vec<u8> {
    [&[name.len() as u8], name.as_bytes(), &(value.len() as u32).to_be_bytes(), value].concat()
}

pub(crate) fn read_frame(stream: &mut TcpStream) -> std::io::Result<(u8, Vec<u8>)> {
    let mut head = [0; 2];
    stream.read_exact(&mut head)?;
    let mut body = vec![0; usize::from(head[1])];
    stream.read_exact(&mut body)?;
    Ok((head[0], body))
}

pub(crate) fn shake(stream: &mut TcpStream, kind: &str, identity: &[u8], minor: u8) {
    stream.set_nodelay(true).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    stream.write_all(&greeting(minor)).unwrap();
    let data = [property("Socket-Type", kind.as_bytes()), property("Identity", identity)].concat();
    stream.write_all(&command("READY", &data)).unwrap();
    stream.read_exact(&mut [0; 64]).unwrap();
    read_frame(stream).unwrap();
}

pub(crate) fn raw(endpoint: &str, kind: &str, identity: &[u8], minor: u8) -> TcpStream {
    let mut stream = TcpStream::connect(endpoint.strip_prefix("tcp://").unwrap()).unwrap();
    shake(&mut stream, kind, identity, minor);
    stream
}
