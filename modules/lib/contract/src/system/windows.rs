//! Console events, files and standard streams on Windows.

use std::fs::{File, Metadata};
use std::io::{self, Read, Write};
use std::os::windows::io::AsHandle;
use std::path::Path;
use std::task::{Context, Poll};

use tokio::signal::windows::{ctrl_break, ctrl_c, ctrl_close, ctrl_logoff, ctrl_shutdown};
use tokio::task::spawn_blocking;

use super::{BUFFER, Listener};

/// Starts to catch the events that ask a run to stop. Windows ends the process a few seconds after the last three.
pub fn signals() -> io::Result<Vec<Listener>> {
    let (mut int, mut quit, mut close, mut logoff, mut shutdown) =
        (ctrl_c()?, ctrl_break()?, ctrl_close()?, ctrl_logoff()?, ctrl_shutdown()?);
    Ok(vec![
        listener("Ctrl-C", move |context| int.poll_recv(context)),
        listener("Ctrl-Break", move |context| quit.poll_recv(context)),
        listener("a closed console window", move |context| close.poll_recv(context)),
        listener("a logoff", move |context| logoff.poll_recv(context)),
        listener("a shutdown of Windows", move |context| shutdown.poll_recv(context)),
    ])
}

fn listener(name: &'static str, poll: impl FnMut(&mut Context<'_>) -> Poll<Option<()>> + 'static) -> Listener {
    Listener { name, poll: Box::new(poll) }
}

/// Returns true if the path is a name of standard input: Windows has none.
pub fn is_stdin(_: &Path) -> bool {
    false
}

/// Returns standard input.
pub fn stdin() -> io::Result<File> {
    io::stdin().as_handle().try_clone_to_owned().map(File::from)
}

/// Returns the kind of file if arguments cannot be read from it.
pub fn refused(_: &Path, metadata: &Metadata) -> Option<&'static str> {
    match () {
        () if metadata.is_dir() => Some("a directory"),
        () if metadata.is_file() => None,
        () => Some("a special file"),
    }
}

/// Opens a regular file.
pub fn open(path: &Path, _: &Metadata) -> io::Result<File> {
    File::open(path)
}

/// Creates a file with the access rights of its folder. An existing one is never overwritten.
pub fn create(path: &Path) -> io::Result<File> {
    File::create_new(path)
}

/// Returns the available bytes, as soon as there are any; nothing at the end.
///
/// Reads on another thread: Windows cannot tell whether a pipe is ready. The thread ends with the process.
pub async fn read(file: &File) -> io::Result<Vec<u8>> {
    let mut file = file.try_clone()?;
    blocking(move || {
        let mut buffer = vec![0; BUFFER];
        let count = file.read(&mut buffer)?;
        buffer.truncate(count);
        Ok(buffer)
    })
    .await
}

/// Writes `bytes` to standard output.
pub async fn print(bytes: Vec<u8>) -> io::Result<()> {
    blocking(move || {
        let mut stdout = io::stdout();
        stdout.write_all(&bytes)?;
        stdout.flush()
    })
    .await
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> io::Result<T> {
    spawn_blocking(work).await.unwrap_or_else(|error| Err(io::Error::other(error)))
}
