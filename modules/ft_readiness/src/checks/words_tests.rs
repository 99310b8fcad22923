//! What a check says of what it found.

use vsphere::FtEngine;

use super::pair_tests::the;
use super::tests::judged;
use crate::check::Id;
use crate::facts::{Fact, Facts, Place};
use crate::testing::known;

use FtEngine::{Legacy, Smp};

/// The check, what it says, and what is changed in a good lab before.
type Row = (Id, FtEngine, &'static str, fn(&mut Facts));

fn limit(facts: &mut Facts, value: &str) {
    facts.cluster().options = Fact::Known(vec![("das.maxFtVmsPerHost".to_owned(), value.to_owned())]);
}

fn hide(facts: &mut Facts, hosts: usize) {
    facts.place = Place::Hidden("no right".to_owned());
    facts.hosts.truncate(hosts);
}

#[test]
fn a_check_says_what_it_found() {
    let rows: &[Row] = &[
        (Id::Engine, Legacy, "The hosts have record/replay Fault Tolerance: ESX or ESXi 4.0 to 6.0.", |_| ()),
        (Id::Engine, Smp, "The hosts have SMP-FT: ESXi 6.0 or later.", |_| ()),
        (Id::DiskFormat, Legacy, "Hard disk 1 is thick;", |it| it.disk().eagerly_scrubbed = None),
        (Id::DiskFormat, Legacy, "Hard disk 1 is not told;", |it| {
            it.disk().thin = None;
            it.disk().eagerly_scrubbed = None;
        }),
        (Id::VmRole, Smp, "Fault Tolerance is not configured;", |_| ()),
        (Id::VmRole, Smp, "Fault Tolerance is not configured;", |it| it.machine().ft_state = Fact::Unset),
        (Id::VmRole, Smp, "Fault Tolerance is running;", |it| it.machine().ft_state = known("running")),
        (
            Id::FtVmLimit,
            Smp,
            "das.maxftvmsperhost is 0, which is no limit, das.maxftvcpusperhost is not set, which is 8",
            |_| {},
        ),
        (Id::FtVmLimit, Smp, "das.maxftvmsperhost is 7, ", |it| limit(it, " 7 ")),
        (Id::FtVmLimit, Smp, "das.maxftvmsperhost is not set, which is 4", |it| {
            it.cluster().options = Fact::Known(Vec::new());
        }),
        (Id::UsableHosts, Smp, "of 1 hosts it is not told", |it| it.second().maintenance = Fact::Unset),
        (Id::NetworkAccess, Smp, "no host can be read;", |it| hide(it, 0)),
        (Id::NetworkAccess, Smp, "1 of 1 hosts; others cannot be read;", |it| hide(it, 1)),
        (Id::NetworkAccess, Smp, "0 of 0 hosts;", |it| {
            it.hosts.clear();
            it.machine().power = known("poweredOff");
        }),
        (Id::HostPair, Smp, "required of a host, and the virtual machine runs on one of them.", |_| ()),
        (Id::HostPair, Smp, "required of a host.", |it| it.machine().power = known("poweredOff")),
        (Id::HostPair, Smp, "have the same version of Fault Tolerance", |it| it.second().ft_version = known("4.0.0")),
        (Id::HostPair, Smp, "run on different hosts", |it| it.second().maintenance = Fact::Known(true)),
    ];
    for (id, engine, expected, change) in rows {
        let checks = judged(*engine, change);
        let check = the(&checks, *id);
        let text = format!("{} {}; {}", check.required, check.observed, check.why.as_deref().unwrap_or_default());
        assert!(text.contains(expected), "{expected}: {text}");
    }
}
