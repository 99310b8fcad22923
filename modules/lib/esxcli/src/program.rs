//! Running one tool: found on PATH, with a deadline, its output held within a limit.

use std::ffi::OsStr;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::{Duration, Instant};

use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::process::Command;
use tokio::time::timeout;

use crate::error::{Error, one_line};

/// The longest that any call may take: a hung hostd must not eat a deadline that is meant for many calls.
const CALL: Duration = Duration::from_secs(60);
/// The time to wait for a killed tool. One that hangs inside the kernel cannot even be killed.
const REAP: Duration = Duration::from_secs(5);
/// The output of a call that is about one thing, in bytes.
pub(crate) const SMALL: usize = 1024 * 1024;
/// The output of a call that lists everything, in bytes.
pub(crate) const LARGE: usize = 16 * 1024 * 1024;

/// A tool, and where it is.
#[derive(Debug, Clone)]
pub(crate) struct Program {
    pub(crate) name: &'static str,
    path: PathBuf,
}

/// The status and output of a tool that ended on its own.
#[derive(Debug)]
pub(crate) struct Output {
    pub(crate) status: ExitStatus,
    pub(crate) stdout: Vec<u8>,
    stderr: Vec<u8>,
    /// There was more on a stream than the limit; the rest is gone.
    overflow: bool,
}

impl Program {
    /// The first executable regular file called `name` in the folders of `path`. Empty and relative folders do not count:
    /// what is in the current folder is not the host's own tool.
    pub(crate) fn find(name: &'static str, path: &OsStr) -> Option<Self> {
        std::env::split_paths(path)
            .filter(|folder| folder.is_absolute())
            .map(|folder| folder.join(name))
            .find(|file| is_executable(file))
            .map(|path| Self { name, path })
    }

    /// Runs the tool and waits for its end, at most until `deadline` and at most 60 s.
    ///
    /// # Errors
    /// `NoTime`, `Start`, `Timeout` or `Lost`: any exit status is a success here. A tool that is late is killed and waited
    /// for, so that it cannot change anything behind the caller's back.
    pub(crate) async fn run(&self, arguments: &[String], limit: usize, deadline: Instant) -> Result<Output, Error> {
        let tool = self.name;
        let allowed = deadline.saturating_duration_since(Instant::now()).min(CALL);
        if allowed.is_zero() {
            return Err(Error::NoTime { tool });
        }
        let mut child = Command::new(&self.path)
            .args(arguments)
            // The texts that are understood here are the untranslated ones.
            .env("LC_ALL", "C")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(|io| Error::Start { tool, io })?;
        let (out, err) = (child.stdout.take(), child.stderr.take());
        let finished =
            timeout(allowed, async { tokio::try_join!(child.wait(), read(out, limit), read(err, limit)) }).await;
        match finished {
            Ok(Ok((status, (stdout, cut), (stderr, cut_too)))) => {
                Ok(Output { status, stdout, stderr, overflow: cut || cut_too })
            }
            Ok(Err(io)) => {
                reap(&mut child).await;
                Err(Error::Lost { tool, io })
            }
            Err(_) => {
                reap(&mut child).await;
                Err(Error::Timeout { tool, seconds: allowed.as_millis().div_ceil(1000).try_into().unwrap_or(u64::MAX) })
            }
        }
    }

    /// `run`, with every exit status but 0 an error too.
    ///
    /// # Errors
    /// Those of `run`, and `Failed`.
    pub(crate) async fn succeed(&self, arguments: &[String], limit: usize, deadline: Instant) -> Result<Output, Error> {
        let output = self.run(arguments, limit, deadline).await?;
        if output.status.success() { Ok(output) } else { Err(self.failed(arguments, &output)) }
    }

    /// The error of a call with these arguments that ended with another exit status than 0.
    pub(crate) fn failed(&self, arguments: &[String], output: &Output) -> Error {
        Error::Failed {
            tool: self.name,
            arguments: arguments.to_vec(),
            status: output.status,
            text: one_line(&output.text()),
        }
    }

    /// Returns the tool's stdout if it is complete.
    ///
    /// # Errors
    /// `Unexpected` if there was more than the limit.
    pub(crate) fn whole<'a>(&self, output: &'a Output) -> Result<&'a [u8], Error> {
        if output.overflow {
            let text = format!("more than {} bytes", output.stdout.len().max(output.stderr.len()));
            return Err(Error::Unexpected { tool: self.name, text });
        }
        Ok(&output.stdout)
    }
}

impl Output {
    /// Returns the text of both streams: errors come on either.
    pub(crate) fn text(&self) -> String {
        let (err, out) = (String::from_utf8_lossy(&self.stderr), String::from_utf8_lossy(&self.stdout));
        format!("{}\n{}", err.trim(), out.trim()).trim().to_owned()
    }
}

fn is_executable(file: &Path) -> bool {
    file.metadata().is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
}

/// Returns the first `limit` bytes of a stream, and whether there were more. It reads the rest too: a closed pipe must
/// not make a tool fail or hang half way through a change.
async fn read(stream: Option<impl AsyncRead + Unpin>, limit: usize) -> io::Result<(Vec<u8>, bool)> {
    let mut kept = Vec::new();
    let Some(mut stream) = stream else { return Ok((kept, false)) };
    (&mut stream).take(limit as u64).read_to_end(&mut kept).await?;
    let more = tokio::io::copy(&mut stream, &mut tokio::io::sink()).await?;
    Ok((kept, more > 0))
}

/// Kills the tool and waits for its end. Its streams are not waited for: a child of its own may hold them.
async fn reap(child: &mut tokio::process::Child) {
    // Without success there is nothing left to do here: tokio goes on waiting for the process in the background.
    let _ = timeout(REAP, child.kill()).await;
}
