//! The words of the checks.

use vsphere::FtEngine;

use crate::cluster::USABLE_HOSTS;
use crate::fact::Fact;
use crate::facts::{Facts, Place};
use crate::limit::FT_VM_LIMIT;
use crate::network::NETWORK_ACCESS;
use crate::pair::HOST_PAIR;
use crate::requirement::Requirement;
use crate::storage::DISK_FORMAT;
use crate::testing::{judged, known, the};
use crate::versions::ENGINE;
use crate::vm::VM_ROLE;

use FtEngine::{Legacy, Smp};

/// The requirement, the engine, a part of the text of its check, and the change to a good lab.
type Row = (Requirement, FtEngine, &'static str, fn(&mut Facts));

fn limit(facts: &mut Facts, value: &str) {
    facts.cluster().options = Fact::Known(vec![("das.maxFtVmsPerHost".to_owned(), value.to_owned())]);
}

fn hide(facts: &mut Facts, hosts: usize) {
    facts.place = Place::Hidden("no right".to_owned());
    facts.hosts.truncate(hosts);
}

#[test]
fn a_check_says_what_was_observed_and_why() {
    let rows: &[Row] = &[
        (ENGINE, Legacy, "The hosts support record/replay Fault Tolerance: ESX or ESXi 4.0 to 6.0.", |_| ()),
        (ENGINE, Smp, "The hosts support SMP-FT: ESXi 6.0 or later.", |_| ()),
        (DISK_FORMAT, Legacy, "Hard disk 1 is thick;", |it| it.disk().eagerly_scrubbed = None),
        (DISK_FORMAT, Legacy, "Hard disk 1 is of unknown format;", |it| {
            it.disk().thin = None;
            it.disk().eagerly_scrubbed = None;
        }),
        (VM_ROLE, Smp, "Fault Tolerance is not configured;", |_| ()),
        (VM_ROLE, Smp, "Fault Tolerance is not configured;", |it| it.machine().ft_state = Fact::Unset),
        (VM_ROLE, Smp, "Fault Tolerance is running;", |it| it.machine().ft_state = known("running")),
        (FT_VM_LIMIT, Smp, "das.maxftvmsperhost is 0 (no limit), das.maxftvcpusperhost is not set (default 8)", |_| {}),
        (FT_VM_LIMIT, Smp, "das.maxftvmsperhost is 7, ", |it| limit(it, " 7 ")),
        (FT_VM_LIMIT, Smp, "das.maxftvmsperhost is not set (default 4)", |it| {
            it.cluster().options = Fact::Known(Vec::new());
        }),
        (USABLE_HOSTS, Smp, "; 1 host does not report whether it is in service", |it| {
            it.second().maintenance = Fact::Unset;
        }),
        (NETWORK_ACCESS, Smp, "no host can be read;", |it| hide(it, 0)),
        (NETWORK_ACCESS, Smp, "1 of 1 hosts; others cannot be read;", |it| hide(it, 1)),
        (NETWORK_ACCESS, Smp, "0 of 0 hosts;", |it| {
            it.hosts.clear();
            it.machine().power = known("poweredOff");
        }),
        (HOST_PAIR, Smp, "every host requirement, and the virtual machine runs on one of them.", |_| ()),
        (HOST_PAIR, Smp, "every host requirement.", |it| it.machine().power = known("poweredOff")),
        (HOST_PAIR, Smp, "have the same version of Fault Tolerance", |it| it.second().ft_version = known("4.0.0")),
        (HOST_PAIR, Smp, "run on different hosts", |it| it.second().maintenance = Fact::Known(true)),
    ];
    for (id, engine, expected, change) in rows {
        let checks = judged(*engine, change);
        let check = the(&checks, *id);
        let text = format!("{} {}; {}", check.required, check.observed, check.why.as_deref().unwrap_or_default());
        assert!(text.contains(expected), "{expected}: {text}");
    }
}
