//! Reads and writes without other threads: a signal ends the wait, and a run needs no thread that the system may refuse.

use std::io::{self, ErrorKind, Read, Write};
use std::os::fd::{AsFd, OwnedFd};

use tokio::net::unix::pipe::{Receiver, Sender};

use crate::input::Source;

/// Size of a buffer to [read] into: as much as a pipe holds.
pub const BUFFER: usize = 64 * 1024;
/// A pipe that is ready takes this many bytes at once (`PIPE_BUF`).
const PART: usize = 4096;

/// Reads what is there, as soon as there is something. Returns 0 at the end.
pub async fn read(source: &mut Source, buffer: &mut [u8]) -> io::Result<usize> {
    let Some(file) = source else { return Ok(0) };
    loop {
        match watched(file, Receiver::from_owned_fd_unchecked) {
            Ok(receiver) => receiver.readable().await?,
            Err(_) => tokio::task::yield_now().await,
        }
        match file.read(buffer) {
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {}
            read => return read,
        }
    }
}

/// Writes `bytes` to standard output.
pub async fn print(bytes: &[u8]) -> io::Result<()> {
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
