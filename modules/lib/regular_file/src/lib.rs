//! Opens the file at a path that a user gave, unless reading it could block, never end, or change something.

mod system;

use std::fs::{self, File, Metadata};
use std::io;
use std::path::Path;

/// Why a file was not opened.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The path leads to something that is not a regular file, e.g. `a directory`.
    #[error("it is {0}, not a regular file")]
    Special(&'static str),
    /// The operating system refused.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// Opens the regular file at `path` for reading, through symbolic links.
pub fn open(path: &Path) -> Result<File, Error> {
    check(&fs::metadata(path)?, system::is_pseudo(path))?;
    // The path may lead elsewhere by now: check again.
    let file = system::open(path)?;
    check(&file.metadata()?, system::opened_is_pseudo(&file))?;
    Ok(file)
}

fn check(metadata: &Metadata, is_pseudo: bool) -> Result<(), Error> {
    Err(Error::Special(match metadata.file_type() {
        kind if kind.is_dir() => "a directory",
        _ if is_pseudo => "a pseudo-file of the kernel",
        kind if kind.is_file() => return Ok(()),
        kind => system::kind(kind),
    }))
}

#[cfg(test)]
mod tests {
    use std::io::Read;
    use std::os::unix::fs::symlink;
    use std::os::unix::net::UnixListener;
    use std::process::Command;

    use super::{Error, open};

    #[test]
    fn special_files_are_refused_unopened_and_regular_ones_are_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        std::fs::write(path("file"), "text").unwrap();
        symlink("file", path("link")).unwrap();
        symlink("/proc/version", path("link to proc")).unwrap();
        // Opening it for reading would wait for a writer.
        assert!(Command::new("mkfifo").arg(path("fifo")).status().unwrap().success());
        let _socket = UnixListener::bind(path("socket")).unwrap();
        let cases = [
            ("file", None),
            ("link", None),
            ("fifo", Some("a FIFO")),
            ("socket", Some("a socket")),
            (".", Some("a directory")),
            ("/dev/zero", Some("a device")),
            ("link to proc", Some("a pseudo-file of the kernel")),
            ("/proc/kmsg", Some("a pseudo-file of the kernel")),
            ("/sys/devices/system/cpu/online", Some("a pseudo-file of the kernel")),
        ];
        for (name, refused) in cases {
            match (open(&path(name)), refused) {
                (Ok(mut file), None) => {
                    let mut text = String::new();
                    file.read_to_string(&mut text).unwrap();
                    assert_eq!(text, "text", "{name}");
                }
                (Err(Error::Special(what)), Some(expected)) => assert_eq!(what, expected, "{name}"),
                (result, _) => panic!("{name}: {result:?}"),
            }
        }
        assert!(
            matches!(open(&path("missing")), Err(Error::Io(error)) if error.kind() == std::io::ErrorKind::NotFound)
        );
    }
}
