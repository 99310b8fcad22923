//! Sessions that are kept between runs, because the user asked for it (`session_cache`).

use std::any::Any;
use std::cell::RefCell;
use std::time::Duration;

use contract::Run;
use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;
use session_cache::{Cache, Entry, Key};
use tokio::time::{Instant, sleep};
use vsphere::{Keeper, SavedSession, TlsSpoken};

/// The longest wait for another run that logs in at the same moment. A slow login takes seconds.
const PATIENCE: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_millis(20);

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
    pub fn store(&self, session: Option<SavedSession>) -> Result<bool, session_cache::Error> {
        let mut seen = self.seen.borrow_mut();
        let Some(saved) = session else {
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

impl Keeper for Kept {
    fn turn(&self) -> LocalBoxFuture<'_, (Option<SavedSession>, Box<dyn Any>)> {
        async {
            let end = Instant::now() + PATIENCE;
            let turn = loop {
                match self.cache.try_turn(&self.key) {
                    Ok(None) if Instant::now() < end => sleep(PAUSE).await,
                    // Without a lock, several runs log in, and the first one keeps its session.
                    outcome => break outcome.ok().flatten(),
                }
            };
            let newer = self.cache.load(&self.key).ok().flatten();
            let newer = newer.filter(|entry| self.seen.borrow().as_ref() != Some(entry));
            let saved = newer.as_ref().and_then(|entry| decode(&entry.session));
            if newer.is_some() {
                self.seen.replace(newer);
            }
            (saved, Box::new(turn) as Box<dyn Any>)
        }
        .boxed_local()
    }

    fn keep(&self, session: SavedSession) {
        // If this fails, the session is logged out at the end of the run.
        let _ = self.store(Some(session));
    }
}

/// The form of a session in its file.
pub(crate) fn encode(saved: &SavedSession) -> String {
    let tls = saved.tls.as_ref().map(|spoken| [&spoken.version, &spoken.cipher]);
    serde_json::json!([saved.cookie, saved.version, saved.content, tls]).to_string()
}

pub(crate) fn decode(text: &str) -> Option<SavedSession> {
    let (cookie, version, content, tls): (_, _, _, Option<[String; 2]>) = serde_json::from_str(text).ok()?;
    let tls = tls.map(|[version, cipher]| TlsSpoken { version, cipher });
    Some(SavedSession { cookie, version, content, tls })
}
