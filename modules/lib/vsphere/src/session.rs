//! A session: who is logged in where, and how calls survive its expiry.

use std::cell::Cell;
use std::fmt;
use std::time::Instant;

use futures_util::lock::Mutex;

use crate::about::{About, ServiceContent};
use crate::error::Error;
use crate::moref::Moref;
use crate::request::Request;
use crate::soap;
use crate::tls_version::TlsSpoken;
use crate::transport::{Answer, Endpoint, Share, Trace, Transport};
use crate::version::{self, Version};
use crate::write::WriteError;
use crate::xml::Element;

/// A user name and its password.
#[derive(Clone)]
pub struct Credentials {
    /// The user, e.g. `administrator@vsphere.local` or `root`.
    pub username: String,
    /// The password; in no error, log or debug output.
    pub password: String,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").field("username", &self.username).field("password", &"***").finish()
    }
}

/// How many sessions in a row are opened for writes that the server takes for unauthenticated.
const RENEWALS: u32 = 2;

/// A logged-in session with a vSphere server.
pub struct Session {
    pub(crate) transport: Transport,
    pub(crate) credentials: Credentials,
    about: About,
    content: ServiceContent,
    /// The API version spoken.
    version: &'static str,
    /// True while the server holds a session of this client, or may.
    pub(crate) open: Cell<bool>,
    /// Sessions in a row in which the server took a write for unauthenticated.
    unheard: Cell<u32>,
    /// Counts logins, so that of many calls that meet an expired session only one logs in again.
    pub(crate) logins: Cell<u32>,
    /// Whether the session was closed for good.
    pub(crate) closed: Cell<bool>,
    /// Held by the call that logs in again.
    pub(crate) renewing: Mutex<()>,
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("host", &self.transport.host())
            .field("about", &self.about)
            .finish_non_exhaustive()
    }
}

impl Session {
    /// Asks the server what it is, chooses the API version, and logs in: two requests, three on development builds.
    ///
    /// [`Error::Connect`] and [`Error::Tls`] tell why there is no connection; a wrong password is the fault `InvalidLogin`.
    pub async fn open(endpoint: Endpoint, credentials: Credentials) -> Result<Session, Error> {
        let transport = Transport::new(endpoint)?;
        let instance = Moref::new("ServiceInstance", "ServiceInstance");
        let request = Request::new("RetrieveServiceContent", &instance);
        let ask = async || {
            let answer = transport.post(request.method, version::OLDEST, request.message(), Share::Half).await?;
            let response = soap::response(request.method, answer.status, &answer.body)?;
            crate::about::parse(returned(&response)?)
        };
        let (about, content) = transport.persist(ask).await?;
        transport.prove();
        let version = match version::choose(&about.api_version) {
            Some(version) => version,
            None => transport.persist(async || listed_version(&transport).await).await?,
        };
        let session = Session {
            transport,
            credentials,
            about,
            content,
            version,
            open: Cell::new(false),
            unheard: Cell::new(0),
            logins: Cell::new(0),
            closed: Cell::new(false),
            renewing: Mutex::new(()),
        };
        match session.login().await {
            Ok(()) => Ok(session),
            Err(error) => {
                session.close().await;
                Err(error)
            }
        }
    }

    /// Serves another run from now on: with its own `trace` and `deadline`, as [`Endpoint`] has them.
    pub fn serve(&self, trace: Option<Trace>, deadline: Option<Instant>) {
        self.transport.serve(trace, deadline);
    }

    /// What the server is (`ServiceContent.about`).
    pub fn about(&self) -> &About {
        &self.about
    }

    /// The server's well-known objects.
    pub fn content(&self) -> &ServiceContent {
        &self.content
    }

    /// Returns the API version spoken: the server's own, or the nearest older one that this client knows.
    pub fn spoken(&self) -> Version {
        Version::parse(self.version)
    }

    /// True if the API version spoken is `major.minor` or later: what it brought may be asked for.
    pub fn speaks(&self, major: u32, minor: u32) -> bool {
        self.spoken().at_least(major, minor)
    }

    /// How many requests were sent so far, logins included.
    pub fn requests(&self) -> u32 {
        self.transport.requests()
    }

    /// The oldest TLS that any connection was secured with so far, if [`Endpoint::tls_minimum`] allowed less than TLS 1.2.
    pub fn tls(&self) -> Option<TlsSpoken> {
        self.transport.spoken()
    }

    /// One exchange in the session as it is.
    async fn send(&self, request: &Request, share: Share) -> Result<Answer, Error> {
        self.transport.post(request.method, self.version, request.message(), share).await
    }

    pub(crate) async fn call(&self, request: &Request) -> Result<Element, Error> {
        self.exchange(request, Share::Half).await
    }

    async fn exchange(&self, request: &Request, share: Share) -> Result<Element, Error> {
        let answer = self.send(request, share).await?;
        soap::response(request.method, answer.status, &answer.body)
    }

    /// A call that changes nothing.
    pub(crate) async fn query(&self, request: &Request) -> Result<Element, Error> {
        self.reading(async || self.call(request).await).await
    }

    /// Reads: again after a transient failure ([`Transport::persist`]), and once more in a new session when the old one has
    /// expired.
    pub(crate) async fn reading<T>(&self, attempt: impl AsyncFn() -> Result<T, Error>) -> Result<T, Error> {
        let login = self.logins.get();
        match self.transport.persist(&attempt).await {
            Err(error) if error.is_fault("NotAuthenticated") => {
                self.renew(login).await?;
                self.transport.persist(&attempt).await
            }
            outcome => outcome,
        }
    }

    /// A call of a method that has done its change when it answers.
    pub(crate) async fn change(&self, request: &Request) -> Result<Element, WriteError> {
        self.write(request, WriteError::of_call).await
    }

    /// A call of a method that starts a task, and refers to it in its answer.
    pub(crate) async fn start(&self, request: &Request) -> Result<Moref, WriteError> {
        let response = self.write(request, WriteError::of_start).await?;
        returned(&response)
            .and_then(|value| {
                let missing = || Error::Protocol(format!("the server's answer to {} names no task", request.method));
                value.moref().ok_or_else(missing)
            })
            .map_err(|error| WriteError::Unknown { error, accepted: true })
    }

    /// Writes, once. When the session has expired, a new one is opened but the call is not repeated, because what it was
    /// planned upon may have changed ([`Error::SessionRenewed`]). A server that takes no write in any session is left alone
    /// after a few.
    async fn write(&self, request: &Request, judge: fn(Error) -> WriteError) -> Result<Element, WriteError> {
        let login = self.logins.get();
        let outcome = self.exchange(request, Share::All).await;
        match outcome {
            Err(error) if error.is_fault("NotAuthenticated") => {
                // Of several writes that meet the end of one session, one counts.
                if self.logins.get() == login {
                    self.unheard.set(self.unheard.get() + 1);
                }
                if self.unheard.get() > RENEWALS {
                    return Err(WriteError::Refused(error));
                }
                let renewed = self.renew(login).await;
                Err(WriteError::Refused(renewed.map_or_else(|error| error, |()| Error::SessionRenewed)))
            }
            outcome => {
                self.unheard.set(0);
                outcome.map_err(judge)
            }
        }
    }
}

/// The value that a method returned.
pub(crate) fn returned(response: &Element) -> Result<&Element, Error> {
    response
        .child("returnval")
        .ok_or_else(|| Error::Protocol(format!("the server's answer `{}` holds no value", response.name())))
}

/// The version to speak with a server whose own version is no number: from the list that it publishes.
async fn listed_version(transport: &Transport) -> Result<&'static str, Error> {
    let answer = match transport.get("/sdk/vimServiceVersions.xml").await {
        Ok(answer) => answer,
        Err(Error::Http { .. }) => return Ok(version::OLDEST),
        Err(error) => return Err(error),
    };
    let list = Element::parse(&answer.body).unwrap_or_default();
    let mut listed = Vec::new();
    for namespace in list.children("namespace") {
        if namespace.child("name").map_or("", Element::text) == "urn:vim25" {
            listed.extend(namespace.children("version").map(Element::text));
            let prior = namespace.children("priorVersions");
            listed.extend(prior.flat_map(|it| it.children("version").map(Element::text)));
        }
    }
    Ok(version::choose_listed(&listed))
}
