//! What a person at a terminal sees while a run waits.

use std::cell::RefCell;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Tells on standard error what is being waited for: a bar on a terminal, a line per step elsewhere, and nothing at all
/// when Ansible is the caller, since over ssh standard error and standard output are one stream.
pub struct Progress {
    voice: Voice,
    said: RefCell<String>,
}

enum Voice {
    Silent,
    Lines,
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

    /// What the run waits for now. Saying the same again says nothing new.
    pub fn waiting(&self, what: &str) {
        if *self.said.borrow() == what {
            return;
        }
        what.clone_into(&mut self.said.borrow_mut());
        match &self.voice {
            Voice::Silent => {}
            Voice::Lines => {
                use std::io::Write;
                // Nobody reads standard error any more: no reason to fail.
                let _ = writeln!(std::io::stderr(), "{what}");
            }
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
