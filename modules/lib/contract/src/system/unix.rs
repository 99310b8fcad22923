//! Signals, files and standard streams on Unix.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::path::Path;

use nix::sys::signal::{SigSet, Signal};
use tokio::net::unix::pipe::{self, Receiver, Sender};
use tokio::signal::unix::{SignalKind, signal};

use super::{BUFFER, Listener};

/// A pipe that is ready takes this many bytes at once (`PIPE_BUF`).
const PART: usize = 4096;

/// Starts to catch the signals that ask a run to stop.
///
/// They are held back meanwhile: a signal that comes after its handler is there and before the handler knows whom to tell would
/// be lost.
pub fn signals() -> io::Result<Vec<Listener>> {
    let all = [Signal::SIGTERM, Signal::SIGINT, Signal::SIGHUP, Signal::SIGQUIT];
    let held = SigSet::from_iter(all);
    held.thread_block()?;
    let listeners = all.into_iter().map(listener).collect();
    held.thread_unblock()?;
    listeners
}

fn listener(kind: Signal) -> io::Result<Listener> {
    let mut signal = signal(SignalKind::from_raw(kind as i32))?;
    Ok(Listener { name: kind.as_str(), poll: Box::new(move |context| signal.poll_recv(context)) })
}

/// Returns true if the path is a name of standard input.
pub fn is_stdin(path: &Path) -> bool {
    ["/dev/stdin", "/dev/fd/0", "/proc/self/fd/0"].iter().any(|stdin| path == Path::new(stdin))
}

/// Returns standard input.
pub fn stdin() -> io::Result<File> {
    io::stdin().as_fd().try_clone_to_owned().map(File::from)
}

/// Returns the kind of file at `path` if arguments cannot be read from it.
pub fn refused(path: &Path, metadata: &Metadata) -> Option<&'static str> {
    let kind = metadata.file_type();
    let of_kernel = || fs::canonicalize(path).is_ok_and(|path| path.starts_with("/proc") || path.starts_with("/sys"));
    match () {
        () if kind.is_dir() => Some("a directory"),
        () if kind.is_char_device() || kind.is_block_device() => Some("a device"),
        () if kind.is_socket() => Some("a socket"),
        () if kind.is_file() && of_kernel() => Some("a file of the kernel"),
        () => None,
    }
}

/// Opens a regular file or a pipe. Opening a pipe does not wait for a writer; the reader does.
pub fn open(path: &Path, metadata: &Metadata) -> io::Result<File> {
    if metadata.file_type().is_fifo() {
        let pipe: OwnedFd = pipe::OpenOptions::new().open_receiver(path).and_then(Receiver::into_nonblocking_fd)?;
        return Ok(pipe.into());
    }
    File::open(path)
}

/// Creates a file that only its user can read. An existing one is never overwritten.
pub fn create(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
}

/// Returns the available bytes, as soon as there are any; nothing at the end.
///
/// Reads without another thread: a signal ends the wait, and the system may refuse a thread.
pub async fn read(mut file: &File) -> io::Result<Vec<u8>> {
    let mut buffer = vec![0; BUFFER];
    loop {
        match watched(&file, Receiver::from_owned_fd_unchecked) {
            Ok(receiver) => receiver.readable().await?,
            Err(_) => tokio::task::yield_now().await,
        }
        match file.read(&mut buffer) {
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {}
            Err(error) => return Err(error),
            Ok(count) => {
                buffer.truncate(count);
                return Ok(buffer);
            }
        }
    }
}

/// Writes `bytes` to standard output.
pub async fn print(bytes: Vec<u8>) -> io::Result<()> {
    let mut stdout = io::stdout();
    for part in bytes.chunks(PART) {
        match watched(&stdout, Sender::from_owned_fd_unchecked) {
            Ok(sender) => sender.writable().await?,
            Err(_) => tokio::task::yield_now().await,
        }
        stdout.write_all(part)?;
        stdout.flush()?;
    }
    Ok(())
}

/// Has the event loop watch `stream`, anew for every wait: it reports a change only once, and the stream stays in blocking
/// mode, which other processes share. It refuses a regular file, which is always ready; signals get their turn by a yield.
fn watched<T>(stream: &impl AsFd, watch: impl Fn(OwnedFd) -> io::Result<T>) -> io::Result<T> {
    stream.as_fd().try_clone_to_owned().and_then(watch)
}
