"""fault_tolerance and vm_power against the simulator, from the view of a vSphere administrator."""

from __future__ import annotations

import pytest

from modules import connection, faults, run_module

REPLAY = {"replay.supported": "true", "replay.allowFT": "true", "replay.allowBTOnly": "true"}


def module(lab, name: str, *flags: str, **args):
    return run_module(name, connection(lab.facts) | {"name": lab.facts["vm"]} | args, *flags)


def protect(lab, state: str = "present", *flags: str, **args):
    return module(lab, "fault_tolerance", *flags, state=state, **args)


def power(lab, state: str, *flags: str):
    return module(lab, "vm_power", *flags, state=state)


def disable_streams(lab, value: int):
    hosts = {"cluster_name": lab.facts["cluster"], "options": {"Migrate.VMotionStreamDisable": value}}
    return run_module("host_option", connection(lab.facts) | hosts)


def prepare(lab) -> None:
    """The article's options, already in effect."""
    if module(lab, "vmx_option", options=REPLAY).json["needs_power_cycle"]:
        power(lab, "powered_off")
        power(lab, "powered_on")


@pytest.mark.parametrize("personality", ["5.0", "6.7", "8.0"])
@pytest.mark.parametrize(
    "steps",
    [
        # Each step: the desired state, whether it changes something, and the final state.
        [("present", True, "running"), ("present", False, "running"), ("absent", True, "notConfigured")],
        [("suspended", True, "disabled"), ("suspended", False, "disabled"), ("present", True, "running")],
        [("present", True, "running"), ("suspended", True, "disabled"), ("absent", True, "notConfigured")],
        [("absent", False, "notConfigured")],
    ],
    ids=["on-off", "suspend-resume", "on-suspend-off", "nothing"],
)
@pytest.mark.parametrize("scenario", ["healthy", "off"])
def test_the_state_transitions(personality, scenario, steps, simulator):
    lab = simulator(personality=personality, scenario=scenario)
    if personality == "5.0":
        prepare(lab)
    for wanted, changes, running_ends in steps:
        ends = "enabled" if scenario == "off" and running_ends == "running" else running_ends
        foretold = protect(lab, wanted, "--check", "--diff")
        done = protect(lab, wanted, "--diff")
        assert not done.json["failed"], done.msg
        assert (done.changed, foretold.changed) == (changes, changes)
        assert done.json["ft_state"] == foretold.json["ft_state"] == ends
        assert done.json.get("diff") == foretold.json.get("diff")
        if ends == "notConfigured":
            assert done.json["secondary"] is None
        else:
            assert done.json["secondary"]["moid"] != done.json["vm"]["moid"]
            assert done.json["engine"] == ("legacy" if personality == "5.0" else "smp")


def test_the_articles_failure_and_its_remedy(simulator):
    lab = simulator(personality="5.0", scenario="article")
    prepare(lab)
    failed = protect(lab)
    assert failed.kind == "fault" and "failed to read stream keepalive" in failed.msg
    assert failed.changed is True, "the secondary is registered, although it does not run yet"
    keys = [message["key"] for fault in faults(failed.json["error"]["fault"]) for message in fault.get("messages", [])]
    assert "vob.vmotion.stream.keepalive.read.fail" in keys

    assert disable_streams(lab, 1).changed
    assert protect(lab, "suspended").changed
    done = protect(lab)
    assert done.changed and done.json["ft_state"] == "running"
    assert not protect(lab).changed


def test_the_articles_zero_is_the_default_and_does_not_help(simulator):
    lab = simulator(personality="5.0", scenario="article")
    prepare(lab)
    assert not disable_streams(lab, 0).changed
    assert "failed to read stream keepalive" in protect(lab).msg


def test_a_powered_off_virtual_machine_is_protected_without_the_failure(simulator):
    lab = simulator(personality="5.0", scenario="article")
    power(lab, "powered_off")
    assert module(lab, "vmx_option", options=REPLAY).json["needs_power_cycle"] is False
    assert protect(lab).json["ft_state"] == "enabled"
    started = power(lab, "powered_on")
    assert started.json["secondaries"] == 1
    assert protect(lab).json["ft_state"] == "running"


def test_legacy_ft_without_the_options_names_what_is_missing(simulator):
    lab = simulator(personality="5.0", scenario="healthy")
    result = protect(lab)
    assert result.json["failed"] and result.changed is False
    assert "replay" in result.told


ANY = "Run ft_readiness for this virtual machine: it names unmet requirements, and what to do."


@pytest.mark.parametrize(
    ("host", "state", "args", "says", "hint"),
    [
        (1, {"maintenance": True}, {}, "NoHostSuitableForFtSecondary", ANY),
        (1, {"issues": ["missingFTLoggingNic"]}, {}, "NoHostSuitableForFtSecondary", ANY),
        (0, {"issues": ["haAgentIssue"]}, {}, "haAgentIssue", ANY),
        (0, {}, {"secondary_host": 0}, "IncompatibleHostForFtSecondary", ANY),
        (0, {"issues": ["missingFTLoggingNic"]}, {}, "missingFTLoggingNic", "carry Fault Tolerance logging, with vmkernel_service."),
        (0, {"issues": ["missingVMotionNic"]}, {}, "missingVMotionNic", "carry vMotion, with vmkernel_service."),
    ],
)
def test_a_refusal_says_what_to_do(host, state, args, says, hint, simulator):
    lab = simulator(personality="8.0", scenario="healthy")
    lab.set(lab.facts["host_moids"][host], **state)
    refused = protect(lab, **{name: lab.facts["hosts"][number] for name, number in args.items()})
    assert refused.kind == "fault" and says in refused.msg
    assert refused.json["error"]["hint"].endswith(hint) and refused.msg.endswith(hint)


def test_a_secondary_addressed_by_mistake_is_recognised(healthy):
    secondary = protect(healthy).json["secondary"]["moid"]
    args = connection(healthy.facts) | {"moid": secondary, "state": "suspended"}
    result = run_module("fault_tolerance", args)
    assert result.kind == "conflict" and healthy.facts["vm_moid"] in result.msg
    assert "DisableSecondaryVM_Task" not in healthy.methods()


def test_the_secondary_may_have_the_same_name(healthy):
    primary = protect(healthy).json["vm"]["moid"]
    assert protect(healthy).json["vm"]["moid"] == primary
    assert power(healthy, "powered_on").json["vm"]["moid"] == primary
    assert module(healthy, "vmx_option", "--check", options={"a.b": "1"}).json["vm"]["moid"] == primary


def test_powering_a_protected_virtual_machine_reports_its_secondary(healthy):
    protect(healthy)
    off = power(healthy, "powered_off")
    assert off.changed and off.json["secondaries"] == 1
    assert (off.json["power_state_before"], off.json["power_state"]) == ("poweredOn", "poweredOff")
    assert protect(healthy).json["ft_state"] == "enabled"


@pytest.mark.parametrize("state", ["powered_on", "powered_off"])
def test_check_mode_shows_the_diff_of_the_real_run(state, healthy):
    if state == "powered_on":
        power(healthy, "powered_off")
    foretold, done, again = (power(healthy, state, *flags) for flags in (("--check", "--diff"), ("--diff",), ()))
    assert (foretold.changed, done.changed, again.changed) == (True, True, False)
    assert foretold.json["diff"] == done.json["diff"]
    assert done.json["power_state"] == {"powered_on": "poweredOn", "powered_off": "poweredOff"}[state]


def test_a_pending_question_is_quoted(simulator):
    lab = simulator(personality="6.7", scenario="off")
    lab.set(lab.facts["vm_moid"], question="msg.uuid.altered: moved or copied?")
    result = power(lab, "powered_on")
    assert result.kind == "conflict" and "moved or copied" in result.msg


def test_without_waiting_the_run_ends_when_the_change_is_accepted(simulator):
    lab = simulator(personality="6.7", scenario="slow")
    result = protect(lab, wait=False)
    assert result.changed and not result.json["failed"], result.msg
    assert result.json["ft_state"] in {"needSecondary", "starting"}
    assert not protect(lab, wait=False).changed


def test_waiting_for_somebody_elses_change_is_no_change(simulator):
    lab = simulator(personality="6.7", scenario="healthy", task_ms=300)
    assert protect(lab, wait=False).changed
    waited = protect(lab)
    assert not waited.changed and waited.json["ft_state"] == "running"


def test_a_power_cycle_needs_permission(simulator):
    lab = simulator(personality="5.0", scenario="healthy")
    assert module(lab, "vmx_option", options=REPLAY).json["needs_power_cycle"] is True
    refused = protect(lab)
    assert refused.json["failed"] and "allow_power_cycle" in refused.told
    assert "PowerOffVM_Task" not in lab.methods()
    done = protect(lab, allow_power_cycle=True)
    assert done.changed and done.json["ft_state"] == "running", done.msg
    assert done.json["vm"]["power_state"] == "poweredOn"


@pytest.mark.parametrize(
    ("placement", "words"),
    [({"secondary_host": "esxi03.lab.local"}, ["esxi03.lab.local"]), ({"datastore": "shared02"}, ["shared02"])],
)
def test_missing_places_for_the_secondary(placement, words, healthy):
    result = protect(healthy, **placement)
    assert result.kind == "not_found" and result.changed is False
    for word in words:
        assert word in result.msg
    assert "CreateSecondaryVMEx_Task" not in healthy.methods()


@pytest.mark.parametrize("personality", ["6.7", "8.0"])
def test_existing_places_for_the_secondary(personality, simulator):
    lab = simulator(personality=personality, scenario="healthy")
    placement = {"secondary_host": lab.facts["hosts"][1], "datastore": "shared01"}
    assert protect(lab, "present", "--check", **placement).changed
    assert protect(lab, **placement).json["ft_state"] == "running"
    assert not protect(lab, **placement).changed


def test_an_orphaned_secondary_is_reported(healthy):
    secondary = protect(healthy).json["secondary"]["moid"]
    healthy.set(secondary, orphaned=True)
    args = connection(healthy.facts) | {"moid": secondary, "state": "absent"}
    result = run_module("fault_tolerance", args)
    assert result.json["failed"] and "orphaned" in result.msg
