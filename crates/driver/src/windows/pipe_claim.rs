//! Which names of pipes this process has.

use std::collections::BTreeMap;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, Weak};

use super::lock;

/// A name, taken from others as long as an end of that pipe is ours.
///
/// The system lets whoever comes first have a name and keeps it taken until the last connection made there is closed. Without this table, a listener
/// could not be opened again while such connections live.
#[derive(Debug)]
pub(super) struct Claim {
    name: String,
    has_listener: AtomicBool,
}

/// The right to listen under a name.
#[derive(Debug)]
pub(super) struct Listening {
    pub(super) claim: Arc<Claim>,
    /// Nobody else may have the name: the system has to be asked.
    pub(super) is_first: bool,
}

static CLAIMS: Mutex<BTreeMap<String, Weak<Claim>>> = Mutex::new(BTreeMap::new());

impl Listening {
    /// Claims a name. The system does not tell upper from lower case.
    pub(super) fn claim(name: &[u16]) -> io::Result<Listening> {
        let name = String::from_utf16_lossy(name).to_lowercase();
        let mut claims = lock(&CLAIMS);
        if let Some(claim) = claims.get(&name).and_then(Weak::upgrade) {
            // The last owner of a claim wants the lock, and this may have become it.
            drop(claims);
            if claim.has_listener.swap(true, Ordering::AcqRel) {
                return Err(io::ErrorKind::AddrInUse.into());
            }
            return Ok(Listening { claim, is_first: false });
        }
        let claim = Arc::new(Claim { name: name.clone(), has_listener: AtomicBool::new(true) });
        claims.insert(name, Arc::downgrade(&claim));
        Ok(Listening { claim, is_first: true })
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.claim.has_listener.store(false, Ordering::Release);
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        let mut claims = lock(&CLAIMS);
        // Somebody may have claimed it anew by now.
        if claims.get(&self.name).is_some_and(|claim| claim.strong_count() == 0) {
            claims.remove(&self.name);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_free_again_when_its_listener_is_gone() {
        let name: Vec<u16> = r"\\.\pipe\claimed".encode_utf16().collect();
        let upper: Vec<u16> = r"\\.\PIPE\Claimed".encode_utf16().collect();
        let first = Listening::claim(&name).expect("nobody has it");
        assert!(first.is_first);
        let error = Listening::claim(&upper).expect_err("it is taken");
        assert_eq!(error.kind(), io::ErrorKind::AddrInUse);
        let connection = Arc::clone(&first.claim);
        drop(first);
        let second = Listening::claim(&name).expect("its listener is gone");
        assert!(!second.is_first, "a connection still has the name");
        drop((second, connection));
        assert!(Listening::claim(&name).expect("nobody has it").is_first);
    }
}
