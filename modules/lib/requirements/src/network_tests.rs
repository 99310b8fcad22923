//! The vmknics and uplinks of the hosts, as rows of the table.

use crate::alike::{FT_LOGGING_MTU, FT_LOGGING_STACK, FT_LOGGING_SUBNET, VMOTION_MTU, VMOTION_STACK, VMOTION_SUBNET};
use crate::fact::Fact;
use crate::facts::Facts;
use crate::finding::Status::{Met, Unknown, Unmet};
use crate::pair::HOST_PAIR;
use crate::speed::FT_LOGGING_SPEED;
use crate::testing::{Row, hidden, judged, the};
use crate::vmknic::{FT_LOGGING, VMOTION};

use vsphere::FtEngine::{Legacy, Smp};

fn on_other_stack(facts: &mut Facts) {
    facts.nic(VMOTION).stack = Some("vmotion".to_owned());
}

fn elsewhere(facts: &mut Facts, service: &str) {
    facts.nic(service).ip = Some("172.31.0.9".to_owned());
}

fn uplinks(facts: &mut Facts, speeds: &[i64]) {
    facts.second().ft_uplinks = Fact::Known(speeds.to_vec());
}

pub const NETWORK_ROWS: &[Row] = &[
    (VMOTION_MTU, Smp, Unmet, |it| it.nic(VMOTION).mtu = Some(9000)),
    (VMOTION_MTU, Legacy, Unmet, |it| it.nic(VMOTION).mtu = Some(9000)),
    (VMOTION_MTU, Smp, Unknown, |it| it.nic(VMOTION).mtu = None),
    (VMOTION_MTU, Smp, Unknown, |it| it.second().services = hidden()),
    (VMOTION_MTU, Smp, Unknown, |it| it.second().services = Fact::Unset),
    (VMOTION_MTU, Smp, Unknown, |it| it.second().services = Fact::Known(Vec::new())),
    // Another requirement reports a host without a vmknic, and one that is out of service is not needed.
    (VMOTION_MTU, Smp, Met, |it| it.lose(VMOTION)),
    (VMOTION_MTU, Smp, Met, |it| {
        it.nic(VMOTION).mtu = Some(9000);
        it.second().maintenance = Fact::Known(true);
    }),
    (VMOTION_STACK, Smp, Unmet, on_other_stack),
    (VMOTION_STACK, Smp, Unknown, |it| it.nic(VMOTION).stack = None),
    (VMOTION_SUBNET, Smp, Unmet, |it| elsewhere(it, VMOTION)),
    (VMOTION_SUBNET, Smp, Unknown, |it| it.nic(VMOTION).ip = None),
    (FT_LOGGING_MTU, Smp, Unmet, |it| it.nic(FT_LOGGING).mtu = Some(9000)),
    (FT_LOGGING_MTU, Smp, Unknown, |it| it.nic(FT_LOGGING).mtu = None),
    (FT_LOGGING_STACK, Smp, Unmet, |it| it.nic(FT_LOGGING).stack = Some("ft".to_owned())),
    (FT_LOGGING_STACK, Smp, Unknown, |it| it.nic(FT_LOGGING).stack = None),
    (FT_LOGGING_SUBNET, Smp, Unmet, |it| elsewhere(it, FT_LOGGING)),
    (FT_LOGGING_SUBNET, Smp, Unknown, |it| it.nic(FT_LOGGING).mask = None),
    // Two hosts with the same values are enough, and only what often breaks vMotion keeps two hosts apart.
    (HOST_PAIR, Smp, Unmet, |it| it.nic(VMOTION).mtu = Some(9000)),
    (HOST_PAIR, Smp, Unmet, on_other_stack),
    (HOST_PAIR, Legacy, Met, on_other_stack),
    (HOST_PAIR, Smp, Unknown, |it| it.nic(VMOTION).mtu = None),
    (HOST_PAIR, Smp, Met, |it| {
        it.nic(VMOTION).mtu = Some(9000);
        it.third();
    }),
    (HOST_PAIR, Smp, Met, |it| {
        elsewhere(it, VMOTION);
        it.nic(FT_LOGGING).mtu = Some(9000);
    }),
    (FT_LOGGING_SPEED, Smp, Met, |it| uplinks(it, &[0, 25_000, 10_000])),
    (FT_LOGGING_SPEED, Smp, Unmet, |it| uplinks(it, &[1000])),
    (FT_LOGGING_SPEED, Smp, Unmet, |it| uplinks(it, &[100, 1000])),
    (FT_LOGGING_SPEED, Smp, Unmet, |it| uplinks(it, &[0])),
    (FT_LOGGING_SPEED, Smp, Unmet, |it| uplinks(it, &[])),
    // The port group may use only one of them.
    (FT_LOGGING_SPEED, Smp, Unknown, |it| uplinks(it, &[1000, 10_000])),
    (FT_LOGGING_SPEED, Smp, Unknown, |it| it.second().ft_uplinks = Fact::Unset),
    (FT_LOGGING_SPEED, Smp, Unknown, |it| it.second().ft_uplinks = hidden()),
    (FT_LOGGING_SPEED, Smp, Met, |it| {
        it.lose(FT_LOGGING);
        uplinks(it, &[]);
    }),
];

#[test]
fn the_network_of_the_hosts_is_judged() {
    crate::testing::hold(NETWORK_ROWS);
}

#[test]
fn hosts_are_grouped_by_what_they_report() {
    let checks = judged(Smp, |it| {
        it.nic(VMOTION).mtu = Some(9000);
        for number in 3..9 {
            let mut host = it.hosts[0].clone();
            host.subject.name = format!("esxi0{number}");
            it.hosts.push(host);
        }
    });
    assert_eq!(the(&checks, VMOTION_MTU).observed, "esxi01, esxi03, esxi04 and 4 more: 1500; esxi02: 9000");
    let stacks = judged(Legacy, |_| ()).into_iter().filter(|check| check.id == VMOTION_STACK).count();
    assert_eq!(stacks, 0, "5.0 has no TCP/IP stacks");
}
