//! Output for a person at a terminal while a run waits.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::io::Write;
use std::rc::Rc;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

const SECOND: Duration = Duration::from_secs(1);

/// Says what a run waits for: on standard error a line that counts seconds on a terminal, or a line per step elsewhere; or nothing at all, since
/// over ssh standard error and standard output are one stream.
#[derive(Clone)]
pub struct Progress {
    voice: Voice,
    said: Rc<RefCell<String>>,
    /// Seconds after which the run gives up.
    limit: Cell<u64>,
}

/// The weight of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// It says what the run does.
    Info,
    /// The user should read it even if nothing fails.
    Warning,
}

#[derive(Clone)]
enum Voice {
    Silent,
    Stderr,
    Lines(fn(Level, &str)),
    Bar(ProgressBar),
}

impl Progress {
    /// Says nothing.
    pub fn silent() -> Self {
        Self::of(Voice::Silent)
    }

    /// Speaks on standard error.
    pub fn on_stderr() -> Self {
        use std::io::IsTerminal;
        let voice = if std::io::stderr().is_terminal() {
            let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
            if let Ok(style) = ProgressStyle::with_template("{seconds}{prefix} {msg}") {
                let seconds = |state: &ProgressState, text: &mut dyn fmt::Write| {
                    let _ = write!(text, "{}s", state.elapsed().as_secs());
                };
                bar.set_style(style.with_key("seconds", seconds));
            }
            // Such as with TERM=dumb.
            if bar.is_hidden() { Voice::Stderr } else { Voice::Bar(bar) }
        } else {
            Voice::Stderr
        };
        Self::of(voice)
    }

    /// Hands every new text to `say`.
    pub fn lines(say: fn(Level, &str)) -> Self {
        Self::of(Voice::Lines(say))
    }

    fn of(voice: Voice) -> Self {
        Self { voice, said: Rc::default(), limit: Cell::default() }
    }

    /// Tells the seconds after which the run gives up.
    pub(crate) fn limit(&self, seconds: u64) {
        self.limit.set(seconds);
    }

    /// Says what the run waits for now. A repeated text is not shown again.
    pub fn waiting(&self, what: &str) {
        if *self.said.borrow() == what {
            return;
        }
        what.clone_into(&mut self.said.borrow_mut());
        match &self.voice {
            Voice::Silent => {}
            Voice::Stderr => say(&format!("{what}\n")),
            Voice::Lines(say) => say(Level::Info, what),
            Voice::Bar(bar) => {
                bar.set_prefix(format!(" of {}s", self.limit.get()));
                bar.set_message(what.to_owned());
                // The seconds go on while nothing else happens.
                bar.enable_steady_tick(SECOND / 4);
            }
        }
    }

    /// Shows a line on standard error, which the user asked for.
    pub(crate) fn line(&self, text: &str) {
        match &self.voice {
            // Printing above the bar shows the bar.
            Voice::Bar(bar) if !self.said.borrow().is_empty() => bar.println(text),
            _ => say(&format!("{text}\n")),
        }
    }

    /// Shows a warning at once. Returns true if the caller takes it as a warning, so that the result need not repeat it.
    pub(crate) fn warn(&self, warning: &str) -> bool {
        match &self.voice {
            Voice::Silent => {}
            Voice::Stderr | Voice::Bar(_) => self.line(warning),
            Voice::Lines(say) => say(Level::Warning, warning),
        }
        matches!(self.voice, Voice::Lines(_))
    }

    /// Reports the progress of the present step, in percent.
    pub fn percent(&self, done: u8) {
        if let Voice::Bar(bar) = &self.voice {
            bar.set_message(format!("{} {}%", self.said.borrow(), done.min(100)));
        }
    }

    /// Takes the bar off the terminal.
    pub(crate) fn clear(&self) {
        if let Voice::Bar(bar) = &self.voice {
            bar.finish_and_clear();
        }
    }
}

/// Writes `text` to standard error. A closed standard error is no failure of the run.
fn say(text: &str) {
    let _ = std::io::stderr().write_all(text.as_bytes());
}
