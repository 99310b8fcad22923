//! `ft_readiness`: reports every requirement of Fault Tolerance as met, unmet or unknown, with what to do about it.
//!
//! It changes nothing. It reads the facts (`observe`, `parse`, `probe`); the crate `requirements` judges them.

mod args;
mod observe;
mod parse;
mod probe;
mod property;
mod report;
mod uplinks;
mod vms;

use args::Args;
use contract::{About, Error, Kind, Run, Survey};
use report::{Findings, Report};
use vsphere_module::Server;

struct FtReadiness;

impl Survey for FtReadiness {
    const ABOUT: About = About {
        name: "ft_readiness",
        summary: "Reports each requirement of Fault Tolerance as met, unmet or unknown",
        description: &[
            "Checks a cluster, all of its hosts and, if one is named, a virtual machine. Reports every requirement of vSphere Fault Tolerance that the API shows, for the engine and versions in use: what is required, what was observed, and how to fix it.",
            "Two hosts must meet every host requirement, not all hosts, and a running virtual machine must be on one of them. RV(ready) is false if this or another decisive requirement is unmet, and otherwise true. It is also true if the virtual machine is already protected. With O(fail_unless_ready=true), the run then fails; in a shell, C(jq -e .ready) does the same.",
            "What Fault Tolerance works without, but vSphere advises, such as a third host or a network of 10 Gb/s, is a warning if it is unmet.",
            "Changes nothing. If another module of this collection can fix something, its arguments are in RV(remedies), in the order to apply them.",
            "Also lists every virtual machine of the cluster, with its host, its role and its Fault Tolerance state.",
            "With O(probe_network=true), each host also pings the vMotion and Fault Tolerance logging vmknics of the other hosts from its own, with packets as large as the MTU that may not be fragmented. In a nested lab this shows what the outer port group drops. It needs hosts of ESXi 5.0 or later and takes a few seconds: at most 64 paths are probed, for at most one minute. A pair of hosts has four paths if one vmknic carries each service, so not all pairs of a large cluster are probed. If every probed pair fails, RV(ready) is false.",
            "A requirement is unknown, never met, if its property is missing or this user may not read it. An unknown requirement does not make RV(ready) false, but the message then says that no blocker was found, and not that everything is ready.",
        ],
        examples: include_str!("../examples.yml"),
        sample: include_str!("../sample.json"),
        example: r#"{"name": "inner"}"#,
    };

    type Args = Args;
    type Session = Server;
    type Found = Findings;
    type Report = Report;

    async fn open(args: &Args, run: &Run) -> Result<Server, Error> {
        args.connection.open(run).await
    }

    async fn read(args: &Args, server: &Server) -> Result<Findings, Error> {
        observe::observe(args, server).await.map(|observed| Findings::of(args, observed))
    }

    fn warnings(found: &Findings) -> Vec<String> {
        found.warnings.clone()
    }

    fn verdict(args: &Args, found: &Findings) -> Result<(), Error> {
        if found.report.ready || !args.fail_unless_ready {
            return Ok(());
        }
        let hint = "`checks` names every unmet requirement, and `remedies` says what to do.";
        Err(Error::new(Kind::Conflict, found.message.clone()).hint(hint))
    }

    fn label(found: Option<&Findings>) -> String {
        found.map_or_else(|| "the cluster".to_owned(), |found| found.subject.clone())
    }

    fn report(_: &Args, found: &Findings) -> Report {
        found.report.clone()
    }

    fn message(_: &Args, found: &Findings, _: &Report) -> String {
        found.message.clone()
    }
}

/// The program.
pub const PROGRAM: callers::Program = callers::Program::of::<FtReadiness>();
