//! Whether anybody listens on a TCP port of this machine.

use std::ptr;

use windows_sys::Win32::Foundation::{ERROR_INSUFFICIENT_BUFFER, NO_ERROR};
use windows_sys::Win32::NetworkManagement::IpHelper::{GetExtendedTcpTable, TCP_TABLE_OWNER_PID_LISTENER};
use windows_sys::Win32::Networking::WinSock::{AF_INET, AF_INET6};

/// A row of the system's table, in words of 32 bits: how many, and where the local port is.
#[derive(Clone, Copy)]
struct Row {
    words: usize,
    port: usize,
}

const V4: Row = Row { words: 6, port: 2 };
const V6: Row = Row { words: 14, port: 5 };

/// True also where the system does not tell: somebody may.
pub(super) fn is_listened_on(port: u16) -> bool {
    let listens = |family, row| match table(family) {
        Some(table) => ports(&table, row).any(|listening| listening == port),
        None => true,
    };
    listens(AF_INET, V4) || listens(AF_INET6, V6)
}

fn ports(table: &[u32], row: Row) -> impl Iterator<Item = u16> + '_ {
    let rows = table.get(1..).unwrap_or_default().chunks_exact(row.words);
    // The number of rows comes first; behind them the table may have room that was not used.
    let count = table.first().map_or(0, |count| *count as usize);
    rows.take(count).map(move |words| u16::from_be(words[row.port] as u16))
}

/// The listeners of one family. They may become more between asking for the size and asking for the table.
fn table(family: u16) -> Option<Vec<u32>> {
    let mut table: Vec<u32> = Vec::new();
    for _ in 0..8 {
        let mut bytes = (table.len() * size_of::<u32>()) as u32;
        let memory = if table.is_empty() { ptr::null_mut() } else { table.as_mut_ptr() };
        // SAFETY: the memory is writable, aligned for words, of the size that is told, and outlives the call.
        let outcome = unsafe {
            let class = TCP_TABLE_OWNER_PID_LISTENER;
            GetExtendedTcpTable(memory.cast(), &mut bytes, 0, family.into(), class, 0)
        };
        match outcome {
            NO_ERROR => return Some(table),
            ERROR_INSUFFICIENT_BUFFER => table.resize(bytes as usize / size_of::<u32>() + 64, 0),
            _ => return None,
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn listeners_are_known_and_connections_are_none() {
        for address in ["127.0.0.1:0", "[::1]:0"] {
            let listener = std::net::TcpListener::bind(address).expect("a free port");
            let address = listener.local_addr().expect("a bound socket");
            assert!(is_listened_on(address.port()));
            let _connection = std::net::TcpStream::connect(address).expect("it listens");
            drop(listener);
            assert!(!is_listened_on(address.port()));
        }
    }
}
