//! All sessions that this user keeps: a list, and the end of them.

use std::time::{Duration, Instant};

use session_cache::{Cache, Entry};
use vsphere::{Credentials, Session};

use crate::connection::Connection;
use crate::kept::decode;

/// Time limit of a logout.
const LOGOUT: Duration = Duration::from_secs(5);

/// All kept sessions of this user.
pub struct KeptSessions {
    cache: Cache,
    /// The sessions, oldest first. Their servers were not asked: some may have ended.
    pub usable: Vec<Entry>,
    /// The files that must not be trusted.
    pub unusable: Vec<session_cache::Error>,
}

impl KeptSessions {
    /// Reads the cache.
    pub fn read() -> Result<Self, session_cache::Error> {
        let cache = Cache::open()?;
        let (usable, unusable) = cache.list()?;
        Ok(Self { cache, usable, unusable })
    }

    /// Removes the file that `problem` is about, if it is damaged. Returns true if it was.
    pub fn remove_damaged(&self, problem: &session_cache::Error) -> Result<bool, session_cache::Error> {
        match problem {
            session_cache::Error::Damaged { path } => self.cache.remove_damaged(path),
            _ => Ok(false),
        }
    }

    /// Ends a session on its server and removes it from the cache. If the server does not confirm that, the session stays in
    /// the cache, and the reason is returned.
    pub async fn close(&self, entry: &Entry) -> Result<(), String> {
        let unreadable = || "the file does not hold a session".to_owned();
        let credentials = Credentials { username: entry.key.username.clone(), password: String::new() };
        let connection = Connection::of_key(&entry.key).ok_or_else(unreadable)?;
        let endpoint = connection.endpoint(None, Instant::now() + LOGOUT).map_err(|error| error.message())?;
        let saved = decode(&entry.session).ok_or_else(unreadable)?;
        let session = Session::resume(endpoint, credentials, saved).map_err(|error| error.to_string())?;
        session.end().await.map_err(|error| error.to_string())?;
        self.cache.remove(entry).map_err(|error| error.to_string())
    }
}
