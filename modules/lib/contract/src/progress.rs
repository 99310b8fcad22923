//! What a person at a terminal sees while a run waits.

use std::cell::RefCell;
use std::io::Write;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::output;

/// Tells on standard error what is being waited for: a bar on a terminal, a line per step elsewhere, and nothing at all
/// when Ansible is the caller, since over ssh standard error and standard output are one stream.
pub struct Progress {
    voice: Voice,
    said: RefCell<String>,
}

enum Voice {
    Silent,
    Lines,
    Json,
    Bar(ProgressBar),
}

impl Progress {
    /// Says nothing.
    pub fn silent() -> Self {
        Self { voice: Voice::Silent, said: RefCell::default() }
    }

    /// Speaks on standard error.
    pub fn on_stderr() -> Self {
        use std::io::IsTerminal;
        let voice = if std::io::stderr().is_terminal() {
            let bar = ProgressBar::with_draw_target(Some(100), ProgressDrawTarget::stderr());
            if let Ok(style) = ProgressStyle::with_template("[{elapsed_precise}] {bar:30} {percent:>3}% {msg}") {
                bar.set_style(style);
            }
            Voice::Bar(bar)
        } else {
            Voice::Lines
        };
        Self { voice, said: RefCell::default() }
    }

    /// Speaks on standard error in JSON lines, for programs that read them (DSC).
    pub(crate) fn as_json() -> Self {
        Self { voice: Voice::Json, said: RefCell::default() }
    }

    /// What the run waits for now. Saying the same again says nothing new.
    pub fn waiting(&self, what: &str) {
        if *self.said.borrow() == what {
            return;
        }
        what.clone_into(&mut self.said.borrow_mut());
        match &self.voice {
            Voice::Silent => {}
            Voice::Lines => say(format!("{what}\n").as_bytes()),
            Voice::Json => say_json("info", what),
            Voice::Bar(bar) => bar.set_message(what.to_owned()),
        }
    }

    /// How far the present step is, in percent.
    pub fn percent(&self, done: u8) {
        if let Voice::Bar(bar) = &self.voice {
            bar.set_position(u64::from(done.min(100)));
        }
    }

    /// Takes the bar off the terminal.
    pub(crate) fn clear(&self) {
        if let Voice::Bar(bar) = &self.voice {
            bar.finish_and_clear();
        }
    }
}

/// Writes `text` to standard error. If nobody reads that any more, it is no reason to fail.
fn say(text: &[u8]) {
    let _ = std::io::stderr().write_all(text);
}

/// Writes `text` to standard error as a JSON line of this `level`.
pub(crate) fn say_json(level: &str, text: &str) {
    say(&output::line(&serde_json::json!({ level: text })));
}
