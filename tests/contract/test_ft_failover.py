"""ft_failover against the simulator, from the view of a vSphere administrator."""

from __future__ import annotations

import pytest

from modules import Result, connection, interrupt_module, run_module

WRITES = {"test_failover": "MakePrimaryVM_Task", "restart_secondary": "TerminateFaultTolerantVM_Task"}
every_action = pytest.mark.parametrize("action", WRITES)


def act(lab, action: str, *flags: str, **more) -> Result:
    target = {} if "moid" in more else {"name": lab.facts["vm"]}
    return run_module("ft_failover", connection(lab.facts) | target | {"action": action} | more, *flags)


def pair_up(lab, state: str = "running") -> str:
    """Protects the virtual machine and returns the moid of its secondary."""
    lab.set(lab.facts["vm_moid"], ft_state=state)
    return lab.state()[lab.facts["vm_moid"]]["peer"]


def protected(simulator, personality: str = "6.7", scenario: str = "healthy", **flags):
    lab = simulator(personality=personality, scenario=scenario, **flags)
    return lab, lab.facts["vm_moid"], pair_up(lab)


def places(result: Result) -> list[str | None]:
    names = ("primary_before", "secondary_before", "primary", "secondary")
    return [result.json[name] and result.json[name]["moid"] for name in names]


@pytest.mark.parametrize("personality", ["5.0", "6.7", "8.0"])
def test_a_test_failover_swaps_the_roles_and_ends_protected(personality, simulator):
    lab, first, second = protected(simulator, personality)
    foretold = act(lab, "test_failover", "--check", "--diff")
    assert "MakePrimaryVM_Task" not in lab.methods()
    done = act(lab, "test_failover", "--diff")
    assert foretold.changed and done.changed, done.msg
    assert foretold.json["diff"] == done.json["diff"]
    assert places(foretold) == places(done) == [first, second, second, first]
    assert (done.json["ft_state_before"], done.json["ft_state"]) == ("running", "running")
    assert done.json["vm"]["moid"] == second
    before = {done.json[f"{half}_before"]["host"] for half in ("primary", "secondary")}
    assert before == {done.json[half]["host"] for half in ("primary", "secondary")} == set(lab.facts["hosts"])
    assert lab.state()[first]["secondary"] and not lab.state()[second]["secondary"]
    # The name now finds the new primary. Every run acts.
    back = act(lab, "test_failover")
    assert back.changed and places(back) == [second, first, first, second]


@pytest.mark.parametrize("personality", ["5.0", "6.7", "8.0"])
@pytest.mark.parametrize("task_ms", [0, 300])
def test_a_restarted_secondary_keeps_the_roles_and_ends_protected(personality, task_ms, simulator):
    lab, first, second = protected(simulator, personality, task_ms=task_ms)
    foretold = act(lab, "restart_secondary", "--check", "--diff")
    assert "TerminateFaultTolerantVM_Task" not in lab.methods()
    done = act(lab, "restart_secondary", "--diff")
    assert foretold.changed and done.changed, done.msg
    assert foretold.json["diff"] == done.json["diff"]
    assert places(foretold) == places(done) == [first, second, first, second]
    assert done.json["ft_state"] == "running" and lab.state()[first]["ft_state"] == "running"
    assert "warnings" not in done.json, "the start time shows the restart"


def test_a_restart_without_visible_effect_is_a_warning(healthy):
    pair_up(healthy)
    healthy.inject(method="TerminateFaultTolerantVM_Task", how="silent")
    result = act(healthy, "restart_secondary", timeout=5)
    assert result.changed and not result.json["failed"], result.msg
    (warning,) = result.json["warnings"]
    assert "runtime.bootTime" in warning and "no restart showed" in warning
    assert "was restarted" not in result.msg


def test_waits_for_a_restart_that_shows_late(healthy):
    """After the task has ended, the old state and start time remain visible for a while."""
    first, _ = healthy.facts["vm_moid"], pair_up(healthy)
    healthy.inject(method="TerminateFaultTolerantVM_Task", how="silent")

    def shows() -> bool:
        asked = [line["method"] for line in healthy.log()]
        if "TerminateFaultTolerantVM_Task" not in asked:
            return False
        # This many polls take more than three seconds.
        if len(asked) - asked.index("TerminateFaultTolerantVM_Task") < 10:
            return False
        healthy.set(first, ft_state="needSecondary")
        healthy.set(first, ft_state="running")
        return True

    args = connection(healthy.facts) | {"name": healthy.facts["vm"], "action": "restart_secondary"}
    # Signal 0 has no effect; this only calls the condition while the module runs.
    result = interrupt_module("ft_failover", args, shows, number=0)
    assert not result.json["failed"] and "warnings" not in result.json, result.json


@every_action
@pytest.mark.parametrize(
    ("state", "words"),
    [
        ("notConfigured", ["notConfigured", "fault_tolerance"]),
        ("disabled", ["disabled", "Resume"]),
        ("needSecondary", ["needSecondary", "Wait"]),
        ("starting", ["starting", "Wait"]),
    ],
)
def test_only_a_running_pair_is_acted_upon(action, state, words, healthy):
    healthy.set(healthy.facts["vm_moid"], ft_state=state)
    result = act(healthy, action)
    assert result.kind == "conflict" and result.changed is False
    for word in words:
        assert word in result.msg
    foretold = act(healthy, action, "--check")
    assert not foretold.json["failed"] and state in foretold.json["warnings"][0]
    assert "none" not in foretold.msg
    assert WRITES[action] not in healthy.methods()


@every_action
def test_a_secondary_addressed_by_mistake_names_its_primary(action, healthy):
    second = pair_up(healthy)
    result = act(healthy, action, moid=second)
    assert result.kind == "conflict" and healthy.facts["vm_moid"] in result.msg
    assert WRITES[action] not in healthy.methods()


@every_action
def test_without_ha_nothing_is_attempted(action, simulator):
    lab, _, _ = protected(simulator, scenario="ha-off")
    result = act(lab, action)
    assert result.kind == "conflict" and "HA is off" in result.msg and lab.facts["cluster"] in result.msg
    assert WRITES[action] not in lab.methods()


@every_action
@pytest.mark.parametrize(("how", "fault"), [("fault", "NotSupported"), ("task-error", "FaultToleranceVmNotDasProtected")])
def test_a_rejection_without_ha_is_explained(action, how, fault, healthy):
    pair_up(healthy)
    healthy.inject(method=WRITES[action], how=how, fault=fault)
    result = act(healthy, action)
    assert result.json["failed"] and result.changed is False
    assert "vSphere HA" in result.msg and healthy.facts["cluster"] in result.msg
    assert result.json["error"]["fault"]["type"] == fault


@every_action
@pytest.mark.parametrize("how", ["fault", "task-error"])
def test_a_rejected_action_is_not_a_change(action, how, healthy):
    pair_up(healthy)
    healthy.inject(method=WRITES[action], how=how, fault="SecondaryVmNotRegistered")
    result = act(healthy, action)
    assert result.kind == "fault" and result.changed is False
    assert result.json["error"]["fault"]["type"] == "SecondaryVmNotRegistered"
    assert act(healthy, action).json["ft_state"] == "running"


@every_action
def test_waits_for_a_busy_pair(action, healthy):
    pair_up(healthy)
    healthy.inject(method=WRITES[action], fault="FailToLockFaultToleranceVMs")
    assert act(healthy, action).json["ft_state"] == "running"
    assert healthy.methods().count(WRITES[action]) == 2


@every_action
@pytest.mark.parametrize("ending", ["signal", "timeout"])
def test_the_wait_for_a_secondary_that_does_not_start_ends(action, ending, simulator):
    lab, first, _ = protected(simulator, scenario="slow")
    args = connection(lab.facts) | {"name": lab.facts["vm"], "action": action}
    if ending == "signal":
        result = interrupt_module("ft_failover", args, lambda: lab.state()[first]["ft_state"] == "starting")
        assert result.kind == "interrupted"
    else:
        result = run_module("ft_failover", args | {"timeout": 2})
        assert result.kind == "timeout" and "starting" in result.msg
    assert result.changed is True, "vSphere acted"
    assert result.json["ft_state"] == "starting"


@every_action
def test_a_signal_after_the_task_was_accepted_reports_a_change(action, simulator):
    lab, _, _ = protected(simulator, task_ms=4000)
    args = connection(lab.facts) | {"name": lab.facts["vm"], "action": action}
    result = interrupt_module("ft_failover", args, lambda: WRITES[action] in lab.methods())
    assert result.kind == "interrupted" and result.changed is True


def test_an_accepted_failover_without_effect_is_a_failure(healthy):
    first, second = healthy.facts["vm_moid"], pair_up(healthy)
    healthy.inject(method="MakePrimaryVM_Task", how="silent")
    result = act(healthy, "test_failover", timeout=2)
    assert result.kind == "timeout" and "the roles as before" in result.msg
    assert places(result) == [first, second, first, second]


def test_a_failover_with_a_lost_task_is_detected_by_the_roles(healthy):
    first, second = healthy.facts["vm_moid"], pair_up(healthy)
    healthy.inject(method="MakePrimaryVM_Task", how="task-vanishes")
    result = act(healthy, "test_failover")
    assert result.changed and not result.json["failed"], result.msg
    assert places(result) == [first, second, second, first]


def test_a_restart_with_a_lost_task_is_detected_by_the_secondary(healthy):
    first, second = healthy.facts["vm_moid"], pair_up(healthy)
    healthy.inject(method="TerminateFaultTolerantVM_Task", how="task-vanishes")
    result = act(healthy, "restart_secondary")
    assert result.changed and not result.json["failed"], result.msg
    assert places(result) == [first, second, first, second] and "warnings" not in result.json
    assert healthy.methods().count("TerminateFaultTolerantVM_Task") == 1


@pytest.mark.parametrize("blind", ["times out", "cannot look"])
def test_a_restart_with_unknown_outcome_warns_against_a_repetition(blind, simulator):
    lab, _, _ = protected(simulator, task_ms=4000)
    args = connection(lab.facts) | {"name": lab.facts["vm"], "action": "restart_secondary", "timeout": 2}

    def stop_looking() -> bool:
        if WRITES["restart_secondary"] not in lab.methods():
            return False
        if blind == "cannot look":
            lab.inject(method="RetrievePropertiesEx", how="http500", times=0)
        return True

    # Signal 0 has no effect; this only calls the condition while the module runs.
    result = interrupt_module("ft_failover", args, stop_looking, number=0)
    assert result.json["failed"] and result.changed is True
    assert "not known" in result.msg and "always acts" in result.json["error"]["hint"]


@every_action
def test_an_expired_session_does_not_repeat_the_action(action, healthy):
    pair_up(healthy)
    healthy.inject(method=WRITES[action], how="expire-session")
    assert act(healthy, action).json["ft_state"] == "running"
    assert healthy.methods().count(WRITES[action]) == 2, "one call was rejected, one succeeded"


def test_a_transient_server_failure_does_not_end_the_wait(simulator):
    lab, first, second = protected(simulator, task_ms=300)
    lab.inject(method="RetrievePropertiesEx", how="drop", after=6, times=2)
    result = act(lab, "test_failover")
    assert places(result) == [first, second, second, first], result.msg


def test_a_lost_secondary_is_reported(simulator):
    lab, first, _ = protected(simulator, scenario="slow")

    def suspend_it() -> bool:
        if lab.state()[first]["ft_state"] != "starting":
            return False
        primary = next(moid for moid, vm in lab.state().items() if vm["peer"] and not vm["secondary"])
        lab.set(primary, ft_state="disabled")
        return True

    args = connection(lab.facts) | {"name": lab.facts["vm"], "action": "restart_secondary"}
    # Signal 0 has no effect; this only calls the condition while the module runs.
    result = interrupt_module("ft_failover", args, suspend_it, number=0)
    assert result.kind == "fault" and "suspended Fault Tolerance" in result.msg
    assert result.changed is True and result.json["ft_state"] == "disabled"


@pytest.mark.parametrize("personality", ["5.0", "6.7"])
def test_an_esxi_host_without_vcenter(personality, simulator):
    lab = simulator(personality=personality, scenario="healthy", direct=True)
    result = act(lab, "test_failover")
    assert result.kind == "unsupported" and "vCenter" in result.msg


@pytest.mark.parametrize(
    ("args", "words"),
    [({"action": "failover"}, ["failover", "test_failover"]), ({"action": None}, ["action"]), ({"state": "present"}, ["state"])],
)
def test_invalid_actions_are_rejected(args, words, healthy):
    target = {"name": healthy.facts["vm"], "action": "test_failover"}
    result = run_module("ft_failover", connection(healthy.facts) | target | args)
    assert result.kind == "invalid_arguments"
    for word in words:
        assert word in result.msg
    assert healthy.methods() == []


def test_requests_before_an_action(healthy):
    pair_up(healthy)
    healthy.clear_log()
    assert act(healthy, "test_failover", "--check").changed
    assert len(healthy.methods()) == 6, healthy.methods()
