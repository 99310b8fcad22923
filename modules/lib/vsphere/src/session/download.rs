//! Files of the server, by plain HTTP in the same session.

use crate::session::error::Error;
use crate::session::retry::persist;
use crate::session::state::Session;
use crate::soap::moref::Moref;
use crate::soap::request::Request;
use crate::wire::error::WireError;
use crate::wire::header::FILES;
use crate::wire::transport::Response;

/// The end of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileTail {
    /// The text; bytes that are not UTF-8 are replaced.
    pub text: String,
    /// The number of bytes before it; `None` if the server does not tell.
    pub skipped: Option<u64>,
}

impl Session {
    /// Reads the last `count` bytes of the file at `address` below `/folder/`, which errors call `name`.
    pub(crate) async fn download_tail(&self, address: &str, name: &str, count: u64) -> Result<FileTail, Error> {
        let path = format!("{FILES}{address}");
        let login = self.logins.get();
        let get = async || self.get_tail(&path, name, count).await;
        let mut answer = persist(&self.transport, get).await?;
        if answer.status == 401 && self.resumed.get() {
            // A user without the privilege gets this too, and other runs may use the session. This logs in if it has ended.
            self.query(&Request::new("CurrentTime", &Moref::new("ServiceInstance", "ServiceInstance"))).await?;
        } else if answer.status == 401 {
            self.renew(login).await?;
        }
        if answer.status == 401 && self.logins.get() != login {
            answer = persist(&self.transport, get).await?;
        }
        match answer.status {
            206 => Ok(FileTail { text: answer.body, skipped: answer.from }),
            // The whole file, from a server without ranges.
            200 => Ok(last(answer.body, count)),
            // An empty file has no last byte.
            416 => Ok(FileTail { text: String::new(), skipped: Some(0) }),
            404 => Err(Error::NotFound { what: format!("the file {name}"), hint: None }),
            status @ (401 | 403) => Err(Error::Unreadable { file: name.to_owned(), status }),
            status => Err(WireError::Http { status, detail: format!("{name} cannot be read") }.into()),
        }
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

/// Returns the end of a whole file.
fn last(text: String, count: u64) -> FileTail {
    let mut from = text.len().saturating_sub(usize::try_from(count).unwrap_or(usize::MAX));
    while !text.is_char_boundary(from) {
        from += 1;
    }
    FileTail { skipped: Some(from as u64), text: if from == 0 { text } else { text[from..].to_owned() } }
}

#[cfg(test)]
mod tests {
    use super::last;

    #[test]
    fn the_end_of_a_whole_file_is_taken() {
        let tail = |text: &str, count| (last(text.to_owned(), count).text, last(text.to_owned(), count).skipped);
        assert_eq!(tail("abc", 2), ("bc".to_owned(), Some(1)));
        assert_eq!(tail("abc", 9), ("abc".to_owned(), Some(0)));
        assert_eq!(tail("aéc", 2), ("c".to_owned(), Some(3)));
    }
}
