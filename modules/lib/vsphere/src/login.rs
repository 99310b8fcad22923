//! Logging in, in again, and out.

use std::time::{Duration, Instant};

use tokio::time::{sleep, timeout};

use crate::error::Error;
use crate::request::Request;
use crate::retry::pauses;
use crate::session::Session;

/// How long a logout may take, all tries together. A server drops a session itself after a while.
const LOGOUT: Duration = Duration::from_millis(2500);

impl Session {
    /// Ends the session on the server (`Logout`). Best effort, at most 2.5 s; does nothing if there is none.
    pub async fn close(&self) {
        self.closed.set(true);
        self.log_out().await;
    }

    async fn log_out(&self) {
        if !self.open.replace(false) || !self.transport.has_cookie() {
            return;
        }
        let request = Request::new("Logout", &self.content().session_manager);
        // A run that used up its time has some left for this.
        self.transport.extend(Instant::now() + LOGOUT);
        let every_try = async {
            for pause in pauses() {
                match timeout(LOGOUT / 2, self.call(&request)).await {
                    Ok(Ok(_)) => return,
                    // An earlier try got through, and its answer did not.
                    Ok(Err(error)) if error.is_fault("NotAuthenticated") => return,
                    // Whatever it was, a session that stays open is worse than another try.
                    _ => sleep(pause).await,
                }
            }
        };
        let _ = timeout(LOGOUT, every_try).await;
        self.transport.forget_cookie();
    }

    /// Logs in (`SessionManager.Login`): again after a transient failure, until the run's deadline.
    pub(crate) async fn login(&self) -> Result<(), Error> {
        self.transport.persist(async || self.log_in_once().await).await?;
        self.logins.set(self.logins.get() + 1);
        Ok(())
    }

    async fn log_in_once(&self) -> Result<(), Error> {
        let mut request = Request::new("Login", &self.content().session_manager);
        request.text("userName", &self.credentials.username);
        request.text("password", &self.credentials.password);
        // Until the server says no, it may have opened a session.
        self.open.set(true);
        let answered = self.call(&request).await;
        match answered {
            Ok(_) if !self.transport.has_cookie() => {
                self.open.set(false);
                Err(Error::Protocol(
                    "the server accepted the login but opened no session (it sent no session cookie)".to_owned(),
                ))
            }
            Ok(_) => Ok(()),
            // A refused login may set a cookie too; it is no session. Other faults do not say that there is none.
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

    /// Replaces the session that was opened by the `expired`-th login, unless another call already has.
    pub(crate) async fn renew(&self, expired: u32) -> Result<(), Error> {
        let _one_at_a_time = self.renewing.lock().await;
        // Calls that were under way when the session was closed must not leave another one behind.
        if self.closed.get() {
            return Err(Error::Protocol("the session is closed".to_owned()));
        }
        if self.logins.get() == expired {
            // The server may still hold the session that it takes for unauthenticated here.
            let request = Request::new("Logout", &self.content().session_manager);
            let _ = timeout(LOGOUT / 2, self.call(&request)).await;
            self.transport.forget_cookie();
            self.login().await?;
        }
        Ok(())
    }
}
