//! Sessions that outlive a run.

use std::rc::Rc;

use crate::session::about::Greeting;
use crate::session::error::Error;
use crate::session::keeper::{Keeper, SavedSession};
use crate::session::state::{Credentials, Session};
use crate::session::trace::without_secrets;
use crate::session::{about, answer, version};
use crate::soap::reply::returned;
use crate::wire::endpoint::Endpoint;
use crate::wire::tls_version::TlsSpoken;
use crate::wire::transport::{Response, Transport};

impl Session {
    /// Goes on with a saved session. The server is not asked, so the session may have ended: then the first call logs in.
    ///
    /// # Errors
    /// [`Error::Protocol`] and [`Error::Soap`] if this client did not save it like that.
    pub fn resume(mut endpoint: Endpoint, credentials: Credentials, saved: SavedSession) -> Result<Self, Error> {
        endpoint.trace = endpoint.trace.map(without_secrets);
        let transport = Transport::new(endpoint)?;
        let (greeting, cookie) = restore(saved.clone())?;
        let session = Self::new(transport, credentials, greeting);
        session.go_on(cookie, saved.tls);
        Ok(session)
    }

    /// Goes on with another saved session instead of the one that has ended.
    pub(super) fn adopt(&self, saved: SavedSession) -> Result<(), Error> {
        let tls = saved.tls.clone();
        let (greeting, cookie) = restore(saved)?;
        self.greeting.replace(Rc::new(greeting));
        self.go_on(cookie, tls);
        Ok(())
    }

    fn go_on(&self, cookie: String, tls: Option<TlsSpoken>) {
        self.transport.set_cookie(cookie);
        self.earlier_tls.replace(tls);
        self.open.set(true);
        self.resumed.set(true);
        self.doubtful.set(true);
    }

    /// Has `keeper` asked for another run's session before this one logs in again, and told about the new one.
    pub fn kept_by(&mut self, keeper: Rc<dyn Keeper>) {
        self.keeper = Some(keeper);
    }

    /// Returns the session as another run can go on with it; `None` if there is none.
    pub fn saved(&self) -> Option<SavedSession> {
        let cookie = self.transport.cookie().filter(|_| self.open.get())?;
        let greeting = self.greeting.borrow();
        Some(SavedSession {
            cookie,
            version: greeting.version.to_owned(),
            content: greeting.text.clone(),
            tls: self.tls(),
        })
    }

    /// Gives the session up without ending it on the server, since another run goes on with it.
    pub fn leave(&self) {
        self.closed.set(true);
        self.open.set(false);
        self.transport.forget_cookie();
    }
}

/// Returns what the server said about itself when the session was saved, and the cookie.
fn restore(saved: SavedSession) -> Result<(Greeting, String), Error> {
    let version = version::known(&saved.version)
        .ok_or_else(|| Error::Protocol(format!("the API version {} is not known", saved.version)))?;
    let reply = Response { status: 200, body: saved.content, from: None };
    let (about, content) = about::parse(returned(&answer::read(about::METHOD, &reply)?)?)?;
    let greeting = Greeting { about: Rc::new(about), content: Rc::new(content), text: reply.body, version };
    Ok((greeting, saved.cookie))
}
