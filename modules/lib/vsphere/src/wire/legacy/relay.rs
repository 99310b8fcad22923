//! A relay between the HTTP client and a server with old TLS.
//!
//! The HTTP client talks plain HTTP, through a private Unix socket, to a relay in the same process. For each connection, the
//! relay connects to the server, does the TLS handshake, verifies the certificate as for any other server, and then copies
//! bytes both ways. No byte of HTTP is sent before the certificate is verified.

use std::env;
use std::io::ErrorKind;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use reqwest::ClientBuilder;
use reqwest::header::{HOST, HeaderMap, HeaderValue};
use tokio::io::{self, AsyncReadExt, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream};
use tokio::task::AbortHandle;
use tokio::time::{sleep, timeout};
use tokio_openssl::SslStream;

use super::handshake::{self, Handshake};
use super::route::Route;
use super::socket::PrivateSocket;
use super::strict::Strict;
use crate::wire::connect::{CONNECT, bracketed, no_answer};
use crate::wire::endpoint::Endpoint;
use crate::wire::error::{TlsError, WireError};
use crate::wire::tls::verifier::Verifier;
use crate::wire::tls_version::TlsSpoken;

/// Time limit for the end of a TLS connection (`close_notify`).
const FAREWELL: Duration = Duration::from_secs(1);
/// The pause when no connection can be accepted, usually because there are no file descriptors left.
const BREATH: Duration = Duration::from_millis(100);

/// A relay between the HTTP client and a server with old TLS. It ends when it is dropped.
pub(crate) struct Relay {
    socket: PrivateSocket,
    host_header: HeaderValue,
    events: Arc<Mutex<Events>>,
    accepting: AbortHandle,
}

/// Events that the client cannot see from its side of the relay.
#[derive(Default)]
struct Events {
    spoken: Option<TlsSpoken>,
    failure: Option<(Instant, WireError)>,
    cut: Option<(Instant, WireError)>,
}

/// Opens secure connections to one server.
struct Dialer {
    route: Route,
    handshake: Handshake,
    events: Arc<Mutex<Events>>,
}

impl Relay {
    /// Starts a relay to `endpoint`, whose certificate `verifier` verifies. Needs a Tokio runtime.
    pub(crate) fn start(endpoint: &Endpoint, verifier: Arc<Verifier>) -> Result<Self, TlsError> {
        let host_header = host_header(&endpoint.host, endpoint.port)?;
        let (socket, listener) = PrivateSocket::bind(&env::temp_dir())?;
        let events = Arc::new(Mutex::default());
        let dialer = Dialer {
            route: Route::new(endpoint),
            handshake: Handshake::new(&endpoint.host, endpoint.tls_minimum, verifier)?,
            events: events.clone(),
        };
        let accepting = tokio::spawn(accept(listener, Arc::new(dialer))).abort_handle();
        Ok(Self { socket, host_header, events, accepting })
    }

    /// Makes the client go through the relay.
    pub(crate) fn route(&self, client: ClientBuilder) -> ClientBuilder {
        let headers = HeaderMap::from_iter([(HOST, self.host_header.clone())]);
        client.default_headers(headers).unix_socket(self.socket.path())
    }

    /// Returns the oldest TLS of any connection so far.
    pub(crate) fn spoken(&self) -> Option<TlsSpoken> {
        self.events.lock().ok()?.spoken.clone()
    }

    /// Returns why a connection failed after `since`, if one did.
    pub(crate) fn failure(&self, since: Instant) -> Option<WireError> {
        let events = self.events.lock().ok()?;
        let (_, error) = events.failure.as_ref().filter(|(at, _)| *at >= since)?;
        Some(error.clone())
    }

    /// Returns the error of a connection that ended after `since` without `close_notify`: someone on the path may have cut
    /// it. The client only sees a closed socket, which it takes for the end of an answer that does not tell its length.
    pub(crate) fn cut(&self, since: Instant) -> Option<WireError> {
        let events = self.events.lock().ok()?;
        let (_, error) = events.cut.as_ref().filter(|(at, _)| *at >= since)?;
        Some(error.clone())
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        // Accepted connections end when the client closes its side.
        self.accepting.abort();
    }
}

/// Returns the Host header as the client would send it over HTTPS. The client itself sees HTTP, which has another default
/// port.
fn host_header(host: &str, port: u16) -> Result<HeaderValue, TlsError> {
    let host = bracketed(host);
    let value = if port == 443 { host } else { format!("{host}:{port}") };
    HeaderValue::try_from(value).map_err(|_| TlsError::Other("the host is not a valid host name".to_owned()))
}

async fn accept(listener: UnixListener, dialer: Arc<Dialer>) {
    loop {
        match listener.accept().await {
            Ok((client, _)) => {
                tokio::spawn(carry(client, dialer.clone()));
            }
            Err(_) => sleep(BREATH).await,
        }
    }
}

/// Carries one connection from beginning to end.
async fn carry(mut client: UnixStream, dialer: Arc<Dialer>) {
    let mut early = Vec::new();
    let secured = tokio::select! {
        secured = timeout(CONNECT, dialer.secure()) => secured,
        () = drain(&mut client, &mut early) => return,
    };
    match secured.unwrap_or_else(|_| Err(dialer.route.unreachable(&no_answer()))) {
        Ok(server) => pump(client, server, &early, &dialer).await,
        Err(error) => dialer.note(|events| events.failure = Some((Instant::now(), error))),
    }
}

/// Keeps what the client sends before there is a connection, until the client gives up.
async fn drain(client: &mut UnixStream, early: &mut Vec<u8>) {
    while client.read_buf(early).await.is_ok_and(|count| count > 0) {}
}

/// Copies bytes both ways until one side closes.
async fn pump(client: UnixStream, mut server: SslStream<Strict>, early: &[u8], dialer: &Dialer) {
    if server.write_all(early).await.is_ok() {
        let (mut from_client, mut to_client) = client.into_split();
        let (mut from_server, mut to_server) = io::split(&mut server);
        tokio::select! {
            _ = io::copy(&mut from_client, &mut to_server) => {}
            ended = io::copy(&mut from_server, &mut to_client) => if ended.is_err() {
                // Noted before the client sees its side closed.
                let error = dialer.route.broken(&ErrorKind::UnexpectedEof.into());
                dialer.note(|events| events.cut = Some((Instant::now(), error)));
            }
        }
    }
    let _ = timeout(FAREWELL, server.shutdown()).await;
}

impl Dialer {
    async fn secure(&self) -> Result<SslStream<Strict>, WireError> {
        let stream = self.route.open().await?;
        let stream = self.handshake.perform(stream, &self.route).await?;
        // Any of the connections may have carried the password, so the oldest TLS counts.
        let spoken = handshake::spoken(stream.ssl());
        self.note(|events| {
            events.spoken =
                [events.spoken.take(), spoken].into_iter().flatten().min_by_key(|spoken| spoken.version.clone());
        });
        Ok(stream)
    }

    fn note(&self, change: impl FnOnce(&mut Events)) {
        if let Ok(mut events) = self.events.lock() {
            change(&mut events);
        }
    }
}
