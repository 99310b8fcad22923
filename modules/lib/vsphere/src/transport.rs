//! HTTP: one URL, no redirects, no proxy but the given one, bounded time and size.

use std::cell::Cell;
use std::error::Error as StdError;
use std::io::{self, ErrorKind};
use std::rc::Rc;
use std::time::{Duration, Instant};

use reqwest::header::{CONTENT_TYPE, COOKIE, HeaderMap, LOCATION, SET_COOKIE};
use reqwest::{Client, RequestBuilder, Response, redirect};

use crate::error::{Error, TlsError};
use crate::thumbprint::Thumbprint;
use crate::tls::{self, Seen};

const CONNECT: Duration = Duration::from_secs(10);
const REQUEST: Duration = Duration::from_secs(120);
/// What a request gets when the deadline is near or past: finding out how far a run came, and logging out.
const GRACE: Duration = Duration::from_secs(5);
/// Short, so that no request meets a connection that the server is just closing.
const IDLE: Duration = Duration::from_secs(20);
const LIMIT: usize = 64 * 1024 * 1024;
const SESSION_COOKIE: &str = "vmware_soap_session";

/// Receives the name of each method and how long its answer took.
type Trace = Rc<dyn Fn(&str, Duration)>;

/// Where the vSphere API is, and how to get there.
#[derive(Clone)]
pub struct Endpoint {
    /// Host name or IP address; IPv6 with or without brackets.
    pub host: String,
    /// TCP port, usually 443.
    pub port: u16,
    /// HTTPS, and whom to trust; or plain HTTP.
    pub scheme: Scheme,
    /// An HTTP proxy. The environment's proxy variables are not looked at.
    pub proxy: Option<Proxy>,
    /// Called after every request with the method's name and the time it took.
    pub trace: Option<Trace>,
    /// When the run is over: no request is waited for longer than some seconds past it.
    pub deadline: Option<Instant>,
}

/// Whether the connection is secure.
#[derive(Debug, Clone)]
pub enum Scheme {
    /// Plain HTTP, for gateways that terminate TLS and for simulators.
    Http,
    /// HTTPS.
    Https(Trust),
}

/// Which server certificates are accepted.
#[derive(Debug, Clone)]
pub enum Trust {
    /// Those that the machine's CA certificates vouch for, made out to the host.
    System,
    /// Any.
    Anything,
    /// Only the one with this thumbprint, whatever its name, issuer and dates.
    Thumbprint(Thumbprint),
}

/// An HTTP proxy.
#[derive(Debug, Clone)]
pub struct Proxy {
    /// Host name or IP address.
    pub host: String,
    /// TCP port.
    pub port: u16,
}

/// An answer, whatever it says.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: String,
    /// The session cookie as it has to be sent back (`name=value`, quotes included).
    pub(crate) cookie: Option<String>,
}

/// The connection to one server.
pub(crate) struct Transport {
    client: Client,
    base: String,
    endpoint: Endpoint,
    seen: Seen,
    requests: Cell<u32>,
}

impl Transport {
    pub(crate) fn new(mut endpoint: Endpoint) -> Result<Self, Error> {
        endpoint.host = bare(&endpoint.host);
        let mut builder = Client::builder()
            .user_agent(concat!("nested-vft/", env!("CARGO_PKG_VERSION")))
            .redirect(redirect::Policy::none())
            .connect_timeout(CONNECT)
            .pool_idle_timeout(IDLE)
            .no_proxy();
        let mut seen = Seen::default();
        let scheme = match &endpoint.scheme {
            Scheme::Http => {
                // Never used, but without one the client would insist on a process-wide default.
                let (config, _) = tls::config(&Trust::Anything)?;
                builder = builder.tls_backend_preconfigured(config);
                "http"
            }
            Scheme::Https(trust) => {
                let config;
                (config, seen) = tls::config(trust)?;
                builder = builder.tls_backend_preconfigured(config);
                "https"
            }
        };
        if let Some(proxy) = &endpoint.proxy {
            let url = format!("http://{}:{}", bracketed(&proxy.host), proxy.port);
            let proxy = reqwest::Proxy::all(url)
                .map_err(|_| unreachable(&proxy.host, proxy.port, "the proxy is no host name"))?;
            builder = builder.proxy(proxy);
        }
        let client = builder.build().map_err(|error| TlsError::Other(error.to_string()))?;
        Ok(Self {
            client,
            base: format!("{scheme}://{}:{}", bracketed(&endpoint.host), endpoint.port),
            endpoint,
            seen,
            requests: Cell::new(0),
        })
    }

    /// How many requests were sent.
    pub(crate) fn requests(&self) -> u32 {
        self.requests.get()
    }

    /// The host's name as given, without brackets.
    pub(crate) fn host(&self) -> &str {
        &self.endpoint.host
    }

    /// Sends a SOAP message to `/sdk` in the API version `version`.
    pub(crate) async fn post(
        &self,
        what: &str,
        version: &str,
        cookie: Option<&str>,
        body: String,
    ) -> Result<Answer, Error> {
        let mut request = self
            .client
            .post(format!("{}/sdk", self.base))
            .header(CONTENT_TYPE, "text/xml; charset=utf-8")
            .header("SOAPAction", format!("\"urn:vim25/{version}\""))
            .body(body);
        if let Some(cookie) = cookie {
            request = request.header(COOKIE, cookie);
        }
        self.exchange(what, request).await
    }

    /// Gets a document, e.g. `/sdk/vimServiceVersions.xml`.
    pub(crate) async fn get(&self, path: &str) -> Result<Answer, Error> {
        let request = self.client.get(format!("{}{path}", self.base));
        self.exchange(path, request).await
    }

    async fn exchange(&self, what: &str, request: RequestBuilder) -> Result<Answer, Error> {
        self.requests.set(self.requests.get() + 1);
        let start = Instant::now();
        let limit = self.limit();
        let answer = self.receive(what, request.timeout(limit), limit).await;
        if let Some(trace) = &self.endpoint.trace {
            trace(what, start.elapsed());
        }
        answer
    }

    /// How long the next request may take.
    fn limit(&self) -> Duration {
        let left = self.endpoint.deadline.map_or(REQUEST, |at| at.saturating_duration_since(Instant::now()));
        left.clamp(GRACE, REQUEST)
    }

    async fn receive(&self, what: &str, request: RequestBuilder, limit: Duration) -> Result<Answer, Error> {
        let failed = |error| self.failure(what, &error, limit);
        let mut response = request.send().await.map_err(failed)?;
        let status = response.status().as_u16();
        if response.status().is_redirection() {
            return Err(redirected(status, &response));
        }
        let announced = response.content_length().unwrap_or(0);
        if usize::try_from(announced).map_or(true, |length| length > LIMIT) {
            return Err(Error::TooLarge { limit: LIMIT });
        }
        let cookie = session_cookie(response.headers());
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(failed)? {
            if body.len() + chunk.len() > LIMIT {
                return Err(Error::TooLarge { limit: LIMIT });
            }
            body.extend_from_slice(&chunk);
        }
        let body =
            String::from_utf8(body).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned());
        Ok(Answer { status, body, cookie })
    }

    /// What a failed exchange means, told from the chain of errors beneath it.
    fn failure(&self, what: &str, error: &reqwest::Error, limit: Duration) -> Error {
        let links = chain(error);
        if let Scheme::Https(trust) = &self.endpoint.scheme {
            if let Some(tls) = links.iter().find_map(|link| link.downcast_ref()) {
                return tls::explain(tls, trust, &self.endpoint.host, &self.seen).into();
            }
            if error.is_connect() && io_kind(&links) == Some(ErrorKind::UnexpectedEof) {
                return tls::hung_up().into();
            }
        }
        if error.is_timeout() && !error.is_connect() {
            return Error::Timeout { what: what.to_owned(), seconds: seconds(limit) };
        }
        let texts: Vec<String> = links.iter().map(ToString::to_string).collect();
        let endpoint = &self.endpoint;
        let Some(proxy) = &endpoint.proxy else {
            return unreachable(&endpoint.host, endpoint.port, &reason(error, &links, &texts));
        };
        if texts.iter().any(|text| text.contains("proxy auth")) {
            return Error::Http {
                status: 407,
                detail: format!("the proxy {}:{} wants authentication", proxy.host, proxy.port),
            };
        }
        if texts.iter().any(|text| text.contains("tunnel error: unsuccessful")) {
            let reason = format!("the proxy {}:{} refuses to connect there", proxy.host, proxy.port);
            return unreachable(&endpoint.host, endpoint.port, &reason);
        }
        unreachable(&proxy.host, proxy.port, &reason(error, &links, &texts))
    }
}

/// Whole seconds, for messages.
pub(crate) fn seconds(time: Duration) -> u64 {
    (time + Duration::from_millis(500)).as_secs()
}

fn unreachable(host: &str, port: u16, reason: &str) -> Error {
    Error::Connect { host: bracketed(host), port, reason: reason.to_owned() }
}

/// The errors beneath `error`, outermost first, including those that an `io::Error` wraps.
fn chain<'a>(error: &'a (dyn StdError + 'static)) -> Vec<&'a (dyn StdError + 'static)> {
    let mut links = Vec::new();
    let mut next = Some(error);
    while let Some(link) = next {
        links.push(link);
        let wrapped = link.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        next = match wrapped {
            Some(inner) => Some(inner as &(dyn StdError + 'static)),
            None => link.source(),
        };
    }
    links
}

fn io_kind(links: &[&(dyn StdError + 'static)]) -> Option<ErrorKind> {
    let mut kinds = links.iter().filter_map(|link| link.downcast_ref::<io::Error>());
    kinds.next_back().map(io::Error::kind)
}

/// Why there is no connection, in plain words.
fn reason(error: &reqwest::Error, links: &[&(dyn StdError + 'static)], texts: &[String]) -> String {
    if error.is_timeout() {
        return format!("no answer within {} s", CONNECT.as_secs());
    }
    if texts.iter().any(|text| text.starts_with("dns error")) {
        return "the name does not resolve".to_owned();
    }
    let plain = match io_kind(links) {
        Some(ErrorKind::ConnectionRefused) => "connection refused",
        Some(ErrorKind::HostUnreachable) => "there is no route to the host",
        Some(ErrorKind::NetworkUnreachable) => "there is no route to its network",
        Some(ErrorKind::ConnectionReset | ErrorKind::BrokenPipe) => "the connection was reset",
        Some(ErrorKind::TimedOut) => "the connection timed out",
        Some(ErrorKind::UnexpectedEof) => "the server closed the connection",
        _ if texts.iter().any(|text| text.contains("invalid HTTP version")) => {
            "what answers there does not speak HTTP; it may be a TLS port"
        }
        _ if texts.iter().any(|text| text.contains("before message completed")) => {
            "the server closed the connection without an answer"
        }
        _ => texts.last().map_or("unknown reason", String::as_str),
    };
    plain.to_owned()
}

fn redirected(status: u16, response: &Response) -> Error {
    let location = response.headers().get(LOCATION);
    let location = location.and_then(|value| value.to_str().ok());
    Error::Http {
        status,
        detail: match location {
            Some(location) => format!("it redirects to {location}, which is not followed"),
            None => "it redirects, which is not followed".to_owned(),
        },
    }
}

/// The session cookie, verbatim: real servers put its value in quotes and want them back.
fn session_cookie(headers: &HeaderMap) -> Option<String> {
    headers.get_all(SET_COOKIE).iter().find_map(|header| {
        let pair = header.to_str().ok()?.split(';').next()?.trim();
        let (name, value) = pair.split_once('=')?;
        let ours = name.trim().eq_ignore_ascii_case(SESSION_COOKIE) && !value.trim().is_empty();
        ours.then(|| pair.to_owned())
    })
}

/// The host without the brackets of an IPv6 literal.
fn bare(host: &str) -> String {
    let host = host.trim();
    host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host).to_owned()
}

/// The host as URLs want it.
fn bracketed(host: &str) -> String {
    let host = bare(host);
    if host.contains(':') { format!("[{host}]") } else { host }
}
