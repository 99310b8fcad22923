//! Opens the file at a path that a user gave, unless reading it could block, never end, or change something.

use std::fs::{self, File, Metadata};
use std::io;
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::path::Path;

use rustix::fs::{OFlags, StatFs, fstatfs, statfs};

/// The types of the file systems in which the kernel shows itself (`linux/magic.h`). Their files are regular by mode.
const KERNEL: [i128; 14] = [
    0x0000_9fa0, // proc
    0x6265_6572, // sysfs
    0x6462_6720, // debugfs
    0x7472_6163, // tracefs
    0x7363_6673, // securityfs
    0x6265_6570, // configfs
    0x0027_e0eb, // cgroup
    0x6367_7270, // cgroup2
    0xf97c_ff8c, // selinuxfs
    0xde5e_81e4, // efivarfs
    0x6165_676c, // pstore
    0xcafe_4a11, // bpf
    0x4249_4e4d, // binfmt_misc
    0x6573_5543, // fusectl
];

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
    check(&fs::metadata(path)?, statfs(path))?;
    // The path may lead elsewhere by now: do not wait for the writer of a FIFO, and check again.
    let flags = OFlags::NONBLOCK | OFlags::NOCTTY;
    let file = File::options().read(true).custom_flags(flags.bits().cast_signed()).open(path)?;
    check(&file.metadata()?, fstatfs(&file))?;
    Ok(file)
}

/// A system that cannot tell the type of a file system is not Linux, or old: there the mode decides alone.
fn check(metadata: &Metadata, file_system: rustix::io::Result<StatFs>) -> Result<(), Error> {
    let kind = metadata.file_type();
    Err(Error::Special(match () {
        () if kind.is_dir() => "a directory",
        () if kind.is_fifo() => "a FIFO",
        () if kind.is_socket() => "a socket",
        () if kind.is_block_device() || kind.is_char_device() => "a device",
        () if file_system.is_ok_and(|it| KERNEL.contains(&i128::from(it.f_type))) => "a pseudo-file of the kernel",
        () if kind.is_file() => return Ok(()),
        () => "a special file",
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
