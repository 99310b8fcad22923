//! Sessions that are kept between runs, because the user asked for it (`session_cache`).

use std::cell::RefCell;
use std::time::{Duration, Instant};

use contract::Run;
use session_cache::{Cache, Entry, Key};
use vsphere::{Credentials, SavedSession, Session};

use crate::Connection;

/// Time limit of a logout.
const LOGOUT: Duration = Duration::from_secs(5);

/// The place of one session in the user's cache.
pub(crate) struct Kept {
    cache: Cache,
    key: Key,
    /// The entry as it was last read or written.
    seen: RefCell<Option<Entry>>,
}

impl Kept {
    /// Opens the cache. A cache that cannot be used is a warning: the run logs in and out as it would without one.
    pub fn open(key: Key, run: &Run) -> Option<Self> {
        let unused = |error| run.warn(format!("`session_cache`: {error}. This run logs in and out"));
        let cache = Cache::open().map_err(unused).ok()?;
        Some(Self { cache, key, seen: RefCell::default() })
    }

    /// Returns the kept session. A file that must not be trusted is a warning; the next session replaces it.
    pub fn load(&self, run: &Run) -> Option<SavedSession> {
        let unused = |error| run.warn(format!("`session_cache`: {error}. This run logs in"));
        let entry = self.cache.load(&self.key).map_err(unused).ok()??;
        let saved = decode(&entry.session);
        self.seen.replace(Some(entry));
        saved
    }

    /// Keeps the session. Returns false if it must be closed, because another run has kept one meanwhile, or because it could
    /// not be stored.
    pub fn store(&self, session: &Session) -> bool {
        let mut seen = self.seen.borrow_mut();
        let Some(saved) = session.saved() else {
            // It has ended, and no run shall try it again.
            if let Some(ended) = seen.take() {
                let _ = self.cache.remove(&ended);
            }
            return false;
        };
        let text = encode(&saved);
        if seen.as_ref().is_some_and(|entry| entry.session == text) {
            return true;
        }
        let entry = Entry::new(self.key.clone(), text);
        let stored = self.cache.store(&entry, seen.as_ref()).unwrap_or(false);
        if stored {
            seen.replace(entry);
        }
        stored
    }
}

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

    /// Ends all sessions on their servers, best effort, and removes them from the cache.
    pub async fn close(&self) {
        for entry in &self.usable {
            // First: no run shall start to use a session that is about to end.
            let _ = self.cache.remove(entry);
            let credentials = Credentials { username: entry.key.username.clone(), password: String::new() };
            if let Some(connection) = Connection::of_key(&entry.key)
                && let Ok(endpoint) = connection.endpoint(None, Instant::now() + LOGOUT)
                && let Some(saved) = decode(&entry.session)
                && let Ok(session) = Session::resume(endpoint, credentials, saved)
            {
                session.close().await;
            }
        }
    }
}

/// The form of a session in its file.
pub(crate) fn encode(saved: &SavedSession) -> String {
    serde_json::json!([saved.cookie, saved.version, saved.content]).to_string()
}

pub(crate) fn decode(text: &str) -> Option<SavedSession> {
    let [cookie, version, content]: [String; 3] = serde_json::from_str(text).ok()?;
    Some(SavedSession { cookie, version, content })
}
