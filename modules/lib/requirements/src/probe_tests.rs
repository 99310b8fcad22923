//! The probe of the network: which pings are sent, and how their answers are judged.

use std::collections::BTreeSet;

use vsphere::{FtEngine, PingReply, Version};

use crate::fact::Fact;
use crate::facts::Facts;
use crate::finding::Status;
use crate::pair::HOST_PAIR;
use crate::path::{Answer, Probe};
use crate::probe::MOST;
use crate::reach::{FT_LOGGING_PATH, VMOTION_PATH};
use crate::requirement::Requirement;
use crate::testing::{Row, answered, judged, known, lab, lost, the};

use FtEngine::{Legacy, Smp};
use Status::{Met, Unknown, Unmet};

fn unknown() -> Answer {
    Answer::Unknown("no right".to_owned())
}

/// Probes three hosts, and loses what goes to or from the last one.
fn third_is_cut_off(facts: &mut Facts) {
    facts.third();
    facts.probe(|path| {
        let cut_off = [&path.from, &path.to].iter().any(|moid| *moid == "host-3");
        if cut_off { [lost(), lost()] } else { [answered(), unknown()] }
    });
}

pub const PROBE_ROWS: &[Row] = &[
    (VMOTION_PATH, Smp, Unmet, |it| it.probe(|_| [lost(), lost()])),
    (VMOTION_PATH, Smp, Unmet, |it| it.probe(|_| [lost(), answered()])),
    (VMOTION_PATH, Smp, Unmet, |it| it.probe(|_| [lost(), unknown()])),
    (VMOTION_PATH, Smp, Unknown, |it| it.probe(|_| [unknown(), unknown()])),
    (VMOTION_PATH, Legacy, Met, |it| it.probe(|_| [answered(), unknown()])),
    (VMOTION_PATH, Smp, Met, |it| {
        it.probe(|path| if path.service == "vmotion" { [answered(), unknown()] } else { [lost(), lost()] });
    }),
    (FT_LOGGING_PATH, Smp, Unmet, |it| {
        it.probe(|path| if path.service == "vmotion" { [answered(), unknown()] } else { [lost(), lost()] });
    }),
    (FT_LOGGING_PATH, Smp, Unknown, |it| it.probe(|_| [unknown(), unknown()])),
    (FT_LOGGING_PATH, Smp, Unknown, |it| {
        it.probe(|_| [answered(), answered()]);
        it.probe.as_mut().unwrap().refused = Some("too old".to_owned());
    }),
    (FT_LOGGING_PATH, Smp, Unknown, |it| {
        it.probe(|_| [answered(), answered()]);
        it.probe.as_mut().unwrap().paths.clear();
    }),
    (FT_LOGGING_PATH, Legacy, Unknown, |it| {
        it.second().version = Fact::Known(Version::parse("4.1.0"));
        it.probe(|_| [answered(), answered()]);
    }),
    (HOST_PAIR, Smp, Unmet, |it| it.probe(|_| [lost(), lost()])),
    (HOST_PAIR, Smp, Unmet, |it| {
        it.probe(|path| if path.from == "host-1" { [answered(), unknown()] } else { [lost(), lost()] });
    }),
    (HOST_PAIR, Smp, Unknown, |it| it.probe(|_| [unknown(), unknown()])),
    (HOST_PAIR, Smp, Met, |it| it.probe(|_| [answered(), unknown()])),
    // The others are enough.
    (VMOTION_PATH, Smp, Unmet, third_is_cut_off),
    (HOST_PAIR, Smp, Met, third_is_cut_off),
];

#[test]
fn paths_are_judged() {
    crate::testing::hold(PROBE_ROWS);
}

#[test]
fn nothing_is_judged_without_a_probe_or_a_vmknic() {
    let ids = |change: fn(&mut Facts)| -> BTreeSet<(Requirement, String)> {
        let checks = judged(Smp, change).into_iter();
        let checks = checks.filter(|check| [VMOTION_PATH, FT_LOGGING_PATH].contains(&check.id));
        checks.map(|check| (check.id, check.object.name)).collect()
    };
    let of = |id, hosts: &[&str]| hosts.iter().map(|host| (id, (*host).to_owned())).collect::<BTreeSet<_>>();
    assert_eq!(ids(|_| ()), BTreeSet::new());
    let both = of(VMOTION_PATH, &["esxi01", "esxi02"]);
    assert_eq!(
        ids(|it| {
            it.lose("faultToleranceLogging");
            it.probe(|_| [answered(), answered()]);
        }),
        both
    );
    assert_eq!(
        ids(|it| {
            it.second().maintenance = Fact::Known(true);
            it.probe(|_| [answered(), answered()]);
        }),
        BTreeSet::new()
    );
}

#[test]
fn replies_are_told_apart() {
    let failed = |text: &str| PingReply::Failed(text.to_owned());
    for (reply, expected) in [
        (PingReply::Counted { sent: 3, received: 1 }, Answer::Answered { sent: 3, received: 1 }),
        (PingReply::Counted { sent: 3, received: 0 }, Answer::Lost("0 of 3 answered".to_owned())),
        (PingReply::Counted { sent: 0, received: 0 }, Answer::Unknown("the host sent no packet".to_owned())),
        (failed("sendto() failed (Message too long)"), Answer::Lost("sendto() failed (Message too long)".to_owned())),
        (failed("sendto() failed (Host is down)"), Answer::Lost("sendto() failed (Host is down)".to_owned())),
        (failed("Unknown interface 'vmk9'"), Answer::Unknown("Unknown interface 'vmk9'".to_owned())),
    ] {
        assert_eq!(Answer::of(reply), expected);
    }
}

#[test]
fn every_host_pings_every_other_one() {
    let mut facts = lab(Smp);
    facts.third();
    facts.machine().power = known("poweredOff");
    facts.machine().host = None;
    facts.hosts[2].version = Fact::Known(Version::parse("4.1.0"));
    facts.lose("faultToleranceLogging");
    facts.probe(|_| [answered(), answered()]);
    let paths = facts.probe.unwrap().paths;
    let shown: Vec<String> =
        paths.iter().map(|it| format!("{} {} > {} {} {}", it.from, it.device, it.to, it.address, it.size())).collect();
    assert_eq!(
        shown,
        [
            "host-1 vmk0 > host-2 172.30.2.0 1472",
            "host-2 vmk0 > host-3 172.30.3.0 1472",
            "host-1 vmk0 > host-3 172.30.3.0 1472",
            "host-1 vmk1 > host-3 172.30.3.1 1472",
            "host-2 vmk0 > host-1 172.30.1.0 1472",
        ]
    );
}

#[test]
fn the_number_of_paths_is_bounded_and_those_of_the_virtual_machine_come_first() {
    let mut facts = lab(Smp);
    for number in 3..12 {
        let mut host = facts.hosts[1].clone();
        host.subject.moid = format!("host-{number}");
        host.subject.name = format!("esxi{number:02}");
        facts.hosts.push(host);
    }
    facts.probe(|_| [answered(), answered()]);
    let Probe { paths, .. } = facts.probe.as_ref().unwrap();
    assert_eq!(paths.len(), MOST);
    assert!(paths[..40].iter().all(|path| [&path.from, &path.to].contains(&&"host-1".to_owned())));
    assert!(paths[40..].iter().all(|path| ![&path.from, &path.to].contains(&&"host-1".to_owned())));
    let checks = crate::judgement::checks(crate::context::Context { facts: &facts, engine: Smp });
    assert_eq!(the(&checks, HOST_PAIR).status, Met);
    let observed = &the(&checks, VMOTION_PATH).observed;
    assert_eq!(observed, "10 of 10 hosts answer");
    let last = checks.iter().rfind(|check| check.id == VMOTION_PATH).unwrap();
    assert!(last.observed.contains("of 10 hosts answer, the others were not probed: a run probes at most 64 paths"));
}

#[test]
fn a_check_names_the_path_the_size_and_the_settings() {
    for (answers, nested, expected) in [
        (
            [lost(), answered()],
            true,
            &[
                "vmk0 to 172.30.2.0 of esxi02",
                "1500 bytes (payload 1472)",
                "smaller MTU",
                "(inner, outer and physical)",
            ][..],
        ),
        ([lost(), answered()], false, &["smaller MTU", "every switch between the vmknics to at least 1500"]),
        (
            [lost(), lost()],
            true,
            &[
                "and small ones too (",
                "outer port group drops",
                "promiscuous mode",
                "forged transmits",
                "MAC learning",
                "6.6.0",
            ],
        ),
        ([lost(), lost()], false, &["subnets and VLANs"]),
        ([lost(), unknown()], true, &["small ones were not sent: no right", "promiscuous mode"]),
        ([unknown(), unknown()], true, &["not pinged", "no right"]),
        (
            [Answer::Answered { sent: 3, received: 2 }, unknown()],
            true,
            &["1 of 1 hosts answer; vmk0 to 172.30.2.0 of esxi02: 2 of 3"],
        ),
    ] {
        let checks = judged(Smp, |facts| {
            facts.hosts.iter_mut().for_each(|host| host.nested = nested);
            facts.probe(|_| answers.clone());
        });
        let check = the(&checks, VMOTION_PATH);
        let remedy = check.remedy.as_ref().map(|remedy| remedy.text.clone()).unwrap_or_default();
        let text = format!("{} ({}) {remedy}", check.observed, check.why.as_deref().unwrap_or_default());
        for part in expected {
            assert!(text.contains(part), "{part}: {text}");
        }
        assert!(nested || !text.contains("outer"), "{text}");
    }
}

#[test]
fn the_pair_says_that_the_network_is_at_fault() {
    for (answers, why) in [
        ([lost(), lost()], "no two hosts that meet everything reach each other over both networks"),
        ([unknown(), unknown()], "the network between the hosts could not be probed"),
    ] {
        let checks = judged(Smp, |it| it.probe(|_| answers.clone()));
        let pair = the(&checks, HOST_PAIR);
        assert_eq!((pair.why.as_deref(), &pair.remedy), (Some(why), &None));
    }
}
