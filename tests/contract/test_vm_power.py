"""vm_power with `state: shut_down` against the simulator, from the view of a vSphere administrator."""

from __future__ import annotations

import time

import pytest

from modules import Result, connection, interrupt_module, run_module

ASK, SWITCH = "ShutdownGuest", "PowerOffVM_Task"


def shut_down(lab, *flags: str, **more) -> Result:
    return run_module("vm_power", connection(lab.facts) | {"name": lab.facts["vm"], "state": "shut_down"} | more, *flags)


def writes(lab) -> list[str]:
    return [method for method in lab.methods() if method in {ASK, SWITCH}]


def power(lab) -> str:
    return lab.state()[lab.facts["vm_moid"]]["power"]


@pytest.mark.parametrize("personality", ["5.0", "6.7", "8.0"])
@pytest.mark.parametrize("direct", [False, True], ids=["vcenter", "esxi"])
def test_a_guest_is_shut_down_once(personality, direct, simulator):
    lab = simulator(personality=personality, scenario="healthy", direct=direct)
    foretold = shut_down(lab, "--check", "--diff")
    assert writes(lab) == [] and "Would shut down the guest" in foretold.msg
    done = shut_down(lab, "--diff")
    again = shut_down(lab)
    assert (foretold.changed, done.changed, again.changed) == (True, True, False), done.msg
    assert foretold.json["diff"] == done.json["diff"]
    assert (done.json["power_state_before"], done.json["power_state"]) == ("poweredOn", "poweredOff")
    assert "warnings" not in done.json and "already powered off" in again.msg
    assert writes(lab) == [ASK] and power(lab) == "poweredOff"


@pytest.mark.parametrize(("tools", "words"), [("not-running", "does not run"), ("ignoring", "did not shut down in time")])
def test_with_force_a_guest_that_does_not_shut_down_is_powered_off(tools, words, healthy):
    healthy.set(healthy.facts["vm_moid"], tools=tools)
    result = shut_down(healthy, force=True, timeout=4)
    assert result.changed and not result.json["failed"], result.msg
    (warning,) = result.json["warnings"]
    assert words in warning and "powering it off" in warning and result.msg.startswith("Powered off")
    assert writes(healthy) == ([SWITCH] if tools == "not-running" else [ASK, SWITCH])
    assert power(healthy) == "poweredOff" and not shut_down(healthy, force=True).changed


def test_without_tools_the_run_says_so_before_anything_is_changed(healthy):
    healthy.set(healthy.facts["vm_moid"], tools="not-running")
    result = shut_down(healthy)
    assert result.kind == "conflict" and result.changed is False
    assert "VMware Tools does not run" in result.msg and "force: true" in result.msg
    assert writes(healthy) == []
    foretold = shut_down(healthy, "--check")
    assert foretold.changed and "A real run would fail now" in foretold.json["warnings"][0]
    assert "Would shut down the guest" in foretold.msg, "without force, it is never powered off"
    forced = shut_down(healthy, "--check", force=True)
    assert "Would power off" in forced.msg and len(forced.json["warnings"]) == 1


@pytest.mark.parametrize("force", [False, True])
def test_tools_that_end_between_reading_and_asking(force, healthy):
    healthy.inject(method=ASK, fault="ToolsUnavailable")
    result = shut_down(healthy, force=force)
    assert result.changed is force and result.json["failed"] is not force
    assert "VMware Tools does not run" in result.told
    if not force:
        assert result.kind == "conflict" and result.json["error"]["fault"]["type"] == "ToolsUnavailable"
    assert writes(healthy) == ([ASK, SWITCH] if force else [ASK])


def test_a_guest_that_ignores_the_request_fails_at_the_timeout(healthy):
    healthy.set(healthy.facts["vm_moid"], tools="ignoring")
    began = time.monotonic()
    result = shut_down(healthy, timeout=2)
    assert 2 <= time.monotonic() - began < 5
    assert result.kind == "timeout" and "within 2 seconds" in result.msg and "it may still do so" in result.msg
    assert "force: true" in result.msg and writes(healthy) == [ASK]
    assert result.changed is True, "the guest was asked, and may still shut down"


def test_a_question_is_named_while_the_guest_shuts_down(healthy):
    healthy.set(healthy.facts["vm_moid"], tools="ignoring")

    def asks() -> bool:
        if ASK not in healthy.methods():
            return False
        healthy.set(healthy.facts["vm_moid"], question="The disk is full")
        return True

    args = connection(healthy.facts) | {"name": healthy.facts["vm"], "state": "shut_down", "timeout": 2}
    # Signal 0 has no effect; this only calls the condition while the module runs.
    result = interrupt_module("vm_power", args, asks, number=0)
    assert result.kind == "timeout" and "The disk is full" in result.msg


def test_a_guest_that_is_shutting_down_is_waited_for_even_if_its_tools_have_ended(simulator):
    lab = simulator(personality="6.7", scenario="healthy", task_ms=1000)
    assert shut_down(lab, timeout=1).kind == "timeout"
    lab.inject(method=ASK, fault="ToolsUnavailable")
    result = shut_down(lab)
    assert not result.json["failed"] and result.json["power_state"] == "poweredOff", result.msg


def test_a_guest_that_was_asked_although_the_reply_is_lost_is_waited_for(simulator):
    lab = simulator(personality="6.7", scenario="healthy", task_ms=300)
    lab.set(lab.facts["vm_moid"], tools="ignoring")
    lab.inject(method=ASK, how="drop")
    lost = shut_down(lab, timeout=2)
    assert lost.changed is True and "not known" in lost.msg, lost.msg
    lab.inject(method=ASK, how="drop")
    forced = shut_down(lab, timeout=4, force=True)
    assert forced.changed and not forced.json["failed"] and power(lab) == "poweredOff"


def test_a_power_off_that_is_refused_after_the_guest_was_asked_may_still_be_a_change(healthy):
    healthy.set(healthy.facts["vm_moid"], tools="ignoring")
    healthy.inject(method=SWITCH, fault="NoPermission", fields={"privilegeId": "Some.Privilege"}, times=0)
    result = shut_down(healthy, timeout=2, force=True)
    assert result.kind == "permission" and result.changed is True and "may still do so" in result.msg


@pytest.mark.parametrize("scenario", ["suspended", "off"])
def test_only_a_running_guest_shuts_down(scenario, simulator):
    lab = simulator(personality="6.7", scenario=scenario)
    result = shut_down(lab, force=True)
    assert result.changed is False and writes(lab) == []
    if scenario == "suspended":
        assert result.kind == "conflict" and "is suspended" in result.msg and "powered_on" in result.msg


@pytest.mark.parametrize(
    ("name", "args"),
    [
        ("vm_power", {"state": "powered_off"}),
        ("vm_power", {"state": "shut_down"}),
        ("vm_power", {"state": "shut_down", "force": True}),
        ("vmx_option", {"options": {"guestinfo.a": "1"}}),
        ("fault_tolerance", {"state": "present"}),
    ],
)
def test_every_module_wants_a_suspended_machine_resumed_first(name, args, simulator):
    lab = simulator(personality="6.7", scenario="suspended")
    target = connection(lab.facts) | {"name": lab.facts["vm"]}
    foretold = run_module(name, target | args, "--check")
    (warning,) = [text for text in foretold.json["warnings"] if "A real run would fail now" in text]
    assert foretold.changed and "is suspended" in warning, foretold.msg
    failed = run_module(name, target | args)
    assert failed.kind == "conflict" and failed.changed is False and "is suspended" in failed.msg
    remedy = failed.json["error"]["hint"]
    assert remedy in warning and remedy.startswith("Resume it first, with ") and "`state: powered_on`." in remedy
    assert run_module("vm_power", target | {"state": "powered_on"}).changed
    assert not run_module(name, target | args).json["failed"]


def test_the_guest_of_a_pair_is_shut_down_through_its_primary(healthy):
    protect = run_module("fault_tolerance", connection(healthy.facts) | {"name": healthy.facts["vm"]})
    refused = shut_down(healthy, name=None, moid=protect.json["secondary"]["moid"])
    assert refused.kind == "conflict" and healthy.facts["vm_moid"] in refused.msg and writes(healthy) == []
    done = shut_down(healthy)
    assert done.changed and done.json["secondaries"] == 1 and "secondary stops with it" in done.msg


def test_a_run_without_change_costs_five_requests(simulator):
    lab = simulator(personality="6.7", scenario="off", http=True)
    assert not shut_down(lab).changed and len(lab.methods()) == 5, lab.methods()
