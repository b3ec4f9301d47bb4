//! Several descriptors behind one, where the system has such a thing: on Linux. Elsewhere there is the bell alone.

#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub(super) use self::bell_alone::Watch;
#[cfg(any(target_os = "linux", target_os = "android"))]
pub(super) use self::epoll::Watch;

#[cfg(any(target_os = "linux", target_os = "android"))]
mod epoll {
    use std::ffi::c_int;
    use std::io;
    use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd};

    use rustix::event::epoll::{self, CreateFlags, EventData, EventFlags};
    use rustix::io::Errno;

    use crate::bell::{Bell, RawFd};
    use crate::poll::POLLPRI;
    use crate::socket::{POLLIN, POLLOUT};

    /// A set that the system keeps.
    pub(in crate::poller) struct Watch(OwnedFd);

    impl Watch {
        pub(in crate::poller) fn new(bell: &Bell) -> io::Result<Watch> {
            let set = epoll::create(CreateFlags::CLOEXEC)?;
            epoll::add(&set, bell.as_fd(), EventData::new_u64(0), EventFlags::IN)?;
            Ok(Watch(set))
        }

        pub(in crate::poller) fn descriptor(&self, _bell: &Bell) -> RawFd {
            self.0.as_raw_fd()
        }

        /// One more, or one that is there for other events.
        pub(in crate::poller) fn add(&self, fd: RawFd, events: c_int) -> io::Result<()> {
            let flags = native(events);
            match epoll::add(&self.0, borrow(fd), EventData::new_u64(0), flags) {
                Err(Errno::EXIST) => epoll::modify(&self.0, borrow(fd), EventData::new_u64(0), flags),
                added => added,
            }?;
            Ok(())
        }

        /// One that was closed meanwhile has gone by itself.
        pub(in crate::poller) fn remove(&self, fd: RawFd) {
            let _ = epoll::delete(&self.0, borrow(fd));
        }
    }

    fn borrow<'a>(fd: RawFd) -> BorrowedFd<'a> {
        // SAFETY: used for one call only, which asks the system about a number; one that is no descriptor is an error. It is not -1, which nobody can add.
        unsafe { BorrowedFd::borrow_raw(fd) }
    }

    fn native(events: c_int) -> EventFlags {
        let bits = [(POLLIN, EventFlags::IN), (POLLOUT, EventFlags::OUT), (POLLPRI, EventFlags::PRI)];
        bits.into_iter().filter(|(ours, _)| events & ours != 0).map(|(_, theirs)| theirs).collect()
    }
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
mod bell_alone {
    use std::ffi::c_int;
    use std::io;

    use crate::bell::{Bell, RawFd};

    /// Nothing beside the bell.
    pub(in crate::poller) struct Watch;

    impl Watch {
        pub(in crate::poller) fn new(_bell: &Bell) -> io::Result<Watch> {
            Ok(Watch)
        }

        pub(in crate::poller) fn descriptor(&self, bell: &Bell) -> RawFd {
            bell.descriptor()
        }

        pub(in crate::poller) fn add(&self, _fd: RawFd, _events: c_int) -> io::Result<()> {
            Err(io::ErrorKind::Unsupported.into())
        }

        pub(in crate::poller) fn remove(&self, _fd: RawFd) {}
    }
}
