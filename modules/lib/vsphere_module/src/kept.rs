//! Sessions that are kept between runs, because the user asked for it (`session_cache`).

use std::cell::RefCell;

use contract::Run;
use session_cache::{Cache, Entry, Key};
use vsphere::{SavedSession, Session};

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

    /// Keeps the session. Returns false if it must be closed, because another run has kept one meanwhile.
    pub fn store(&self, session: &Session) -> Result<bool, session_cache::Error> {
        let mut seen = self.seen.borrow_mut();
        let Some(saved) = session.saved() else {
            // It has ended, and no run shall try it again.
            if let Some(ended) = seen.take() {
                let _ = self.cache.remove(&ended);
            }
            return Ok(false);
        };
        let text = encode(&saved);
        if seen.as_ref().is_some_and(|entry| entry.session == text) {
            return Ok(true);
        }
        let entry = Entry::new(self.key.clone(), text);
        let stored = self.cache.store(&entry, seen.as_ref())?;
        if stored {
            seen.replace(entry);
        }
        Ok(stored)
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
