//! Log files: plain, compressed by gzip, in UTF-16, and those that a log was rotated into.

use std::io::{self, BufReader, ErrorKind, Read, Seek};
use std::path::{Path, PathBuf};

use encoding_rs_io::DecodeReaderBytesBuilder;
use flate2::read::MultiGzDecoder;

/// The first bytes of a file that gzip compressed.
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// An open log.
pub struct Log {
    /// Reads its text. One that begins with a byte order mark of UTF-16 is decoded, because PowerShell's `>` writes that.
    /// Everything else passes unchanged, valid or not, but for a byte order mark of UTF-8.
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
    let bytes: Box<dyn Read> = if compressed {
        Box::new(MultiGzDecoder::new(BufReader::with_capacity(1 << 16, file)))
    } else {
        Box::new(file)
    };
    let reader = Box::new(DecodeReaderBytesBuilder::new().utf8_passthru(true).strip_bom(true).build(bytes));
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

    fn compress(bytes: &[u8]) -> Vec<u8> {
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        io::Write::write_all(&mut gzip, bytes).unwrap();
        gzip.finish().unwrap()
    }

    #[test]
    fn the_first_bytes_of_a_log_say_how_to_read_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("vmware.log");
        let many_lines = "zażółć 🦀 a line\r\n".repeat(10_000);
        let utf_16 = |bytes: fn(u16) -> [u8; 2], text: &str| -> Vec<u8> {
            std::iter::once(0xfeff).chain(text.encode_utf16()).flat_map(bytes).collect()
        };
        let half = [&utf_16(u16::to_le_bytes, "a line\n")[..], b"b"].concat();
        let cases: [(&[u8], &[u8], bool); 14] = [
            (b"a line", b"a line", false),
            (&compress(b"a line"), b"a line", true),
            // Too short to be either.
            (b"\x1f", b"\x1f", false),
            (b"", b"", false),
            (b"\x1fa", b"\x1fa", false),
            (b"\xff", b"\xff", false),
            (b"\xef\xbb\xbfa line", b"a line", false),
            (&utf_16(u16::to_le_bytes, &many_lines), many_lines.as_bytes(), false),
            (&utf_16(u16::to_be_bytes, &many_lines), many_lines.as_bytes(), false),
            (&compress(&utf_16(u16::to_le_bytes, &many_lines)), many_lines.as_bytes(), true),
            (b"\xff\xfe", b"", false),
            // A log that is being written.
            (&half, "a line\n\u{fffd}".as_bytes(), false),
            (b"\xff\xfe\x00\xd8a\x00", "\u{fffd}a".as_bytes(), false),
            // Logs may hold anything.
            (b"a\xff\xfe\x80\0line", b"a\xff\xfe\x80\0line", false),
        ];
        for (bytes, expected, compressed) in cases {
            std::fs::write(&path, bytes).unwrap();
            let mut log = open(&path).unwrap();
            let (mut text, mut block) = (Vec::new(), [0; 5000]);
            while let count @ 1.. = log.reader.read(&mut block).unwrap() {
                text.extend_from_slice(&block[..count]);
            }
            assert!((&text[..], log.compressed) == (expected, compressed), "{:?}", &bytes[..bytes.len().min(20)]);
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
