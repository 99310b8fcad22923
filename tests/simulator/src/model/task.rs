//! Tasks: queued, running, then success or error. They are kept.

use crate::fault::Fault;
use crate::value::{Data, Ref, Value};

/// The state of a task (`TaskInfoState`).
#[derive(Clone, Debug, PartialEq)]
pub enum State {
    /// Queued
    Queued,
    /// Running, with percent done
    Running(i32),
    /// Done
    Success(Option<Value>),
    /// Failed
    Error(Fault),
}

/// A task (`Task`).
#[derive(Clone, Debug)]
pub struct Task {
    /// The object that it works on.
    pub entity: Ref,
    /// The entity's name.
    pub entity_name: String,
    /// The method, such as `VirtualMachine.reconfigure`.
    pub description: &'static str,
    /// The method's name in the WSDL.
    pub name: &'static str,
    /// Its state.
    pub state: State,
    /// The user who started it.
    pub user: String,
    /// The times when it was queued, started and completed.
    pub times: [Option<String>; 3],
}

impl Task {
    /// `TaskInfo`.
    pub fn info(&self, moid: &str) -> Data {
        let (word, progress, result, error) = match &self.state {
            State::Queued => ("queued", None, None, None),
            State::Running(percent) => ("running", Some(*percent), None, None),
            State::Success(result) => ("success", None, result.clone(), None),
            State::Error(fault) => ("error", None, None, Some(fault.localized())),
        };
        let time = |index: usize| self.times[index].clone().map(Value::Time);
        Data::new("TaskInfo")
            .with("key", moid)
            .with("task", Ref::new("Task", moid))
            .with("name", self.name)
            .with("descriptionId", self.description)
            .with("entity", self.entity.clone())
            .with("entityName", &self.entity_name)
            .with("state", Value::Enum("TaskInfoState", word.into()))
            .with("cancelled", false)
            .with("cancelable", false)
            .opt("error", error)
            .opt("result", result)
            .opt("progress", progress)
            .with("reason", Data::new("TaskReasonUser").with("userName", &self.user))
            .opt("queueTime", time(0))
            .opt("startTime", time(1))
            .opt("completeTime", time(2))
            .with("eventChainId", 1)
    }
}
