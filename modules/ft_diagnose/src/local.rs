//! Logs that need no server: given as text, or as files.

use std::io::ErrorKind;
use std::path::Path;

use contract::{Error, Kind};

use crate::examine::Examination;

/// The name of a log that was given as text.
pub const TEXT: &str = "text";

/// Reads a text.
pub async fn text(text: &str, examination: &mut Examination) -> Result<(), Error> {
    examination.read(TEXT, &mut text.as_bytes(), Some(0), 0).await
}

/// Reads a file, and before it those that it was rotated into.
pub async fn file(path: &Path, rotated: bool, examination: &mut Examination) -> Result<(), Error> {
    if rotated {
        match diagnosis::siblings(path) {
            Ok(siblings) => {
                for sibling in siblings {
                    one(&sibling, examination).await?;
                }
            }
            Err(error) => examination.refuse(
                &path.parent().unwrap_or(path).display().to_string(),
                Error::new(Kind::Io, format!("the folder of {} cannot be listed: {error}", path.display())),
            ),
        }
    }
    one(path, examination).await
}

async fn one(path: &Path, examination: &mut Examination) -> Result<(), Error> {
    let name = path.display().to_string();
    match diagnosis::open(path) {
        Ok(mut log) => examination.read(&name, &mut log.reader, Some(0), 0).await?,
        Err(error) => {
            let io = match &error {
                regular_file::Error::Io(error) => Some(error.kind()),
                regular_file::Error::Special(_) => None,
            };
            let (kind, reason, hint) = match io {
                Some(ErrorKind::NotFound) => (Kind::NotFound, "file not found".to_owned(), "Check `path`."),
                Some(ErrorKind::PermissionDenied) => {
                    (Kind::Permission, "permission denied".to_owned(), "Run this as a user who may read the file.")
                }
                Some(_) => (Kind::Io, error.to_string(), "Check `path`."),
                None => (Kind::Io, error.to_string(), "Give the log as a file, or as `text`."),
            };
            examination.refuse(&name, Error::new(kind, format!("{name} cannot be read: {reason}")).hint(hint));
        }
    }
    Ok(())
}
