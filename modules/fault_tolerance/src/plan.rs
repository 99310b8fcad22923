//! The decision about the Fault Tolerance of a virtual machine.

use contract::{Error, Kind, Plan};
use vsphere::Fault;
use vsphere_module::{Awaited, Engine, Named as _};

use crate::args::{Encryption, State, Wish};
use crate::encryption;
use crate::secondary::cannot_turn_off;
use crate::state::{FtState, Observed};

/// One operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Set the encryption, which is only possible before `Create`.
    Encrypt(Encryption),
    /// Turn Fault Tolerance on: register a secondary and, if the virtual machine runs, start it.
    Create,
    /// Resume: let the secondary run.
    Enable,
    /// Suspend: stop the secondary.
    Disable,
    /// Turn Fault Tolerance off: remove the secondary.
    TurnOff,
    PowerOff,
    PowerOn,
}

/// The state that ends the waiting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Goal {
    Running,
    Enabled,
    Disabled,
    NotConfigured,
}

/// The operations in order, and what is to be waited for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    pub steps: Vec<Step>,
    /// Nothing, if the caller does not want to wait and nothing failed.
    pub goal: Option<Goal>,
    /// If vSphere refuses `Create` because the virtual machine runs: power it off, create, power it on.
    pub cycle_if_refused: bool,
    /// Wait first until the secondary has started or failed to: before that, vSphere cannot turn Fault Tolerance off.
    pub after_start: bool,
}

impl contract::Change for Change {
    type Observed = Observed;

    fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }
    fn waits(&self) -> bool {
        self.goal.is_some()
    }

    fn predict(&self, observed: &Observed) -> Observed {
        let mut after = observed.clone();
        let running = match self.goal {
            // The run does not wait: the secondary will be starting.
            None => FtState::Starting,
            Some(_) => FtState::Running,
        };
        for step in &self.steps {
            if let Step::Encrypt(encryption) = step {
                after.encryption = Some(*encryption);
            }
            after.state = match step {
                Step::Create | Step::Enable if observed.power() == "poweredOn" => running.clone(),
                Step::Create | Step::Enable => FtState::Enabled,
                Step::Disable => FtState::Disabled,
                Step::TurnOff => FtState::NotConfigured,
                Step::Encrypt(_) | Step::PowerOff | Step::PowerOn => after.state,
            };
        }
        after
    }
}

impl Change {
    fn none() -> Self {
        Self { steps: Vec::new(), goal: None, cycle_if_refused: false, after_start: false }
    }
}

/// True if this wish may start a secondary here, so that the server is asked where it can run.
pub fn may_start_secondary(wish: Wish, observed: &Observed) -> bool {
    let starts = match wish.state {
        State::Present => matches!(observed.state, FtState::NotConfigured | FtState::Disabled),
        State::Suspended => observed.state == FtState::NotConfigured,
        State::Absent => false,
    };
    starts && observed.vcenter && !observed.is_secondary() && !observed.template
}

/// Decides.
pub fn plan(wish: Wish, observed: &Observed) -> Result<Plan<Change>, Error> {
    vsphere_module::not_a_secondary(&observed.label(), observed.ft.as_ref())?;
    let running = if observed.power() == "poweredOn" { Goal::Running } else { Goal::Enabled };
    let mut plan = Plan::from(match (wish.state, &observed.state) {
        (State::Present, FtState::NotConfigured) => create(wish, observed, &[], running),
        (State::Present, FtState::Disabled) => steps(&[Step::Enable], running),
        (State::Present, FtState::NeedSecondary | FtState::Starting) => steps(&[], Goal::Running),
        (State::Present, FtState::Enabled) if observed.power() == "poweredOn" => steps(&[], Goal::Running),
        (State::Suspended, FtState::NotConfigured) => create(wish, observed, &[Step::Disable], Goal::Disabled),
        (State::Suspended, FtState::Enabled | FtState::NeedSecondary | FtState::Starting | FtState::Running) => {
            steps(&[Step::Disable], Goal::Disabled)
        }
        (State::Present, FtState::Enabled | FtState::Running)
        | (State::Suspended, FtState::Disabled)
        | (State::Absent, FtState::NotConfigured) => Change::none(),
        (State::Absent, state) => {
            let after_start = *state == FtState::Starting;
            Change { after_start, ..steps(&[Step::TurnOff], Goal::NotConfigured) }
        }
        (State::Present | State::Suspended, FtState::Other(name)) => {
            let unknown = format!(
                "{} is in the Fault Tolerance state {name}, which this version of the module does not know",
                observed.label()
            );
            return Err(
                Error::new(Kind::Unsupported, unknown).hint("`state: absent` can still turn Fault Tolerance off.")
            );
        }
    });
    if let Some(encryption) = encryption::to_set(wish, observed)? {
        plan.change.steps.insert(0, Step::Encrypt(encryption));
    }
    if !wish.wait && plan.change.goal == Some(Goal::Running) {
        plan.change.goal = None;
    }
    if !plan.change.steps.is_empty() {
        possible(wish, observed)?;
    }
    if plan.change.steps.iter().any(|step| matches!(step, Step::Create | Step::Enable)) {
        prerequisites(observed, &mut plan);
        caveats(wish, observed, &mut plan);
    }
    if plan.change.steps.contains(&Step::TurnOff) {
        plan.blockers.extend(cannot_turn_off(observed));
    }
    Ok(plan)
}

fn steps(steps: &[Step], goal: Goal) -> Change {
    Change { steps: steps.to_vec(), goal: Some(goal), cycle_if_refused: false, after_start: false }
}

/// Turning it on, and what follows. Record/replay may only be possible while the virtual machine is off; for SMP-FT, vSphere
/// says so beforehand, if this user may ask.
fn create(wish: Wish, observed: &Observed, then: &[Step], goal: Goal) -> Change {
    let create = [&[Step::Create], then].concat();
    let cycle = wish.allow_power_cycle && observed.power() == "poweredOn";
    if cycle && refused_while_running(observed) {
        return steps(&power_cycled(&create), goal);
    }
    let unforeseen = observed.engine() == Engine::Legacy || observed.issues.is_none();
    Change { cycle_if_refused: cycle && unforeseen, ..steps(&create, goal) }
}

/// The steps while the virtual machine is off.
pub fn power_cycled(steps: &[Step]) -> Vec<Step> {
    [&[Step::PowerOff], steps, &[Step::PowerOn]].concat()
}

/// vSphere says already that it must be off.
fn refused_while_running(observed: &Observed) -> bool {
    observed.issues.iter().flatten().any(needs_power_off)
}

/// True if this fault goes away when the virtual machine is off: the monitor's mode and record/replay are chosen at
/// power-on.
pub fn needs_power_off(fault: &Fault) -> bool {
    fault.find("VmMonitorIncompatibleForFaultTolerance").is_some() || has_reason(fault, "replayNotSupported")
}

/// True if the fault, or one inside it, has this `VmFaultToleranceConfigIssue.reason`.
pub fn has_reason(fault: &Fault, reason: &str) -> bool {
    fault.fields.get("reason").is_some_and(|found| found == reason)
        || fault.causes.iter().any(|cause| has_reason(&cause.fault, reason))
}

/// Fails for what can never work, whatever other tasks do.
fn possible(wish: Wish, observed: &Observed) -> Result<(), Error> {
    if !observed.vcenter {
        return Err(Error::new(
            Kind::Unsupported,
            "Fault Tolerance is managed by vCenter Server; this is an ESXi host",
        )
        .hint("Set `hostname` to the vCenter Server that manages this host."));
    }
    if observed.template {
        return Err(Error::new(
            Kind::Unsupported,
            format!("{} is a template, which Fault Tolerance cannot protect", observed.label()),
        )
        .hint("Convert it to a virtual machine first."));
    }
    if wish.state != State::Absent && observed.wants_datastore && observed.engine() == Engine::Legacy {
        return Err(Error::new(
            Kind::InvalidArguments,
            "`datastore`: with record/replay Fault Tolerance, the secondary shares the disks of its primary",
        )
        .hint("Remove `datastore`: it is for SMP-FT (vSphere 6.0 and later)."));
    }
    Ok(())
}

/// Adds what is missing now, although a task before this one may provide it.
fn prerequisites(observed: &Observed, plan: &mut Plan<Change>) {
    let mut block = |why: String, remedy: &str| plan.blockers.push((Kind::Conflict, why, Some(remedy.to_owned())));
    if observed.power() == "suspended" {
        block(format!("{} is suspended", observed.label()), "Resume it first, with vm_power `state: powered_on`.");
    }
    match &observed.cluster {
        None => {
            let host = observed.host.as_deref().unwrap_or("its host");
            block(
                format!(
                    "{} runs on {host}, which is not in a cluster; Fault Tolerance needs a cluster with vSphere HA",
                    observed.label()
                ),
                "Move its host into a cluster with vSphere HA turned on.",
            );
        }
        Some((cluster, Some(false))) => block(
            format!("vSphere HA is off for the cluster {cluster}; Fault Tolerance needs it"),
            "Turn vSphere HA on for the cluster first.",
        ),
        Some(_) => {}
    }
}

/// Adds what the user should know before it is tried.
fn caveats(wish: Wish, observed: &Observed, plan: &mut Plan<Change>) {
    let cycles = plan.change.steps.contains(&Step::PowerOff);
    for issue in observed.issues.iter().flatten().filter(|issue| !(cycles && needs_power_off(issue))) {
        let way_out = if needs_power_off(issue) && !wish.allow_power_cycle {
            "; `allow_power_cycle: true` lets this module power it off and on again"
        } else {
            ""
        };
        plan.warnings.push(format!(
            "vSphere reports a problem with {}: {}{way_out}",
            observed.label(),
            issue.describe()
        ));
    }
    if let Some(why) = &observed.unasked {
        let cycle =
            if plan.change.cycle_if_refused { "; the run may then have to power it off and on again" } else { "" };
        plan.warnings.push(format!(
            "vSphere could not be asked for problems with {}: {why}. They show only when Fault Tolerance is turned on{cycle}",
            observed.label()
        ));
    }
    if observed.nested {
        let host = observed.host.as_deref().unwrap_or("the host");
        plan.warnings.push(format!(
            "{host} is a virtual machine, and VMware does not support nested Fault Tolerance: use it in labs only"
        ));
    }
}

/// Judges whether the goal is reached. The state and the power of `before` may still be shown for a while after
/// an operation on them has ended, and mean nothing then.
pub fn judge(goal: Goal, observed: &Observed, before: Option<&Observed>) -> Awaited {
    let label = observed.label();
    let stale_state = before.is_some_and(|before| before.state == observed.state);
    // A power cycle ends with a power-on; that it is still off is what was read before that.
    let stale_power = before.is_some();
    let lost = |kind: Kind, text: String, remedy: &str| Awaited::Failed(Error::new(kind, text).hint(remedy));
    match (goal, &observed.state) {
        (Goal::Running, FtState::Running)
        | (Goal::Enabled, FtState::Enabled | FtState::NeedSecondary | FtState::Starting | FtState::Running)
        | (Goal::Disabled, FtState::Disabled)
        | (Goal::NotConfigured, FtState::NotConfigured) => Awaited::Reached,
        (Goal::Running, FtState::Disabled) if !stale_state => lost(
            Kind::Fault,
            format!("vSphere suspended Fault Tolerance of {label}, because its secondary could not be started"),
            "Check the events of the virtual machine, fix the cause, then run the task again.",
        ),
        (Goal::Running | Goal::Enabled | Goal::Disabled, FtState::NotConfigured) if !stale_state => lost(
            Kind::Conflict,
            format!("Fault Tolerance of {label} was turned off during the run"),
            "Run the task again if this was not intended.",
        ),
        (Goal::Running, _) if observed.power() == "poweredOff" && !stale_power => lost(
            Kind::Conflict,
            format!("{label} was powered off while its secondary was starting"),
            "Power the virtual machine on; its secondary starts with it.",
        ),
        (_, state) => {
            let reason = observed.reason.as_deref().filter(|_| *state == FtState::NeedSecondary);
            Awaited::Pending(match reason {
                Some(reason) => format!("{} ({reason})", state.name()),
                None => state.name().to_owned(),
            })
        }
    }
}

#[cfg(test)]
#[path = "plan_tests.rs"]
mod tests;
