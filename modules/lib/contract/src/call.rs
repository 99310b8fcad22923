//! One call: a document is read, understood and run.

use std::io::IsTerminal;
use std::path::PathBuf;
use std::rc::Rc;

use serde_json::{Map, Value};

use crate::arguments::understand;
use crate::input::{self, Document, LIMIT};
use crate::runtime::Signals;
use crate::secret::Secrets;
use crate::shared::Shared;
use crate::steps::{self, Ended};
use crate::trace::Trace;
use crate::{Arguments, Error, Kind, Module, Progress, Run};

/// The options of a run, without its document.
#[derive(Clone)]
pub struct Call {
    /// The file that holds the arguments; none: standard input.
    pub file: Option<PathBuf>,
    /// Change nothing.
    pub check: bool,
    /// Report the state before and after.
    pub diff: bool,
    /// Creates the place where the run says what it waits for.
    pub progress: fn() -> Progress,
    /// Where the requests of the run are shown.
    pub trace: Trace,
}

/// The outcome of a call.
pub enum Performed<M: Module> {
    /// The arguments were not valid.
    Refused {
        /// The reason.
        error: Error,
        /// The arguments as understood, secrets masked.
        shown: Map<String, Value>,
        /// The caller wants no arguments in the result.
        no_log: bool,
    },
    /// It ran.
    Ran {
        /// The arguments.
        args: M::Args,
        /// The same as JSON, secrets masked.
        shown: Map<String, Value>,
        /// The run.
        run: Run,
        /// The outcome of the run.
        ended: Ended<M>,
    },
}

impl Call {
    /// Reads the document of a caller that hands over one.
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
        let mut bytes = Vec::new();
        while bytes.len() <= LIMIT {
            let more = source.read().await.map_err(|error| input::unreadable(path, &error))?;
            if more.is_empty() {
                return Ok(bytes);
            }
            bytes.extend(more);
        }
        Err(input::too_long(&input::place(path)))
    }

    /// Understands `document` and runs the steps. `shared` holds what earlier runs left open; `secrets` learns every secret
    /// in the document.
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
        // Over ssh, Ansible gives standard error a terminal too, and takes all that is on it for the result.
        let speaks = self.file.is_none() || !wishes.of_ansible && std::io::stderr().is_terminal();
        let progress = if speaks { (self.progress)() } else { Progress::silent() };
        let run = Run::new(check, diff, wishes.no_log, wishes.verbosity, progress);
        let run = run.within(args.timeout()).sharing(shared.cloned()).tracing(&self.trace, secrets);
        let ended = steps::run::<M>(&args, &run, signals.received()).await;
        run.progress.clear();
        Performed::Ran { args, shown, run, ended }
    }
}
