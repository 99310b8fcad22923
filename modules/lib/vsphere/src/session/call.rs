//! Calls that survive the end of a session: reads are repeated, writes are not.

use crate::session::error::Error;
use crate::session::retry::persist;
use crate::session::state::Session;
use crate::session::write::WriteError;
use crate::soap::element::Element;
use crate::soap::moref::Moref;
use crate::soap::reply::returned;
use crate::soap::request::Request;
use crate::wire::transport::Purpose;

/// Number of sessions in a row that are opened for a call that the server takes for unauthenticated.
const RENEWALS: u32 = 2;

impl Session {
    /// Calls a method that changes nothing.
    pub(crate) async fn query(&self, request: &Request) -> Result<Element, Error> {
        self.reading(async || self.call(request, Purpose::Read).await).await
    }

    /// Reads: again after a transient failure ([`persist`]), and once more in a new session if the old one has expired.
    pub(super) async fn reading<T>(&self, attempt: impl AsyncFn() -> Result<T, Error>) -> Result<T, Error> {
        let mut renewals = 0;
        loop {
            let login = self.logins.get();
            match persist(&self.transport, &attempt).await {
                // A second time only if the session of another run, which took the place of the first one, has ended too.
                Err(error)
                    if self.has_ended(&error) && (renewals == 0 || renewals < RENEWALS && self.doubtful.get()) =>
                {
                    renewals += 1;
                    let content = self.content();
                    self.renew(login).await?;
                    if content != self.content() {
                        // The call names objects of the old server.
                        let text = "another server answers at this address than the one of the kept session; run the task again";
                        return Err(Error::Protocol(text.to_owned()));
                    }
                }
                outcome => return outcome,
            }
        }
    }

    /// Calls a method that has done its change when it answers.
    pub(crate) async fn change(&self, request: &Request) -> Result<Element, WriteError> {
        self.write(request, WriteError::of_call).await
    }

    /// Calls a method that starts a task, and returns the task.
    pub(crate) async fn start(&self, request: &Request) -> Result<Moref, WriteError> {
        let response = self.write(request, WriteError::of_start).await?;
        let missing = || Error::Protocol(format!("the server's answer to {} contains no task", request.method));
        returned(&response)
            .map_err(Error::from)
            .and_then(|value| value.moref().ok_or_else(missing))
            .map_err(|error| WriteError::Unknown { error, accepted: true })
    }

    /// Calls a method that only passes a request on: the effect comes later, without a task.
    pub(crate) async fn request(&self, request: &Request) -> Result<(), WriteError> {
        self.write(request, WriteError::of_start).await.map(drop)
    }

    /// Writes, once.
    ///
    /// If the session has expired, a new one is opened but the call is not repeated, because the state that it was planned on
    /// may have changed ([`Error::SessionRenewed`]). After a few sessions in which the server accepts no write, it opens no
    /// more.
    async fn write(&self, request: &Request, explain: fn(Error) -> WriteError) -> Result<Element, WriteError> {
        let login = self.logins.get();
        match self.call(request, Purpose::Write).await {
            Err(error) if self.has_ended(&error) => {
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
                outcome.map_err(explain)
            }
        }
    }
}
