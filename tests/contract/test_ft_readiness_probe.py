"""ft_readiness lets the hosts ping each other, if asked to, and tells a small MTU from a closed outer port group."""

from __future__ import annotations

import re

import pytest
from readiness import check, ids, look
from relay import relay

from modules import connection, run_module

PATHS = {"vmotion-path", "ft-logging-path"}
PROBES = {"RetrieveManagedMethodExecuter", "ExecuteSoap"}


def probe(lab, **more):
    return look(lab, probe_network=True, **({"name": lab.facts["vm"]} | more))


def paths(result) -> list[dict]:
    """Returns the checks of the paths."""
    return [check for check in result.json["checks"] if check["id"] in PATHS]


def set_hosts(lab, **state) -> None:
    for moid in lab.facts["host_moids"]:
        lab.set(moid, **state)


@pytest.mark.parametrize("personality", ["5.0", "6.7", "8.0"])
def test_in_a_healthy_lab_the_hosts_reach_each_other(personality, simulator):
    lab = simulator(personality=personality, scenario="healthy")
    found = probe(lab)
    assert [check["status"] for check in paths(found)] == ["met"] * 4, found.msg
    assert check(found, "host-pair")["status"] == "met"
    # One request for each host, and one for each path.
    assert sorted(set(lab.methods()) & PROBES) == sorted(PROBES)
    assert (lab.methods().count("ExecuteSoap"), lab.methods().count("RetrieveManagedMethodExecuter")) == (4, 2)


def test_without_the_argument_nothing_is_pinged(simulator):
    lab = simulator(personality="8.0", scenario="outer-blocked")
    found = look(lab)
    assert found.json["ready"] and not paths(found) and not set(lab.methods()) & PROBES


OUTER = [
    (
        "outer-blocked",
        ["packets of 1500 bytes (payload 1472) are lost", "and small ones too"],
        ["standard switch", "promiscuous mode", "forged transmits", "distributed switch of version 6.6.0", "MAC learning"],
    ),
    (
        "outer-mtu",
        ["packets of 9000 bytes (payload 8972) are lost", "small ones are answered"],
        ["MTU of every switch", "inner, outer and physical", "at least 9000"],
    ),
]


@pytest.mark.parametrize(("scenario", "observed", "remedy"), OUTER)
@pytest.mark.parametrize("personality", ["5.0", "6.7", "8.0"])
def test_an_outer_network_that_drops_packets_is_found(personality, scenario, observed, remedy, simulator):
    lab = simulator(personality=personality, scenario=scenario)
    found = probe(lab)
    assert not found.json["ready"] and PATHS | {"host-pair"} <= ids(found, "unmet"), found.msg
    pair = check(found, "host-pair")
    large = " with packets as large as the MTU" if scenario == "outer-mtu" else ""
    assert pair["observed"] == f"2 of 2 hosts, but no two reach each other{large}"
    assert pair["why"] == f"no two hosts that meet everything reach each other over both networks{large}"
    for one in paths(found):
        assert re.search(r"vmk[01] to 172\.30\.[01]\.\d+ of esxi0[12]\.lab\.local: ", one["observed"])
        assert all(part in one["observed"] for part in observed), one["observed"]
    (step,) = [step for step in found.json["remedies"] if set(step["checks"]) & PATHS]
    assert set(step["checks"]) == PATHS and step["module"] is None
    assert all(part in step["text"] for part in [*remedy, *lab.facts["hosts"]]), step["text"]
    # Somebody does what the remedy says.
    set_hosts(lab, outer_mtu=9000)
    mended = probe(lab)
    assert [check["status"] for check in paths(mended)] == ["met"] * 4, mended.msg
    assert mended.json["ready"] is (personality != "5.0")


def test_a_smaller_mtu_of_the_vmknics_helps_too(simulator):
    lab = simulator(personality="8.0", scenario="outer-mtu")
    set_hosts(lab, mtus={"vmk0": 1500})
    found = probe(lab)
    assert ids(found, "met") & PATHS == {"vmotion-path"} and ids(found, "unmet") & PATHS == {"ft-logging-path"}
    set_hosts(lab, mtus={"vmk0": 1500, "vmk1": 1500})
    assert probe(lab).json["ready"]


def test_a_host_that_is_cut_off_is_not_needed_beside_two_good_ones(simulator):
    lab = simulator(personality="8.0", scenario="healthy", hosts=3)
    lab.set(lab.facts["host_moids"][2], outer_mtu=0)
    found = probe(lab)
    assert found.json["ready"] and ids(found, "unmet") == PATHS, found.msg
    lab.set(lab.facts["host_moids"][1], outer_mtu=0)
    assert not probe(lab).json["ready"]


def test_a_vmknic_on_another_stack_pings_from_there(simulator):
    lab = simulator(personality="8.0", scenario="healthy")
    set_hosts(lab, stacks={"vmk0": "vmotion"})
    assert ids(probe(lab), "met") >= PATHS


def test_a_server_that_is_too_old_is_not_asked(simulator):
    lab = simulator(personality="5.0", scenario="healthy", http=True)
    old = [(b"<apiVersion>5.0<", b"<apiVersion>4.1<"), (b"<version>5.0.0<", b"<version>4.1.0<")]

    def rewrite(text):
        for new, replacement in old:
            text = text.replace(new, replacement)
        return text

    with relay(lab.facts["port"], rewrite=rewrite) as (port, _):
        args = connection(lab.facts | {"port": port}) | {"name": lab.facts["vm"], "probe_network": True}
        found = run_module("ft_readiness", args)
    assert {check["status"] for check in paths(found)} == {"unknown"}, found.msg
    assert all("4.1" in check["why"] and "5.0 and later" in check["why"] for check in paths(found))
    assert not set(lab.methods()) & PROBES


@pytest.mark.parametrize("method", sorted(PROBES))
def test_without_the_privilege_the_paths_are_unknown(method, simulator):
    lab = simulator(personality="8.0", scenario="outer-blocked")
    fields = {"privilegeId": "Host.Config.NetService"}
    lab.inject(method=method, fault="NoPermission", fields=fields, times=0)
    found = probe(lab)
    assert ids(found, "unknown") == PATHS | {"host-pair"} and not ids(found, "unmet"), found.msg
    assert all("NoPermission" in check["why"] and fields["privilegeId"] in check["why"] for check in paths(found))
    assert "could not be probed" in check(found, "host-pair")["why"]
    assert found.json["ready"], "an unknown requirement blocks nothing"


def test_one_host_that_cannot_ping_hides_nothing_of_the_others(simulator):
    lab = simulator(personality="8.0", scenario="healthy", hosts=3)
    object_ = f"ManagedMethodExecuter-{lab.facts['host_moids'][2]}"
    lab.inject(method="ExecuteSoap", object=object_, fault="HostConfigFault", message="no esxcli here", times=0)
    found = probe(lab)
    unknown = {check["object"]["name"] for check in paths(found) if check["status"] == "unknown"}
    assert unknown == {lab.facts["hosts"][2]} and found.json["ready"], found.msg
    assert check(found, "host-pair")["status"] == "met"


def test_a_host_that_never_answers_does_not_use_up_the_run(simulator):
    lab = simulator(personality="8.0", scenario="healthy")
    lab.inject(method="ExecuteSoap", how="hang", times=0)
    found = probe(lab, timeout=6)
    assert ids(found, "unknown") == PATHS | {"host-pair"}, found.msg
    assert all("the probe took longer than 3 s" in check["why"] for check in paths(found))


def test_the_number_of_pings_is_bounded(simulator):
    lab = simulator(personality="8.0", scenario="healthy", hosts=10)
    found = probe(lab, cluster_name=lab.facts["cluster"])
    assert lab.methods().count("ExecuteSoap") == 64
    assert found.json["ready"] and not ids(found, "unmet")
    assert any("the others were not probed: a run probes at most 64 paths" in check["observed"] for check in paths(found))


@pytest.mark.parametrize("hosts", [3, 6, 9, 40])
def test_a_dead_network_of_many_hosts_is_not_ready(hosts, simulator):
    lab = simulator(personality="8.0", scenario="outer-blocked", hosts=hosts)
    found = run_module("ft_readiness", connection(lab.facts) | {"cluster_name": lab.facts["cluster"], "probe_network": True, "fail_unless_ready": True})
    pairs = hosts * (hosts - 1) // 2
    probed = f" (16 of {pairs} pairs of hosts were probed)" if pairs > 16 else ""
    assert found.exit == 1 and not found.json["ready"], found.msg
    assert check(found, "host-pair")["observed"] == f"{hosts} of {hosts} hosts, but no two reach each other{probed}"
    # A large packet and a small one.
    assert lab.methods().count("ExecuteSoap") == 2 * 4 * min(pairs, 16)
