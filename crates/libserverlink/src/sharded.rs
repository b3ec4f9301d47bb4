//! Channels dealt out to several publishers of one process, as Redis Cluster deals its keys out to slots.

use std::collections::BTreeSet;
use std::ffi::{c_char, c_int, c_void};
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;
use serverlink::{Message, Part, SocketType};
use serverlink_capi::errno::{Answer, EFAULT, EINVAL, EMFILE, ENOTSUP, fail};
use serverlink_capi::guard::{answer, bytes, enter, handle_at, length, utf8};
use serverlink_capi::socket::{CSocket, numbers};
use serverlink_capi::table::{Handled, Table};

use crate::border::{call, status};

const PUB: c_int = 1;
const MOST_SHARDS: c_int = 1024;
const SLOTS: u16 = 16_384;

struct Sharded {
    shards: Vec<Shard>,
    /// Which sockets are connected to which shard, by their numbers in the context.
    joined: Mutex<BTreeSet<(u64, usize)>>,
}

/// A publisher, by its handle.
struct Shard {
    handle: usize,
    endpoint: String,
    is_bound: Mutex<bool>,
}

static SHARDED: Table<Sharded> = Table::new();

impl Handled for Sharded {
    fn table() -> &'static Table<Sharded> {
        &SHARDED
    }
}

impl Shard {
    fn handle(&self) -> *mut c_void {
        std::ptr::with_exposed_provenance_mut(self.handle)
    }

    /// It listens from the first time that it is needed, so that marks can be set before.
    fn ensure_bound(&self) -> Answer<()> {
        let mut is_bound = self.is_bound.lock();
        if !*is_bound {
            CSocket::enter(self.handle())?.bind(&self.endpoint)?;
            *is_bound = true;
        }
        Ok(())
    }
}

impl Drop for Shard {
    fn drop(&mut self) {
        let _ = CSocket::close(self.handle());
    }
}

impl Sharded {
    fn new(context: *mut c_void, count: c_int) -> Answer<Sharded> {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let shards = (0..count).map(|index| {
            let handle = CSocket::create(context, PUB)?.expose_provenance();
            let endpoint = format!("inproc://slk-sharded-{number}-{index}");
            Ok(Shard { handle, endpoint, is_bound: Mutex::new(false) })
        });
        Ok(Sharded { shards: shards.collect::<Answer<_>>()?, joined: Mutex::default() })
    }

    fn index_of(&self, channel: &[u8]) -> usize {
        usize::from(crc16(hashed(channel)) % SLOTS) % self.shards.len()
    }

    fn publish(&self, channel: &[u8], data: &[u8]) -> Answer<()> {
        let shard = &self.shards[self.index_of(channel)];
        shard.ensure_bound()?;
        let message = Message::from_parts([Part::from(channel), Part::from(data)]);
        CSocket::enter(shard.handle())?.send_whole_message(message, 0)
    }

    fn subscribe(&self, subscriber: *mut c_void, channel: &[u8]) -> Answer<()> {
        let subscriber = CSocket::enter(subscriber)?;
        if subscriber.kind() != SocketType::Sub {
            return fail(EINVAL);
        }
        let index = self.index_of(channel);
        let shard = &self.shards[index];
        shard.ensure_bound()?;
        subscriber.subscribe_to_pattern(true, &exactly(channel))?;
        let mut joined = self.joined.lock();
        if joined.insert((subscriber.open()?.id(), index)) {
            subscriber.connect(&shard.endpoint)?;
        }
        Ok(())
    }

    fn set_mark(&self, mark: c_int) -> Answer<()> {
        let bound: Vec<_> = self.shards.iter().map(|shard| shard.is_bound.lock()).collect();
        if bound.iter().any(|is_bound| **is_bound) {
            return fail(ENOTSUP);
        }
        let set =
            |shard: &Shard| CSocket::enter(shard.handle())?.set_option(numbers::SNDHWM, &mark.to_ne_bytes());
        self.shards.iter().try_for_each(set)
    }
}

/// The text between the first `{` and the `}` behind it, if there is any; else all.
fn hashed(channel: &[u8]) -> &[u8] {
    let tagged = || {
        let start = channel.iter().position(|&octet| octet == b'{')? + 1;
        let len = channel[start..].iter().position(|&octet| octet == b'}')?;
        (len > 0).then(|| &channel[start..start + len])
    };
    tagged().unwrap_or(channel)
}

/// CRC-16/XMODEM.
fn crc16(octets: &[u8]) -> u16 {
    octets.iter().fold(0, |crc, &octet| {
        let mixed = crc ^ (u16::from(octet) << 8);
        (0..8).fold(mixed, |crc, _| if crc & 0x8000 == 0 { crc << 1 } else { (crc << 1) ^ 0x1021 })
    })
}

/// The pattern that fits one channel: a subscription to a topic would fit all that begin with it.
fn exactly(channel: &[u8]) -> Vec<u8> {
    channel.iter().flat_map(|&octet| [b'\\', octet]).collect()
}

/// # Safety
/// As [`text`].
unsafe fn channel<'a>(place: *const c_char) -> Answer<&'a [u8]> {
    // SAFETY: the caller's.
    match unsafe { utf8(place) }?.as_bytes() {
        b"" => fail(EINVAL),
        channel => Ok(channel),
    }
}

#[unsafe(no_mangle)]
pub extern "C" fn slk_sharded_pubsub_new(context: *mut c_void, count: c_int) -> *mut c_void {
    call(std::ptr::null_mut(), || {
        if !(1..=MOST_SHARDS).contains(&count) {
            return fail(EINVAL);
        }
        SHARDED.insert(Sharded::new(context, count)?).map_or(fail(EMFILE), Ok)
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn slk_sharded_pubsub_destroy(place: *mut *mut c_void) -> c_int {
    status(|| {
        // SAFETY: the caller passes a place with a handle in it.
        let handle = unsafe { handle_at(place) }?;
        SHARDED.close(handle).map_or(fail(EFAULT), |_| Ok(()))?;
        // SAFETY: as above.
        unsafe { answer(place, std::ptr::null_mut()) }
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn slk_spublish(
    handle: *mut c_void,
    name: *const c_char,
    start: *const c_void,
    len: usize,
) -> c_int {
    call(-1, || {
        let sharded = enter::<Sharded>(handle, EFAULT)?;
        // SAFETY: the caller passes a text, and `len` bytes.
        let (channel, data) = unsafe { (channel(name)?, bytes(start, len)?) };
        sharded.publish(channel, data)?;
        Ok(length(len))
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn slk_ssubscribe(
    handle: *mut c_void,
    subscriber: *mut c_void,
    name: *const c_char,
) -> c_int {
    // SAFETY: the caller passes a text.
    status(|| enter::<Sharded>(handle, EFAULT)?.subscribe(subscriber, unsafe { channel(name) }?))
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn slk_sunsubscribe(
    handle: *mut c_void,
    subscriber: *mut c_void,
    name: *const c_char,
) -> c_int {
    status(|| {
        let _sharded = enter::<Sharded>(handle, EFAULT)?;
        let subscriber = CSocket::enter(subscriber)?;
        // SAFETY: the caller passes a text.
        subscriber.subscribe_to_pattern(false, &exactly(unsafe { channel(name) }?))
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn slk_sharded_pubsub_set_hwm(handle: *mut c_void, mark: c_int) -> c_int {
    status(|| {
        let sharded = enter::<Sharded>(handle, EFAULT)?;
        if mark < 0 { fail(EINVAL) } else { sharded.set_mark(mark) }
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn slk_sharded_pubsub_shard(handle: *mut c_void, name: *const c_char) -> c_int {
    call(-1, || {
        let sharded = enter::<Sharded>(handle, EFAULT)?;
        // SAFETY: the caller passes a text.
        Ok(length(sharded.index_of(unsafe { channel(name) }?)))
    })
}
