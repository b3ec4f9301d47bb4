//! A listening socket, before and after its registration.

use std::io;
use std::os::fd::OwnedFd;
use std::sync::Arc;

use rustix::io::Errno;
use rustix::net::sockopt;

use super::foreign::{self, Foreign};
use super::ipc::{self, SocketFile};
use super::registry::Registry;
use super::socket::{self, OsStream};
use super::{loopback, tcp_options};
use crate::{Address, Key, ListenOptions, StreamOptions};

#[derive(Debug)]
pub(crate) struct OsListener {
    /// Unlinked when dropped, and before the socket closes: as long as that lives, nobody takes the file over.
    file: Option<SocketFile>,
    pub(super) fd: OwnedFd,
    local: Address,
    stream_options: Box<StreamOptions>,
    /// It came from outside.
    foreign: Option<Foreign>,
}

impl OsListener {
    pub(crate) fn bind(address: &Address, options: &ListenOptions) -> io::Result<OsListener> {
        let fd = socket::create(address)?;
        socket::set_buffers(&fd, &options.stream)?;
        let backlog = i32::try_from(options.backlog).unwrap_or(i32::MAX);
        let (local, file) = match address {
            Address::Tcp(target) => {
                tcp_options::prepare(&fd, target.is_ipv6(), &options.stream)?;
                loopback::unpace(&fd, address);
                // Else a port stays taken for minutes after a server with open connections ended.
                sockopt::set_socket_reuseaddr(&fd, true)?;
                // OpenBSD has no sockets for both, and no option to ask for one.
                if target.is_ipv6() && !cfg!(target_os = "openbsd") {
                    sockopt::set_ipv6_v6only(&fd, options.v6_only)?;
                }
                socket::with_address(address, |target| Ok(target.bind(&fd)?))?;
                rustix::net::listen(&fd, backlog)?;
                let local = socket::to_address(rustix::net::getsockname(&fd)?);
                (local.expect("a bound TCP socket has an address"), None)
            }
            Address::Ipc(path) => ipc::bind_and_listen(&fd, path, backlog)?,
        };
        Ok(OsListener { fd, local, stream_options: Box::new(options.stream.clone()), file, foreign: None })
    }

    /// One that somebody else made. Its streams have the buffers that its maker gave to it.
    pub(super) fn foreign(fd: OwnedFd, local: Address, foreign: Foreign) -> OsListener {
        OsListener { fd, local, stream_options: Box::default(), file: None, foreign: Some(foreign) }
    }

    pub(crate) fn into_fd(self) -> OwnedFd {
        drop(self.file);
        foreign::give_back(self.fd, self.foreign)
    }

    pub(crate) fn local_address(&self) -> &Address {
        &self.local
    }

    /// Whether its connections do not have all they are to be told from it. On Linux they have, but for the priority.
    fn has_more_to_tell(&self) -> bool {
        let inherits =
            cfg!(target_os = "linux") && self.foreign.is_none() && self.stream_options.priority.is_none();
        matches!(self.local, Address::Tcp(_)) && !inherits
    }

    /// Whether its connections have that from it.
    fn is_unpaced(&self) -> bool {
        self.foreign.is_none() && loopback::is_loopback(&self.local)
    }

    fn accept(&self) -> io::Result<Option<(OsStream, Option<Address>)>> {
        loop {
            match accept_one(&self.fd) {
                Ok((fd, peer)) => {
                    // A connection that died while it waited refuses its options; it is skipped like one that the kernel skips.
                    if self.has_more_to_tell() && tcp_options::set(&fd, &self.stream_options).is_err() {
                        continue;
                    }
                    if let Some(peer) = peer.as_ref().filter(|_| !self.is_unpaced()) {
                        loopback::unpace(&fd, peer);
                    }
                    return Ok(Some((OsStream::new(fd, peer.clone()), peer)));
                }
                Err(Errno::AGAIN) => return Ok(None),
                Err(Errno::CONNABORTED | Errno::INTR | Errno::PROTO) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
}

fn accept_one(listener: &OwnedFd) -> rustix::io::Result<(OwnedFd, Option<Address>)> {
    #[cfg(not(target_vendor = "apple"))]
    let (fd, peer) = {
        use rustix::net::SocketFlags;
        rustix::net::acceptfrom_with(listener, SocketFlags::NONBLOCK | SocketFlags::CLOEXEC)?
    };
    #[cfg(target_vendor = "apple")]
    let (fd, peer) = {
        let (fd, peer) = rustix::net::acceptfrom(listener)?;
        socket::prepare(&fd).map_err(|_| Errno::CONNABORTED)?;
        (fd, peer)
    };
    Ok((fd, peer.and_then(socket::to_address)))
}

#[derive(Debug)]
pub(crate) struct Listener {
    key: Key,
    listener: OsListener,
    registry: Arc<Registry>,
}

impl Listener {
    pub(super) fn register(
        registry: &Arc<Registry>,
        listener: OsListener,
    ) -> Result<Listener, (OsListener, io::Error)> {
        let registered = foreign::admit(&listener.fd, listener.foreign)
            .and_then(|_admitted| registry.add_listener(&listener.fd));
        match registered {
            Ok(key) => Ok(Listener { key, listener, registry: Arc::clone(registry) }),
            Err(error) => Err((listener, error)),
        }
    }

    pub(crate) fn key(&self) -> Key {
        self.key
    }

    pub(crate) fn accept(&self) -> io::Result<Option<(OsStream, Option<Address>)>> {
        self.listener.accept()
    }

    pub(crate) fn local_address(&self) -> &Address {
        self.listener.local_address()
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        if self.registry.is_left_behind() {
            return;
        }
        self.registry.forget(self.key);
        // The descriptor is closed next, which removes it as well.
        let _ = self.registry.selector.remove(&self.listener.fd);
    }
}
