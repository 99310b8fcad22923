//! HTTP: connections in, requests to SOAP, files and control.

use std::convert::Infallible;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::header::{CONTENT_TYPE, COOKIE, HeaderMap, SET_COOKIE};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio_rustls::TlsAcceptor;

use crate::control;
use crate::files;
use crate::record::Recorder;
use crate::world::World;

/// No request is larger.
const LIMIT: usize = 16 << 20;

/// What every connection shares.
pub struct Server {
    world: Mutex<World>,
    /// Wakes those who wait for something to happen.
    pub changed: Notify,
    start: Instant,
    latency: Duration,
    recorder: Recorder,
}

/// The connection is to be closed without an answer.
#[derive(Debug, thiserror::Error)]
#[error("closed on purpose")]
pub struct Drop;

/// An answer.
pub type Answer = Response<Full<Bytes>>;

impl Server {
    /// A server of this world.
    pub fn new(world: World, recorder: Recorder) -> Self {
        let latency = Duration::from_millis(world.config.latency_ms);
        Self { world: Mutex::new(world), changed: Notify::new(), start: Instant::now(), latency, recorder }
    }

    /// The world, brought to the present time.
    pub fn world(&self) -> MutexGuard<'_, World> {
        let mut world = self.world.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.start.elapsed().as_millis();
        world.advance(u64::try_from(now).unwrap_or(u64::MAX));
        world
    }

    /// Accepts connections for ever.
    pub async fn serve(self: Arc<Self>, listener: TcpListener, tls: Option<TlsAcceptor>) -> Infallible {
        loop {
            match listener.accept().await {
                Ok((stream, _)) => {
                    tokio::spawn(Self::connection(Arc::clone(&self), stream, tls.clone()));
                }
                // Too many open files, most likely: those that are open will close.
                Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
            }
        }
    }

    async fn connection(self: Arc<Self>, stream: TcpStream, tls: Option<TlsAcceptor>) {
        let _ = stream.set_nodelay(true);
        match tls {
            // A client that refuses the certificate goes away: nothing to tell anybody.
            Some(tls) => {
                if let Ok(stream) = tls.accept(stream).await {
                    self.requests(stream).await;
                }
            }
            None => self.requests(stream).await,
        }
    }

    async fn requests(self: Arc<Self>, stream: impl AsyncRead + AsyncWrite + Unpin) {
        let service = service_fn(move |request| Self::request(Arc::clone(&self), request));
        let _ = http1::Builder::new().timer(TokioTimer::new()).serve_connection(TokioIo::new(stream), service).await;
    }

    async fn request(self: Arc<Self>, request: Request<Incoming>) -> Result<Answer, Drop> {
        if !self.latency.is_zero() {
            tokio::time::sleep(self.latency).await;
        }
        let (parts, body) = request.into_parts();
        let Ok(body) = Limited::new(body, LIMIT).collect().await else {
            return Ok(text(StatusCode::PAYLOAD_TOO_LARGE, "text/plain", "too large"));
        };
        let body = body.to_bytes();
        let path = parts.uri.path();
        if path == "/sdk" || path.starts_with("/sdk/") {
            if parts.method == Method::POST {
                let answer = crate::sdk::call(&self, &parts.headers, &body).await;
                self.recorder.record(&parts.headers, body.as_ref(), answer.as_ref().ok()).await;
                return answer;
            }
            if path == "/sdk/vimServiceVersions.xml" {
                let versions = files::versions(&self.world());
                return Ok(text(StatusCode::OK, "text/xml", versions));
            }
        }
        if path == "/folder" || path.starts_with("/folder/") {
            return files::folder(&self, &parts).await;
        }
        let body = String::from_utf8_lossy(&body);
        let answer = control::handle(&mut self.world(), parts.method.as_str(), path, &body);
        self.changed.notify_waiters();
        Ok(match answer {
            Some((status, body)) => {
                let status = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
                text(status, "application/json", body)
            }
            None => text(StatusCode::NOT_FOUND, "text/plain", "not found"),
        })
    }
}

/// An answer of this status, type and body.
pub fn text(status: StatusCode, kind: &'static str, body: impl Into<Bytes>) -> Answer {
    let mut answer = Response::new(Full::new(body.into()));
    *answer.status_mut() = status;
    let kind = hyper::header::HeaderValue::from_static(kind);
    answer.headers_mut().insert(CONTENT_TYPE, kind);
    answer
}

/// The session cookie that a request carries, without the quotes around it.
pub fn session_cookie(headers: &HeaderMap) -> Option<String> {
    headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(';')).find_map(
        |pair| {
            let (name, value) = pair.trim().split_once('=')?;
            (name == "vmware_soap_session").then(|| value.trim().trim_matches('"').to_owned())
        },
    )
}

/// Sets the session cookie, quoted as a real server quotes it.
pub fn set_session_cookie(answer: &mut Answer, cookie: &str, secure: bool) {
    let secure = if secure { " Secure;" } else { "" };
    let value = format!("vmware_soap_session=\"{cookie}\"; Path=/; HttpOnly;{secure}");
    if let Ok(value) = value.parse() {
        answer.headers_mut().insert(SET_COOKIE, value);
    }
}
