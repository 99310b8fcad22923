//! JSON lines (`--jsonl`): a document a line in, a result a line out, in that order.

use std::path::Path;
use std::process::ExitCode;
use std::rc::Rc;

use contract::service::{self, Answer, Call, LIMIT, Runtime, Shared, Signals, parse, too_long, unreadable};
use contract::{Error, Kind, Module};

use crate::lines::{Input, Lines};
use crate::output::is_written;

/// Counts the outcomes of the calls in a series.
#[derive(Default)]
struct Tally {
    /// A call failed, and not for its arguments.
    failed: bool,
    /// A call's arguments were not valid.
    invalid: bool,
}

impl Tally {
    fn count(&mut self, answer: &Answer) {
        self.invalid |= answer.invalid();
        self.failed |= answer.kind.is_some() && !answer.invalid();
    }

    /// Returns the exit status: 0 nothing failed; 2 only invalid arguments; 1 anything else.
    fn status(&self) -> ExitCode {
        match self {
            Self { failed: true, .. } => ExitCode::FAILURE,
            Self { invalid: true, .. } => ExitCode::from(2),
            _ => ExitCode::SUCCESS,
        }
    }
}

/// Answers every line until the input ends, the reader closes the output, or a signal ends the series.
pub fn run<M: Module>(call: &Call, runtime: Runtime) -> Result<ExitCode, Error> {
    runtime.block_on(async |signals| {
        let shared = Rc::new(Shared::default());
        let mut tally = Tally::default();
        if every_line::<M>(call, &shared, signals, &mut tally).await.is_err() {
            tally.failed = true;
        }
        shared.close().await;
        tally.status()
    })
}

/// The series ended before its last line.
struct Cut;

async fn every_line<M: Module>(
    call: &Call,
    shared: &Rc<Shared>,
    signals: &mut Signals,
    tally: &mut Tally,
) -> Result<(), Cut> {
    let mut source = match Source::open(call.file.as_deref()) {
        Ok(source) => source,
        Err(error) => return tell(&Answer::refused::<M>(&error), signals, tally).await,
    };
    loop {
        let read = tokio::select! {
            read = source.next() => read,
            // No line is waiting for an answer.
            _ = signals.received() => return Err(Cut),
        };
        let document = match read {
            Ok(None) => return Ok(()),
            Ok(Some(Input::Whole(bytes))) => parse(&bytes),
            Ok(Some(Input::TooLong)) => Err(too_long("the line")),
            Err(error) => return tell(&Answer::refused::<M>(&error), signals, tally).await,
        };
        let answer = match document {
            Ok(document) => Answer::of::<M>(call, document, Some(shared), signals).await,
            Err(error) => Answer::refused::<M>(&error),
        };
        let interrupted = answer.kind == Some(Kind::Interrupted);
        tell(&answer, signals, tally).await?;
        if interrupted {
            return Err(Cut);
        }
        shared.trim().await;
    }
}

/// The source of the lines.
struct Source<'a> {
    path: Option<&'a Path>,
    stream: service::Source,
    lines: Lines,
}

impl<'a> Source<'a> {
    fn open(path: Option<&'a Path>) -> Result<Self, Error> {
        Ok(Self { path, stream: service::open(path)?, lines: Lines::new(LIMIT) })
    }

    /// The next line; nothing at the end.
    async fn next(&mut self) -> Result<Option<Input>, Error> {
        loop {
            if let Some(line) = self.lines.next() {
                return Ok(Some(line));
            }
            let text = self.stream.read().await.map_err(|error| unreadable(self.path, &error))?;
            if text.is_empty() {
                return Ok(self.lines.last());
            }
            self.lines.push(&text);
        }
    }
}

/// Prints an answer. The reader may take any time; a signal ends the wait.
async fn tell(answer: &Answer, signals: &mut Signals, tally: &mut Tally) -> Result<(), Cut> {
    tally.count(answer);
    if is_written(&answer.print(signals).await) { Ok(()) } else { Err(Cut) }
}
