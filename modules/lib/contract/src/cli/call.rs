//! One call: a document is read, understood and run.

use std::panic::AssertUnwindSafe;
use std::path::PathBuf;
use std::rc::Rc;

use futures_util::future::FutureExt;
use serde_json::{Map, Value};

use super::answer::Answer;
use super::bolt;
use super::runtime::Signals;
use super::stream;
use crate::arguments::understand;
use crate::input::{self, Document, LIMIT};
use crate::secret::Secrets;
use crate::shared::Shared;
use crate::steps::{self, Ended, defect};
use crate::{Error, Kind, Module, Progress, Run};

/// What the command line says of a call.
#[derive(Clone)]
pub(super) struct Call {
    /// The file that holds the arguments; without one it is standard input.
    pub file: Option<PathBuf>,
    pub check: bool,
    pub diff: bool,
    /// Where it is told what is being waited for.
    pub progress: fn() -> Progress,
}

/// How far a call came.
pub(super) enum Performed<M: Module> {
    /// The arguments were not valid.
    Refused { error: Error, shown: Map<String, Value>, no_log: bool },
    /// It ran.
    Ran { args: M::Args, shown: Map<String, Value>, run: Run, ended: Ended<M> },
}

impl Call {
    /// Reads the document and answers it.
    pub async fn answer<M: Module>(&self, signals: &mut Signals) -> Answer {
        match self.read(signals).await {
            Ok(document) => self.answer_one::<M>(document, signals).await,
            Err(error) => Answer::refused::<M>(&error),
        }
    }

    async fn answer_one<M: Module>(&self, (mut given, wishes): Document, signals: &mut Signals) -> Answer {
        if self.file.is_some() || !bolt::called(&given) {
            return self.answer_to::<M>((given, wishes), None, signals).await;
        }
        bolt::answer(match bolt::call(self, &mut given) {
            Ok(call) => call.answer_to::<M>((given, wishes), None, signals).await,
            Err(error) => Answer::refused::<M>(&error),
        })
    }

    /// The document of a caller that hands over one.
    pub async fn read(&self, signals: &mut Signals) -> Result<Document, Error> {
        let bytes = tokio::select! {
            // A signal that came already is answered as one.
            biased;
            name = signals.received() => {
                return Err(Error::new(Kind::Interrupted, format!("interrupted by {name} while reading the arguments")));
            }
            bytes = self.bytes() => bytes?,
        };
        input::parse(&bytes)
    }

    async fn bytes(&self) -> Result<Vec<u8>, Error> {
        let path = self.file.as_deref();
        let mut source = input::open(path)?;
        let (mut bytes, mut buffer) = (Vec::new(), vec![0; stream::BUFFER]);
        while bytes.len() <= LIMIT {
            match stream::read(&mut source, &mut buffer).await.map_err(|error| input::unreadable(path, &error))? {
                0 => return Ok(bytes),
                count => bytes.extend_from_slice(&buffer[..count]),
            }
        }
        Err(input::too_long(&input::place(path)))
    }

    /// The answer to `document`, whatever happens.
    pub async fn answer_to<M: Module>(
        &self,
        document: Document,
        shared: Option<&Rc<Shared>>,
        signals: &mut Signals,
    ) -> Answer {
        let mut secrets = Secrets::default();
        let answered = async { Answer::to(self.perform::<M>(document, shared, &mut secrets, signals).await) };
        let answered = AssertUnwindSafe(answered).catch_unwind().await;
        let mut answer = answered.unwrap_or_else(|panic| Answer::refused::<M>(&defect(&*panic)));
        secrets.scrub_result(&mut answer.result);
        answer
    }

    /// Understands `document` and runs the steps. `shared` is what runs before it left open; `secrets` learns every
    /// secret in the document.
    pub async fn perform<M: Module>(
        &self,
        (given, wishes): Document,
        shared: Option<&Rc<Shared>>,
        secrets: &mut Secrets,
        signals: &mut Signals,
    ) -> Performed<M> {
        let understood = understand::<M>(&given, |name| std::env::var_os(name), wishes.no_log, secrets);
        let shown = understood.shown;
        let args = match understood.args {
            Ok(args) => args,
            Err(error) => return Performed::Refused { error, shown, no_log: wishes.no_log },
        };
        let (check, diff) = (wishes.check || self.check, wishes.diff || self.diff);
        let run = Run::new(check, diff, wishes.no_log, wishes.verbosity, (self.progress)()).sharing(shared.cloned());
        let ended = steps::run::<M>(&args, &run, signals.received()).await;
        run.progress.clear();
        Performed::Ran { args, shown, run, ended }
    }
}
