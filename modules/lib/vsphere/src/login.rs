//! Logging in, in again, and out.

use std::time::Duration;

use crate::error::Error;
use crate::request::Request;
use crate::session::Session;
use crate::soap;

/// How long a logout may take: it is a courtesy to the server, which would drop the session itself after a while.
const LOGOUT: Duration = Duration::from_secs(5);

impl Session {
    /// Ends the session on the server (`Logout`). Best effort, at most 5 s; does nothing if it has already ended.
    pub async fn close(&self) {
        self.closed.set(true);
        if self.cookie.borrow().is_none() {
            return;
        }
        let request = Request::new("Logout", &self.content().session_manager);
        let _ = tokio::time::timeout(LOGOUT, self.send(&request)).await;
        self.cookie.take();
    }

    /// Logs in (`SessionManager.Login`) and takes the session cookie. A refused login may set a cookie too; it is no session.
    pub(crate) async fn login(&self) -> Result<(), Error> {
        self.cookie.take();
        let mut request = Request::new("Login", &self.content().session_manager);
        request.text("userName", &self.credentials.username);
        request.text("password", &self.credentials.password);
        let answer = self.send(&request).await?;
        soap::response(answer.status, &answer.body)?;
        let Some(cookie) = answer.cookie else {
            return Err(Error::Protocol(
                "the server accepted the login but opened no session (it sent no session cookie)".to_owned(),
            ));
        };
        self.cookie.replace(Some(cookie));
        self.logins.set(self.logins.get() + 1);
        Ok(())
    }

    /// Replaces the session that was opened by the `expired`-th login, unless another call already has.
    pub(crate) async fn renew(&self, expired: u32) -> Result<(), Error> {
        let _one_at_a_time = self.renewing.lock().await;
        // Calls that were under way when the session was closed must not leave another one behind.
        if self.closed.get() {
            return Err(Error::Protocol("the session is closed".to_owned()));
        }
        if self.logins.get() == expired {
            self.login().await?;
        }
        Ok(())
    }
}
