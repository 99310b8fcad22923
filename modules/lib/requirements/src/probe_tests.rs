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

/// Many hosts, and a virtual machine that may run on any of them.
fn many(facts: &mut Facts, count: usize) {
    facts.machine().power = known("poweredOff");
    facts.machine().host = None;
    let model = facts.second().clone();
    facts.hosts.extend((3..=count).map(|number| {
        let mut host = model.clone();
        host.subject.moid = format!("host-{number}");
        host.subject.name = format!("esxi{number:02}");
        host
    }));
}

/// Probes some of the pairs of nine hosts. Only the first pair works.
fn one_pair_works(facts: &mut Facts) {
    many(facts, 9);
    facts.probe(|path| {
        let works = [&path.from, &path.to].iter().all(|moid| ["host-1", "host-2"].contains(&moid.as_str()));
        if works { [answered(), unknown()] } else { [lost(), lost()] }
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
    // Not all pairs are probed.
    (HOST_PAIR, Smp, Unmet, |it| {
        many(it, 9);
        it.probe(|_| [lost(), lost()]);
    }),
    (HOST_PAIR, Smp, Unmet, |it| {
        many(it, 40);
        // The probe ran out of time.
        it.probe(|path| if path.from == "host-1" { [lost(), unknown()] } else { [unknown(), unknown()] });
    }),
    (HOST_PAIR, Smp, Unknown, |it| {
        many(it, 9);
        it.probe(|_| [unknown(), unknown()]);
    }),
    (HOST_PAIR, Smp, Unknown, |it| {
        many(it, 9);
        it.probe(|path| if path.from == "host-1" { [answered(), unknown()] } else { [lost(), lost()] });
        let paths = &mut it.probe.as_mut().unwrap().paths;
        paths.retain(|path| path.from == "host-1" || path.to != "host-1");
    }),
    (HOST_PAIR, Smp, Met, one_pair_works),
    (HOST_PAIR, Smp, Unknown, |it| {
        one_pair_works(it);
        // The one pair that works lacks something else.
        it.second().agent = known("fdmUnreachable");
    }),
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
            "host-2 vmk0 > host-1 172.30.1.0 1472",
            "host-2 vmk0 > host-3 172.30.3.0 1472",
            "host-1 vmk0 > host-3 172.30.3.0 1472",
            "host-1 vmk1 > host-3 172.30.3.1 1472",
        ]
    );
}

#[test]
fn the_number_of_paths_is_bounded_and_those_of_the_virtual_machine_come_first() {
    let mut facts = lab(Smp);
    many(&mut facts, 11);
    facts.machine().host = Some("host-1".to_owned());
    facts.machine().power = known("poweredOn");
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
fn the_paths_are_those_of_whole_pairs_and_of_many_hosts() {
    for (hosts, nics, pairs, probed) in [(6, 1, 15, 6), (9, 1, 16, 9), (40, 1, 16, 32), (9, 3, 3, 6), (9, 8, 1, 2)] {
        let mut facts = lab(Smp);
        let Fact::Known(services) = &mut facts.second().services else { panic!("no services") };
        let own = services.iter_mut().find(|own| own.name == "vmotion").unwrap();
        for number in 1..nics {
            let device = format!("vmk{}", 9 + number);
            own.candidates.push(vsphere::Vmknic { device: device.clone(), ..own.candidates[0].clone() });
            own.selected.insert(device);
        }
        facts.hosts[0].services = facts.hosts[1].services.clone();
        many(&mut facts, hosts);
        facts.probe(|_| [answered(), answered()]);
        let Probe { paths, .. } = facts.probe.unwrap();
        let each = 2 * (nics * nics + 1);
        assert_eq!(paths.len(), (pairs * each).min(MOST), "{hosts} hosts");
        for pair in paths.chunks(each) {
            let ends = |path: &crate::path::Path| BTreeSet::from([path.from.clone(), path.to.clone()]);
            assert!(pair.iter().all(|path| ends(path) == ends(&pair[0])), "{hosts} hosts");
        }
        assert_eq!(paths.iter().flat_map(|path| [&path.from, &path.to]).collect::<BTreeSet<_>>().len(), probed);
    }
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
    type Spoil = fn(&mut Facts);
    let cases: [(Spoil, &str, &str); 6] = [
        (
            |it| it.probe(|_| [lost(), lost()]),
            "2 of 2 hosts, but no two reach each other",
            "no two hosts that meet everything reach each other over both networks",
        ),
        (
            |it| it.probe(|_| [lost(), answered()]),
            "2 of 2 hosts, but no two reach each other with packets as large as the MTU",
            "no two hosts that meet everything reach each other over both networks with packets as large as the MTU",
        ),
        (
            |it| it.probe(|_| [unknown(), unknown()]),
            "2 of 2 hosts",
            "the network between the hosts could not be probed",
        ),
        (
            |it| {
                many(it, 9);
                it.probe(|_| [lost(), lost()]);
            },
            "9 of 9 hosts, but no two reach each other (16 of 36 pairs of hosts were probed)",
            "no two hosts that meet everything reach each other over both networks",
        ),
        (
            |it| {
                many(it, 40);
                it.machine().host = Some("host-1".to_owned());
                it.machine().power = known("poweredOn");
                it.probe(|_| [lost(), lost()]);
            },
            "40 of 40 hosts, but no two reach each other (16 of 39 pairs of hosts were probed)",
            "no two hosts that meet everything reach each other over both networks",
        ),
        (
            |it| {
                one_pair_works(it);
                it.second().agent = known("fdmUnreachable");
            },
            "8 of 9 hosts; esxi02: its agent is neither the master nor connected to the master, but only 16 of 36 pairs of hosts were probed",
            "no two hosts that meet everything are known to reach each other over both networks",
        ),
    ];
    for (spoil, observed, why) in cases {
        let checks = judged(Smp, spoil);
        let pair = the(&checks, HOST_PAIR);
        assert_eq!((pair.observed.as_str(), pair.why.as_deref(), &pair.remedy), (observed, Some(why), &None));
    }
}
