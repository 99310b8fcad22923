//! Writing: the steps in order, and the power cycle around them.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use contract::{Applied, Error, Kind};
use serde_json::{Value, json};
use vsphere::{Element, Fault, Moref, SecondaryOp, WriteError};
use vsphere_module::{At, Named as _, Power};

use crate::args::{Encryption, FaultTolerance};
use crate::encryption::unset;
use crate::observe;
use crate::plan::{Change, Goal, Step, has_reason, needs_power_off, power_cycled};
use crate::secondary::{TURN_OFF_NEEDS, starting};
use crate::state::{FtState, Observed};
use crate::why;

/// Seconds that a run reserves for powering the virtual machine on again; a third of its time if that is less.
const POWER_ON_AGAIN: u64 = 60;

/// Runs the steps in order. A virtual machine that was powered off on the way is powered on again, also when the rest
/// fails. (A signal ends the run where it is; its result then tells of the power.)
pub async fn apply(at: At<'_, FaultTolerance>, observed: &Observed, change: &Change) -> Result<Applied, Error> {
    let secondary = observed.secondary().cloned();
    let mut sequence = Sequence { at, observed, secondary, wrote: false, encrypted: None, was_off: false, off: false };
    let mut ended = sequence.go(change).await;
    if let (Err(error), Some(encryption)) = (&mut ended, sequence.encrypted) {
        let name = &observed.vm.name;
        error.detail =
            format!("{}; the Fault Tolerance encryption of {name} is now {}", error.detail, encryption.word());
    }
    if sequence.off {
        let powered_on = sequence.power_on_again().await;
        ended = match (ended, powered_on) {
            (Ok(applied), Ok(())) => Ok(applied),
            (Ok(_), Err(error)) => Err(refused(error, Step::PowerOn, observed)),
            (Err(mut error), on) => {
                error.detail = format!("{}; {}", error.detail, sequence.power_told(on.err()));
                Err(error)
            }
        };
    }
    // A power cycle leaves no trace in the state, and is a change all the same.
    ended.map_err(|error| if sequence.wrote { error.partly() } else { error })
}

/// The steps under way.
struct Sequence<'a> {
    at: At<'a, FaultTolerance>,
    observed: &'a Observed,
    secondary: Option<Moref>,
    wrote: bool,
    /// The encryption that this run set.
    encrypted: Option<Encryption>,
    /// This run saw the virtual machine off.
    was_off: bool,
    /// This run powered the virtual machine off, or may have, and has not powered it on again.
    off: bool,
}

/// The outcome of a step.
enum Performed {
    /// This run did it; with the result of its task.
    Done(Option<Element>),
    /// The power was in that position already.
    There,
}

impl Sequence<'_> {
    async fn go(&mut self, change: &Change) -> Result<Applied, Error> {
        if change.after_start {
            return Ok(Applied::Busy { wrote: false, error: starting(self.observed) });
        }
        let mut steps: VecDeque<Step> = change.steps.iter().copied().collect();
        let mut may_cycle = change.cycle_if_refused;
        let mut may_repeat = true;
        while let Some(step) = steps.pop_front() {
            let mut performed = self.perform(step).await;
            if let Err(WriteError::Unknown { error, accepted }) = &performed {
                // The next step, and the power, rest on what became of this one.
                let needed = !steps.is_empty() || self.off || step == Step::PowerOff;
                if needed && self.shows(step, *accepted).await {
                    self.at.run.warn(format!("vSphere did {}, but did not confirm it: {error}", doing(step)));
                    performed = Ok(Performed::Done(None));
                }
            }
            let answer = match performed {
                Ok(Performed::Done(answer)) => {
                    if let Step::Encrypt(encryption) = step {
                        if !self.shows(step, false).await {
                            return Err(unset(encryption, self.observed));
                        }
                        self.encrypted = Some(encryption);
                    }
                    self.wrote = true;
                    self.was_off |= step == Step::PowerOff;
                    answer
                }
                Ok(Performed::There) => None,
                Err(error) if may_cycle && step == Step::Create && error.fault().is_some_and(needs_power_off) => {
                    may_cycle = false;
                    steps.push_front(Step::Create);
                    steps = power_cycled(steps.make_contiguous()).into();
                    continue;
                }
                // Nothing was done, and what the step rests on is what this run itself did a moment ago.
                Err(WriteError::Refused(vsphere::Error::SessionRenewed)) if self.wrote && may_repeat => {
                    may_repeat = false;
                    steps.push_front(step);
                    continue;
                }
                Err(error) => {
                    if is_moot(&error, step) || self.is_off_already(&error, step).await {
                        return Ok(Applied::Stale { wrote: self.wrote });
                    }
                    self.off |= step == Step::PowerOff && error.is_unknown();
                    return vsphere_module::judge_write(error.clone(), self.wrote)
                        .map_err(|_| refused(error, step, self.observed));
                }
            };
            self.off = step == Step::PowerOff || self.off && step != Step::PowerOn;
            if let (Step::Create | Step::Enable, Some(answer)) = (step, &answer) {
                let made = SecondaryOp::parse(answer);
                if matches!(change.goal, Some(Goal::Running) | None) {
                    self.started(step, &made).await?;
                }
                self.secondary = made.secondary.or_else(|| self.secondary.take());
            }
        }
        Ok(Applied::Done)
    }

    /// One operation, to the end of its task.
    async fn perform(&self, step: Step) -> Result<Performed, WriteError> {
        let (server, observed) = (self.at.session, self.observed);
        let vm = &observed.moref;
        let host = observed.secondary_host.as_ref();
        // The primary has no known secondary: let the server report the problem.
        let partner = self.secondary.as_ref().unwrap_or(vm);
        let start = async || match step {
            Step::Encrypt(encryption) => server.set_ft_encryption(vm, encryption.mode()).await,
            Step::Create => server.create_secondary(vm, observed.has_ex(), host, observed.placement.as_ref()).await,
            Step::Enable => server.enable_secondary(vm, partner, host).await,
            Step::Disable => server.disable_secondary(vm, partner).await,
            Step::TurnOff => server.turn_off_ft(vm).await,
            Step::PowerOff => Power::Off.switch(server, vm).await,
            Step::PowerOn => Power::On.switch(server, vm).await,
        };
        let what = format!("waiting for vSphere to {} {}", doing(step), observed.vm.name);
        let end = self.deadline(step);
        let mut pauses = vsphere_module::pauses();
        loop {
            let busy = match vsphere_module::carry_out(server, vm, self.at.run, end, &what, start).await {
                Err(error) if is_there(&error, step) => return Ok(Performed::There),
                // An earlier step of this run may still hold the virtual machine.
                Err(error) if self.wrote && vsphere_module::is_busy(&error) => error,
                outcome => return outcome.map(Performed::Done),
            };
            let left = end.saturating_duration_since(Instant::now());
            tokio::time::sleep(pauses.next().unwrap_or_default().min(left)).await;
            if Instant::now() >= end {
                return Err(busy);
            }
        }
    }

    /// Judges the result of `Create` or `Enable`: its task succeeds although the secondary did not start.
    async fn started(&self, step: Step, made: &SecondaryOp) -> Result<(), Error> {
        let observed = self.observed;
        let mut faults: Vec<Fault> = made.not_attempted.iter().map(|(_, fault)| fault.clone()).collect();
        for task in made.attempted.iter().filter_map(|(_, task)| task.as_ref()) {
            let what = format!("waiting for the secondary of {} to start", observed.vm.name);
            match vsphere_module::wait(
                self.at.session,
                task,
                Some(&observed.moref),
                self.at.run,
                self.deadline(step),
                &what,
            )
            .await
            {
                Err(WriteError::Ended(fault)) => faults.push(fault),
                Err(error @ WriteError::Unknown { error: vsphere::Error::Question { .. }, .. }) => {
                    return Err(vsphere_module::write_failure(error));
                }
                // If the end was not seen, the state of the pair will tell.
                _ => {}
            }
        }
        if let Some(first) = faults.first() {
            let told: Vec<String> = faults.iter().map(Fault::describe).collect();
            let text = format!(
                "Fault Tolerance is on for {}, but its secondary did not start: {}",
                observed.label(),
                told.join("; ")
            );
            let error = Error::new(Kind::Fault, text).fault(tree(first, &faults)).hint(remedy(&faults));
            return Err(why::explained(self.at, observed, error).await);
        }
        if !made.recommendations.is_empty() {
            let text =
                format!("the secondary of {} cannot start before a DRS recommendation is applied", observed.label());
            return Err(Error::new(Kind::Conflict, text).hint(
                "Apply the recommendation on the cluster's DRS page, or set DRS to fully automated, then run the task again.",
            ));
        }
        Ok(())
    }

    /// True once it shows that the step took effect; one that may never have arrived is looked for a few seconds only.
    async fn shows(&self, step: Step, accepted: bool) -> bool {
        let end = self.deadline(step).min(self.at.run.look_until(accepted));
        for pause in vsphere_module::pauses() {
            let now = self.read().await;
            if now.is_ok_and(|now| took_effect(step, &now)) {
                return true;
            }
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            tokio::time::sleep(pause.min(left)).await;
        }
        false
    }

    async fn read(&self) -> Result<Observed, Error> {
        observe::observe_again(self.at.args, self.at.session, self.observed).await
    }

    /// The instant at which the run gives up on this step. While the virtual machine is off, time is kept for powering it on.
    fn deadline(&self, step: Step) -> Instant {
        let (end, whole) = (self.at.run.deadline(), self.at.run.timeout());
        let off = step == Step::PowerOff || self.off && step != Step::PowerOn;
        let kept = Duration::from_secs(POWER_ON_AGAIN.min(whole / 3));
        if off { end.checked_sub(kept).unwrap_or(end) } else { end }
    }

    /// Powers the virtual machine on, whatever happened before.
    async fn power_on_again(&self) -> Result<(), WriteError> {
        match self.perform(Step::PowerOn).await {
            Err(WriteError::Unknown { accepted, .. }) if self.shows(Step::PowerOn, accepted).await => Ok(()),
            outcome => outcome.map(drop),
        }
    }

    /// The power that the virtual machine was left with after a failure.
    fn power_told(&self, error: Option<WriteError>) -> String {
        let name = &self.observed.vm.name;
        match error {
            None if self.was_off => format!("{name} was powered off for this change, and is powered on again"),
            None => format!("{name} is powered on"),
            Some(error) if error.is_unknown() => {
                format!("{name} may be powered off now: it is not known whether vSphere powered it on: {error}")
            }
            Some(error) => format!("{name} is powered off now, because powering it on failed: {error}"),
        }
    }

    /// True if turning off was refused because another client did it first; the fault differs between releases.
    async fn is_off_already(&self, error: &WriteError, step: Step) -> bool {
        if step != Step::TurnOff || error.fault().is_none() {
            return false;
        }
        let now = self.read().await;
        now.is_ok_and(|now| now.state == FtState::NotConfigured)
    }
}

fn doing(step: Step) -> &'static str {
    match step {
        Step::Encrypt(_) => "set the encryption of Fault Tolerance of",
        Step::Create => "turn Fault Tolerance on for",
        Step::Enable => "resume Fault Tolerance of",
        Step::Disable => "suspend Fault Tolerance of",
        Step::TurnOff => "turn Fault Tolerance off for",
        Step::PowerOff => "power off",
        Step::PowerOn => "power on",
    }
}

/// True if the state shows what the step leads to.
fn took_effect(step: Step, now: &Observed) -> bool {
    match step {
        Step::Encrypt(encryption) => now.encryption == Some(encryption),
        Step::Create => now.state != FtState::NotConfigured,
        Step::Enable => !matches!(now.state, FtState::Disabled | FtState::NotConfigured),
        Step::Disable => now.state == FtState::Disabled,
        Step::TurnOff => now.state == FtState::NotConfigured,
        Step::PowerOff => now.power() == "poweredOff",
        Step::PowerOn => now.power() == "poweredOn",
    }
}

/// The power is where the step would bring it.
fn is_there(error: &WriteError, step: Step) -> bool {
    match step {
        Step::PowerOn => Power::On.is_there(error),
        Step::PowerOff => Power::Off.is_there(error),
        _ => false,
    }
}

/// Somebody else was faster: the state has to be read again before anything is decided.
fn is_moot(error: &WriteError, step: Step) -> bool {
    let Some(fault) = error.fault() else { return false };
    match step {
        Step::Create => has_reason(fault, "moreThanOneSecondary"),
        Step::Enable => fault.is("SecondaryVmAlreadyEnabled"),
        Step::Disable => fault.is("SecondaryVmAlreadyDisabled"),
        Step::Encrypt(_) | Step::TurnOff | Step::PowerOff | Step::PowerOn => false,
    }
}

/// Returns what to do before the secondary is started anew.
fn remedy(faults: &[Fault]) -> String {
    let anew = "restart the secondary: `state: suspended`, then `state: present`.";
    let keepalive = |text: &str| text.contains("stream.keepalive") || text.contains("read stream keepalive");
    let told = |leaf: &Fault| {
        let mut messages = leaf.messages.iter();
        keepalive(&leaf.message) || messages.any(|message| keepalive(&message.key) || keepalive(&message.message))
    };
    if faults.iter().flat_map(Fault::leaves).any(told) {
        format!(
            "Before ESXi 7.0 Update 2, set Migrate.VMotionStreamDisable to 1 on all hosts of the cluster, with host_option. Later releases do not have this option: give the hosts more CPU there. Then {anew}"
        )
    } else {
        format!("Fix the cause, then {anew}")
    }
}

/// One tree of all faults: the first one's, or all of them under a common root.
fn tree(first: &Fault, faults: &[Fault]) -> Value {
    if faults.len() == 1 {
        return vsphere_module::fault_tree(first);
    }
    let causes: Vec<Value> = faults
        .iter()
        .map(|fault| json!({ "role": "notAttempted", "fault": vsphere_module::fault_tree(fault) }))
        .collect();
    json!({ "type": "VmFaultToleranceOpIssuesList", "message": "", "causes": causes })
}

/// Returns the failure of a refused or failed operation, with what it means here.
fn refused(error: WriteError, step: Step, observed: &Observed) -> Error {
    let hint = error.fault().and_then(|fault| {
        Some(if needs_power_off(fault) {
            "Power the virtual machine off, turn Fault Tolerance on, and power it on; `allow_power_cycle: true` does all three.".to_owned()
        } else if has_reason(fault, "recordReplayNotSupported") {
            "In a nested lab, set the virtual machine's options replay.supported, replay.allowFT and replay.allowBTOnly to true, with vmx_option.".to_owned()
        } else if has_reason(fault, "hasSnapshots") {
            "Delete the snapshots of the virtual machine first.".to_owned()
        } else if has_reason(fault, "haNotEnabled") {
            "Turn vSphere HA on for its cluster.".to_owned()
        } else if has_reason(fault, "missingFTLoggingNic") {
            "Let a vmknic of the host carry Fault Tolerance logging, with vmkernel_service.".to_owned()
        } else if has_reason(fault, "missingVMotionNic") {
            "Let a vmknic of the host carry vMotion, with vmkernel_service.".to_owned()
        } else if step == Step::TurnOff && fault.is("InvalidState") {
            TURN_OFF_NEEDS.to_owned()
        } else if fault.is("NotSupported") {
            let cluster = observed.cluster.as_ref().map_or("its cluster", |(name, _)| name);
            format!("vSphere returns this fault if vSphere HA is off for {cluster}, and for templates.")
        } else {
            return None;
        })
    });
    let unmet = matches!(step, Step::Create | Step::Enable) && error.fault().is_some();
    let outcome = if error.is_unknown() { "it is not known whether vSphere did" } else { "vSphere did not" };
    let mut failure = vsphere_module::known_failure(error);
    failure.detail = format!("{outcome} {} {}: {}", doing(step), observed.label(), failure.detail);
    failure.hint = hint.or(failure.hint).or_else(|| {
        unmet.then(|| {
            "Run ft_readiness for this virtual machine: it names unmet requirements, and what to do.".to_owned()
        })
    });
    failure
}
