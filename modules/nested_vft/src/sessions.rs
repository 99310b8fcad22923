//! `nested_vft sessions`: lists the sessions that `session_cache` keeps, and closes them.

use std::fmt::Write as _;
use std::io::Write as _;
use std::process::ExitCode;
use std::time::Duration;

use contract::service::Runtime;
use vsphere_module::KeptSessions;

/// Lists the kept sessions; with `close`, ends them on their servers and forgets them. Shows no cookie.
pub fn run(close: bool) -> ExitCode {
    let failed = |error: String| {
        let _ = writeln!(std::io::stderr(), "error: {error}");
        ExitCode::FAILURE
    };
    let sessions = match KeptSessions::read() {
        Ok(sessions) => sessions,
        Err(error) => return failed(error.to_string()),
    };
    if close {
        let closed = Runtime::start().map(|runtime| runtime.block_on(async |_| sessions.close().await));
        if let Err(error) = closed {
            return failed(error.message());
        }
    }
    let mut text = String::new();
    for session in &sessions.usable {
        let key = &session.key;
        let done = if close { "  closed" } else { "" };
        let _ = writeln!(text, "{}  {}  {}{done}", key.server, key.username, words(session.age()));
    }
    if sessions.usable.is_empty() {
        text.push_str("No session is kept.\n");
    }
    for error in &sessions.unusable {
        let _ = writeln!(std::io::stderr(), "warning: {error}");
    }
    let _ = std::io::stdout().write_all(text.as_bytes());
    ExitCode::SUCCESS
}

fn words(age: Duration) -> String {
    match age.as_secs() {
        seconds @ 0..60 => format!("{seconds} s"),
        seconds @ 60..3600 => format!("{} min", seconds / 60),
        seconds => format!("{} h {} min", seconds / 3600, seconds / 60 % 60),
    }
}
