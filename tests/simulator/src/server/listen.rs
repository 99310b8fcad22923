//! Accepts connections and routes each request to SOAP, files or control.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use super::http::{Answer, Drop, text};
use super::shared::Server;
use super::{control, files, sdk};

/// The largest request body that is accepted, in bytes.
const LIMIT: usize = 16 << 20;

impl Server {
    /// Accepts connections forever.
    pub async fn serve(self: Arc<Self>, listener: TcpListener, tls: Option<TlsAcceptor>) -> Infallible {
        loop {
            match listener.accept().await {
                Ok((stream, _)) => {
                    tokio::spawn(Self::connection(Arc::clone(&self), stream, tls.clone()));
                }
                // Most likely too many files are open. Wait until connections close.
                Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
            }
        }
    }

    async fn connection(self: Arc<Self>, stream: TcpStream, tls: Option<TlsAcceptor>) {
        let _ = stream.set_nodelay(true);
        match tls {
            // A client that rejects the certificate closes the connection. That is no error here.
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
                let answer = sdk::call(&self, &parts.headers, &body).await;
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
