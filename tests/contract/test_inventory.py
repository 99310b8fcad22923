"""Finding things in inventories that are large, ambiguous, half out of order, or those of a single host."""

from __future__ import annotations

import pytest

from modules import IMPERATIVE, MODULES, connection, example, run_module

every_module = pytest.mark.parametrize("name", MODULES)


def look(lab, **target):
    """What vmx_option finds for a target, without changing anything."""
    args = connection(lab.facts) | target | {"options": {"guestinfo.a": "1"}}
    return run_module("vmx_option", args, "--check")


@every_module
def test_a_large_inventory_that_comes_in_pages(name, simulator):
    lab = simulator(personality="6.7", scenario="healthy", hosts=12, vms=150, page=10)
    args = example(name, lab.facts)
    assert run_module(name, args).did
    assert run_module(name, args).changed is (name in IMPERATIVE)
    assert "ContinueRetrievePropertiesEx" in lab.methods()


@pytest.mark.parametrize(
    ("place", "answer"),
    [
        ({"datacenter": "Lab"}, "ambiguous"),
        ({"datacenter": "DC2"}, "not_found"),
        # Below the folder of virtual machines of a datacenter, of which there are two.
        ({"folder": "nested"}, "not_found"),
        ({"folder": "nested", "datacenter": "Lab"}, "vm-66"),
        ({"folder": "/Lab/vm/second"}, "vm-67"),
        ({"folder": "/Lab/vm/third"}, "not_found"),
    ],
)
def test_of_two_of_one_name_the_place_decides(place, answer, simulator):
    lab = simulator(personality="6.7", scenario="duplicates")
    found = look(lab, name="twin", **place)
    assert (found.kind if found.json["failed"] else found.json["vm"]["moid"]) == answer, found.msg


@pytest.mark.parametrize("datacenter", ["Lab", "Elsewhere"])
@pytest.mark.parametrize("name", [name for name in MODULES if name not in {"host_option", "vmkernel_service", "cluster_ha"}])
def test_a_datacenter_means_nothing_to_a_moid(name, datacenter, healthy):
    """module_defaults give it to every task, those with a remedy by moid among them."""
    args = example(name, healthy.facts)
    del args["name"]
    result = run_module(name, args | {"moid": healthy.facts["vm_moid"], "datacenter": datacenter}, "--check")
    assert result.did and result.json["vm"]["moid"], result.msg


def test_the_places_that_an_ambiguity_names_lead_to_one_each(simulator):
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
    """vSphere writes some of them as %2f, %5c and %25."""
    healthy.set(healthy.facts["vm_moid"], name=vm)
    found = look(healthy, name=vm)
    assert not found.json["failed"], found.msg
    assert (found.json["vm"]["moid"], found.json["vm"]["name"]) == (healthy.facts["vm_moid"], vm)


def test_a_host_that_is_not_connected_is_told_and_the_others_are_done(simulator):
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
    assert "notResponding" in gone["error"]["detail"] and gone["changed"] is False
    assert all(host["changed"] for host in by_name.values())


@pytest.mark.parametrize("personality", ["5.0", "6.7", "8.0"])
def test_an_esxi_host_asked_directly(personality, simulator):
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


def test_a_user_who_may_not_read_the_options_is_told_so(healthy):
    healthy.set(healthy.facts["vm_moid"], unreadable=["config.extraConfig"])
    assert look(healthy, name="inner").kind == "permission"
