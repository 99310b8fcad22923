"""cluster_ha against the simulator, from the view of a vSphere administrator."""

from __future__ import annotations

import pytest

import faults.judge
from modules import Result, connection, interrupt_module, run_module
from relay import relay

WRITE = "ReconfigureComputeResource_Task"
FDM = {"master", "connectedToMaster"}


def ha(lab, state: str | None, /, *flags: str, **more) -> Result:
    wish = {} if state is None else {"state": state}
    args = connection(lab.facts) | {"cluster_name": lab.facts["cluster"]} | wish | more
    return run_module("cluster_ha", args, *flags)


@pytest.mark.parametrize("personality", ["5.0", "6.7", "8.0"])
def test_ha_is_turned_off_and_on_once(personality, simulator):
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


def test_ha_is_enabled_by_default(simulator):
    lab = simulator(personality="6.7", scenario="ha-off")
    assert ha(lab, None).changed and not ha(lab, "enabled").changed
    protected = run_module("fault_tolerance", connection(lab.facts) | {"name": lab.facts["vm"]})
    assert protected.json["ft_state"] == "running", protected.msg


def test_only_named_settings_that_differ_are_sent(simulator):
    lab = simulator(personality="6.7", scenario="ha-off", http=True)
    sent = []
    with relay(lab.facts["port"], before=sent.append) as (port, _):
        ha(lab, "enabled", port=port)
        ha(lab, "enabled", port=port, admission_control=True, host_monitoring=True)
    writes = [body.decode() for body in sent if WRITE.encode() in body]
    assert len(writes) == 1, "admission control and monitoring are on already"
    assert "<dasConfig><enabled>true</enabled></dasConfig></spec><modify>true</modify>" in writes[0]


def test_each_setting_is_predicted_separately(healthy):
    for wish in ({"admission_control": False}, {"host_monitoring": False}, {"admission_control": False, "host_monitoring": False}):
        foretold = ha(healthy, "enabled", "--check", **wish)
        assert foretold.changed and "Would change settings" in foretold.msg
        for name in ("admission_control", "host_monitoring"):
            assert foretold.json[f"{name}_before"] is True
            assert foretold.json[name] is wish.get(name, True)
        assert foretold.json["enabled_before"] is foretold.json["enabled"] is True
    assert WRITE not in healthy.methods()


def test_a_run_without_change_costs_five_requests(healthy):
    for wish in ({}, {"admission_control": True, "host_monitoring": "yes"}):
        healthy.clear_log()
        assert not ha(healthy, "enabled", **wish).changed
        assert len(healthy.methods()) == 5, healthy.methods()


def options_and_overrides(lab) -> tuple[dict, dict]:
    """Reads the advanced options and the restart priorities of the cluster with pyvmomi."""
    cluster = faults.judge.read_state(lab.facts)["clusters"][lab.facts["cluster_moid"]]
    return cluster["options"], cluster["overrides"]


@pytest.mark.parametrize("personality", ["5.0", "6.7", "8.0"])
def test_only_named_options_are_set_and_removed(personality, simulator):
    lab = simulator(personality=personality, scenario="healthy")
    lab.set(lab.facts["cluster_moid"], das_options={"das.ignoreRedundantNetWarning": "false", "das.old": "x", "das.kept": "x"})
    # The name of the first differs in case from the existing one.
    wish = {"advanced_options": {"das.IgnoreRedundantNetWarning": True, "das.new": 5, "das.old": "", "das.none": None}}
    foretold, done, again = ha(lab, None, "--check", "--diff", **wish), ha(lab, None, "--diff", **wish), ha(lab, None, **wish)
    assert (foretold.changed, done.changed, again.changed) == (True, True, False), done.msg
    assert foretold.json["diff"] == done.json["diff"] and foretold.json["advanced_options"] == done.json["advanced_options"]
    assert done.json["advanced_options"] == [
        {"key": "das.ignoreRedundantNetWarning", "before": "false", "after": "true"},
        {"key": "das.new", "before": None, "after": "5"},
        {"key": "das.none", "before": None, "after": None},
        {"key": "das.old", "before": "x", "after": None},
    ]
    options = {"das.ignoreRedundantNetWarning": "true", "das.new": "5", "das.kept": "x"}
    assert options_and_overrides(lab)[0] == options
    assert ha(lab, None, advanced_settings={"das.new": "6"}).changed, "the name in vmware.vmware"
    assert options_and_overrides(lab)[0] == options | {"das.new": "6"}


@pytest.mark.parametrize("personality", ["5.0", "6.7", "8.0"])
def test_only_named_restart_priorities_are_set(personality, simulator):
    lab = simulator(personality=personality, scenario="healthy")
    name, moid = lab.facts["vm"], lab.facts["vm_moid"]
    lab.set(lab.facts["cluster_moid"], vm_overrides={"vm-64": "high"})
    for vm, priority, before, word in [
        (name, "disabled", "cluster", "disabled"),
        (moid, "low", "disabled", "low"),
        (name, "cluster", "low", "clusterRestartPriority"),
    ]:
        wish = {"vm_restart_priority": {vm: priority}}
        foretold, done, again = ha(lab, None, "--check", "--diff", **wish), ha(lab, None, "--diff", **wish), ha(lab, None, **wish)
        assert (foretold.changed, done.changed, again.changed) == (True, True, False), done.msg
        assert foretold.json["diff"] == done.json["diff"]
        told = {"name": name, "moid": moid, "before": before, "after": priority}
        assert done.json["vm_restart_priority"] == foretold.json["vm_restart_priority"] == [told]
        assert options_and_overrides(lab)[1] == {moid: word, "vm-64": "high"}


def test_a_priority_of_6_5_is_refused_by_an_older_server(simulator):
    for personality, fails in (("5.0", True), ("6.7", False)):
        lab = simulator(personality=personality, scenario="healthy")
        result = ha(lab, None, vm_restart_priority={"inner": "highest"})
        assert result.changed is not fails
        if fails:
            assert result.kind == "unsupported" and "6.5" in result.msg and WRITE not in lab.methods()


def test_turning_ha_off_for_a_protected_virtual_machine_warns(healthy):
    run_module("fault_tolerance", connection(healthy.facts) | {"name": "inner"})
    result = ha(healthy, None, vm_restart_priority={"inner": "disabled"})
    (warning,) = result.json["warnings"]
    assert result.changed and "inner" in warning and "needs vSphere HA" in warning
    assert result.json["vm_restart_priority"][0]["moid"] == healthy.facts["vm_moid"], "the primary has the same name"


def test_options_that_the_server_ignores_are_named(healthy):
    healthy.inject(method=WRITE, how="silent")
    result = ha(healthy, None, advanced_options={"das.a": 1}, vm_restart_priority={"inner": "low"})
    assert result.kind == "fault" and "the advanced option das.a, the restart priority of inner" in result.msg
    assert result.changed is False


def test_turning_ha_off_warns_if_fault_tolerance_protects_something(healthy):
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
        ({"advanced_options": {"das. a": 1}}, "invalid_arguments", ["advanced_options", "das. a", "das.ignoreRedundantNetWarning"]),
        ({"advanced_options": {"das.a": 1, "das.A": 1}}, "invalid_arguments", ["`das.A` and `das.a`", "not case-sensitive"]),
        ({"vm_restart_priority": {"inner": "never"}}, "invalid_arguments", ["vm_restart_priority", "inner", "never", "disabled"]),
        ({"vm_restart_priority": {"iner": "low"}}, "not_found", ["iner", "Cluster", "`inner`"]),
        ({"vm_restart_priority": {"inner": "low", "vm-63": "low"}}, "invalid_arguments", ["inner", "vm-63", "same virtual machine"]),
    ],
)
def test_mistakes_get_clear_messages(target, kind, words, healthy):
    result = ha(healthy, None, **target)
    assert result.kind == kind and result.changed is False
    for word in words:
        assert word in result.told
    assert WRITE not in healthy.methods()


def test_the_datacenter_selects_a_cluster(healthy):
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


def test_waits_for_another_task_on_the_cluster(healthy):
    # The method declares no fault, so the server can only report it in the task.
    healthy.inject(method=WRITE, how="task-error", fault="TaskInProgress")
    assert ha(healthy, "disabled").changed
    assert healthy.methods().count(WRITE) == 2


def test_an_accepted_change_without_effect_is_a_failure(healthy):
    healthy.inject(method=WRITE, how="silent")
    result = ha(healthy, "disabled")
    assert result.kind == "fault" and "dasConfig.enabled" in result.msg and result.changed is False


@pytest.mark.parametrize("ending", ["signal", "timeout"])
def test_a_task_that_outlives_the_run_counts_as_a_change(ending, simulator):
    lab = simulator(personality="6.7", scenario="healthy", task_ms=4000)
    args = connection(lab.facts) | {"cluster_name": lab.facts["cluster"], "state": "disabled"}
    if ending == "signal":
        result = interrupt_module("cluster_ha", args, lambda: WRITE in lab.methods())
        assert result.kind == "interrupted"
    else:
        result = run_module("cluster_ha", args | {"timeout": 1})
        assert result.kind == "timeout"
    assert result.changed is True


def test_settings_that_are_not_named_keep_their_values(healthy):
    cluster = healthy.facts["cluster_moid"]
    healthy.set(cluster, admission_control=False, host_monitoring="disabled")
    off = ha(healthy, "disabled")
    on = ha(healthy, "enabled")
    for result in (off, on):
        assert result.changed
        assert result.json["admission_control"] is result.json["host_monitoring"] is False
    both = ha(healthy, "enabled", admission_control=True, host_monitoring=True)
    assert both.changed and both.json["admission_control"] is both.json["host_monitoring"] is True
    assert not ha(healthy, "enabled", admission_control=True, host_monitoring=True).changed


@pytest.mark.parametrize("personality", ["5.0", "6.7", "8.0"])
def test_waits_for_the_agents_and_reports_them(personality, simulator):
    lab = simulator(personality=personality, scenario="ha-off")
    result = ha(lab, "enabled")
    assert sorted(agent["state"] for agent in result.json["agents"]) == ["connectedToMaster", "master"]
    assert all(agent["healthy"] for agent in result.json["agents"])
    assert "warnings" not in result.json


def test_an_agent_that_does_not_become_ready_is_named_in_a_warning(simulator):
    lab = simulator(personality="6.7", scenario="ha-off")
    host = lab.facts["hosts"][0]
    lab.set(lab.facts["host_moids"][0], agent="initializationError")
    for result in (ha(lab, "enabled", timeout=2), ha(lab, "enabled")):
        assert not result.json["failed"] and result.json["enabled"] is True
        assert [agent["healthy"] for agent in result.json["agents"] if agent["host"] == host] == [False]
        (warning,) = result.json["warnings"]
        assert host in warning and "initializationError" in warning and lab.facts["hosts"][1] not in warning


@pytest.mark.parametrize("found", ["on", "off", "other settings"])
def test_waits_for_starting_agents_even_without_a_change(found, simulator):
    lab = simulator(personality="6.7", scenario="ha-off" if found == "off" else "healthy")
    host = lab.facts["host_moids"][1]
    lab.set(host, agent="election")

    def settles() -> bool:
        # The agent becomes ready while the run polls.
        if lab.methods().count("RetrievePropertiesEx") < 5:
            return False
        lab.set(host, agent=None)
        return True

    args = connection(lab.facts) | {"cluster_name": lab.facts["cluster"]}
    if found == "other settings":
        args |= {"admission_control": False}
    # Signal 0 has no effect; this only calls the condition while the module runs.
    result = interrupt_module("cluster_ha", args, settles, number=0)
    assert not result.json["failed"] and result.changed is (found != "on"), result.msg
    assert all(agent["healthy"] for agent in result.json["agents"]) and "warnings" not in result.json


def test_check_mode_names_an_agent_without_waiting(healthy):
    healthy.set(healthy.facts["host_moids"][1], agent="election")
    result = ha(healthy, "enabled", "--check")
    assert not result.changed and len(healthy.methods()) == 5, healthy.methods()
    (warning,) = result.json["warnings"]
    assert healthy.facts["hosts"][1] in warning and "election" in warning


def test_an_agent_that_is_too_late_is_named_once_without_a_failure(healthy):
    healthy.set(healthy.facts["host_moids"][1], agent="uninitialized")
    for more in ({}, {"admission_control": False}):
        result = ha(healthy, "enabled", timeout=1, **more)
        assert not result.json["failed"] and result.changed is bool(more), result.msg
        (warning,) = result.json["warnings"]
        assert healthy.facts["hosts"][1] in warning and "uninitialized" in warning


@pytest.mark.parametrize(
    "why", [{"maintenance": True}, {"connection": "notResponding"}, {"power": "standBy"}, {"power": "poweredOff"}]
)
def test_a_disconnected_host_is_not_waited_for(why, simulator):
    lab = simulator(personality="6.7", scenario="ha-off")
    lab.set(lab.facts["host_moids"][0], agent="uninitialized", **why)
    result = ha(lab, "enabled")
    assert result.changed and "warnings" not in result.json
    assert [agent["healthy"] for agent in result.json["agents"]] == [False, True]
    again = ha(lab, "enabled")
    assert not again.changed and "warnings" not in again.json


def test_an_agent_that_reports_nothing_is_named_and_not_waited_for_again(simulator):
    lab = simulator(personality="6.7", scenario="ha-off")
    lab.set(lab.facts["host_moids"][1], agent="")
    turned_on = ha(lab, "enabled", timeout=2)
    lab.clear_log()
    again = ha(lab, "enabled")
    assert (turned_on.changed, again.changed) == (True, False)
    assert len(lab.methods()) == 5, lab.methods()
    for result in (turned_on, again):
        assert not result.json["failed"], result.msg
        (warning,) = result.json["warnings"]
        assert lab.facts["hosts"][1] in warning and "reports no state" in warning and lab.facts["hosts"][0] not in warning


def test_an_agent_that_starts_to_report_late_is_waited_for(simulator):
    lab = simulator(personality="6.7", scenario="ha-off")
    lab.set(lab.facts["host_moids"][1], agent="")

    def settles() -> bool:
        asked = lab.methods()
        # This many polls after turning HA on take more than five seconds.
        if WRITE not in asked or len(asked) - asked.index(WRITE) < 12:
            return False
        lab.set(lab.facts["host_moids"][1], agent=None)
        return True

    args = connection(lab.facts) | {"cluster_name": lab.facts["cluster"]}
    # Signal 0 has no effect; this only calls the condition while the module runs.
    result = interrupt_module("cluster_ha", args, settles, number=0)
    assert result.changed and "warnings" not in result.json, result.json
    assert all(agent["healthy"] for agent in result.json["agents"])


def test_an_unknown_ha_state_counts_as_off_with_a_warning(healthy):
    healthy.set(healthy.facts["cluster_moid"], ha_untold=True)
    for state, changes in (("disabled", False), ("enabled", True)):
        result = ha(healthy, state)
        assert not result.json["failed"] and result.json["enabled_before"] is None
        assert "does not report whether vSphere HA is on" in result.json["warnings"][0]
        assert result.changed is changes
    assert healthy.methods().count(WRITE) == 1


@pytest.mark.parametrize("personality", ["6.7", "8.0"])
def test_a_bare_cluster_ends_with_a_protected_virtual_machine(personality, simulator):
    lab = simulator(personality=personality, scenario="bare")
    # vMotion streams fail in this lab, but are not the subject of this test. 8.0 has no option for them.
    cluster = connection(lab.facts) | {"cluster_name": lab.facts["cluster"]}
    streams = {"options": {"Migrate.VMotionStreamDisable": 1}, "missing": "skip"}
    steps = [
        ("host_option", cluster | streams),
        ("cluster_ha", cluster),
        ("vmkernel_service", cluster | {"device": "vmk1", "services": ["vmotion", "faultToleranceLogging"]}),
        ("fault_tolerance", connection(lab.facts) | {"name": lab.facts["vm"]}),
    ]
    for name, args in steps:
        result = run_module(name, args)
        assert not result.json["failed"], result.msg
    assert result.json["ft_state"] == "running"
    for name, args in steps:
        assert not run_module(name, args).changed, name
    for action in ("test_failover", "restart_secondary"):
        acted = run_module("ft_failover", connection(lab.facts) | {"name": lab.facts["vm"], "action": action})
        assert acted.json["ft_state"] == "running", acted.msg
