//! Waiting for tasks.

use std::time::Duration;

use backon::BackoffBuilder;
use tokio::time::{Instant, sleep, timeout_at};

use crate::session::alarm::Alarm;
use crate::session::error::Error;
use crate::session::object::Object;
use crate::session::retry::doubling;
use crate::session::state::Session;
use crate::session::write::WriteError;
use crate::soap::element::Element;
use crate::soap::fault::Fault;
use crate::soap::moref::Moref;
use crate::soap::name;
use crate::text::one_line;
use crate::wire::transport::{LAST_LOOK, seconds};

/// The first pause between polls; it doubles. A reconfiguration takes some ten milliseconds, a secondary minutes.
const FIRST_PAUSE: Duration = Duration::from_millis(10);
/// The pause from which the server is asked to tell a change instead.
const LONG_PAUSE: Duration = Duration::from_millis(300);
/// The wait gives up after this many failed polls in a row, and this time of failing; the task goes on. Each poll is already
/// retried where that may help ([`Session::read`]).
const FAILED_POLLS: u32 = 3;
const FAILING: Duration = Duration::from_secs(3);

// Limits for the names of a task and the text of a question in messages, in bytes.
const NAME: usize = 300;
const QUESTION: usize = 3000;

/// How to wait for a task.
pub struct Watch<'a> {
    /// When to give up. The task goes on.
    pub deadline: Instant,
    /// A virtual machine whose questions (`runtime.question`) would keep the task from finishing.
    pub vm: Option<&'a Moref>,
    /// Called with the task's progress in percent whenever it changes.
    pub progress: &'a dyn Fn(u8),
}

/// The result of one poll.
struct Poll {
    info: Option<Element>,
    question: Option<Element>,
}

impl Session {
    /// Waits until the task is done, and returns its result (`TaskInfo.result`).
    ///
    /// # Errors
    /// [`WriteError::Ended`] if the task failed. [`WriteError::Unknown`] if the time is over ([`Error::Timeout`]), the task waits
    /// for an answer ([`Error::Question`]), polls keep failing, or the server forgot the task.
    pub async fn wait(&self, task: &Moref, watch: &Watch<'_>) -> Result<Option<Element>, WriteError> {
        let mut alarm = Alarm::new(self, task, watch.vm);
        let outcome = self.follow(task, watch, &mut alarm).await;
        alarm.clear().await;
        outcome
    }

    async fn follow(
        &self,
        task: &Moref,
        watch: &Watch<'_>,
        alarm: &mut Alarm<'_>,
    ) -> Result<Option<Element>, WriteError> {
        let unknown = |error| WriteError::Unknown { error, accepted: true };
        let start = Instant::now();
        let mut pauses = doubling(FIRST_PAUSE).build();
        let mut shown = None;
        let mut asked = None;
        // The start of a series of failed polls, their number, and the first error.
        let mut failing: Option<(Instant, u32, Error)> = None;
        let mut name = format!("task {task}");
        loop {
            let limit = watch.deadline.max(Instant::now()) + LAST_LOOK;
            let poll = timeout_at(limit, self.poll(task, watch.vm)).await;
            let late = Instant::now() >= watch.deadline;
            match poll {
                Ok(Ok(poll)) => {
                    failing = None;
                    if let Some(info) = poll.info {
                        name = describe(&info, task);
                        if let Some(outcome) = outcome(&info) {
                            return outcome.map_err(WriteError::Ended);
                        }
                        let percent = info.child("progress").and_then(Element::int);
                        let percent = percent.and_then(|it| u8::try_from(it.clamp(0, 100)).ok());
                        if percent.is_some() && percent != shown {
                            shown = percent;
                            (watch.progress)(percent.unwrap_or_default());
                        }
                    }
                    // Only the second poll with the same question counts: somebody, or vCenter itself, may be answering it.
                    if let (Some(question), Some(vm)) = (poll.question, watch.vm) {
                        let id = question.child("id").map_or("", Element::text).to_owned();
                        if asked.as_ref() == Some(&id) {
                            return Err(unknown(ask(vm, &question)));
                        }
                        asked = Some(id);
                    } else {
                        asked = None;
                    }
                }
                Ok(Err(error)) => {
                    let gone = gone(&error, task);
                    let (since, polls, first) = failing.take().unwrap_or_else(|| (Instant::now(), 0, error));
                    if polls + 1 >= FAILED_POLLS && (gone || since.elapsed() >= FAILING) || late {
                        return Err(unknown(if gone {
                            Error::Protocol(format!("the server no longer knows {name}; its outcome is unknown"))
                        } else {
                            first
                        }));
                    }
                    failing = Some((since, polls + 1, first));
                }
                Err(_) => {}
            }
            if late {
                return Err(unknown(Error::Timeout { what: name, seconds: seconds(start.elapsed()) }));
            }
            let left = watch.deadline.saturating_duration_since(Instant::now());
            let pause = pauses.next().unwrap_or_default().min(left);
            // An alarm takes five requests: it is for long tasks. A question or a failure is looked at again soon.
            if pause >= LONG_PAUSE && asked.is_none() && failing.is_none() {
                alarm.sleep(pause, watch.deadline).await;
            } else {
                sleep(pause).await;
            }
        }
    }

    async fn poll(&self, task: &Moref, vm: Option<&Moref>) -> Result<Poll, Error> {
        let mut objects = vec![task.clone()];
        objects.extend(vm.cloned());
        let want: [(&str, &[&str]); 2] = [("Task", &["info"]), ("VirtualMachine", &["runtime.question"])];
        let want = if vm.is_some() { &want[..] } else { &want[..1] };
        let found = match self.read(&objects, want, &[]).await {
            // The virtual machine is gone, e.g. because the task removes it, but the task is not.
            Err(error) if vm.is_some_and(|vm| gone(&error, vm)) => self.read(&objects[..1], &want[..1], &[]).await?,
            found => found?,
        };
        let object = |moref: &Moref| found.iter().find(|object| object.moref == *moref);
        let property = |moref, path| object(moref).and_then(|it: &Object| it.get(path)).cloned();
        if let Some(fault) = object(task).and_then(|task| task.missing("info")) {
            return Err(Error::Fault(fault.clone()));
        }
        Ok(Poll { info: property(task, "info"), question: vm.and_then(|vm| property(vm, "runtime.question")) })
    }
}

/// Returns the outcome of a task that has ended (`TaskInfo.state`).
pub(crate) fn outcome(info: &Element) -> Option<Result<Option<Element>, Fault>> {
    match info.child("state").map_or("", Element::text) {
        "success" => Some(Ok(info.child("result").cloned())),
        "error" => {
            let fault = info.child("error").map(Fault::localized);
            Some(Err(fault.unwrap_or_default()))
        }
        _ => None,
    }
}

/// Describes the task: ``task ReconfigVM_Task of `inner` ``.
pub(crate) fn describe(info: &Element, task: &Moref) -> String {
    let text = |name| info.child(name).map(|it| one_line(it.text(), NAME)).filter(|it| !it.is_empty());
    let operation = text("name").or_else(|| text("descriptionId")).unwrap_or_else(|| task.to_string());
    match text("entityName") {
        Some(entity) => format!("task {operation} of `{}`", name::decode(&entity)),
        None => format!("task {operation}"),
    }
}

/// Returns the error of a `VirtualMachineQuestionInfo`.
pub(crate) fn ask(vm: &Moref, question: &Element) -> Error {
    let text = question.child("text").map_or("", Element::text);
    Error::Question { vm: vm.clone(), text: one_line(text, QUESTION) }
}

/// True if the error says that this very object is gone.
fn gone(error: &Error, moref: &Moref) -> bool {
    let Error::Fault(fault) = error else {
        return false;
    };
    fault.is("ManagedObjectNotFound") && fault.fields.get("obj").is_none_or(|id| *id == moref.id)
}
