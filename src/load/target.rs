//! Whom the load goes to: an address, what is said to it, and the way there.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use hyper::Uri;
use hyper::header::HeaderValue;
use hyper::http::uri::{Authority, Scheme};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpSocket, TcpStream};

use super::Trouble;
use super::alarm::Alarm;
use crate::wire::stream::client::Token;

/// A server as it was named.
#[derive(Clone, Debug)]
pub struct Target {
    authority: Authority,
    /// Goes before each path, without a slash at its end.
    prefix: String,
    token: Option<Token>,
}

impl Target {
    /// # Errors
    /// Why the text names no server.
    pub fn parse(text: &str, token: Option<Token>) -> Result<Self, Trouble> {
        let wrong = |why: &str| Trouble::Target {
            target: text.to_owned(),
            why: why.to_owned(),
        };
        let uri: Uri = text.parse().map_err(|_| wrong("is no address"))?;
        match uri.scheme() {
            Some(scheme) if *scheme == Scheme::HTTP => {}
            Some(scheme) if *scheme == Scheme::HTTPS => {
                return Err(wrong("is encrypted: the load is made without TLS"));
            }
            _ => return Err(wrong("does not begin with http://")),
        }
        let authority = uri.authority().ok_or_else(|| wrong("names no host"))?.clone();
        if authority.as_str().contains('@') {
            return Err(wrong("holds a password: give --token instead"));
        }
        if uri.query().is_some() {
            return Err(wrong("has a query"));
        }
        Ok(Target {
            authority,
            prefix: uri.path().trim_end_matches('/').to_owned(),
            token,
        })
    }

    pub fn authority(&self) -> &str {
        self.authority.as_str()
    }

    /// `http://host:port/prefix`
    pub fn shown(&self) -> String {
        format!("http://{}{}", self.authority, self.prefix)
    }

    pub(super) fn path(&self, path: &str) -> String {
        format!("{}{path}", self.prefix)
    }

    pub(super) fn prefix(&self) -> &str {
        &self.prefix
    }

    pub(super) fn stream_url(&self) -> String {
        format!("ws://{}{}/ws", self.authority, self.prefix)
    }

    /// What shows who asks.
    pub(super) fn bearer(&self) -> Option<HeaderValue> {
        let token = self.token.as_ref()?;
        let mut value = HeaderValue::try_from(format!("Bearer {}", token.as_str())).ok()?;
        value.set_sensitive(true);
        Some(value)
    }

    /// What every request says alike, line by line.
    pub(super) fn lines(&self) -> Vec<u8> {
        [self.host_line(), self.bearer_line()].concat()
    }

    pub(super) fn host_line(&self) -> Vec<u8> {
        format!("host: {}\r\n", self.authority).into_bytes()
    }

    /// Empty without a token.
    pub(super) fn bearer_line(&self) -> Vec<u8> {
        let Some(bearer) = self.bearer() else {
            return Vec::new();
        };
        [b"authorization: ", bearer.as_bytes(), b"\r\n"].concat()
    }

    /// Empty without one.
    pub(super) fn token(&self) -> &str {
        self.token.as_ref().map_or("", Token::as_str)
    }

    /// This machine, by an address of which it has many.
    pub(super) fn is_loopback(&self) -> bool {
        let host = self.authority.host();
        host == "localhost" || host.parse().is_ok_and(|address: Ipv4Addr| address.is_loopback())
    }

    /// Looks the host up, once. Connections come by turns from so many local addresses, where
    /// the target is this machine.
    ///
    /// # Errors
    /// Where it has no address.
    pub async fn resolve(&self, sources: u8) -> Result<Tcp, Trouble> {
        let host = self.authority.host().trim_matches(['[', ']']);
        let port = self.authority.port_u16().unwrap_or(80);
        let found = tokio::net::lookup_host((host, port)).await;
        let addresses: Vec<SocketAddr> = found.map(Iterator::collect).unwrap_or_default();
        if addresses.is_empty() {
            return Err(Trouble::Unreachable {
                target: self.shown(),
                why: "its name has no address".to_owned(),
            });
        }
        Ok(Tcp {
            addresses: addresses.into(),
            sources,
            next: Arc::default(),
        })
    }
}

/// A way to the target. The load itself does not know what connections are made of, so that
/// a test can lead them into its own process and its own time.
pub trait Dial: Clone + Send + 'static {
    type Io: AsyncRead + AsyncWrite + Unpin + 'static;

    fn dial(&self) -> impl Future<Output = io::Result<Self::Io>>;

    /// What keeps the time on it.
    fn alarm(&self) -> Alarm {
        Alarm::coarse()
    }
}

/// Over the network.
#[derive(Clone, Debug)]
pub struct Tcp {
    addresses: Arc<[SocketAddr]>,
    sources: u8,
    next: Arc<AtomicU8>,
}

impl Tcp {
    async fn connect(&self) -> io::Result<TcpStream> {
        let loopback = self.addresses.iter().find(|address| match address {
            SocketAddr::V4(address) => address.ip().is_loopback(),
            SocketAddr::V6(_) => false,
        });
        let Some(address) = loopback.filter(|_| self.sources > 1) else {
            return TcpStream::connect(&*self.addresses).await;
        };
        let turn = self.next.fetch_add(1, Ordering::Relaxed) % self.sources;
        let socket = TcpSocket::new_v4()?;
        socket.bind((Ipv4Addr::new(127, 0, 0, turn + 1), 0).into())?;
        socket.connect(*address).await
    }
}

impl Dial for Tcp {
    type Io = TcpStream;

    async fn dial(&self) -> io::Result<TcpStream> {
        let stream = self.connect().await?;
        stream.set_nodelay(true)?;
        Ok(stream)
    }

    fn alarm(&self) -> Alarm {
        Alarm::fine()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_an_address_and_what_goes_before_its_paths() {
        let target = Target::parse("http://127.0.0.1:8080", None).expect("it is one");
        assert_eq!(target.path("/api/x"), "/api/x");
        assert_eq!(target.stream_url(), "ws://127.0.0.1:8080/ws");
        let target = Target::parse("http://example.org/drones/", None).expect("it is one");
        assert_eq!(target.path("/api/x"), "/drones/api/x");
        assert_eq!(target.shown(), "http://example.org/drones");
    }

    #[test]
    fn what_is_no_target_is_told_in_words() {
        for (text, why) in [
            ("127.0.0.1:8080", "does not begin with http://"),
            ("ftp://x", "does not begin with http://"),
            ("https://x", "without TLS"),
            ("http://", "is no address"),
            ("http://a b", "is no address"),
            ("http://me:secret@x", "holds a password"),
            ("http://x/?a=b", "has a query"),
        ] {
            let trouble = Target::parse(text, None).expect_err(text).to_string();
            assert!(trouble.contains(why), "{text}: {trouble}");
        }
    }
}
