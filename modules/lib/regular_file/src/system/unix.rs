//! Files on Unix.

use std::fs::{File, FileType};
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

/// Opens a file for reading, without waiting for the writer of a FIFO.
pub fn open(path: &Path) -> io::Result<File> {
    let flags = OFlags::NONBLOCK | OFlags::NOCTTY;
    File::options().read(true).custom_flags(flags.bits().cast_signed()).open(path)
}

/// Returns the kind of a file that is neither a regular file nor a directory.
pub fn kind(kind: FileType) -> &'static str {
    match () {
        () if kind.is_fifo() => "a FIFO",
        () if kind.is_socket() => "a socket",
        () if kind.is_block_device() || kind.is_char_device() => "a device",
        () => "a special file",
    }
}

/// Returns true if the kernel shows itself in the file at `path`.
pub fn is_pseudo(path: &Path) -> bool {
    is_kernel(statfs(path))
}

/// Returns true if the kernel shows itself in an open file.
pub fn opened_is_pseudo(file: &File) -> bool {
    is_kernel(fstatfs(file))
}

/// A system that cannot tell the type of a file system is not Linux, or old: there the mode decides alone.
fn is_kernel(file_system: rustix::io::Result<StatFs>) -> bool {
    file_system.is_ok_and(|it| KERNEL.contains(&i128::from(it.f_type)))
}
