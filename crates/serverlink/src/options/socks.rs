//! The proxy between a dialer and its peer.

use serverlink_zmtp::socks::MAX_FIELD_LEN;

use super::Options;
use crate::endpoint::Endpoint;
use crate::error::Error;

impl Options {
    /// The proxy through which to connect there, as an endpoint. `None`: straight on. Our own end is the proxy's if it says one, else the peer's.
    pub(crate) fn proxy_to(&self, target: &Endpoint) -> Option<Endpoint> {
        let Endpoint::Tcp { source: of_peer, .. } = target else { return None };
        match parse(&self.socks_proxy).ok()?? {
            Endpoint::Tcp { source, host, port } => {
                Some(Endpoint::Tcp { source: source.or_else(|| of_peer.clone()), host, port })
            }
            _ => None,
        }
    }

    pub(super) fn check_socks(&self) -> Result<(), Error> {
        if let Err(why) = parse(&self.socks_proxy) {
            return Err(Error::invalid_option("socks_proxy", &self.socks_proxy, why));
        }
        for (option, len) in
            [("socks_username", self.socks_username.len()), ("socks_password", self.socks_password.len())]
        {
            if len > MAX_FIELD_LEN {
                let value = format!("{len} bytes");
                return Err(Error::InvalidOption { option, value, why: "it may have 255".into() });
            }
        }
        Ok(())
    }
}

/// What stands behind `tcp://` in an endpoint that can be connected to. `None` for nothing.
fn parse(address: &str) -> Result<Option<Endpoint>, String> {
    if address.is_empty() {
        return Ok(None);
    }
    let proxy = format!("tcp://{address}").parse::<Endpoint>();
    match proxy.and_then(|proxy| proxy.check_connectable().map(|()| proxy)) {
        Ok(proxy) => Ok(Some(proxy)),
        Err(Error::InvalidEndpoint { why, .. }) => Err(format!("write host:port; {why}")),
        Err(other) => Err(other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proxy_to(proxy: &str, target: &str) -> Option<String> {
        let options = Options { socks_proxy: proxy.to_owned(), ..Options::default() };
        options.validate().expect("a proxy");
        options.proxy_to(&target.parse().expect("an endpoint")).map(|proxy| proxy.to_string())
    }

    #[test]
    fn tcp_alone_goes_through_it() {
        let proxy = "proxy.example:1080";
        assert_eq!(proxy_to(proxy, "tcp://db:5555").as_deref(), Some("tcp://proxy.example:1080"));
        assert_eq!(proxy_to(proxy, "inproc://db"), None);
        assert_eq!(proxy_to(proxy, "ipc://db"), None);
        assert_eq!(proxy_to("", "tcp://db:5555"), None);
        assert_eq!(proxy_to("[::1]:9", "tcp://db:5555").as_deref(), Some("tcp://[::1]:9"));
    }

    #[test]
    fn our_own_end_is_where_it_is_said() {
        assert_eq!(proxy_to("p:9", "tcp://eth0:0;db:5").as_deref(), Some("tcp://eth0:*;p:9"));
        assert_eq!(proxy_to("eth1:0;p:9", "tcp://eth0:0;db:5").as_deref(), Some("tcp://eth1:*;p:9"));
    }

    #[test]
    fn what_is_no_address_is_refused_with_its_form() {
        for wrong in ["proxy", "proxy:", "*:1080", "proxy:0", "::1:1080", "tcp://proxy:1080", "a b:1", ":1"] {
            let options = Options { socks_proxy: wrong.to_owned(), ..Options::default() };
            let sentence = options.validate().expect_err(wrong).to_string();
            assert!(sentence.starts_with("option socks_proxy cannot be"), "{sentence}");
            assert!(sentence.contains("host:port"), "{sentence}");
        }
        let long = Options { socks_username: vec![b'x'; 256], ..Options::default() };
        assert!(long.validate().expect_err("too long").to_string().contains("256 bytes"));
        let long = Options { socks_password: vec![b'x'; 256].into(), ..Options::default() };
        assert!(long.validate().expect_err("too long").to_string().contains("256 bytes"));
    }

    #[test]
    fn a_password_is_not_shown() {
        let options = Options { socks_password: "swordfish".into(), ..Options::default() };
        assert!(!format!("{options:?}").contains("swordfish"));
    }
}
