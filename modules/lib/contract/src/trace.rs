//! The requests of a run, as a person or a bug report needs them.

use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::Duration;

use crate::{Error, Kind, system};

/// Receives the name of a request, how long it took, what was sent and what was received.
pub type Tracer = Rc<dyn Fn(&str, Duration, &str, &str)>;

/// Where the requests of a run are shown besides its result.
#[derive(Clone, Default)]
pub struct Trace {
    /// On standard error: a line for each request.
    pub verbose: bool,
    /// In a file: each request with its messages.
    pub file: Option<Rc<TraceFile>>,
}

/// A file for messages. It is removed if there were no messages.
pub struct TraceFile {
    file: File,
    path: PathBuf,
}

impl TraceFile {
    /// Creates the file. An existing one is never overwritten.
    pub fn create(path: &Path) -> Result<Rc<Self>, Error> {
        let file = system::create(path).map_err(|error| {
            let detail = format!("cannot create the trace file {}: {error}", path.display());
            Error::new(Kind::InvalidArguments, detail).hint(match error.kind() {
                ErrorKind::AlreadyExists => "Delete it, or choose another name.",
                _ => "Give the path of a new file in a folder that you can write to.",
            })
        })?;
        Ok(Rc::new(Self { file, path: path.to_owned() }))
    }

    /// Writes the messages of one request. A full disk is no failure of the run.
    pub(crate) fn write(&self, line: &str, sent: &str, received: &str) {
        let _ = (&self.file).write_all(format!("# {line}\n{sent}\n\n{received}\n\n").as_bytes());
    }
}

impl Drop for TraceFile {
    fn drop(&mut self) {
        if self.file.metadata().is_ok_and(|file| file.len() == 0) {
            let _ = fs::remove_file(&self.path);
        }
    }
}
