//! The requests of a run, as a person or a bug report needs them.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::Path;
use std::rc::Rc;
use std::time::Duration;

use crate::{Error, Kind};

/// Receives the name of a request, how long it took, what was sent and what was received.
pub type Tracer = Rc<dyn Fn(&str, Duration, &str, &str)>;

/// Where the requests of a run are shown besides its result.
#[derive(Clone, Default)]
pub struct Trace {
    /// On standard error: a line for each request.
    pub verbose: bool,
    /// In a file: each request with its messages.
    pub file: Option<Rc<File>>,
}

impl Trace {
    /// Creates a file for messages, which only its user can read. An existing file is never overwritten.
    pub fn create(path: &Path) -> Result<Rc<File>, Error> {
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        options.open(path).map(Rc::new).map_err(|error| {
            let detail = format!("cannot create the trace file {}: {error}", path.display());
            Error::new(Kind::InvalidArguments, detail)
                .hint("Give the path of a new file in a folder that you can write to.")
        })
    }

    /// Writes the messages of one request to the file. A full disk is no failure of the run.
    pub(crate) fn write(&self, line: &str, sent: &str, received: &str) {
        if let Some(file) = &self.file {
            let _ = (&**file).write_all(format!("# {line}\n{sent}\n\n{received}\n\n").as_bytes());
        }
    }
}
