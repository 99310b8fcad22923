"""ft_readiness needs two good hosts. It reports problems of other hosts, but they block nothing."""

from __future__ import annotations

import pytest
from readiness import apply, check, ids, look, put, steps

from modules import connection, run_module

OUT = [{"maintenance": True}, {"connection": "disconnected"}, {"connection": "notResponding"}, {"power": "standBy"}]


def bad_hosts(result) -> set[str]:
    """Returns the hosts with an unmet requirement."""
    unmet = [check for check in result.json["checks"] if check["status"] == "unmet"]
    return {check["object"]["moid"] for check in unmet if check["object"]["type"] == "HostSystem"}


def test_every_host_is_listed_with_its_build(simulator):
    lab = simulator(personality="6.7", scenario="healthy", hosts=3)
    lab.set(lab.facts["host_moids"][2], maintenance=True)
    listed = look(lab, cluster_name=lab.facts["cluster"]).json["hosts"]
    assert [(host["name"], host["moid"]) for host in listed] == list(zip(lab.facts["hosts"], lab.facts["host_moids"], strict=True))
    assert [host["out_of_service"] for host in listed] == [None, None, "in maintenance mode"]
    assert all(host["version"] == "6.7.0" and host["build"].isdigit() for host in listed)


@pytest.mark.parametrize("state", OUT, ids=str)
def test_one_host_out_of_service_does_not_matter_beside_two_good_ones(state, simulator):
    lab = simulator(personality="6.7", scenario="bare", hosts=3)
    third = lab.facts["host_moids"][2]
    lab.set(third, **state)
    found = look(lab)
    assert not found.json["ready"] and third in bad_hosts(found)
    for step in found.json["remedies"]:
        # No remedy targets a host on which the module could not act.
        assert lab.facts["hosts"][2] not in (step["args"] or {}).get("esxi_hostname", []), step
        if step["args"]:
            apply(lab, step)
    ready = look(lab)
    assert ready.json["ready"], ready.msg
    assert bad_hosts(ready) == {third} and "not needed" in ready.msg
    assert all(step["args"] is None and lab.facts["hosts"][2] in step["text"] for step in steps(ready))
    for moid in lab.facts["host_moids"]:
        lab.set(moid, options={"Migrate.VMotionStreamDisable": 1})
    protected = run_module("fault_tolerance", connection(lab.facts) | {"name": lab.facts["vm"]})
    assert not protected.json["failed"] and protected.changed, protected.msg


@pytest.mark.parametrize("state", OUT, ids=str)
def test_with_two_hosts_both_are_needed(state, healthy):
    put(healthy, "host", state)
    found = look(healthy)
    assert {"usable-hosts", "host-pair", "datastore-access", "network-access"} <= ids(found, "unmet"), found.msg
    assert not found.json["ready"]


def test_a_spare_host_in_service_is_fixed_too(simulator):
    lab = simulator(personality="8.0", scenario="no-ft-nic", hosts=3)
    found = look(lab)
    assert found.json["ready"] and ids(found, "unmet") == {"ft-logging-nic"}, found.msg
    (step,) = found.json["remedies"]
    assert step["args"]["esxi_hostname"] == [lab.facts["hosts"][1]]
    apply(lab, step)
    assert ids(look(lab), "unmet") == set()


def test_hosts_with_different_problems_make_no_pair(simulator):
    lab = simulator(personality="6.7", scenario="healthy", hosts=3)
    _, second, third = lab.facts["host_moids"]
    network = "network-12"
    lab.set(second, lacks=["datastore-11"])
    lab.set(third, lacks=[network])
    found = look(lab)
    # Two hosts meet each of these, but not the same two.
    assert {"usable-hosts", "datastore-access", "network-access"} <= ids(found, "met"), found.msg
    assert ids(found, "unmet") == {"host-pair"} and not found.json["ready"]
    observed = check(found, "host-pair")["observed"]
    assert "shared01" in observed and "VM Network" in observed
    refused = run_module("fault_tolerance", connection(lab.facts) | {"name": lab.facts["vm"]})
    assert refused.json["failed"] and "NoHostSuitableForFtSecondary" in str(refused.json["error"])
    lab.set(third, lacks=[])
    assert look(lab).json["ready"]


def test_the_virtual_machines_host_must_be_one_of_the_two(simulator):
    lab = simulator(personality="6.7", scenario="healthy", hosts=3)
    home = next(vm["host"] for vm in look(lab).json["vms"] if vm["name"] == lab.facts["vm"])
    moid = lab.facts["host_moids"][lab.facts["hosts"].index(home)]
    lab.set(moid, issues=["cpuHvDisabled"])
    found = look(lab)
    assert "host-pair" in ids(found, "unmet") and home in check(found, "host-pair")["why"]
    assert not found.json["ready"]
    lab.set(lab.facts["vm_moid"], power="poweredOff")
    assert look(lab).json["ready"]


def test_a_virtual_machine_on_a_bad_host_must_move_whatever_others_lack(simulator):
    lab = simulator(personality="6.7", scenario="no-ft-nic", hosts=4)
    home = next(vm["host"] for vm in look(lab).json["vms"] if vm["name"] == lab.facts["vm"])
    lab.set(lab.facts["host_moids"][lab.facts["hosts"].index(home)], issues=["cpuHvDisabled"])
    remedies = look(lab).json["remedies"]
    (step,) = [step for step in remedies if step["checks"] == ["host-pair"]]
    assert "migrate" in step["text"] and step["module"] is None
    assert all(host in step["text"] for host in lab.facts["hosts"][2:])
    assert [step["module"] for step in remedies if step["args"]] == ["vmkernel_service"]


@pytest.mark.parametrize(("power", "unmet"), [("poweredOff", set()), ("poweredOn", set()), ("suspended", {"vm-power"})])
@pytest.mark.parametrize("personality", ["6.7", "8.0"])
def test_invisible_hosts_do_not_count_as_bad(personality, power, unmet, simulator):
    lab = simulator(personality=personality, scenario="healthy")
    put(lab, "vm", {"unreadable": ["runtime.host"], "power": power})
    found = look(lab)
    assert ids(found, "unknown") == {"cluster", "host-pair", "host-memory", "datastore-access", "network-access"}, found.msg
    assert ids(found, "unmet") == unmet
    assert check(found, "host-pair")["observed"] == "no host can be read"
    assert "is ready" not in found.msg and "not needed" not in found.msg


@pytest.mark.parametrize(("personality", "shares_disks"), [("5.0", True), ("6.7", False), ("8.0", False)])
def test_only_record_replay_needs_the_disks_datastores(personality, shares_disks, simulator):
    lab = simulator(personality=personality, scenario="healthy")
    if shares_disks:
        for step in steps(look(lab)):
            apply(lab, step)
    lab.set(lab.facts["vm_moid"], disk_store="local01")
    assert look(lab).json["ready"]
    put(lab, "host", {"lacks": ["datastore-12"]})
    found = look(lab)
    expected = {"datastore-access", "host-pair"} if shares_disks else set()
    assert ids(found, "unmet") == expected, found.msg
    protected = run_module("fault_tolerance", connection(lab.facts) | {"name": lab.facts["vm"]})
    assert protected.json["failed"] is shares_disks, protected.msg


@pytest.mark.parametrize(
    ("options", "status"),
    [
        ({}, "met"),
        ({"das.maxftvmsperhost": "0"}, "met"),
        ({"das.maxftvmsperhost": "1"}, "unmet"),
        # The first limit is off, the second one is not.
        ({"das.maxFtVmsPerHost": "0", "das.maxFtVcpusPerHost": "2"}, "unmet"),
        ({"das.maxFtVmsPerHost": "0", "das.maxFtVcpusPerHost": "3"}, "met"),
        ({"das.maxftvmsperhost": "one"}, "unknown"),
    ],
)
def test_protected_machines_count_toward_the_limits(options, status, simulator):
    lab = simulator(personality="6.7", scenario="healthy", vms=3)
    home = next(vm["host"] for vm in look(lab).json["vms"] if vm["name"] == lab.facts["vm"])
    other = next(vm for vm in look(lab).json["vms"] if vm["name"] != lab.facts["vm"] and vm["host"] == home)
    lab.set(other["moid"], cpus=2, power="poweredOn", ft_state="running")
    lab.set(lab.facts["vm_moid"], cpus=1)
    lab.set(lab.facts["cluster_moid"], das_options=options)
    found = look(lab)
    assert check(found, "ft-vm-limit")["status"] == status, found.msg
    assert found.json["ready"] is (status != "unmet")
