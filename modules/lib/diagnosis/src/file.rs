//! Log files: plain, compressed by gzip, and those that a log was rotated into.

use std::io::{self, BufReader, ErrorKind, Read, Seek};
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;

/// The first bytes of what gzip has compressed.
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// An open log.
pub struct Log {
    /// Where its text is read from.
    pub reader: Box<dyn Read>,
    /// True if the file is compressed.
    pub compressed: bool,
}

/// Opens a log file, whatever its name says about compression. It must be a regular file.
pub fn open(path: &Path) -> Result<Log, regular_file::Error> {
    let mut file = regular_file::open(path)?;
    let mut start = [0; 2];
    let compressed = match file.read_exact(&mut start) {
        Ok(()) => start == GZIP,
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => false,
        Err(error) => return Err(error.into()),
    };
    file.rewind()?;
    let reader: Box<dyn Read> = if compressed {
        Box::new(MultiGzDecoder::new(BufReader::with_capacity(1 << 16, file)))
    } else {
        Box::new(file)
    };
    Ok(Log { reader, compressed })
}

/// Returns the rotated files of a log, the oldest first: for `vmware.log`, `vmware-N.log`, where the highest number is
/// the newest; for `vmkernel.log`, `vmkernel.N` or `vmkernel.log.N`, where it is the oldest. Each may be compressed.
pub fn siblings(path: &Path) -> io::Result<Vec<PathBuf>> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let Some(name) = path.file_name().and_then(|name| name.to_str()) else { return Ok(Vec::new()) };
    let mut found = Vec::new();
    for entry in folder.read_dir()? {
        let entry = entry?;
        if let Some(age) = entry.file_name().to_str().and_then(|other| age(name, other)) {
            found.push((std::cmp::Reverse(age), folder.join(entry.file_name())));
        }
    }
    found.sort();
    Ok(found.into_iter().map(|(_, path)| path).collect())
}

/// Returns the age rank of `other` among the rotated files of `name`, or `None` if it is not one; a higher rank is
/// older.
fn age(name: &str, other: &str) -> Option<i64> {
    let other = other.strip_suffix(".gz").unwrap_or(other);
    let number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse::<i64>().ok())?;
    let (stem, suffix) = name.rsplit_once('.').map_or((name, ""), |(stem, _)| (stem, &name[stem.len()..]));
    if other == name {
        // The file itself, and it compressed.
        return None;
    }
    let rest = other.strip_prefix(stem)?;
    if let Some(count) = rest.strip_prefix('-').and_then(|rest| rest.strip_suffix(suffix)) {
        return number(count).map(|count| -count);
    }
    number(rest.strip_prefix(suffix).unwrap_or(rest).strip_prefix('.')?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_is_known_to_be_compressed_by_its_first_bytes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("vmware.log");
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        io::Write::write_all(&mut gzip, b"a line").unwrap();
        let gzip = gzip.finish().unwrap();
        let cases: [(&[u8], &str, bool); 5] = [
            (b"a line", "a line", false),
            (&gzip, "a line", true),
            // Too short to be either.
            (b"\x1f", "\x1f", false),
            (b"", "", false),
            (b"\x1fa", "\x1fa", false),
        ];
        for (bytes, expected, compressed) in cases {
            std::fs::write(&path, bytes).unwrap();
            let mut log = open(&path).unwrap();
            let mut text = String::new();
            log.reader.read_to_string(&mut text).unwrap();
            assert_eq!((text.as_str(), log.compressed), (expected, compressed), "{bytes:?}");
        }
        assert!(open(folder.path()).is_err());
    }

    #[test]
    fn rotated_files_are_known_by_their_names_and_come_in_the_order_of_their_age() {
        let folder = tempfile::tempdir().unwrap();
        let names = [
            "vmware.log",
            "vmware-9.log",
            "vmware-10.log",
            "vmware-8.log.gz",
            "vmware-x.log",
            "vmware-1.log.bak",
            "vmkernel.log",
            "vmkernel.0.gz",
            "vmkernel.1.gz",
            "vmkernel.10.gz",
            "other.log",
            "vmware.vmx",
            "messages",
            "messages.1",
            "messages.0.gz",
            "syslog.log",
            "syslog.log.2",
            "syslog.log.1",
        ];
        for name in names {
            std::fs::write(folder.path().join(name), "").unwrap();
        }
        let cases: [(&str, &[&str]); 5] = [
            ("vmware.log", &["vmware-8.log.gz", "vmware-9.log", "vmware-10.log"]),
            ("vmkernel.log", &["vmkernel.10.gz", "vmkernel.1.gz", "vmkernel.0.gz"]),
            ("messages", &["messages.1", "messages.0.gz"]),
            ("syslog.log", &["syslog.log.2", "syslog.log.1"]),
            ("other.log", &[]),
        ];
        for (name, expected) in cases {
            let found = siblings(&folder.path().join(name)).unwrap();
            let found: Vec<&str> = found.iter().filter_map(|path| path.file_name()?.to_str()).collect();
            assert_eq!(found, expected, "{name}");
        }
    }
}
