//! A series of calls: a document a line in, a result a line out, in that order.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Write};
use std::process::ExitCode;
use std::rc::Rc;

use super::answer::Answer;
use super::call::Call;
use super::runtime::{Signals, block_on};
use crate::input::{self, LIMIT};
use crate::lines::{Line, Lines};
use crate::shared::Shared;
use crate::{Error, Kind, Module, output};

type Source = Lines<Box<dyn BufRead + Send>>;

/// What is known of a series so far.
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

    /// 0: nothing failed. 2: nothing but the arguments of some. 1: something else.
    fn status(&self) -> ExitCode {
        match self {
            Self { failed: true, .. } => ExitCode::FAILURE,
            Self { invalid: true, .. } => ExitCode::from(2),
            _ => ExitCode::SUCCESS,
        }
    }
}

/// Answers every line that comes, until there are no more, nobody listens, or a signal ends the series.
pub(super) fn run<M: Module>(call: &Call) -> ExitCode {
    let tally = block_on(async |signals| {
        let shared = Rc::new(Shared::default());
        let mut tally = Tally::default();
        if every_line::<M>(call, &shared, signals, &mut tally).await.is_err() {
            tally.failed = true;
        }
        shared.close().await;
        tally
    });
    tally.map_or(ExitCode::FAILURE, |tally| tally.status())
}

/// The series ended before its last line.
struct Cut;

async fn every_line<M: Module>(
    call: &Call,
    shared: &Rc<Shared>,
    signals: &mut Signals,
    tally: &mut Tally,
) -> Result<(), Cut> {
    let mut source = match open(call.file.as_deref()) {
        Ok(source) => source,
        Err(error) => return tell(Answer::refused::<M>(&error), signals, tally).await,
    };
    loop {
        let next = tokio::task::spawn_blocking(move || (source.next(LIMIT), source));
        let (read, back) = tokio::select! {
            next = next => next.map_err(|_| Cut)?,
            // No line is waiting for an answer.
            _ = signals.received() => return Err(Cut),
        };
        source = back;
        let document = match read {
            Ok(None) => return Ok(()),
            Ok(Some(Line::Whole(bytes))) => input::parse(&bytes),
            Ok(Some(Line::TooLong)) => Err(input::too_long("the line")),
            Err(error) => {
                let error = input::unreadable(&input::place(call.file.as_deref()), &error);
                return tell(Answer::refused::<M>(&error), signals, tally).await;
            }
        };
        let answer = match document {
            Ok(document) => call.answer_to::<M>(document, Some(shared), signals).await,
            Err(error) => Answer::refused::<M>(&error),
        };
        let interrupted = answer.kind == Some(Kind::Interrupted);
        tell(answer, signals, tally).await?;
        if interrupted {
            return Err(Cut);
        }
        shared.trim().await;
    }
}

fn open(file: Option<&str>) -> Result<Source, Error> {
    let reader: Box<dyn BufRead + Send> = match file {
        Some(path) => {
            let file = File::open(path).map_err(|error| input::unreadable(&input::place(file), &error))?;
            Box::new(BufReader::new(file))
        }
        None => Box::new(BufReader::new(io::stdin())),
    };
    Ok(Lines::of(reader))
}

/// Gives an answer. Whoever reads it may take any time, and a signal ends that too.
async fn tell(answer: Answer, signals: &mut Signals, tally: &mut Tally) -> Result<(), Cut> {
    tally.count(&answer);
    let line = output::line(&answer.result);
    let told = tokio::task::spawn_blocking(move || {
        let mut stdout = io::stdout();
        stdout.write_all(&line).and_then(|()| stdout.flush())
    });
    tokio::select! {
        told = told => if matches!(told, Ok(Ok(()))) { Ok(()) } else { Err(Cut) },
        _ = signals.received() => Err(Cut),
    }
}
