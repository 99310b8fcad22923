"""The list of virtual machines that ft_readiness reports."""

from __future__ import annotations

import pytest
from readiness import ids, look, put

from modules import connection, run_module


def vms(result) -> list[dict]:
    """Returns the listed virtual machines, without the fields that another test checks exactly."""
    return [{key: vm[key] for key in ("name", "power_state", "ft_state", "role")} for vm in result.json["vms"]]


@pytest.mark.parametrize("personality", ["5.0", "6.7", "8.0"])
def test_every_machine_of_the_cluster_is_listed(personality, simulator):
    lab = simulator(personality=personality, scenario="off")
    alone = {"name": "inner", "power_state": "poweredOff", "ft_state": "notConfigured", "role": None}
    before = look(lab, cluster_name=lab.facts["cluster"])
    assert [vm for vm in vms(before) if vm["name"] == "inner"] == [alone]
    assert {vm["host"] for vm in before.json["vms"]} <= set(lab.facts["hosts"])
    # A template is none.
    assert {vm["moid"] for vm in before.json["vms"]} == {moid for moid, vm in lab.state().items() if "template" not in vm["name"]}
    names = [vm["name"] for vm in before.json["vms"]]
    assert names == sorted(names)
    # Naming one of them does not change the list.
    assert look(lab).json["vms"] == before.json["vms"]


def test_the_primary_of_a_pair_comes_first(healthy):
    done = run_module("fault_tolerance", connection(healthy.facts) | {"name": healthy.facts["vm"]})
    found = look(healthy, cluster_name=healthy.facts["cluster"])
    pair = [vm for vm in found.json["vms"] if vm["name"] == healthy.facts["vm"]]
    assert [(vm["moid"], vm["role"], vm["ft_state"]) for vm in pair] == [
        (healthy.facts["vm_moid"], "primary", "running"),
        (done.json["secondary"]["moid"], "secondary", "running"),
    ]
    assert {vm["host"] for vm in pair} == set(healthy.facts["hosts"])


def test_an_unreadable_property_of_a_listed_machine_is_null(healthy):
    moid = healthy.facts["vm_moid"]
    put(healthy, "vm", {"unreadable": ["name", "runtime", "config"]})
    found = look(healthy, cluster_name=healthy.facts["cluster"])
    (vm,) = [vm for vm in found.json["vms"] if vm["moid"] == moid]
    nothing = dict.fromkeys(["host", "vcpus", "power_state", "ft_state", "role"])
    assert vm == {"name": moid, "moid": moid} | nothing


def test_the_datastores_of_other_machines_are_not_mixed_up(simulator):
    """All machines are read in one request, and so are all their datastores."""
    for others in (0, 20):
        lab = simulator(personality="6.7", scenario="healthy", vms=others)
        assert len(look(lab).json["vms"]) > others
        put(lab, "vm", {"unreadable": ["datastore"]})
        assert {"shared-storage", "datastore-access"} <= ids(look(lab), "unknown")
