//! Files of the server, by plain HTTP in the same session.

use crate::session::error::Error;
use crate::session::retry::persist;
use crate::session::state::Session;
use crate::wire::error::WireError;
use crate::wire::transport::Response;

impl Session {
    /// Gets the last `count` bytes of the file at `path`, which errors call `name`, whatever the HTTP status.
    pub(crate) async fn download_tail(&self, path: &str, name: &str, count: u64) -> Result<Response, Error> {
        let login = self.logins.get();
        let get = async || self.get_tail(path, name, count).await;
        let answer = persist(&self.transport, get).await?;
        if answer.status != 401 {
            return Ok(answer);
        }
        self.renew(login).await?;
        persist(&self.transport, get).await
    }

    async fn get_tail(&self, path: &str, name: &str, count: u64) -> Result<Response, Error> {
        match self.transport.get_tail(path, count).await {
            Ok(answer) if matches!(answer.status, 502..=504) => {
                let detail = format!("{name} cannot be read now");
                Err(WireError::Http { status: answer.status, detail }.into())
            }
            Err(WireError::Elsewhere { origin, .. }) => {
                Err(WireError::Elsewhere { what: name.to_owned(), origin }.into())
            }
            outcome => Ok(outcome?),
        }
    }
}
