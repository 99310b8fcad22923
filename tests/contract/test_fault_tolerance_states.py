"""fault_tolerance: encryption, and states that last: a secondary that starts, one that is lost, and its host."""

from __future__ import annotations

import json
import subprocess
import time

import pytest

from modules import binary, connection, environment, run_module

WRITES = {"ReconfigVM_Task", "CreateSecondaryVMEx_Task", "DisableSecondaryVM_Task", "TurnOffFaultToleranceForVM_Task"}


def protect(lab, state: str = "present", *flags: str, **args):
    target = connection(lab.facts) | {"name": lab.facts["vm"], "state": state}
    return run_module("fault_tolerance", target | args, *flags)


def vm(lab, **state):
    lab.set(lab.facts["vm_moid"], **state)


def second_host(lab, **state):
    lab.set(lab.facts["host_moids"][1], **state)


def writes(lab) -> list[str]:
    return [method for method in lab.methods() if method in WRITES]


@pytest.fixture
def modern(simulator):
    """An 8.0 lab in which nothing fails."""
    return simulator(personality="8.0", scenario="healthy")


@pytest.mark.parametrize("state", ["present", "suspended"])
def test_encryption_is_set_before_fault_tolerance_is_turned_on(state, modern):
    foretold = protect(modern, state, "--check", "--diff", encryption="required")
    done = protect(modern, state, "--diff", encryption="required")
    assert foretold.changed and done.changed, done.msg
    assert foretold.json["diff"] == done.json["diff"]
    assert foretold.json["encryption"] == done.json["encryption"] == "required"
    assert writes(modern)[:2] == ["ReconfigVM_Task", "CreateSecondaryVMEx_Task"]
    assert not protect(modern, state, encryption="required").changed


def test_the_encryption_that_is_there_is_not_written(modern):
    assert protect(modern, "absent").json["encryption"] == "opportunistic", "the default of vSphere"
    assert protect(modern, encryption="opportunistic").changed
    assert writes(modern) == ["CreateSecondaryVMEx_Task"]


@pytest.mark.parametrize("state", ["present", "suspended"])
def test_encryption_changes_only_while_fault_tolerance_is_off(state, modern):
    protect(modern)
    modern.clear_log()
    refused = protect(modern, state, encryption="disabled")
    assert refused.kind == "conflict" and refused.changed is False and writes(modern) == []
    assert "is opportunistic, and can only change to disabled while Fault Tolerance is off" in refused.msg
    assert "`state: absent`" in refused.msg
    # The advice works, and turning it off does not care for the encryption.
    assert protect(modern, "absent", encryption="disabled").changed
    assert protect(modern, state, encryption="disabled").json["encryption"] == "disabled"


@pytest.mark.parametrize("how", [{"encrypted": True}, {"added_devices": ["VirtualTPM"]}])
def test_an_encrypted_virtual_machine_is_always_required(how, modern):
    vm(modern, **how)
    refused = protect(modern, encryption="disabled")
    assert refused.kind == "conflict" and "is an encrypted virtual machine" in refused.msg
    assert "`encryption: required`" in refused.msg and writes(modern) == []
    assert protect(modern, encryption="required").json["encryption"] == "required"
    assert writes(modern) == ["CreateSecondaryVMEx_Task"]


@pytest.mark.parametrize("personality", ["5.0", "6.7"])
def test_encryption_needs_a_release_that_has_it(personality, simulator):
    lab = simulator(personality=personality, scenario="healthy")
    refused = protect(lab, encryption="required")
    assert refused.kind == "unsupported" and "7.0 Update 2 (API 7.0.2.0)" in refused.msg and personality in refused.msg
    assert writes(lab) == [] and protect(lab, "absent", encryption="required").json["encryption"] is None


def test_an_encryption_that_is_silently_ignored_keeps_fault_tolerance_off(modern):
    modern.inject(method="ReconfigVM_Task", how="silent")
    failed = protect(modern, encryption="required", timeout=2)
    assert failed.kind == "fault" and failed.changed is False and "did not take effect" in failed.msg
    assert writes(modern) == ["ReconfigVM_Task"]
    assert failed.json["encryption"] == "opportunistic"


def test_what_was_written_before_a_failure_counts(modern):
    modern.inject(method="CreateSecondaryVMEx_Task", fault="InvalidState")
    failed = protect(modern, encryption="required")
    assert failed.json["failed"] and failed.changed is True
    assert "; the Fault Tolerance encryption of inner is now required" in failed.msg
    assert protect(modern, encryption="required").json["ft_state"] == "running"


def test_turning_off_waits_until_the_secondary_has_started(simulator):
    lab = simulator(personality="6.7", scenario="healthy", task_ms=1200)
    assert protect(lab, wait=False).json["ft_state"] == "starting"
    foretold = protect(lab, "absent", "--check")
    done = protect(lab, "absent")
    assert foretold.changed and done.changed, done.msg
    assert foretold.json["ft_state"] == done.json["ft_state"] == "notConfigured"


def test_turning_off_fails_at_the_deadline_while_the_secondary_is_starting(simulator):
    lab = simulator(personality="6.7", scenario="slow")
    protect(lab, wait=False)
    began = time.monotonic()
    late = protect(lab, "absent", timeout=3)
    assert 3 <= time.monotonic() - began < 5
    assert late.kind == "timeout" and late.changed is False and "TurnOffFaultToleranceForVM_Task" not in lab.methods()
    assert "is starting" in late.msg and "after 3 s" in late.msg and "longer `timeout`" in late.msg


@pytest.mark.parametrize("busy", [False, True])
def test_turning_off_reads_the_host_of_the_secondary_once_while_it_waits(busy, simulator, monkeypatch, tmp_path):
    monkeypatch.setenv("SIM_RECORD", str(tmp_path))
    lab = simulator(personality="6.7", scenario="healthy" if busy else "slow")
    protect(lab, wait=False)
    if busy:
        lab.settle()
        lab.inject(method="TurnOffFaultToleranceForVM_Task", fault="TaskInProgress", times=0)
    lab.clear_log()
    assert protect(lab, "absent", timeout=2).changed is False
    requests = "".join(file.read_text() for file in tmp_path.iterdir())
    assert requests.count("runtime.inMaintenanceMode</pathSet>") == 1, lab.methods()
    assert lab.methods().count("RetrievePropertiesEx") > 3, "it polled"


@pytest.mark.parametrize(
    ("trouble", "words"),
    [
        ({"maintenance": True}, "is in maintenance mode"),
        ({"connection": "disconnected"}, "is disconnected"),
        ({"connection": "notResponding"}, "is not responding"),
    ],
)
def test_the_host_of_the_secondary_prevents_turning_off(trouble, words, simulator):
    lab = simulator(personality="6.7", scenario="healthy", hosts=3)
    protect(lab, secondary_host=lab.facts["hosts"][1])
    second_host(lab, **trouble)
    lab.clear_log()
    foretold = protect(lab, "absent", "--check")
    refused = protect(lab, "absent")
    assert refused.kind == "conflict" and refused.changed is False and writes(lab) == []
    for told in (refused.msg, " ".join(foretold.json["warnings"])):
        assert f"{lab.facts['hosts'][1]}, which {words}" in told and "`state: suspended`, resume it" in told
    # The advice works.
    for state, ends in [("suspended", "disabled"), ("present", "running"), ("absent", "notConfigured")]:
        done = protect(lab, state)
        assert done.changed and done.json["ft_state"] == ends, done.msg


def test_a_suspended_pair_is_only_resumed_before_it_is_turned_off(healthy):
    vm(healthy, ft_state="disabled")
    second_host(healthy, maintenance=True)
    refused = protect(healthy, "absent")
    assert "Resume it with `state: present`" in refused.msg and "`state: suspended`" not in refused.msg


def lost(lab) -> None:
    """The secondary is gone with its host."""
    vm(lab, ft_state="running")
    vm(lab, ft_state="needSecondary")
    vm(lab, ft_reason="lostConnection")
    second_host(lab, connection="notResponding")


@pytest.mark.parametrize("caller", [(), ("dsc", "set")])
def test_a_lost_secondary_is_a_warning_at_once(caller, simulator):
    lab = simulator(personality="6.7", scenario="healthy")
    lost(lab)
    args = connection(lab.facts) | {"name": lab.facts["vm"], "state": "present", "timeout": 30}
    child = subprocess.Popen(
        [binary("fault_tolerance"), *caller],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(),
    )
    began = time.monotonic()
    child.stdin.write(json.dumps(args).encode())
    child.stdin.close()
    child.stdin = None
    first = child.stderr.readline().decode()
    assert time.monotonic() - began < 1
    vm(lab, ft_state="running")
    stdout, stderr = child.communicate(timeout=30)
    told = json.loads(first)["warn"] if caller else first
    for words in ["no secondary (lostConnection)", f"{lab.facts['hosts'][1]}, is not responding", " UTC (30 s)"]:
        assert words in told
    assert child.returncode == 0
    result = json.loads(stdout.splitlines()[0])
    if caller:
        assert result["state"] == "present" and b'"warn"' not in stderr, "the warning comes once"
    else:
        assert result["changed"] is False and told.strip() in result["warnings"]


@pytest.mark.parametrize("reason", ["initializing", "userAction"])
def test_a_secondary_that_is_about_to_start_is_no_warning(reason, healthy):
    vm(healthy, ft_state="needSecondary")
    vm(healthy, ft_reason=reason)
    assert "warnings" not in protect(healthy, timeout=1).json


@pytest.mark.parametrize("args", [{}, {"state": "absent"}])
def test_a_busy_virtual_machine_is_waited_for_until_the_timeout(args, simulator):
    lab = simulator(personality="6.7", scenario="healthy")
    if args:
        vm(lab, ft_state="running")
    method = "TurnOffFaultToleranceForVM_Task" if args else "CreateSecondaryVMEx_Task"
    lab.inject(method=method, fault="TaskInProgress", times=0)
    began = time.monotonic()
    late = protect(lab, **args, timeout=3)
    assert 3 <= time.monotonic() - began < 4.5
    assert late.kind == "conflict" and late.changed is False and "after 3 s" in late.msg
