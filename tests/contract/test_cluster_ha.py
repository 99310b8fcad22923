"""cluster_ha against the lab: what a vSphere administrator sees of it."""

from __future__ import annotations

import pytest

from modules import Result, connection, interrupt_module, run_module
from relay import relay

WRITE = "ReconfigureComputeResource_Task"
FDM = {"master", "connectedToMaster"}


def ha(lab, state: str | None, /, *flags: str, **more) -> Result:
    wish = {} if state is None else {"state": state}
    args = connection(lab.facts) | {"cluster_name": lab.facts["cluster"]} | wish | more
    return run_module("cluster_ha", args, *flags)


@pytest.mark.parametrize("personality", ["5.0", "6.7", "8.0"])
def test_ha_is_turned_off_and_on_and_stays_so(personality, simulator):
    lab = simulator(personality=personality, scenario="healthy")
    for state in ("disabled", "enabled"):
        foretold = ha(lab, state, "--check", "--diff")
        done = ha(lab, state, "--diff")
        again = ha(lab, state, "--diff")
        assert (foretold.changed, done.changed, again.changed) == (True, True, False), done.msg
        assert foretold.json["diff"] == done.json["diff"] and "diff" not in again.json
        on = state == "enabled"
        assert (done.json["enabled_before"], done.json["enabled"], again.json["enabled"]) == (not on, on, on)
        assert done.json["cluster"] == {"name": lab.facts["cluster"], "moid": lab.facts["cluster_moid"]}
        assert [agent["host"] for agent in done.json["agents"]] == sorted(lab.facts["hosts"])
        for agent in again.json["agents"]:
            assert agent["healthy"] == (None if agent["state"] is None else agent["state"] in FDM)


def test_ha_is_on_unless_it_is_said_otherwise(simulator):
    lab = simulator(personality="6.7", scenario="ha-off")
    assert ha(lab, None).changed and not ha(lab, "enabled").changed
    protected = run_module("fault_tolerance", connection(lab.facts) | {"name": lab.facts["vm"]})
    assert protected.json["ft_state"] == "running", protected.msg


def test_only_what_is_named_and_differs_is_sent(simulator):
    lab = simulator(personality="6.7", scenario="ha-off", http=True)
    sent = []
    with relay(lab.facts["port"], before=sent.append) as (port, _):
        ha(lab, "enabled", port=port)
        ha(lab, "enabled", port=port, admission_control=True, host_monitoring=True)
    writes = [body.decode() for body in sent if WRITE.encode() in body]
    assert len(writes) == 1, "admission control and monitoring are on already"
    assert "<dasConfig><enabled>true</enabled></dasConfig></spec><modify>true</modify>" in writes[0]


def test_settings_are_foretold_each_for_itself(healthy):
    for wish in ({"admission_control": False}, {"host_monitoring": False}, {"admission_control": False, "host_monitoring": False}):
        foretold = ha(healthy, "enabled", "--check", **wish)
        assert foretold.changed and "Would change settings" in foretold.msg
        for name in ("admission_control", "host_monitoring"):
            assert foretold.json[f"{name}_before"] is True
            assert foretold.json[name] is wish.get(name, True)
        assert foretold.json["enabled_before"] is foretold.json["enabled"] is True
    assert WRITE not in healthy.methods()


def test_a_run_that_changes_nothing_costs_five_requests(healthy):
    for wish in ({}, {"admission_control": True, "host_monitoring": "yes"}):
        healthy.clear_log()
        assert not ha(healthy, "enabled", **wish).changed
        assert len(healthy.methods()) == 5, healthy.methods()


def test_turning_it_off_while_fault_tolerance_protects_something_warns(healthy):
    assert "warnings" not in ha(healthy, "disabled", "--check").json
    healthy.set(healthy.facts["vm_moid"], ft_state="running")
    result = ha(healthy, "disabled")
    assert result.changed and result.json["enabled"] is False
    assert len(result.json["warnings"]) == 1 and healthy.facts["vm"] in result.json["warnings"][0]


@pytest.mark.parametrize(
    ("target", "kind", "words"),
    [
        ({"cluster_name": "Clustre"}, "not_found", ["Clustre", "Cluster"]),
        ({"datacenter": "Lap"}, "not_found", ["Lap", "Lab"]),
        ({"admission_control": "perhaps"}, "invalid_arguments", ["admission_control", "perhaps"]),
        ({"state": "present"}, "invalid_arguments", ["state", "enabled", "disabled"]),
        ({"cluster_name": None}, "invalid_arguments", ["cluster_name"]),
    ],
)
def test_mistakes_and_the_sentence_that_each_gets(target, kind, words, healthy):
    result = ha(healthy, None, **target)
    assert result.kind == kind and result.changed is False
    for word in words:
        assert word in result.told
    assert WRITE not in healthy.methods()


def test_a_cluster_may_be_told_by_its_datacenter(healthy):
    assert not ha(healthy, "enabled", datacenter="Lab").changed
    assert not ha(healthy, "enabled", datacenter="/Lab").changed


@pytest.mark.parametrize("personality", ["5.0", "8.0"])
def test_an_esxi_host_has_no_clusters(personality, simulator):
    lab = simulator(personality=personality, scenario="healthy", direct=True)
    result = ha(lab, "enabled", cluster_name="Cluster")
    assert result.kind == "unsupported" and "vCenter" in result.msg and result.changed is False


def test_a_task_that_fails_carries_its_fault(healthy):
    healthy.inject(method=WRITE, how="task-error", fault="InsufficientHostCapacityFault", message="too few hosts")
    result = ha(healthy, "disabled")
    assert result.kind == "fault" and result.changed is False
    assert "too few hosts" in result.msg and healthy.facts["cluster"] in result.msg
    assert result.json["error"]["fault"]["type"] == "InsufficientHostCapacityFault"
    assert ha(healthy, "disabled").changed


def test_another_task_on_the_cluster_is_waited_for(healthy):
    healthy.inject(method=WRITE, fault="TaskInProgress")
    assert ha(healthy, "disabled").changed
    assert healthy.methods().count(WRITE) == 2


def test_a_change_that_is_accepted_and_not_made_is_a_failure(healthy):
    healthy.inject(method=WRITE, how="silent")
    result = ha(healthy, "disabled")
    assert result.kind == "fault" and "dasConfig.enabled" in result.msg and result.changed is False


@pytest.mark.parametrize("ending", ["signal", "timeout"])
def test_a_task_that_outlives_the_run_is_told_as_a_change(ending, simulator):
    lab = simulator(personality="6.7", scenario="healthy", task_ms=4000)
    args = connection(lab.facts) | {"cluster_name": lab.facts["cluster"], "state": "disabled"}
    if ending == "signal":
        result = interrupt_module("cluster_ha", args, lambda: WRITE in lab.methods())
        assert result.kind == "interrupted"
    else:
        result = run_module("cluster_ha", args | {"timeout": 1})
        assert result.kind == "timeout"
    assert result.changed is True
