//! The state of a session, and single calls in it.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::rc::Rc;
use std::time::Instant;

use futures_util::lock::Mutex;

use crate::session::about::{About, Greeting, ServiceContent};
use crate::session::answer;
use crate::session::error::Error;
use crate::session::keeper::Keeper;
use crate::session::trace::without_secrets;
use crate::session::version::Version;
use crate::soap::element::Element;
use crate::soap::request::Request;
use crate::wire::endpoint::Trace;
use crate::wire::tls_version::TlsSpoken;
use crate::wire::transport::{Purpose, Transport};

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
    pub(super) transport: Transport,
    pub(super) credentials: Credentials,
    /// The server's description of itself. A resumed session may find another server at the same address.
    pub(super) greeting: RefCell<Rc<Greeting>>,
    /// True if another run opened the session.
    pub(super) resumed: Cell<bool>,
    /// True for a resumed session until the server has answered a call in it.
    pub(super) doubtful: Cell<bool>,
    /// True while the server holds a session of this client, or may.
    pub(super) open: Cell<bool>,
    /// Number of sessions in a row in which the server took a write for unauthenticated.
    pub(super) unheard: Cell<u32>,
    /// Counts logins, so that of many calls that meet an expired session only one logs in again.
    pub(super) logins: Cell<u32>,
    /// True once the session was closed for good.
    pub(super) closed: Cell<bool>,
    /// The TLS of the run that opened a resumed session.
    pub(super) earlier_tls: RefCell<Option<TlsSpoken>>,
    /// Where the session is kept for other runs.
    pub(super) keeper: Option<Rc<dyn Keeper>>,
    /// Held by the call that logs in again.
    pub(super) renewing: Mutex<()>,
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("host", &self.host())
            .field("greeting", &self.greeting.borrow())
            .finish_non_exhaustive()
    }
}

impl Session {
    /// Returns a session that nobody has logged in to yet.
    pub(super) fn new(transport: Transport, credentials: Credentials, greeting: Greeting) -> Self {
        Self {
            transport,
            credentials,
            greeting: RefCell::new(Rc::new(greeting)),
            resumed: Cell::new(false),
            doubtful: Cell::new(false),
            open: Cell::new(false),
            unheard: Cell::new(0),
            logins: Cell::new(0),
            closed: Cell::new(false),
            earlier_tls: RefCell::default(),
            keeper: None,
            renewing: Mutex::new(()),
        }
    }

    /// Reuses the session for another run, with that run's trace and deadline (see
    /// [`Endpoint`](crate::wire::endpoint::Endpoint)).
    pub fn serve(&self, trace: Option<Trace>, deadline: Option<Instant>) {
        self.transport.serve(trace.map(without_secrets), deadline);
    }

    /// Returns the server's name as given, without the brackets of an IPv6 address.
    pub(crate) fn host(&self) -> &str {
        self.transport.host()
    }

    /// Returns what the server says about itself (`ServiceContent.about`).
    pub fn about(&self) -> Rc<About> {
        Rc::clone(&self.greeting.borrow().about)
    }

    /// Returns the server's well-known objects.
    pub fn content(&self) -> Rc<ServiceContent> {
        Rc::clone(&self.greeting.borrow().content)
    }

    /// Returns the API version spoken, as requests name it.
    pub(super) fn version(&self) -> &'static str {
        self.greeting.borrow().version
    }

    /// Returns the API version spoken: the server's own, or the nearest older one that this client knows.
    pub fn spoken(&self) -> Version {
        Version::parse(self.version())
    }

    /// True if the API version spoken is `major.minor` or later.
    pub fn speaks(&self, major: u32, minor: u32) -> bool {
        self.spoken().at_least(major, minor)
    }

    /// Returns the oldest TLS of any connection so far, if the endpoint's `tls_minimum` allowed less than TLS 1.2. For a
    /// resumed session without a connection: that of the run that opened it.
    pub fn tls(&self) -> Option<TlsSpoken> {
        self.transport.spoken().or_else(|| self.earlier_tls.borrow().clone())
    }

    /// Sends a request once, in the session as it is, and returns the response element.
    pub(super) async fn call(&self, request: &Request, purpose: Purpose) -> Result<Element, Error> {
        let answer = self.transport.post(request.method, self.version(), request.message(), purpose).await?;
        let response = answer::read(request.method, &answer)?;
        self.transport.prove();
        self.doubtful.set(false);
        Ok(response)
    }
}
