"""Inventories that are large, ambiguous, partly out of service, or of a single host."""

from __future__ import annotations

import pytest

from modules import IMPERATIVE, MODULES, connection, example, run_module

every_module = pytest.mark.parametrize("name", MODULES)


def look(lab, **target):
    """Returns what vmx_option finds for a target, without changing anything."""
    args = connection(lab.facts) | target | {"options": {"guestinfo.a": "1"}}
    return run_module("vmx_option", args, "--check")


@every_module
def test_a_large_inventory_in_pages(name, simulator):
    lab = simulator(personality="6.7", scenario="healthy", hosts=12, vms=150, page=10)
    args = example(name, lab.facts)
    assert run_module(name, args).did
    assert run_module(name, args).changed is (name in IMPERATIVE)
    assert "ContinueRetrievePropertiesEx" in lab.methods()


@pytest.mark.parametrize(
    ("place", "answer", "hint"),
    [
        ({"datacenter": "Lab"}, "ambiguous", ""),
        ({"datacenter": "DC2"}, "not_found", "only this datacenter was searched"),
        # These folders are below the VM folder of a datacenter. There are two datacenters.
        ({"folder": "nested"}, "not_found", "set `datacenter`"),
        ({"folder": "nested", "datacenter": "Lab"}, "vm-66", ""),
        ({"folder": "nestd", "datacenter": "Lab"}, "not_found", "`/Lab/vm/nested`"),
        ({"folder": "/Lab/vm/second"}, "vm-67", ""),
        ({"folder": "/Lab/vm/second", "datacenter": "Lab"}, "vm-67", ""),
        ({"folder": "/Lab/vm/second", "datacenter": "DC2"}, "not_found", "in another datacenter"),
        ({"folder": "Lab/vm/second", "datacenter": "DC2"}, "not_found", ""),
        ({"folder": "/Lab/vm/second", "datacenter": "Nope"}, "not_found", ""),
        ({"folder": "/Lab/vm/third"}, "not_found", ""),
        ({"folder": "/Lab/vm"}, "not_found", "only this folder was searched, and none below it"),
        ({"folder": "/Lab/first"}, "not_found", "such as /Lab/vm/first"),
        ({"folder": "/lab/vm/nested"}, "not_found", "`/Lab/vm/nested`"),
    ],
)
def test_the_place_selects_one_of_two_with_the_same_name(place, answer, hint, simulator):
    lab = simulator(personality="6.7", scenario="duplicates")
    found = look(lab, name="twin", **place)
    assert (found.kind if found.json["failed"] else found.json["vm"]["moid"]) == answer, found.msg
    if hint:
        assert hint in found.json["error"]["hint"], found.told


@pytest.mark.parametrize("datacenter", ["Lab", "Elsewhere"])
@pytest.mark.parametrize("name", [name for name in MODULES if name not in {"host_option", "vmkernel_service", "cluster_ha"}])
def test_a_datacenter_has_no_effect_beside_a_moid(name, datacenter, healthy):
    """module_defaults set a datacenter for every task, including remedies by moid."""
    args = example(name, healthy.facts)
    del args["name"]
    result = run_module(name, args | {"moid": healthy.facts["vm_moid"], "datacenter": datacenter}, "--check")
    assert result.did and result.json["vm"]["moid"], result.msg


def test_each_place_in_an_ambiguity_error_selects_one(simulator):
    lab = simulator(personality="6.7", scenario="duplicates")
    told = look(lab, name="twin")
    assert told.kind == "ambiguous"
    moids = set()
    for moid in lab.state():
        if lab.state()[moid]["name"] == "twin":
            assert moid in told.msg
            moids.add(look(lab, moid=moid).json["vm"]["moid"])
    assert len(moids) >= 2


@pytest.mark.parametrize("vm", ["zażółć 日本", "50% of it", "a/b\\c", "50%25", "<&>\"'", "two\u2028lines", " spaced "])
def test_names_with_unusual_characters(vm, healthy):
    """vSphere encodes some of them as %2f, %5c and %25."""
    healthy.set(healthy.facts["vm_moid"], name=vm)
    found = look(healthy, name=vm)
    assert not found.json["failed"], found.msg
    assert (found.json["vm"]["moid"], found.json["vm"]["name"]) == (healthy.facts["vm_moid"], vm)


def test_a_disconnected_host_is_reported_and_the_others_are_changed(simulator):
    lab = simulator(personality="6.7", scenario="healthy", hosts=4)
    lab.set(lab.facts["host_moids"][1], connection="notResponding")
    args = connection(lab.facts) | {
        "cluster_name": lab.facts["cluster"],
        "options": {"Migrate.VMotionStreamDisable": 1},
    }
    result = run_module("host_option", args)
    assert result.json["failed"] and result.changed
    by_name = {host["name"]: host for host in result.json["hosts"]}
    gone = by_name.pop(lab.facts["hosts"][1])
    assert "is not responding" in gone["error"]["detail"] and gone["changed"] is False
    assert all(host["changed"] for host in by_name.values())


@pytest.mark.parametrize("personality", ["5.0", "6.7", "8.0"])
def test_an_esxi_host_without_vcenter(personality, simulator):
    lab = simulator(personality=personality, scenario="healthy", direct=True)
    args = connection(lab.facts)
    vm = args | {"name": lab.facts["vm"]}
    assert run_module("vmx_option", vm | {"options": {"guestinfo.a": "1"}}).changed
    assert run_module("vm_power", vm | {"state": "powered_off"}).changed
    option = args | {"esxi_hostname": lab.facts["hosts"][0], "options": {"Migrate.NetTimeout": 30}}
    assert run_module("host_option", option).changed
    assert not run_module("host_option", option).changed
    refused = run_module("fault_tolerance", vm | {"state": "present"})
    assert refused.kind == "unsupported" and "vCenter" in refused.msg
    assert not run_module("fault_tolerance", vm | {"state": "absent"}).json["failed"]


def test_a_user_without_the_privilege_to_read_options_gets_an_error(healthy):
    healthy.set(healthy.facts["vm_moid"], unreadable=["config.extraConfig"])
    assert look(healthy, name="inner").kind == "permission"
