//! TLS 1.0 and 1.1, for servers with nothing newer: OpenSSL speaks them, rustls does not.
//!
//! The HTTP client stays what it is, but talks plain HTTP, and through a private Unix socket to a leg in the same process.
//! For each connection there, the leg connects to the server, does the TLS handshake, has the certificate judged as any
//! other, and then copies bytes both ways. No byte of HTTP goes out before the judgement.

mod handshake;
mod route;
mod socket;
mod strict;

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

use crate::connect::{CONNECT, bracketed, no_answer};
use crate::error::{Error, TlsError};
use crate::tls::Judge;
use crate::tls_version::TlsSpoken;
use crate::transport::Endpoint;
use handshake::Handshake;
use route::Route;
use socket::PrivateSocket;
use strict::Strict;

/// How long saying goodbye to a server may take.
const FAREWELL: Duration = Duration::from_secs(1);
/// The pause when no connection can be accepted, which is for want of file descriptors.
const BREATH: Duration = Duration::from_millis(100);

/// The leg between the HTTP client and a server with old TLS. It ends when it is dropped.
pub(crate) struct Leg {
    socket: PrivateSocket,
    host_header: HeaderValue,
    events: Arc<Mutex<Events>>,
    accepting: AbortHandle,
}

/// What the client cannot see from its side of the leg.
#[derive(Default)]
struct Events {
    spoken: Option<TlsSpoken>,
    failure: Option<(Instant, Error)>,
    cut: Option<(Instant, Error)>,
}

/// What it takes to get a secure connection.
struct Line {
    route: Route,
    handshake: Handshake,
    events: Arc<Mutex<Events>>,
}

impl Leg {
    /// Starts a leg to `endpoint`, whose certificate `judge` decides about. Needs a Tokio runtime around it.
    pub(crate) fn start(endpoint: &Endpoint, judge: Arc<Judge>) -> Result<Self, TlsError> {
        let host_header = host_header(&endpoint.host, endpoint.port)?;
        let (socket, listener) = PrivateSocket::bind(&env::temp_dir())?;
        let events = Arc::new(Mutex::default());
        let line = Line {
            route: Route::new(endpoint),
            handshake: Handshake::new(&endpoint.host, endpoint.tls_minimum, judge)?,
            events: events.clone(),
        };
        let accepting = tokio::spawn(accept(listener, Arc::new(line))).abort_handle();
        Ok(Self { socket, host_header, events, accepting })
    }

    /// Makes the client go through the leg.
    pub(crate) fn route(&self, client: ClientBuilder) -> ClientBuilder {
        let headers = HeaderMap::from_iter([(HOST, self.host_header.clone())]);
        client.default_headers(headers).unix_socket(self.socket.path())
    }

    /// What the last connection was secured with.
    pub(crate) fn spoken(&self) -> Option<TlsSpoken> {
        self.events.lock().ok()?.spoken
    }

    /// Why there was no connection, if there was none for one that was wanted after `since`.
    pub(crate) fn failure(&self, since: Instant) -> Option<Error> {
        let events = self.events.lock().ok()?;
        let (_, error) = events.failure.as_ref().filter(|(at, _)| *at >= since)?;
        Some(error.clone())
    }

    /// The error of a connection that ended after `since` without TLS's farewell: somebody between may have cut it. The
    /// client sees a socket that was closed, which it takes for the end of an answer that does not tell its length.
    pub(crate) fn cut(&self, since: Instant) -> Option<Error> {
        let events = self.events.lock().ok()?;
        let (_, error) = events.cut.as_ref().filter(|(at, _)| *at >= since)?;
        Some(error.clone())
    }
}

impl Drop for Leg {
    fn drop(&mut self) {
        // Connections that were accepted end by themselves, when the client closes its side.
        self.accepting.abort();
    }
}

/// The Host header as the client would send it over HTTPS. The client itself sees HTTP, which has another default port.
fn host_header(host: &str, port: u16) -> Result<HeaderValue, TlsError> {
    let host = bracketed(host);
    let value = if port == 443 { host } else { format!("{host}:{port}") };
    HeaderValue::try_from(value).map_err(|_| TlsError::Other("the host is no host name".to_owned()))
}

async fn accept(listener: UnixListener, line: Arc<Line>) {
    loop {
        match listener.accept().await {
            Ok((client, _)) => {
                tokio::spawn(carry(client, line.clone()));
            }
            Err(_) => sleep(BREATH).await,
        }
    }
}

/// Carries one connection from beginning to end.
async fn carry(mut client: UnixStream, line: Arc<Line>) {
    let mut early = Vec::new();
    let secured = tokio::select! {
        secured = timeout(CONNECT, line.secure()) => secured,
        () = drain(&mut client, &mut early) => return,
    };
    match secured.unwrap_or_else(|_| Err(line.route.unreachable(&no_answer()))) {
        Ok(server) => pump(client, server, &early, &line).await,
        Err(error) => line.note(|events| events.failure = Some((Instant::now(), error))),
    }
}

/// Keeps what the client sends before there is a connection, until it gives up.
async fn drain(client: &mut UnixStream, early: &mut Vec<u8>) {
    while client.read_buf(early).await.is_ok_and(|count| count > 0) {}
}

/// Copies bytes both ways until one side closes.
async fn pump(client: UnixStream, mut server: SslStream<Strict>, early: &[u8], line: &Line) {
    if server.write_all(early).await.is_ok() {
        let (mut from_client, mut to_client) = client.into_split();
        let (mut from_server, mut to_server) = io::split(&mut server);
        tokio::select! {
            _ = io::copy(&mut from_client, &mut to_server) => {}
            ended = io::copy(&mut from_server, &mut to_client) => if ended.is_err() {
                // Before the client sees its side closed.
                let error = line.route.broken(&ErrorKind::UnexpectedEof.into());
                line.note(|events| events.cut = Some((Instant::now(), error)));
            }
        }
    }
    let _ = timeout(FAREWELL, server.shutdown()).await;
}

impl Line {
    async fn secure(&self) -> Result<SslStream<Strict>, Error> {
        let stream = self.route.open().await?;
        let stream = self.handshake.perform(stream, &self.route).await?;
        // The oldest of all connections: any of them may have carried the password.
        let spoken = handshake::spoken(stream.ssl());
        self.note(|events| {
            events.spoken = [events.spoken, spoken].into_iter().flatten().min_by_key(|spoken| spoken.version);
        });
        Ok(stream)
    }

    fn note(&self, change: impl FnOnce(&mut Events)) {
        if let Ok(mut events) = self.events.lock() {
            change(&mut events);
        }
    }
}
