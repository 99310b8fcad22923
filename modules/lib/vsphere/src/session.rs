//! A session: who is logged in where, and how calls survive its expiry.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::time::Instant;

use futures_util::lock::Mutex;

use crate::about::{About, ServiceContent};
use crate::error::Error;
use crate::moref::Moref;
use crate::request::Request;
use crate::soap;
use crate::tls_version::TlsSpoken;
use crate::transport::{Answer, Endpoint, Trace, Transport};
use crate::version::{self, Version};
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

/// A logged-in session with a vSphere server.
pub struct Session {
    pub(crate) transport: Transport,
    pub(crate) credentials: Credentials,
    about: About,
    content: ServiceContent,
    /// The API version spoken.
    version: &'static str,
    pub(crate) cookie: RefCell<Option<String>>,
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
        let answer = transport.post(request.method, version::OLDEST, None, request.message()).await?;
        let response = soap::response(answer.status, &answer.body)?;
        let (about, content) = crate::about::parse(returned(&response)?)?;
        let version = match version::choose(&about.api_version) {
            Some(version) => version,
            None => listed_version(&transport).await?,
        };
        let session = Session {
            transport,
            credentials,
            about,
            content,
            version,
            cookie: RefCell::default(),
            logins: Cell::new(0),
            closed: Cell::new(false),
            renewing: Mutex::new(()),
        };
        session.login().await?;
        Ok(session)
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

    /// Whether the API version spoken is `major.minor` or later: what it brought may be asked for.
    pub fn speaks(&self, major: u32, minor: u32) -> bool {
        Version::parse(self.version).at_least(major, minor)
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
    pub(crate) async fn send(&self, request: &Request) -> Result<Answer, Error> {
        let cookie = self.cookie.borrow().clone();
        self.transport.post(request.method, self.version, cookie.as_deref(), request.message()).await
    }

    pub(crate) async fn call(&self, request: &Request) -> Result<Element, Error> {
        let answer = self.send(request).await?;
        soap::response(answer.status, &answer.body)
    }

    /// A call that changes nothing: when the session has expired, it is made once more in a new one.
    pub(crate) async fn query(&self, request: &Request) -> Result<Element, Error> {
        let login = self.logins.get();
        match self.call(request).await {
            Err(error) if error.is_fault("NotAuthenticated") => {
                self.renew(login).await?;
                self.call(request).await
            }
            outcome => outcome,
        }
    }

    /// A call that changes something: when the session has expired, a new one is opened but the call is not repeated, because
    /// what it was planned upon may have changed ([`Error::SessionRenewed`]).
    pub(crate) async fn change(&self, request: &Request) -> Result<Element, Error> {
        let login = self.logins.get();
        match self.call(request).await {
            Err(error) if error.is_fault("NotAuthenticated") => {
                self.renew(login).await?;
                Err(Error::SessionRenewed)
            }
            outcome => outcome,
        }
    }

    /// Starts a task: a change whose answer refers to a `Task`.
    pub(crate) async fn start(&self, request: &Request) -> Result<Moref, Error> {
        let response = self.change(request).await?;
        returned(&response)?
            .moref()
            .ok_or_else(|| Error::Protocol(format!("the server's answer to {} names no task", request.method)))
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
