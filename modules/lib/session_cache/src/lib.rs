#![doc = include_str!("../README.md")]

mod entry;
mod error;
mod folder;

pub use entry::{Entry, Key};
pub use error::Error;

use std::fs::{self, File, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// True if this system can protect sessions from other users.
pub const SUPPORTED: bool = cfg!(unix);

/// The longest wait for another run that stores a session at the same moment. It takes milliseconds.
const PATIENCE: Duration = Duration::from_secs(2);
const PAUSE: Duration = Duration::from_millis(10);
const LOCK: &str = "lock";
const EXTENSION: &str = "json";
const TURN: &str = "turn";

/// The turn to log in: of the runs that need the same session, only one has it.
#[derive(Debug)]
pub struct Turn {
    _file: File,
}

/// The sessions of this user.
#[derive(Debug)]
pub struct Cache {
    folder: PathBuf,
}

impl Cache {
    /// Opens the user's cache, and creates its folder if needed: `nested_vft` in `$XDG_RUNTIME_DIR`, else in
    /// `$XDG_CACHE_HOME`, else in `~/.cache`.
    pub fn open() -> Result<Self, Error> {
        Self::at(&folder::of_user(|name| std::env::var_os(name))?)
    }

    fn at(folder: &Path) -> Result<Self, Error> {
        folder::create(folder)?;
        Ok(Self { folder: folder.to_owned() })
    }

    /// Returns the session for this key. [`Error::Damaged`] or [`Error::Unusable`] if there is a
    /// file that must not be trusted.
    pub fn load(&self, key: &Key) -> Result<Option<Entry>, Error> {
        let path = self.path(key);
        match entry::read(&path) {
            Ok(Some(entry)) if entry.key != *key => Err(Error::unusable(&path, "it belongs to another server or user")),
            outcome => outcome,
        }
    }

    /// Stores the session for its key, unless another run has stored one since `seen` was read. Returns true if it was stored.
    pub fn store(&self, entry: &Entry, seen: Option<&Entry>) -> Result<bool, Error> {
        let path = self.path(&entry.key);
        let _lock = self.lock()?;
        // A file that is not usable is replaced.
        let newer = self.load(&entry.key).ok().flatten().filter(|there| seen != Some(there));
        if newer.is_some() {
            return Ok(false);
        }
        self.sweep();
        self.replace(&path, &entry.to_bytes()).map_err(|source| Error::io("write", &path, source))?;
        Ok(true)
    }

    /// Takes the turn to log in for this key; `None` while another run has it. It ends when the returned value is dropped.
    pub fn try_turn(&self, key: &Key) -> Result<Option<Turn>, Error> {
        let path = self.path(key).with_extension(TURN);
        let file = open_lock(&path)?;
        // A file system without locks keeps nobody out.
        Ok((!matches!(file.try_lock(), Err(TryLockError::WouldBlock))).then_some(Turn { _file: file }))
    }

    /// Removes this session, unless another one has taken its place.
    pub fn remove(&self, entry: &Entry) -> Result<(), Error> {
        let path = self.path(&entry.key);
        let _lock = self.lock()?;
        if self.load(&entry.key).ok().flatten().as_ref() == Some(entry) {
            fs::remove_file(&path).map_err(|source| Error::io("remove", &path, source))?;
        }
        Ok(())
    }

    /// Removes the file at `path` from the cache if it is still damaged. Returns true if it was.
    pub fn remove_damaged(&self, path: &Path) -> Result<bool, Error> {
        let _lock = self.lock()?;
        let damaged = matches!(entry::read(path), Err(Error::Damaged { .. }));
        if damaged {
            fs::remove_file(path).map_err(|source| Error::io("remove", path, source))?;
        }
        Ok(damaged)
    }

    /// Returns all sessions, oldest first, and the files that cannot be used.
    pub fn list(&self) -> Result<(Vec<Entry>, Vec<Error>), Error> {
        let mut usable = Vec::new();
        let mut others = Vec::new();
        for found in fs::read_dir(&self.folder).map_err(|source| Error::io("list", &self.folder, source))? {
            let path = found.map_err(|source| Error::io("list", &self.folder, source))?.path();
            if path.extension().is_none_or(|extension| extension != EXTENSION) {
                continue;
            }
            match entry::read(&path) {
                Ok(Some(entry)) if self.path(&entry.key) == path => usable.push(entry),
                Ok(Some(_)) => others.push(Error::unusable(&path, "its name does not match its contents")),
                Ok(None) => {}
                Err(error) => others.push(error),
            }
        }
        usable.sort_by_key(|entry| entry.created);
        Ok((usable, others))
    }

    fn path(&self, key: &Key) -> PathBuf {
        self.folder.join(key.file_name()).with_extension(EXTENSION)
    }

    /// Locks the folder until the returned file is dropped. A file system without locks keeps nobody out: then the last
    /// rename wins, and the session of the other run ends by the server's own time limit.
    fn lock(&self) -> Result<File, Error> {
        let path = self.folder.join(LOCK);
        let file = open_lock(&path)?;
        let end = Instant::now() + PATIENCE;
        loop {
            match file.try_lock() {
                Err(TryLockError::WouldBlock) if Instant::now() < end => sleep(PAUSE),
                Err(TryLockError::WouldBlock) => {
                    return Err(Error::io("lock", &path, io::ErrorKind::WouldBlock.into()));
                }
                Ok(()) | Err(TryLockError::Error(_)) => return Ok(file),
            }
        }
    }

    fn replace(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        let scratch = self.folder.join(format!(".{}", std::process::id()));
        let written = folder::options().write(true).create_new(true).open(&scratch).and_then(|mut file| {
            file.write_all(bytes)?;
            file.sync_all()?;
            fs::rename(&scratch, path)
        });
        if written.is_err() {
            let _ = fs::remove_file(&scratch);
        }
        written
    }

    /// Removes what killed runs left. The lock is held, so no other run is writing.
    fn sweep(&self) {
        for found in fs::read_dir(&self.folder).into_iter().flatten().flatten() {
            let is_scratch = |name: &[u8]| matches!(name, [b'.', pid @ ..] if pid.iter().all(u8::is_ascii_digit));
            if is_scratch(found.file_name().as_encoded_bytes()) {
                let _ = fs::remove_file(found.path());
            }
        }
    }
}

fn open_lock(path: &Path) -> Result<File, Error> {
    folder::options()
        .write(true)
        .create(true)
        .truncate(false)
        .open(path)
        .map_err(|source| Error::io("lock", path, source))
}

#[cfg(test)]
mod tests;
