//! Errors of the ESXi shell's tools, worded for the host's administrator.

use std::io;
use std::path::PathBuf;
use std::process::ExitStatus;

/// The number of characters of a tool's output that an error shows.
const SHOWN: usize = 400;

/// Everything that a call of a tool can fail with.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The tool is not in any folder of PATH.
    #[error("{tool} not found on this machine")]
    Missing {
        /// The tool's name.
        tool: &'static str,
    },
    /// The tool could not be started, because of the file itself or of an argument that holds a NUL; nothing happened.
    #[error("cannot start {tool}: {io}")]
    Start {
        /// The tool's name.
        tool: &'static str,
        /// Why.
        #[source]
        io: io::Error,
    },
    /// The deadline had passed before the tool was started; nothing happened.
    #[error("no time was left to start {tool}")]
    NoTime {
        /// The tool's name.
        tool: &'static str,
    },
    /// The tool did not end in time, and was killed. Whether it had done its work by then is not known.
    #[error("{tool} did not finish within {seconds} s")]
    Timeout {
        /// The tool's name.
        tool: &'static str,
        /// The time waited, in seconds, rounded up.
        seconds: u64,
    },
    /// The tool's end or output could not be observed. Whether it did its work is not known.
    #[error("cannot wait for {tool}: {io}")]
    Lost {
        /// The tool's name.
        tool: &'static str,
        /// Why.
        #[source]
        io: io::Error,
    },
    /// The tool ended with another exit status than 0.
    #[error("`{}` failed with {}{}", command(tool, arguments), ended(*status), said(text))]
    Failed {
        /// The tool's name.
        tool: &'static str,
        /// Its arguments.
        arguments: Vec<String>,
        /// The exit status.
        status: ExitStatus,
        /// The output, stderr first, as one line of at most 400 characters.
        text: String,
    },
    /// The tool printed something that this crate does not understand.
    #[error("{tool} printed something unexpected: {text}")]
    Unexpected {
        /// The tool's name.
        tool: &'static str,
        /// The unexpected output, as one line of at most 400 characters.
        text: String,
    },
    /// Both tools for advanced options were asked, and neither could tell.
    #[error("{esxcli}; {advcfg}")]
    Both {
        /// The error of esxcli.
        esxcli: Box<Error>,
        /// The error of esxcfg-advcfg.
        advcfg: Box<Error>,
    },
    /// The .vmx file's own path does not lead anywhere.
    #[error("cannot resolve {}: {io}", path.display())]
    Path {
        /// The path.
        path: PathBuf,
        /// Why.
        #[source]
        io: io::Error,
    },
}

impl Error {
    /// True if a change may have been made anyway: the tool was started, and its outcome is not known.
    pub fn unsettled(&self) -> bool {
        match self {
            Self::Timeout { .. } | Self::Lost { .. } => true,
            Self::Failed { status, .. } => status.code().is_none(),
            _ => false,
        }
    }
}

/// `text` as one line of at most 400 characters, without control characters.
pub(crate) fn one_line(text: &str) -> String {
    let words = text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty());
    let mut line = words.collect::<Vec<_>>().join(" ");
    if let Some((end, _)) = line.char_indices().nth(SHOWN) {
        line.truncate(end);
        line.push('…');
    }
    line
}

/// The call as it would be typed, near enough: whatever is not plain is in quotes, with its control characters escaped.
fn command(tool: &str, arguments: &[String]) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/-_=.:,+".contains(c);
    let typed = arguments.iter().map(|argument| match argument.as_str() {
        "" => "\"\"".to_owned(),
        word if word.chars().all(plain) => word.to_owned(),
        other => format!("{other:?}"),
    });
    one_line(&std::iter::once(tool.to_owned()).chain(typed).collect::<Vec<_>>().join(" "))
}

fn ended(status: ExitStatus) -> String {
    #[cfg(unix)]
    if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
        return format!("signal {signal}");
    }
    status.code().map_or_else(|| status.to_string(), |code| format!("exit status {code}"))
}

fn said(text: &str) -> String {
    if text.is_empty() { " and printed nothing".to_owned() } else { format!(": {text}") }
}

#[cfg(test)]
#[path = "error_tests.rs"]
mod tests;
