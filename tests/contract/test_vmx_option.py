"""vmx_option against the simulator, from the view of a vSphere administrator."""

from __future__ import annotations

import pytest
from pyVim.connect import Disconnect, SmartConnect
from pyVmomi import vim

from modules import connection, run_module

REPLAY = {"replay.supported": "true", "replay.allowFT": "true", "replay.allowBTOnly": "true"}


def options(lab, wanted: dict, *flags: str, **more):
    args = connection(lab.facts) | {"name": lab.facts["vm"], "options": wanted} | more
    return run_module("vmx_option", args, *flags)


def values(result) -> dict:
    return {option["key"]: (option["before"], option["after"]) for option in result.json["options"]}


def test_the_articles_options_need_a_power_cycle_on_a_running_virtual_machine(simulator):
    lab = simulator(personality="5.0", scenario="article")
    first = options(lab, REPLAY)
    assert first.changed and first.json["needs_power_cycle"] is True
    assert {after for _, after in values(first).values()} == {"true"}
    assert not options(lab, REPLAY).changed


def test_the_articles_options_need_no_power_cycle_on_a_powered_off_one(simulator):
    lab = simulator(personality="5.0", scenario="off")
    first = options(lab, REPLAY)
    assert first.changed and first.json["needs_power_cycle"] is False
    assert first.json["vm"]["power_state"] == "poweredOff"


@pytest.mark.parametrize("personality", ["6.7", "8.0"])
def test_replay_options_get_a_warning_where_they_have_no_effect(personality, simulator):
    lab = simulator(personality=personality, scenario="healthy")
    without_effect = options(lab, REPLAY, "--check").json
    assert "replay" in without_effect["warnings"][0] and without_effect["needs_power_cycle"] is False
    other = options(lab, {"guestinfo.a": "1"}, "--check").json
    assert "warnings" not in other and other["needs_power_cycle"] is True


def test_keys_and_booleans_are_compared_case_insensitively(healthy):
    assert options(healthy, {"guestinfo.Flag": "TRUE"}).changed
    for same in ({"guestinfo.flag": "true"}, {"GUESTINFO.FLAG": True}, {"guestinfo.Flag": "True"}):
        assert not options(healthy, same).changed, same
    changed = options(healthy, {"GUESTINFO.FLAG": "false"})
    assert changed.changed
    assert list(values(changed)) == ["guestinfo.Flag"], "the spelling that the virtual machine has is kept"


def test_other_values_are_compared_exactly(healthy):
    assert options(healthy, {"guestinfo.a": "One"}).changed
    assert options(healthy, {"guestinfo.a": "one"}).changed


@pytest.mark.parametrize(
    ("given", "stored"),
    [(1, "1"), (True, "TRUE"), ("zażółć <&> \"gęślą\" 'jaźń' \u2028", None), (" spaces ", None), ("a\tb", None)],
)
def test_every_value_is_read_back_as_written(given, stored, healthy):
    first = options(healthy, {"guestinfo.a": given})
    assert first.changed, first.msg
    assert not options(healthy, {"guestinfo.a": given}).changed
    after = values(first)["guestinfo.a"][1]
    assert after.lower() == (stored if stored is not None else given).lower()


def test_absent_removes_only_the_named_options(healthy):
    options(healthy, {"guestinfo.a": "1", "guestinfo.b": "2"})
    removed = options(healthy, {"GuestInfo.A": None}, state="absent")
    assert removed.changed and values(removed) == {"guestinfo.a": ("1", None)}
    assert not options(healthy, {"guestinfo.a": ""}, state="absent").changed
    assert not options(healthy, {"guestinfo.b": "2"}).changed


@pytest.mark.parametrize("key", ["memSize", "numvcpus", "displayName", "guestOS"])
def test_a_key_that_vsphere_silently_ignores_is_a_named_error(key, healthy):
    result = options(healthy, {key: "7", "guestinfo.a": "1"})
    assert result.json["failed"] and key in result.msg
    assert "guestinfo.a" not in result.msg
    assert result.changed is True, "the other one was written"


@pytest.mark.parametrize("state", ["inaccessible", "orphaned", "disconnected", "invalid"])
def test_an_unreachable_virtual_machine_is_reported(state, healthy):
    healthy.set(healthy.facts["vm_moid"], connection=state)
    result = options(healthy, {"guestinfo.a": "1"})
    assert result.json["failed"] and state in result.msg


def test_a_suspended_virtual_machine_accepts_no_options(simulator):
    lab = simulator(personality="6.7", scenario="suspended")
    result = options(lab, {"guestinfo.a": "1"})
    assert result.kind == "conflict" and "suspended" in result.msg
    assert not options(lab, {"guestinfo.a": "1"}, state="absent").json["failed"], "nothing to do is no failure"


@pytest.mark.parametrize("by", ["name", "moid", "bios", "instance", "folder", "short folder", "datacenter"])
def test_every_way_to_identify_a_virtual_machine(by, healthy):
    facts = healthy.facts
    service = SmartConnect(
        host=facts["hostname"],
        port=facts["port"],
        user=facts["username"],
        pwd=facts["password"],
        disableSslCertValidation=True,
    )
    config = vim.VirtualMachine(facts["vm_moid"], service._stub).config
    target = {
        "name": {"name": "inner"},
        "moid": {"moid": facts["vm_moid"]},
        "bios": {"uuid": config.uuid},
        "instance": {"uuid": config.instanceUuid, "use_instance_uuid": True},
        "folder": {"name": "inner", "folder": "/Lab/vm/nested"},
        "short folder": {"name": "inner", "folder": "nested"},
        "datacenter": {"name": "inner", "datacenter": "Lab"},
    }[by]
    Disconnect(service)
    args = connection(facts) | target | {"options": {"guestinfo.a": "1"}}
    found = run_module("vmx_option", args, "--check").json["vm"]
    assert (found["moid"], found["instance_uuid"]) == (facts["vm_moid"], config.instanceUuid)
