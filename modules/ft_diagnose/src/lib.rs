//! `ft_diagnose`: finds known failures of Fault Tolerance and vMotion in logs and events, and says what to do. Changes nothing.
//!
//! Logs come as text or as files (`local`), or from a virtual machine and its hosts through the API (`api`), which also has
//! events (`events`). Reading them (`examine`) is the observation; what it means (`report`) is a pure function of that.

mod api;
mod args;
mod events;
mod examine;
mod local;
mod observe;
mod report;
#[cfg(test)]
mod tests;

use args::Args;
use contract::{About, Error, Run, Survey};
use observe::{Found, Session};
use report::Report;

struct FtDiagnose;

impl Survey for FtDiagnose {
    const ABOUT: About = About {
        name: "ft_diagnose",
        summary: "Finds known failures of Fault Tolerance and vMotion in logs and events, with remedies",
        description: &[
            "Searches vmware.log, vmkernel.log and the events of vCenter Server for known failures, and reports what they mean and how to fix them. It changes nothing. Each of RV(findings[].remedies) is a sentence; if a module of this collection can do it, its arguments come with the sentence.",
            "Reads the logs of a virtual machine, of its Fault Tolerance secondary and (with O(host_logs)) of their hosts through vCenter Server or an ESXi host. Or reads a file (O(path)) or a text (O(text)), which needs no server.",
            "With a virtual machine, it also reads the events of the virtual machine and its secondary, of their hosts and of their cluster, since O(since), the last start of a secondary, or, without either, in the last 24 hours (RV(events_since)). Events and log lines of the same failure are one finding. Events need no privilege beyond read access, so a failure is found even if this user may not read the logs; RV(sources) names what could not be read.",
            "vSphere rotates vmware.log when a virtual machine is powered on. If the newest log shows nothing, the older ones that the virtual machine lists are read too.",
            "The run does not fail if it finds nothing; RV(healthy) is true then. Lines may have the prefixes of ESXi 4 to 9, or none.",
            "VMware does not support nested Fault Tolerance: use it in labs only.",
        ],
        examples: include_str!("../examples.yml"),
        sample: include_str!("../sample.json"),
        example: r#"{"name": "inner"}"#,
    };

    type Args = Args;
    type Session = Session;
    type Found = Found;
    type Report = Report;

    async fn open(args: &Args, run: &Run) -> Result<Session, Error> {
        observe::open(args, run).await
    }

    async fn read(args: &Args, session: &Session) -> Result<Found, Error> {
        observe::observe(args, session).await
    }

    fn warnings(found: &Found) -> Vec<String> {
        report::warnings(found)
    }

    fn label(found: Option<&Found>) -> String {
        match found.and_then(|found| found.vm.as_ref()) {
            Some(vm) => vm.label(),
            None => "the logs".to_owned(),
        }
    }

    fn report(_: &Args, found: &Found) -> Report {
        let signatures = found.catalogue.as_ref().map_or(&[][..], |catalogue| catalogue.signatures());
        report::report(found, signatures)
    }

    fn message(_: &Args, _: &Found, report: &Report) -> String {
        report::message(report)
    }
}

/// The program.
pub const PROGRAM: callers::Program = callers::Program::of::<FtDiagnose>();
