//! Starting tasks and waiting for their end.

use std::time::Instant;

use contract::{Applied, Error, Run};
use vsphere::{Element, Moref, Session, Watch, WriteError};

use crate::applied;

/// Waits until `deadline` for a task that `what` describes.
pub async fn wait(
    server: &Session,
    task: &Moref,
    vm: Option<&Moref>,
    run: &Run,
    deadline: Instant,
    what: &str,
) -> Result<Option<Element>, WriteError> {
    run.progress.waiting(what);
    let progress = |percent| run.progress.percent(percent);
    server.wait(task, &Watch { deadline: deadline.into(), vm, progress: &progress }).await
}

/// Starts a task on `object`, a virtual machine or a cluster, and waits until `deadline` for its end.
pub async fn carry_out(
    server: &Session,
    object: &Moref,
    run: &Run,
    deadline: Instant,
    what: &str,
    start: impl AsyncFn() -> Result<Moref, WriteError>,
) -> Result<Option<Element>, WriteError> {
    // Only virtual machines ask questions.
    let vm = Some(object).filter(|object| object.kind == "VirtualMachine");
    wait(server, &start().await?, vm, run, deadline, what).await
}

/// The two positions of a power switch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Power {
    /// Powered on.
    On,
    /// Powered off.
    Off,
}

impl Power {
    /// Its name in the API.
    pub fn state(self) -> &'static str {
        match self {
            Self::On => "poweredOn",
            Self::Off => "poweredOff",
        }
    }

    /// The word for it: `on` or `off`.
    pub fn word(self) -> &'static str {
        match self {
            Self::On => "on",
            Self::Off => "off",
        }
    }

    /// Starts the task that switches the virtual machine.
    pub async fn switch(self, server: &Session, vm: &Moref) -> Result<Moref, WriteError> {
        match self {
            Self::On => server.power_on(vm).await,
            Self::Off => server.power_off(vm).await,
        }
    }

    /// Switches the virtual machine and waits for the end of the task.
    pub async fn apply(self, server: &Session, vm: &Moref, name: &str, run: &Run) -> Result<Applied, Error> {
        let what = format!("waiting for vSphere to power {} {name}", self.word());
        match carry_out(server, vm, run, run.deadline(), &what, async || self.switch(server, vm).await).await {
            // Another client was faster.
            Err(error) if self.is_there(&error) => Ok(Applied::Stale { wrote: false }),
            written => applied(written),
        }
    }

    /// True if the switch failed because the power is in this position already.
    pub fn is_there(self, error: &WriteError) -> bool {
        let state =
            |fault: &vsphere::Fault| fault.fields.get("existingState").is_some_and(|state| state == self.state());
        error.is_fault("InvalidPowerState") && error.fault().is_some_and(state)
    }
}
