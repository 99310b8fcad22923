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
    let mut outcomes = vec![None; sessions.usable.len()];
    if close {
        let closed = Runtime::start().and_then(|runtime| {
            runtime.block_on(async |_| {
                for (entry, outcome) in sessions.usable.iter().zip(&mut outcomes) {
                    *outcome = Some(sessions.close(entry).await);
                }
            })
        });
        if let Err(error) = closed {
            return failed(error.message());
        }
    }
    let mut text = String::new();
    for (session, outcome) in sessions.usable.iter().zip(&outcomes) {
        let key = &session.key;
        let done = match outcome {
            None => String::new(),
            Some(Ok(())) => "  closed".to_owned(),
            Some(Err(reason)) => format!("  not closed: {reason}"),
        };
        let _ = writeln!(text, "{}  {}  {}{done}", key.server, key.username, words(session.age()));
    }
    if sessions.usable.is_empty() {
        text.push_str("No session is kept.\n");
    }
    let mut failed = outcomes.iter().any(|outcome| matches!(outcome, Some(Err(_))));
    for error in &sessions.unusable {
        let done = match if close { sessions.remove_damaged(error) } else { Ok(false) } {
            Ok(true) => ". The file was removed; its server ends the session after a while".to_owned(),
            Ok(false) => String::new(),
            Err(reason) => {
                failed = true;
                format!("; {reason}")
            }
        };
        let _ = writeln!(std::io::stderr(), "warning: {error}{done}");
    }
    let _ = std::io::stdout().write_all(text.as_bytes());
    if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

fn words(age: Duration) -> String {
    match age.as_secs() {
        seconds @ 0..60 => format!("{seconds} s"),
        seconds @ 60..3600 => format!("{} min", seconds / 60),
        seconds => format!("{} h {} min", seconds / 3600, seconds / 60 % 60),
    }
}
