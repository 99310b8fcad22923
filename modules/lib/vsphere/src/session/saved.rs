//! Sessions that outlive a run.

use std::fmt;
use std::rc::Rc;

use crate::session::about::Greeting;
use crate::session::error::Error;
use crate::session::state::{Credentials, Session};
use crate::session::{about, answer, version};
use crate::soap::reply::returned;
use crate::wire::endpoint::Endpoint;
use crate::wire::transport::{Response, Transport};

/// What another run needs to go on with a session, without a request. It is a credential.
#[derive(Clone, PartialEq, Eq)]
pub struct SavedSession {
    /// The session cookie.
    pub cookie: String,
    /// The API version spoken.
    pub version: String,
    /// The answer to `RetrieveServiceContent`.
    pub content: String,
}

/// Shows no cookie.
impl fmt::Debug for SavedSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SavedSession").field("version", &self.version).finish_non_exhaustive()
    }
}

impl Session {
    /// Goes on with a saved session. The server is not asked, so the session may have ended: then the first call logs in.
    ///
    /// # Errors
    /// [`Error::Protocol`] and [`Error::Soap`] if this client did not save it like that.
    pub fn resume(endpoint: Endpoint, credentials: Credentials, saved: SavedSession) -> Result<Self, Error> {
        let transport = Transport::new(endpoint)?;
        let version = version::known(&saved.version)
            .ok_or_else(|| Error::Protocol(format!("the API version {} is not known", saved.version)))?;
        let reply = Response { status: 200, body: saved.content, from: None };
        let (about, content) = about::parse(returned(&answer::read(about::METHOD, &reply)?)?)?;
        transport.set_cookie(saved.cookie);
        let greeting = Greeting { about: Rc::new(about), content: Rc::new(content), text: reply.body, version };
        let session = Self::new(transport, credentials, greeting);
        session.open.set(true);
        session.resumed.set(true);
        session.doubtful.set(true);
        Ok(session)
    }

    /// Returns the session as another run can go on with it; `None` if there is none.
    pub fn saved(&self) -> Option<SavedSession> {
        let cookie = self.transport.cookie().filter(|_| self.open.get())?;
        let greeting = self.greeting.borrow();
        Some(SavedSession { cookie, version: greeting.version.to_owned(), content: greeting.text.clone() })
    }

    /// Gives the session up without ending it on the server, since another run goes on with it.
    pub fn leave(&self) {
        self.closed.set(true);
        self.open.set(false);
        self.transport.forget_cookie();
    }
}
