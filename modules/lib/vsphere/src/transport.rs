//! HTTP: one URL, no redirects, no proxy but the given one, bounded time and size.

use std::cell::{Cell, RefCell};
use std::io::ErrorKind;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use reqwest::header::{CONTENT_TYPE, COOKIE, LOCATION, RANGE};
use reqwest::{Client, RequestBuilder, redirect};

use crate::bounds::Incoming;
use crate::connect::{self, CONNECT, bare, bracketed, unreachable};
use crate::error::{Error, TlsError};
use crate::header::{range_start, redirected, session_cookie, tells_its_length};
use crate::legacy::Leg;
use crate::resolve::Resolver;
use crate::thumbprint::Thumbprint;
use crate::tls::Judge;
use crate::tls_version::{TlsMinimum, TlsSpoken};

pub(crate) const REQUEST: Duration = Duration::from_secs(120);
/// The least time that a request which only reads gets, if the run has as much left.
const LEAST: Duration = Duration::from_secs(30);
/// So long after the deadline a run may still ask how far it came.
pub(crate) const LAST_LOOK: Duration = Duration::from_millis(2500);
/// Short, so that no request meets a connection that the server is just closing.
const IDLE: Duration = Duration::from_secs(20);
pub(crate) const USER_AGENT: &str = concat!("nested-vft/", env!("CARGO_PKG_VERSION"));

/// Receives the name of each method and how long its answer took.
pub type Trace = Rc<dyn Fn(&str, Duration)>;

/// Where the vSphere API is, and how to get there.
#[derive(Clone)]
pub struct Endpoint {
    /// Host name or IP address; IPv6 with or without brackets.
    pub host: String,
    /// TCP port, usually 443.
    pub port: u16,
    /// HTTPS, and whom to trust; or plain HTTP.
    pub scheme: Scheme,
    /// The oldest TLS version to speak; without meaning for plain HTTP. Less than 1.2 brings the ciphers and signatures of
    /// that time with it, in any version, and needs [`LEGACY_TLS`](crate::LEGACY_TLS).
    pub tls_minimum: TlsMinimum,
    /// An HTTP proxy. The environment's proxy variables are not looked at.
    pub proxy: Option<Proxy>,
    /// Called after every request with the method's name and the time it took.
    pub trace: Option<Trace>,
    /// When the run is over. No request goes on for more than 2.5 s past it.
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
    /// Of a part of a document, how many bytes come before it, where the server says so.
    pub(crate) from: Option<u64>,
}

/// The connection to one server.
pub(crate) struct Transport {
    client: Client,
    /// What the client asks: plain HTTP, where the leg makes it HTTPS.
    base: String,
    /// What the server is asked.
    place: String,
    endpoint: Endpoint,
    judge: Arc<Judge>,
    /// What speaks TLS where the client itself cannot: it is older than 1.2.
    leg: Option<Leg>,
    requests: Cell<u32>,
    /// The session cookie as it has to be sent back (`name=value`, quotes included).
    cookie: RefCell<Option<String>>,
    /// True once the server has answered as vSphere does.
    proven: Cell<bool>,
    /// Bytes of answers being received.
    incoming: Incoming,
    trace: RefCell<Option<Trace>>,
    deadline: Cell<Option<Instant>>,
}

impl Transport {
    pub(crate) fn new(mut endpoint: Endpoint) -> Result<Self, Error> {
        endpoint.host = bare(&endpoint.host);
        let (secure, trust) = match &endpoint.scheme {
            Scheme::Http => (false, &Trust::Anything),
            Scheme::Https(trust) => (true, trust),
        };
        let judge = Judge::new(&endpoint.host, trust, endpoint.tls_minimum)?;
        let leg = match endpoint.tls_minimum {
            TlsMinimum::V1_0 | TlsMinimum::V1_1 if secure => Some(Leg::start(&endpoint, judge.clone())?),
            _ => None,
        };
        let mut builder = Client::builder()
            .user_agent(USER_AGENT)
            .redirect(redirect::Policy::none())
            // Proxies between may care, although HTTP does not.
            .http1_title_case_headers()
            .connect_timeout(CONNECT)
            .pool_idle_timeout(IDLE)
            .no_proxy()
            .dns_resolver(Resolver)
            // Given for plain HTTP too: without one the client would insist on a process-wide default.
            .tls_backend_preconfigured(judge.config()?);
        if let Some(leg) = &leg {
            builder = leg.route(builder);
        } else if let Some(proxy) = &endpoint.proxy {
            let url = format!("http://{}:{}", bracketed(&proxy.host), proxy.port);
            let proxy = reqwest::Proxy::all(url)
                .map_err(|_| unreachable(&proxy.host, proxy.port, "the proxy is no host name"))?;
            builder = builder.proxy(proxy);
        }
        let client = builder.build().map_err(|error| TlsError::Other(error.to_string()))?;
        let at = format!("{}:{}", bracketed(&endpoint.host), endpoint.port);
        Ok(Self {
            client,
            trace: RefCell::new(endpoint.trace.take()),
            deadline: Cell::new(endpoint.deadline),
            base: format!("{}://{at}", if secure && leg.is_none() { "https" } else { "http" }),
            place: format!("{}://{at}", if secure { "https" } else { "http" }),
            endpoint,
            judge,
            leg,
            requests: Cell::new(0),
            cookie: RefCell::default(),
            proven: Cell::new(false),
            incoming: Incoming::default(),
        })
    }

    /// From now on, requests are told to `trace` and end with `deadline`, as [`Endpoint`] has them.
    pub(crate) fn serve(&self, trace: Option<Trace>, deadline: Option<Instant>) {
        self.trace.replace(trace);
        self.deadline.set(deadline);
    }

    /// When the run is over.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.deadline.get()
    }

    /// Lets requests go on until `deadline`, if that is later than the run's own.
    pub(crate) fn extend(&self, deadline: Instant) {
        self.deadline.set(self.deadline.get().map(|own| own.max(deadline)));
    }

    /// Notes that the server answers as vSphere does: from now on a lost connection is taken for a passing one.
    pub(crate) fn prove(&self) {
        self.proven.set(true);
    }

    pub(crate) fn is_proven(&self) -> bool {
        self.proven.get()
    }

    /// True if a server has given a session cookie. It keeps the one that it was given last; it may be no session's.
    pub(crate) fn has_cookie(&self) -> bool {
        self.cookie.borrow().is_some()
    }

    /// Sends no cookie any more.
    pub(crate) fn forget_cookie(&self) {
        self.cookie.take();
    }

    /// How many requests were sent.
    pub(crate) fn requests(&self) -> u32 {
        self.requests.get()
    }

    /// The host's name as given, without brackets.
    pub(crate) fn host(&self) -> &str {
        &self.endpoint.host
    }

    /// What the last connection was secured with, if the leg did it.
    pub(crate) fn spoken(&self) -> Option<TlsSpoken> {
        self.leg.as_ref().and_then(Leg::spoken)
    }

    /// Sends a SOAP message to `/sdk` in the API version `version`.
    pub(crate) async fn post(&self, what: &str, version: &str, body: String, share: Share) -> Result<Answer, Error> {
        let request = self
            .client
            .post(format!("{}/sdk", self.base))
            .header(CONTENT_TYPE, "text/xml; charset=utf-8")
            .header("SOAPAction", format!("\"urn:vim25/{version}\""))
            .body(body);
        self.exchange(what, self.with_cookie(request), share).await
    }

    fn with_cookie(&self, request: RequestBuilder) -> RequestBuilder {
        match self.cookie.borrow().as_deref() {
            Some(cookie) => request.header(COOKIE, cookie),
            None => request,
        }
    }

    /// Gets a document, e.g. `/sdk/vimServiceVersions.xml`.
    pub(crate) async fn get(&self, path: &str) -> Result<Answer, Error> {
        let request = self.client.get(format!("{}{path}", self.base));
        self.exchange(path, request, Share::Half).await
    }

    /// Gets the last `count` bytes of a document, in the session.
    pub(crate) async fn get_tail(&self, path: &str, count: u64) -> Result<Answer, Error> {
        let request = self.client.get(format!("{}{path}", self.base)).header(RANGE, format!("bytes=-{count}"));
        self.exchange(path, self.with_cookie(request), Share::Half).await
    }

    async fn exchange(&self, what: &str, request: RequestBuilder, share: Share) -> Result<Answer, Error> {
        let start = Instant::now();
        let Some(limit) = self.limit(share) else {
            return Err(Error::NoTime { what: what.to_owned() });
        };
        self.requests.set(self.requests.get() + 1);
        let answer = self.receive(what, request.timeout(limit), limit).await;
        let trace = self.trace.borrow().clone();
        if let Some(trace) = trace {
            trace(what, start.elapsed());
        }
        answer
    }

    /// Returns the time limit of the next request; `None` if the time is over.
    fn limit(&self, share: Share) -> Option<Duration> {
        let Some(deadline) = self.deadline.get() else { return Some(REQUEST) };
        let now = Instant::now();
        let left = (deadline + LAST_LOOK).checked_duration_since(now).filter(|left| !left.is_zero())?;
        let limit = match share {
            Share::All => left,
            Share::Half => (left / 2).clamp(LEAST, REQUEST),
        };
        Some(limit.min(left))
    }

    async fn receive(&self, what: &str, request: RequestBuilder, limit: Duration) -> Result<Answer, Error> {
        let start = Instant::now();
        let failed = |error| self.failure(what, &error, limit, start);
        let mut response = request.send().await.map_err(failed)?;
        let status = response.status().as_u16();
        if response.status().is_redirection() {
            return Err(redirected(what, status, &self.place, response.headers().get(LOCATION)));
        }
        let mut body = self.incoming.body(response.content_length().unwrap_or(0))?;
        // Also of an answer whose body will be damaged: whoever has the cookie can log out.
        if takes_cookie(what)
            && let Some(cookie) = session_cookie(response.headers())
        {
            self.cookie.replace(Some(cookie));
        }
        let from = range_start(response.headers());
        let ends_with_connection = !tells_its_length(response.headers());
        while let Some(chunk) = response.chunk().await.map_err(failed)? {
            body.add(&chunk)?;
        }
        if ends_with_connection && let Some(cut) = self.leg.as_ref().and_then(|leg| leg.cut(start)) {
            return Err(match cut {
                Error::Connect { host, port, reason } => Error::Dropped { what: what.to_owned(), host, port, reason },
                other => other,
            });
        }
        Ok(Answer { status, body: body.text(), from })
    }

    /// What a failed exchange means, told from the chain of errors beneath it.
    fn failure(&self, what: &str, error: &reqwest::Error, limit: Duration, start: Instant) -> Error {
        let links = connect::chain(error);
        // Later, it is a connection that broke: the server may have received the request.
        if error.is_connect()
            && let Some(tls) = links.iter().find_map(|link| link.downcast_ref())
        {
            return self.judge.explain(tls).into();
        }
        if error.is_timeout() && !error.is_connect() {
            return Error::Timeout { what: what.to_owned(), seconds: seconds(limit) };
        }
        match &self.leg {
            // All that the client itself sees is that the leg closed the connection.
            Some(leg) => {
                if let Some(error) = leg.failure(start) {
                    return error;
                }
                if error.is_connect() {
                    return TlsError::Other("the socket between HTTP and TLS is gone".to_owned()).into();
                }
            }
            None if matches!(self.endpoint.scheme, Scheme::Https(_))
                && error.is_connect()
                && connect::io_kind(&links) == Some(ErrorKind::UnexpectedEof) =>
            {
                return self.judge.hung_up().into();
            }
            None => {}
        }
        let Endpoint { host, port, proxy, .. } = &self.endpoint;
        if error.is_connect() {
            return connect::explain(error, &links, host, *port, proxy.as_ref());
        }
        let (host, port) = proxy.as_ref().map_or((host, *port), |proxy| (&proxy.host, proxy.port));
        Error::Dropped { what: what.to_owned(), host: bracketed(host), port, reason: connect::reason(error, &links) }
    }
}

/// How much of the run's time a request may take.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Share {
    /// Half of it: a request that hangs can be made again.
    Half,
    /// All of it: a write is made once.
    All,
}

/// Only these answers begin a session. A late answer to a request of an expired one must not replace the cookie of the new.
fn takes_cookie(what: &str) -> bool {
    ["RetrieveServiceContent", "Login"].contains(&what)
}

/// Whole seconds, for messages.
pub(crate) fn seconds(time: Duration) -> u64 {
    (time + Duration::from_millis(500)).as_secs()
}
