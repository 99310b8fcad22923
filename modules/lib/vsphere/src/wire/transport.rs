//! HTTP to one server: no redirects, no proxy but the given one, bounded time and size.

use std::cell::{Cell, RefCell};
use std::io::ErrorKind;
use std::sync::Arc;
use std::time::{Duration, Instant};

use reqwest::header::{CONTENT_TYPE, COOKIE, LOCATION, RANGE};
use reqwest::{Client, RequestBuilder, redirect};

use crate::wire::connect::{self, CONNECT, USER_AGENT, bare, bracketed, proxy_unreachable};
use crate::wire::endpoint::{Endpoint, Scheme, Trace, Trust};
use crate::wire::error::{TlsError, WireError};
use crate::wire::header::{range_start, redirected, session_cookie, tells_its_length};
use crate::wire::incoming::Incoming;
use crate::wire::legacy::relay::Relay;
use crate::wire::resolve::Resolver;
use crate::wire::tls::verifier::Verifier;
use crate::wire::tls_version::{TlsMinimum, TlsSpoken};

/// Time limit of a request, if the run has no deadline or more time than that.
pub(crate) const REQUEST: Duration = Duration::from_secs(120);
/// Shortest time limit of a read, if the run has that much time left.
const LEAST: Duration = Duration::from_secs(30);
/// Time after the deadline for the last look: a run may still read how far it came.
pub(crate) const LAST_LOOK: Duration = Duration::from_millis(2500);
/// Time limit of an idle connection: short, so that no request meets a connection that the server is about to close.
const IDLE: Duration = Duration::from_secs(20);

/// An HTTP response with any status but a redirect.
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) body: String,
    /// Number of bytes before this part of a document, if the server tells it.
    pub(crate) from: Option<u64>,
}

/// The connection to one server.
pub(crate) struct Transport {
    client: Client,
    /// The origin that the client sees: plain HTTP if the relay makes it HTTPS.
    base: String,
    /// The origin that the server sees.
    origin: String,
    endpoint: Endpoint,
    verifier: Arc<Verifier>,
    /// Speaks TLS that is older than 1.2, which the client cannot.
    relay: Option<Relay>,
    /// The session cookie as it must be sent back (`name=value`, quotes included).
    cookie: RefCell<Option<String>>,
    /// True once the server has answered as vSphere does.
    proven: Cell<bool>,
    /// Bytes of answers being received.
    incoming: Incoming,
    trace: RefCell<Option<Trace>>,
    deadline: Cell<Option<Instant>>,
    /// The start of the run.
    began: Cell<Instant>,
    /// True once the run has sent a write.
    wrote: Cell<bool>,
}

impl Transport {
    pub(crate) fn new(mut endpoint: Endpoint) -> Result<Self, WireError> {
        endpoint.host = bare(&endpoint.host);
        let (secure, trust) = match &endpoint.scheme {
            Scheme::Http => (false, &Trust::Anything),
            Scheme::Https(trust) => (true, trust),
        };
        let verifier = Verifier::new(&endpoint.host, trust, endpoint.tls_minimum)?;
        let relay = match endpoint.tls_minimum {
            TlsMinimum::V1_0 | TlsMinimum::V1_1 if secure => Some(Relay::start(&endpoint, verifier.clone())?),
            _ => None,
        };
        let mut builder = Client::builder()
            .user_agent(USER_AGENT)
            .redirect(redirect::Policy::none())
            // Some proxies care about the case of headers, although HTTP does not.
            .http1_title_case_headers()
            .connect_timeout(CONNECT)
            .pool_idle_timeout(IDLE)
            .no_proxy()
            .dns_resolver(Resolver)
            // Also for plain HTTP, because without it the client needs a process-wide default.
            .tls_backend_preconfigured(verifier.config()?);
        if let Some(relay) = &relay {
            builder = relay.route(builder);
        } else if let Some(proxy) = &endpoint.proxy {
            let url = format!("http://{}:{}", bracketed(&proxy.host), proxy.port);
            let proxy =
                reqwest::Proxy::all(url).map_err(|_| proxy_unreachable(proxy, "this is not a valid host name"))?;
            builder = builder.proxy(proxy);
        }
        let client = builder.build().map_err(|error| TlsError::Other(error.to_string()))?;
        let at = format!("{}:{}", bracketed(&endpoint.host), endpoint.port);
        Ok(Self {
            client,
            trace: RefCell::new(endpoint.trace.take()),
            deadline: Cell::new(endpoint.deadline),
            began: Cell::new(Instant::now()),
            wrote: Cell::new(false),
            base: format!("{}://{at}", if secure && relay.is_none() { "https" } else { "http" }),
            origin: format!("{}://{at}", if secure { "https" } else { "http" }),
            endpoint,
            verifier,
            relay,
            cookie: RefCell::default(),
            proven: Cell::new(false),
            incoming: Incoming::default(),
        })
    }

    /// Begins another run, with its own trace and deadline (see [`Endpoint`]).
    pub(crate) fn serve(&self, trace: Option<Trace>, deadline: Option<Instant>) {
        self.trace.replace(trace);
        self.deadline.set(deadline);
        self.began.set(Instant::now());
        self.wrote.set(false);
    }

    /// Returns the end of the run.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.deadline.get()
    }

    /// Moves the deadline to `deadline`, if that is later.
    pub(crate) fn extend(&self, deadline: Instant) {
        self.deadline.set(self.deadline.get().map(|own| own.max(deadline)));
    }

    /// Notes that the server answered as vSphere does: from now on, a lost connection counts as a transient failure.
    pub(crate) fn prove(&self) {
        self.proven.set(true);
    }

    /// True once the server has answered as vSphere does.
    pub(crate) fn is_proven(&self) -> bool {
        self.proven.get()
    }

    /// True if the server has set a session cookie. That does not mean that there is a session.
    pub(crate) fn has_cookie(&self) -> bool {
        self.cookie.borrow().is_some()
    }

    /// Returns the session cookie.
    pub(crate) fn cookie(&self) -> Option<String> {
        self.cookie.borrow().clone()
    }

    /// Sends this session cookie from now on.
    pub(crate) fn set_cookie(&self, cookie: String) {
        self.cookie.replace(Some(cookie));
    }

    /// Stops sending the cookie.
    pub(crate) fn forget_cookie(&self) {
        self.cookie.take();
    }

    /// Returns the host's name as given, without brackets.
    pub(crate) fn host(&self) -> &str {
        &self.endpoint.host
    }

    /// Returns the server as `host:port`.
    pub(crate) fn place(&self) -> String {
        format!("{}:{}", self.endpoint.host, self.endpoint.port)
    }

    /// Returns the oldest TLS of any connection so far, if the relay did it.
    pub(crate) fn spoken(&self) -> Option<TlsSpoken> {
        self.relay.as_ref().and_then(Relay::spoken)
    }

    /// Sends a SOAP message to `/sdk` in the API version `version`.
    pub(crate) async fn post(
        &self,
        what: &str,
        version: &str,
        body: String,
        purpose: Purpose,
    ) -> Result<Response, WireError> {
        let request = self
            .client
            .post(format!("{}/sdk", self.base))
            .header(CONTENT_TYPE, "text/xml; charset=utf-8")
            .header("SOAPAction", format!("\"urn:vim25/{version}\""));
        let sent = if self.trace.borrow().is_some() { body.clone() } else { String::new() };
        self.exchange(what, self.with_cookie(request.body(body)), purpose, &sent).await
    }

    fn with_cookie(&self, request: RequestBuilder) -> RequestBuilder {
        match self.cookie.borrow().as_deref() {
            Some(cookie) => request.header(COOKIE, cookie),
            None => request,
        }
    }

    /// Gets a document, e.g. `/sdk/vimServiceVersions.xml`.
    pub(crate) async fn get(&self, path: &str) -> Result<Response, WireError> {
        let request = self.client.get(format!("{}{path}", self.base));
        self.exchange(path, request, Purpose::Read, path).await
    }

    /// Gets the last `count` bytes of a document, in the session.
    pub(crate) async fn get_tail(&self, path: &str, count: u64) -> Result<Response, WireError> {
        let request = self.client.get(format!("{}{path}", self.base)).header(RANGE, format!("bytes=-{count}"));
        self.exchange(path, self.with_cookie(request), Purpose::Read, path).await
    }

    async fn exchange(
        &self,
        what: &str,
        request: RequestBuilder,
        purpose: Purpose,
        sent: &str,
    ) -> Result<Response, WireError> {
        let start = Instant::now();
        let Some((limit, shown)) = self.limit(purpose) else {
            return Err(WireError::NoTime { what: what.to_owned() });
        };
        if purpose == Purpose::Write {
            self.wrote.set(true);
        }
        let answer = self.receive(what, request.timeout(limit), seconds(shown), purpose).await;
        let trace = self.trace.borrow().clone();
        if let Some(trace) = trace {
            let took = start.elapsed();
            match &answer {
                Ok(response) => trace(what, took, sent, &response.body),
                Err(error) => trace(what, took, sent, &format!("no answer: {error}")),
            }
        }
        answer
    }

    /// Returns the time limit of the next request, and the one that an error names: that of the whole run, if the request may
    /// last until its end. `None` if the time is over.
    ///
    /// A request that begins in time ends with the deadline. Only a read after a write may last longer, as may one that
    /// begins later.
    fn limit(&self, purpose: Purpose) -> Option<(Duration, Duration)> {
        let Some(deadline) = self.deadline.get() else { return Some((REQUEST, REQUEST)) };
        let now = Instant::now();
        let is_last_look = now >= deadline || self.wrote.get() && purpose != Purpose::Write;
        let end = if is_last_look { deadline + LAST_LOOK } else { deadline };
        let left = end.checked_duration_since(now).filter(|left| !left.is_zero())?;
        let limit = match purpose {
            Purpose::Write => left,
            Purpose::Login | Purpose::Read => (left / 2).clamp(LEAST, REQUEST),
        };
        if limit < left {
            return Some((limit, limit));
        }
        Some((left, deadline.saturating_duration_since(self.began.get())))
    }

    async fn receive(
        &self,
        what: &str,
        request: RequestBuilder,
        seconds: u64,
        purpose: Purpose,
    ) -> Result<Response, WireError> {
        let start = Instant::now();
        let failed = |error| self.failure(what, &error, seconds, start);
        let mut response = request.send().await.map_err(failed)?;
        let status = response.status().as_u16();
        if response.status().is_redirection() {
            return Err(redirected(what, status, &self.origin, response.headers().get(LOCATION)));
        }
        let mut body = self.incoming.body(response.content_length().unwrap_or(0))?;
        // Before the body, which may be damaged: without the cookie there is no logout.
        if purpose == Purpose::Login
            && let Some(cookie) = session_cookie(response.headers())
        {
            self.cookie.replace(Some(cookie));
        }
        let from = range_start(response.headers());
        let ends_with_connection = !tells_its_length(response.headers());
        while let Some(chunk) = response.chunk().await.map_err(failed)? {
            body.add(&chunk)?;
        }
        if ends_with_connection && let Some(cut) = self.relay.as_ref().and_then(|relay| relay.cut(start)) {
            return Err(match cut {
                WireError::Connect { host, port, reason } | WireError::Proxy { host, port, reason } => {
                    WireError::Dropped { what: what.to_owned(), host, port, reason }
                }
                other => other,
            });
        }
        Ok(Response { status, body: body.text(), from })
    }

    /// Explains a failed exchange by the chain of errors beneath it.
    fn failure(&self, what: &str, error: &reqwest::Error, seconds: u64, start: Instant) -> WireError {
        let links = connect::chain(error);
        // Otherwise an established connection broke: the server may have received the request.
        if error.is_connect()
            && let Some(tls) = links.iter().find_map(|link| link.downcast_ref())
        {
            return self.verifier.explain(tls).into();
        }
        if error.is_timeout() && !error.is_connect() {
            return WireError::Timeout { what: what.to_owned(), seconds };
        }
        match &self.relay {
            // The client itself sees only that the relay closed the connection.
            Some(relay) => {
                if let Some(error) = relay.failure(start) {
                    return error;
                }
                if error.is_connect() {
                    return TlsError::Other("the internal socket between HTTP and TLS was closed".to_owned()).into();
                }
            }
            None if matches!(self.endpoint.scheme, Scheme::Https(_))
                && error.is_connect()
                && connect::io_kind(&links) == Some(ErrorKind::UnexpectedEof) =>
            {
                return self.verifier.hung_up().into();
            }
            None => {}
        }
        let Endpoint { host, port, proxy, .. } = &self.endpoint;
        if error.is_connect() {
            return connect::explain(error, &links, host, *port, proxy.as_ref());
        }
        let mut reason = connect::reason(error, &links);
        if matches!(self.endpoint.scheme, Scheme::Http) && !self.is_proven() && proxy.is_none() {
            match &*reason {
                connect::NOT_HTTP => return WireError::NotHttp { host: bracketed(host), port: *port },
                // Some TLS servers do not answer at all.
                connect::NO_ANSWER => reason.push_str("; this may be a TLS port"),
                _ => {}
            }
        }
        let (host, port) = proxy.as_ref().map_or((host, *port), |proxy| (&proxy.host, proxy.port));
        WireError::Dropped { what: what.to_owned(), host: bracketed(host), port, reason }
    }
}

/// The purpose of a request, which decides how much of the run's remaining time it may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Opens a session: as [`Purpose::Read`], and the cookie of the answer is kept. A late answer in an expired session must
    /// not replace the cookie of the new one, so no other request sets it.
    Login,
    /// Takes half of the time, so that a request that hangs can be repeated.
    Read,
    /// Takes all of the time, because a write is sent only once.
    Write,
}

/// Rounds to whole seconds, for messages.
pub(crate) fn seconds(time: Duration) -> u64 {
    (time + Duration::from_millis(500)).as_secs()
}
