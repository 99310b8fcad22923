//! Runs tasks. A task is queued, starts, and ends after the configured time.

use crate::fault::Result;
use crate::model::task::{State, Task};
use crate::value::{Ref, Value};

use super::World;

type Begin = Box<dyn FnOnce(&mut World) + Send>;
type Finish = Box<dyn FnOnce(&mut World) -> Result<Option<Value>> + Send>;

/// The actions of a task when it starts and when it ends.
pub struct Work {
    /// Runs when the task starts.
    pub begin: Begin,
    /// Runs at the end and decides the outcome.
    pub finish: Finish,
    /// Its duration, as a multiple of the configured one.
    pub pace: u64,
}

impl Work {
    /// Work that is done only at the end.
    pub fn at_end(finish: impl FnOnce(&mut World) -> Result<Option<Value>> + Send + 'static) -> Self {
        Self { begin: Box::new(|_| {}), finish: Box::new(finish), pace: 1 }
    }
}

impl World {
    /// Starts a task on an entity. A VM is busy until the task ends.
    pub fn start_task(&mut self, entity: &Ref, (name, description): (&'static str, &'static str), work: Work) -> Ref {
        let number = self.number();
        let moid = if self.config.direct {
            format!("haTask-{}-vim.{description}-{number}", entity.moid)
        } else {
            format!("task-{number}")
        };
        let task = Task {
            entity: entity.clone(),
            entity_name: self.name(&entity.moid).to_owned(),
            description,
            name,
            state: State::Queued,
            user: self.config.username.clone(),
            times: [Some(self.time()), None, None],
        };
        self.tasks.insert(moid.clone(), task);
        if let Some(vm) = self.vm_mut(&entity.moid) {
            vm.busy = Some(moid.clone());
        }
        let duration = self.config.task_ms * work.pace;
        let (key, id) = (moid.clone(), entity.moid.clone());
        self.after(duration / 4, move |world| {
            world.step_task(&key, State::Running(10));
            if !world.task_faults.contains_key(&key) {
                (work.begin)(world);
            }
            let ending = key.clone();
            world.after(duration / 4, move |world| {
                world.step_task(&ending, State::Running(50));
            });
            world.after(duration - duration / 4, move |world| {
                world.end_task(key, id, work.finish);
            });
        });
        Ref::new("Task", &moid)
    }

    /// Ends a task, unless it still waits for the answer to its VM's question.
    fn end_task(&mut self, moid: String, entity: String, finish: Finish) {
        let powering_on = self.tasks.get(&moid).is_some_and(|task| task.name == "PowerOnVM_Task");
        if powering_on && self.vm(&entity).is_some_and(|vm| vm.question.is_some()) {
            let pause = self.config.task_ms.max(10);
            return self.after(pause, move |world| world.end_task(moid, entity, finish));
        }
        let outcome = match self.task_faults.remove(&moid) {
            Some(fault) => Err(fault),
            None => finish(self),
        };
        if let Some(vm) = self.vm_mut(&entity)
            && vm.busy.as_ref() == Some(&moid)
        {
            vm.busy = None;
        }
        let state = match outcome {
            Ok(result) => State::Success(result),
            Err(fault) => State::Error(fault),
        };
        self.step_task(&moid, state);
        if self.vanishing.remove(&moid) {
            self.tasks.remove(&moid);
        }
    }

    fn step_task(&mut self, moid: &str, state: State) {
        let now = self.time();
        if let Some(task) = self.tasks.get_mut(moid) {
            match &state {
                State::Running(_) => task.times[1].get_or_insert(now),
                State::Success(_) | State::Error(_) => task.times[2].insert(now),
                State::Queued => return,
            };
            task.state = state;
        }
    }
}
