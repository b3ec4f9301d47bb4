//! What a socket knows of its peers.

use std::ffi::{c_int, c_void};

use serverlink::PeerStats;
use serverlink_capi::errno::{Answer, EFAULT, Errno, fail};
use serverlink_capi::guard::{answer, bytes};
use serverlink_capi::socket::CSocket;

use crate::addressed;
use crate::border::{allocate, call, release, status};
use crate::codes::UNREACHABLE_PEER;
use crate::monitor::milliseconds_since_epoch;

/// `slk_peer_stats_t`.
#[repr(C)]
pub struct CPeerStats {
    bytes_sent: u64,
    bytes_received: u64,
    msgs_sent: u64,
    msgs_received: u64,
    connected_time: u64,
    last_heartbeat: u64,
    is_alive: c_int,
}

/// `slk_peer_id_t`.
#[repr(C)]
pub struct PeerId {
    data: *const c_void,
    len: usize,
}

// What programs were built with; `tests/capi/serverlink/layout.c` has the same numbers of the header.
#[cfg(target_pointer_width = "64")]
const _: () = {
    use std::mem::offset_of;
    assert!(size_of::<CPeerStats>() == 56 && offset_of!(CPeerStats, is_alive) == 48);
    assert!(size_of::<PeerId>() == 16 && offset_of!(PeerId, len) == 8);
};

/// Those that are connected. A socket that was not used yet has none, and is not opened for the question.
fn connected(socket: *mut c_void) -> Answer<Vec<PeerStats>> {
    let socket = CSocket::enter(socket)?;
    if !socket.is_open() {
        return Ok(Vec::new());
    }
    let mut peers = socket.open()?.peer_stats();
    peers.retain(|peer| peer.connected_for.is_some());
    if addressed::has_numbers(socket.kind()) {
        for peer in &mut peers {
            peer.routing_id = addressed::turned(&peer.routing_id).map(Vec::from).unwrap_or_default();
        }
    }
    Ok(peers)
}

fn find(socket: *mut c_void, id: &[u8]) -> Answer<Option<PeerStats>> {
    Ok(connected(socket)?.into_iter().find(|peer| peer.routing_id == id))
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn slk_is_connected(socket: *mut c_void, id: *const c_void, len: usize) -> c_int {
    // SAFETY: the caller passes `len` bytes.
    call(0, || Ok(find(socket, unsafe { bytes(id, len) }?)?.is_some().into()))
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn slk_get_peer_stats(
    socket: *mut c_void,
    id: *const c_void,
    len: usize,
    stats: *mut CPeerStats,
) -> c_int {
    status(|| {
        // SAFETY: the caller passes `len` bytes.
        let peer = find(socket, unsafe { bytes(id, len) }?)?.ok_or(Errno(UNREACHABLE_PEER))?;
        let connected_time = peer.connected_for.unwrap_or_default().as_millis();
        let found = CPeerStats {
            bytes_sent: peer.sent_bytes,
            bytes_received: peer.received_bytes,
            msgs_sent: peer.sent,
            msgs_received: peer.received,
            connected_time: u64::try_from(connected_time).unwrap_or(u64::MAX),
            last_heartbeat: peer.round_trip.map_or(0, |trip| milliseconds_since_epoch(Some(trip.at))),
            is_alive: 1,
        };
        // SAFETY: the caller passes room for it.
        unsafe { answer(stats, found) }
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn slk_peers(socket: *mut c_void, place: *mut *mut PeerId, count: *mut usize) -> c_int {
    status(|| {
        let peers = connected(socket)?;
        if place.is_null() || count.is_null() {
            return fail(EFAULT);
        }
        let octets = peers.iter().map(|peer| peer.routing_id.len()).sum();
        let (list, mut tail) = allocate::<PeerId>(peers.len(), octets)?;
        for (index, PeerStats { routing_id, .. }) in peers.iter().enumerate() {
            // SAFETY: the memory has as many entries as there are peers, and behind them room for all their ids.
            unsafe {
                tail.copy_from_nonoverlapping(routing_id.as_ptr(), routing_id.len());
                list.add(index).write(PeerId { data: tail.cast_const().cast(), len: routing_id.len() });
                tail = tail.add(routing_id.len());
            }
        }
        // SAFETY: the caller passes both places.
        unsafe { answer(place, list).and(answer(count, peers.len())) }
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn slk_peers_free(list: *mut PeerId) {
    // SAFETY: the caller gives back what `slk_peers` gave.
    unsafe { release(list) };
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn slk_get_peers(
    socket: *mut c_void,
    ids: *mut *mut c_void,
    lens: *mut usize,
    count: *mut usize,
) -> c_int {
    status(|| {
        let peers = connected(socket)?;
        if count.is_null() {
            return fail(EFAULT);
        }
        // SAFETY: the caller says in it how much room there is.
        let room = if ids.is_null() || lens.is_null() { 0 } else { unsafe { count.read_unaligned() } };
        for (index, PeerStats { routing_id, .. }) in peers.iter().take(room).enumerate() {
            let (id, _) = allocate::<u8>(routing_id.len(), 0).inspect_err(|_| {
                // SAFETY: so many were put there.
                unsafe { slk_free_peers(ids, lens, index) }
            })?;
            // SAFETY: the memory has room for the id, and the caller's places for so many peers.
            unsafe {
                id.copy_from_nonoverlapping(routing_id.as_ptr(), routing_id.len());
                ids.add(index).write_unaligned(id.cast());
                lens.add(index).write_unaligned(routing_id.len());
            }
        }
        // SAFETY: the caller passes the place.
        unsafe { answer(count, peers.len()) }
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn slk_free_peers(ids: *mut *mut c_void, lens: *mut usize, count: usize) {
    if ids.is_null() {
        return;
    }
    for index in 0..count {
        // SAFETY: the caller passes as many places as were filled.
        unsafe {
            release(ids.add(index).read_unaligned());
            ids.add(index).write_unaligned(std::ptr::null_mut());
            if !lens.is_null() {
                lens.add(index).write_unaligned(0);
            }
        }
    }
}
