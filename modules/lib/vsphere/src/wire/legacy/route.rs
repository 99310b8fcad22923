//! Connections to a server, direct or through a proxy's tunnel.

use std::io;
use std::time::Duration;

use socket2::{SockRef, TcpKeepalive};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;

use crate::wire::connect::{
    CONNECT, NO_ANSWER, NO_SUCH_NAME, USER_AGENT, bracketed, no_answer, plain, proxy_refuses, proxy_unreachable,
    proxy_wants_login, unreachable,
};
use crate::wire::endpoint::{Endpoint, Proxy};
use crate::wire::error::WireError;

/// Longest answer of a proxy before a tunnel, in bytes; real ones are shorter.
const HEAD: usize = 8192;
/// Time of silence before a connection is probed, and between probes.
const ALIVE: Duration = Duration::from_secs(15);

/// The way to one server.
pub(super) struct Route {
    host: String,
    port: u16,
    proxy: Option<Proxy>,
}

impl Route {
    pub(super) fn new(endpoint: &Endpoint) -> Self {
        Self { host: endpoint.host.clone(), port: endpoint.port, proxy: endpoint.proxy.clone() }
    }

    /// Opens a connection to the server.
    pub(super) async fn open(&self) -> Result<TcpStream, WireError> {
        let mut stream = self.dial().await?;
        if let Some(proxy) = &self.proxy {
            match self.tunnel(&mut stream).await.map_err(|error| self.broken(&error))? {
                Some(200) => {}
                Some(407) => return Err(proxy_wants_login(proxy)),
                _ => return Err(proxy_refuses(proxy, &self.host, self.port)),
            }
        }
        Ok(stream)
    }

    /// Returns the error of a server, or its proxy, that cannot be reached.
    pub(super) fn unreachable(&self, reason: &str) -> WireError {
        match &self.proxy {
            Some(proxy) => proxy_unreachable(proxy, reason),
            None => unreachable(&self.host, self.port, reason),
        }
    }

    /// Returns the error of a failed network.
    pub(super) fn broken(&self, error: &io::Error) -> WireError {
        self.unreachable(plain(error.kind()).unwrap_or(&error.to_string()))
    }

    /// Returns the host and port to connect to.
    fn peer(&self) -> (&str, u16) {
        self.proxy.as_ref().map_or((&self.host, self.port), |proxy| (&proxy.host, proxy.port))
    }

    async fn dial(&self) -> Result<TcpStream, WireError> {
        let addresses = lookup_host(self.peer()).await.map_err(|_| self.unreachable(NO_SUCH_NAME))?;
        let addresses: Vec<_> = addresses.collect();
        let mut failure = self.unreachable(NO_SUCH_NAME);
        for address in &addresses {
            // Each address gets its share of the time: an IPv6 address without a route must not take all of it.
            let share = CONNECT / u32::try_from(addresses.len()).unwrap_or(u32::MAX);
            failure = match timeout(share, TcpStream::connect(address)).await {
                Ok(Ok(stream)) => {
                    // Without keepalive, a server that vanished would be noticed only at the time limit of the request.
                    let _ = SockRef::from(&stream).set_tcp_keepalive(&keepalive());
                    // Requests and answers are small and take turns, so waiting for more data gains nothing.
                    let _ = stream.set_nodelay(true);
                    return Ok(stream);
                }
                Ok(Err(error)) => self.broken(&error),
                Err(_) => self.unreachable(&no_answer()),
            };
        }
        Err(failure)
    }

    /// Asks the proxy for a tunnel to the server. Returns the HTTP status of its answer.
    async fn tunnel(&self, proxy: &mut TcpStream) -> io::Result<Option<u16>> {
        let server = format!("{}:{}", bracketed(&self.host), self.port);
        let request = format!("CONNECT {server} HTTP/1.1\r\nHost: {server}\r\nUser-Agent: {USER_AGENT}\r\n\r\n");
        proxy.write_all(request.as_bytes()).await?;
        let mut head = Vec::new();
        while !head.windows(4).any(|end| end == b"\r\n\r\n") {
            if head.len() > HEAD {
                return Ok(None);
            }
            if proxy.read_buf(&mut head).await? == 0 {
                return Err(io::Error::other(NO_ANSWER));
            }
        }
        Ok(status(&head))
    }
}

/// Returns the settings that the HTTP client uses too: a connection is dead after a minute of silence.
fn keepalive() -> TcpKeepalive {
    TcpKeepalive::new().with_time(ALIVE).with_interval(ALIVE).with_retries(3)
}

/// Returns the status code of an HTTP answer.
fn status(head: &[u8]) -> Option<u16> {
    let version = head.strip_prefix(b"HTTP/1.1 ").or_else(|| head.strip_prefix(b"HTTP/1.0 "))?;
    let (code, rest) = version.split_at_checked(3)?;
    let ends = rest.first().is_some_and(|next| matches!(next, b' ' | b'\r'));
    let code = code.iter().all(u8::is_ascii_digit).then_some(code)?;
    if ends { str::from_utf8(code).ok()?.parse().ok() } else { None }
}

#[cfg(test)]
#[path = "route_tests.rs"]
mod tests;
