//! Logging in, logging in again, and logging out.

use std::rc::Rc;
use std::time::{Duration, Instant};

use tokio::time::{sleep, timeout};

use crate::session::about::Greeting;
use crate::session::error::Error;
use crate::session::retry::{pauses, persist};
use crate::session::state::{Credentials, Session};
use crate::session::trace::without_secrets;
use crate::session::{about, answer, version};
use crate::soap::element::Element;
use crate::soap::error::SoapError;
use crate::soap::moref::Moref;
use crate::soap::reply::returned;
use crate::soap::request::Request;
use crate::wire::endpoint::Endpoint;
use crate::wire::error::WireError;
use crate::wire::transport::{Purpose, Transport};

/// Time limit of a logout, all attempts together. A server drops an idle session after a while.
const LOGOUT: Duration = Duration::from_millis(2500);

impl Session {
    /// Reads what the server is, chooses the API version, and logs in: two requests, three on development builds.
    ///
    /// # Errors
    /// [`WireError::Connect`] and [`WireError::Tls`] if there is no connection; the fault `InvalidLogin` if the password is
    /// wrong.
    pub async fn open(mut endpoint: Endpoint, credentials: Credentials) -> Result<Session, Error> {
        endpoint.trace = endpoint.trace.map(without_secrets);
        let transport = Transport::new(endpoint)?;
        let greeting = greet(&transport).await?;
        let session = Session::new(transport, credentials, greeting);
        match session.login().await {
            Ok(()) => Ok(session),
            Err(error) => {
                session.close().await;
                Err(error)
            }
        }
    }

    /// Ends the session on the server (`Logout`), if there is one. Best effort, at most 2.5 s.
    pub async fn close(&self) {
        self.closed.set(true);
        self.log_out().await;
    }

    /// Ends the session on the server, and fails if the server does not confirm it. No error if it has ended already.
    pub async fn end(&self) -> Result<(), Error> {
        let request = Request::new("Logout", &self.content().session_manager);
        let outcome = persist(&self.transport, async || self.call(&request, Purpose::Read).await).await;
        self.leave();
        match outcome {
            Err(error) if !self.has_ended(&error) && !error.is_fault("ManagedObjectNotFound") => Err(error),
            _ => Ok(()),
        }
    }

    async fn log_out(&self) {
        if !self.open.replace(false) || !self.transport.has_cookie() {
            return;
        }
        let request = Request::new("Logout", &self.content().session_manager);
        // A run that used up its time gets extra time for the logout.
        self.transport.extend(Instant::now() + LOGOUT);
        let every_attempt = async {
            for pause in pauses() {
                match timeout(LOGOUT / 2, self.call(&request, Purpose::Read)).await {
                    Ok(Ok(_)) => return,
                    // An earlier attempt succeeded, and its answer was lost.
                    Ok(Err(error)) if error.is_fault("NotAuthenticated") => return,
                    // Any failure is worth another attempt: the alternative is a session that stays open.
                    _ => sleep(pause).await,
                }
            }
        };
        let _ = timeout(LOGOUT, every_attempt).await;
        self.transport.forget_cookie();
    }

    /// Logs in (`SessionManager.Login`): again after a transient failure, until the run's deadline.
    async fn login(&self) -> Result<(), Error> {
        persist(&self.transport, async || self.log_in_once().await).await.map_err(|error| self.refusal(error))?;
        self.logins.set(self.logins.get() + 1);
        Ok(())
    }

    /// Says who refused which user, since a login can become necessary in the middle of a run.
    fn refusal(&self, error: Error) -> Error {
        match error {
            Error::Fault(fault) if fault.is("InvalidLogin") || fault.is("NotAuthenticated") => Error::Login {
                place: self.transport.place(),
                username: self.credentials.username.clone(),
                fault: fault.into(),
            },
            other => other,
        }
    }

    async fn log_in_once(&self) -> Result<(), Error> {
        let mut request = Request::new("Login", &self.content().session_manager);
        request.text("userName", &self.credentials.username);
        request.text("password", &self.credentials.password);
        // Until the server refuses, it may have opened a session.
        self.open.set(true);
        let answered = self.call(&request, Purpose::Login).await;
        match answered {
            Ok(_) if !self.transport.has_cookie() => {
                self.open.set(false);
                Err(Error::Protocol(
                    "the server accepted the login but opened no session (it sent no session cookie)".to_owned(),
                ))
            }
            Ok(_) => Ok(()),
            // A refused login may set a cookie although there is no session. Other faults do not rule out a session.
            Err(error) if error.is_fault("InvalidLogin") || error.is_fault("NoPermission") => {
                self.open.set(false);
                self.transport.forget_cookie();
                Err(error)
            }
            Err(error) => {
                self.log_out().await;
                Err(error)
            }
        }
    }

    /// Replaces the session that the `expired`-th login opened, unless another call already has.
    pub(super) async fn renew(&self, expired: u32) -> Result<(), Error> {
        let _one_at_a_time = self.renewing.lock().await;
        // A call that was under way when the session was closed must not leave another session behind.
        if self.closed.get() {
            return Err(Error::Protocol("the session is closed".to_owned()));
        }
        if self.logins.get() != expired {
            return Ok(());
        }
        let Some(keeper) = &self.keeper else { return self.replace().await };
        // Of many runs that meet the end of one kept session, one logs in.
        let (kept, _turn) = keeper.turn().await;
        if kept.is_some_and(|saved| self.adopt(saved).is_ok()) {
            self.logins.set(self.logins.get() + 1);
            return Ok(());
        }
        self.replace().await?;
        if let Some(saved) = self.saved() {
            keeper.keep(saved);
        }
        Ok(())
    }

    /// Replaces a session that has ended by a new one.
    async fn replace(&self) -> Result<(), Error> {
        // The server may still hold the session that it takes for unauthenticated here. Other runs that use it log in again.
        let request = Request::new("Logout", &self.content().session_manager);
        let _ = timeout(LOGOUT / 2, self.call(&request, Purpose::Read)).await;
        self.transport.forget_cookie();
        if self.resumed.get() {
            // Another server may be at the same address by now.
            let greeting = greet(&self.transport).await?;
            self.greeting.replace(Rc::new(greeting));
            self.resumed.set(false);
            self.doubtful.set(false);
            self.earlier_tls.take();
        }
        self.login().await
    }

    /// True if the error shows that the session has ended, or that a resumed session belongs to another server than the one
    /// that answers: that one does not know the API version or the well-known objects of the old one.
    pub(super) fn has_ended(&self, error: &Error) -> bool {
        let Error::Fault(fault) = error else { return false };
        if fault.is("NotAuthenticated") {
            return true;
        }
        let content = self.content();
        let well_known = [&content.property_collector, &content.session_manager, &content.root_folder];
        let lost = fault.is("ManagedObjectNotFound")
            && fault.fields.get("obj").is_some_and(|moid| well_known.iter().any(|object| object.id == *moid));
        self.doubtful.get() && (lost || fault.is("InvalidRequest"))
    }
}

/// Asks the server what it is, and chooses the API version.
async fn greet(transport: &Transport) -> Result<Greeting, Error> {
    let instance = Moref::new("ServiceInstance", "ServiceInstance");
    let request = Request::new(about::METHOD, &instance);
    let ask = async || {
        let answer = transport.post(request.method, version::OLDEST, request.message(), Purpose::Login).await?;
        let (about, content) = about::parse(returned(&answer::read(request.method, &answer)?)?)?;
        Ok((about, content, answer.body))
    };
    let (about, content, text) = persist(transport, ask).await.map_err(|error| match error {
        Error::Soap(SoapError::TooLarge { .. }) | Error::Wire(WireError::Http { status: 407, .. }) => error,
        Error::Wire(WireError::Http { .. }) | Error::Soap(_) | Error::Protocol(_) => Error::NotVsphere(error.into()),
        error => error,
    })?;
    transport.prove();
    let version = match version::choose(&about.api_version) {
        Some(version) => version,
        None => persist(transport, async || listed_version(transport).await).await?,
    };
    Ok(Greeting { about: Rc::new(about), content: Rc::new(content), text, version })
}

/// Chooses the version to speak with a server whose own version is not a number, from the list that it publishes.
async fn listed_version(transport: &Transport) -> Result<&'static str, Error> {
    let answer = match transport.get("/sdk/vimServiceVersions.xml").await {
        Ok(answer) => answer,
        Err(WireError::Http { .. }) => return Ok(version::OLDEST),
        Err(error) => return Err(error.into()),
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
