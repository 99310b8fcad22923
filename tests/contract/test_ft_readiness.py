"""ft_readiness names the cause, guesses nothing that the server does not report, and its remedies work unchanged."""

from __future__ import annotations

import pytest
from readiness import apply, check, ids, look, put, steps

from modules import READS, connection, interrupt_module, run_module

REPLAY = {"vm-power", "replay-options"}
NICS = {"vmotion-nic", "ft-logging-nic"}


@pytest.mark.parametrize(
    ("personality", "scenario", "unmet", "modules"),
    [
        ("5.0", "healthy", REPLAY, ["vm_power", "vmx_option"]),
        ("6.7", "healthy", set(), []),
        ("8.0", "healthy", set(), []),
        ("5.0", "bare", REPLAY | NICS | {"ha-enabled", "host-pair"}, [*["vmkernel_service"] * 2, "cluster_ha", "vm_power", "vmx_option"]),
        ("6.7", "bare", NICS | {"ha-enabled", "host-pair"}, [*["vmkernel_service"] * 2, "cluster_ha"]),
        ("8.0", "bare", NICS | {"ha-enabled", "host-pair"}, [*["vmkernel_service"] * 2, "cluster_ha"]),
        ("6.7", "ha-off", {"ha-enabled"}, ["cluster_ha"]),
        ("8.0", "no-ft-nic", {"ft-logging-nic", "host-pair"}, ["vmkernel_service"]),
        ("5.0", "thin-disk", REPLAY | {"disk-format"}, ["vm_power", "vmx_option"]),
        ("6.7", "thin-disk", set(), []),
        ("6.7", "suspended", {"vm-power"}, ["vm_power"]),
    ],
)
def test_the_remedies_make_it_ready(personality, scenario, unmet, modules, simulator):
    lab = simulator(personality=personality, scenario=scenario)
    found = look(lab)
    assert ids(found, "unmet") == unmet, found.msg
    assert [step["module"] for step in steps(found)] == modules
    for number, step in enumerate(steps(found)):
        before = ids(look(lab), "unmet")
        assert before, f"ready before remedy {number}"
        apply(lab, step)
        # Each remedy fixes the checks that it names, and breaks no other.
        after = ids(look(lab), "unmet")
        assert after - {"host-pair"} == before - {"host-pair"} - set(step["checks"]), step
        # The pair of good hosts exists as soon as every host is good.
        assert ("host-pair" in after) == bool(after & NICS)
    ready = look(lab)
    assert ready.json["ready"] and steps(ready) == [], ready.msg
    if (personality, scenario) == ("6.7", "bare"):
        # A problem that only appears when a secondary starts is not a requirement, so it is not reported.
        for moid in lab.facts["host_moids"]:
            lab.set(moid, options={"Migrate.VMotionStreamDisable": 1})
    protected = run_module("fault_tolerance", connection(lab.facts) | {"name": lab.facts["vm"]})
    assert not protected.json["failed"] and protected.changed, protected.msg


@pytest.mark.parametrize(
    ("change", "starts"),
    [
        ({}, False),
        ({"drs": False}, True),
        ({"evc": False}, True),
        ({"drs_level": "partiallyAutomated"}, True),
        ({"drs_overrides": {"vm-63": "fullyAutomated"}}, True),
        ({"drs_overrides": {"vm-64": "fullyAutomated"}}, False),
        ({"drs_level": "fullyAutomated", "drs_overrides": {"vm-63": "manual"}}, False),
    ],
    ids=str,
)
def test_drs_that_waits_for_a_person_is_foretold(change, starts, simulator):
    lab = simulator(personality="8.0", scenario="drs-manual")
    put(lab, "cluster", change)
    found = look(lab)
    told = check(found, "drs-placement")
    assert found.json["ready"] and ids(found, "unmet") == (set() if starts else {"drs-placement"})
    if not starts:
        of = "virtual machine inner" if lab.facts["vm_moid"] in change.get("drs_overrides", {}) else "cluster Cluster"
        assert f"for {of} to fully automated" in told["remedy"]["text"] and not told["decisive"]
        assert any("applies the recommendation of DRS (manual)" in warning for warning in found.json["warnings"])
    done = run_module("fault_tolerance", connection(lab.facts) | {"name": lab.facts["vm"]})
    assert done.json["failed"] is not starts, done.msg


@pytest.mark.parametrize(
    ("personality", "scenario", "unmet"),
    [("6.7", "nested-hv", "nested-hv"), ("8.0", "nested-hv", "nested-hv"), ("6.7", "snapshot", "snapshot")],
)
def test_what_no_module_can_fix_is_described(personality, scenario, unmet, simulator):
    found = look(simulator(personality=personality, scenario=scenario))
    assert ids(found, "unmet") == {unmet}
    (step,) = steps(found)
    assert step["module"] is None and step["args"] is None and step["checks"] == [unmet]
    assert "vSphere reports has" in check(found, unmet)["why"], "vSphere reports the same requirement"
    assert check(found, "compatibility")["status"] == "met", "the requirement is reported once"


# State set without the API (on the virtual machine, a host, the cluster or the datastore), and the check that finds it.
STATES = [
    ("vm", {"connection": "inaccessible"}, "vm-accessible"),
    ("vm", {"template": True}, "vm-template"),
    ("vm", {"question": "Did you copy it?"}, "vm-question"),
    ("vm", {"cpus": 16}, "vcpus"),
    ("vm", {"memory": 262144}, "memory"),
    ("vm", {"vbs": True}, "vbs"),
    ("vm", {"disk": {"rdm": "physicalMode"}}, "disk-rdm"),
    ("vm", {"cdrom": "physical"}, "devices"),
    ("vm", {"added_devices": ["VirtualUSB"]}, "devices"),
    ("host", {"maintenance": True}, "host-maintenance"),
    ("host", {"connection": "notResponding"}, "host-connected"),
    ("host", {"agent": "initializationError"}, "ha-agent"),
    ("host", {"feature_version": "9.9.9"}, "ft-version"),
    ("datastore", {"shared": False}, "shared-storage"),
    ("datastore", {"accessible": False}, "shared-storage"),
]


@pytest.mark.parametrize(("what", "state", "unmet"), STATES, ids=lambda value: str(value))
def test_each_bad_state_is_found(what, state, unmet, healthy):
    assert unmet not in ids(look(healthy), "unmet")
    put(healthy, what, state)
    found = look(healthy)
    assert unmet in ids(found, "unmet"), found.msg
    assert not found.json["ready"]


@pytest.mark.parametrize("state", ["uninitialized", "election", "retry"])
def test_an_agent_in_transition_is_unknown(state, healthy):
    put(healthy, "host", {"agent": state})
    found = look(healthy)
    assert ids(found, "unmet") == set(), found.msg
    assert ids(found, "unknown") >= {"ha-agent", "host-pair"} and steps(found) == []


def test_an_unreachable_machine_has_unknown_checks(healthy):
    put(healthy, "vm", {"connection": "inaccessible"})
    found = look(healthy)
    assert {"vm-role", "snapshot", "vm-question", "vcpus", "compatibility"} <= ids(found, "unknown")
    assert ids(found, "unmet") == {"vm-accessible"}


def test_host_monitoring_is_fixed_but_no_blocker(healthy):
    put(healthy, "cluster", {"host_monitoring": "disabled"})
    found = look(healthy)
    assert ids(found, "unmet") == {"host-monitoring"} and found.json["ready"], found.msg
    assert "is ready" in found.msg and "Host monitoring" in found.msg and "hosts that" not in found.msg
    (step,) = steps(found)
    protected = run_module("fault_tolerance", connection(healthy.facts) | {"name": healthy.facts["vm"]})
    assert not protected.json["failed"] and protected.changed, protected.msg
    apply(healthy, step)
    assert ids(look(healthy), "unmet") == set()


@pytest.mark.parametrize("personality", ["5.0", "6.7", "8.0"])
def test_unknown_reasons_are_reported_unchanged(personality, simulator):
    lab = simulator(personality=personality, scenario="healthy")
    put(lab, "host", {"issues": ["incompatibleProduct2030"]})
    found = look(lab)
    (capability,) = [
        check
        for check in found.json["checks"]
        if check["id"] == "host-capability" and check["object"]["moid"] == lab.facts["host_moids"][1]
    ]
    assert capability["status"] == "unmet" and "incompatibleProduct2030" in capability["observed"]
    assert not found.json["ready"]


@pytest.mark.parametrize(
    ("path", "unknown"),
    [
        ("config.hardware.numCPU", {"vcpus"}),
        ("config.hardware.device", {"devices", "video-3d", "tpm", "disk-mode", "disk-rdm", "disk-size", "linked-clone", "io-filter", "vvol"}),
        ("config.memoryAllocation", {"pool-memory"}),
        ("config.npivNodeWorldWideName", {"npiv"}),
        ("config.nestedHVEnabled", {"nested-hv"}),
        ("config.firmware", {"firmware"}),
        ("snapshot", {"snapshot"}),
        ("runtime.question", {"vm-question"}),
        ("config", {"vm-template", "vm-role", "vcpus", "memory", "nested-hv", "vbs", "firmware", "shared-storage"}),
        ("datastore", {"datastore-access"}),
        ("network", {"network-access"}),
    ],
)
def test_unreadable_properties_are_unknown_and_never_met(path, unknown, healthy):
    put(healthy, "vm", {"unreadable": [path]})
    found = look(healthy)
    assert unknown <= ids(found, "unknown"), found.msg
    assert not unknown & ids(found, "met")
    for name in unknown:
        assert "cannot be read" in check(found, name)["why"]


def test_missing_properties_are_no_failure(healthy):
    healthy.inject(
        method="QueryFaultToleranceCompatibilityEx",
        how="fault",
        fault="NoPermission",
        fields={"privilegeId": "VirtualMachine.Config.QueryFTCompatibility"},
        times=0,
    )
    found = check(look(healthy), "compatibility")
    assert found["status"] == "unknown" and "VirtualMachine.Config.QueryFTCompatibility" in found["why"]


def test_an_unknown_ha_state_is_unknown(healthy):
    put(healthy, "cluster", {"ha_untold": True})
    found = look(healthy)
    assert check(found, "ha-enabled")["status"] == "unknown"
    assert found.json["cluster"]["ha"] is None


@pytest.mark.parametrize("personality", ["5.0", "6.7", "8.0"])
def test_a_cluster_without_a_virtual_machine(personality, simulator):
    lab = simulator(personality=personality, scenario="healthy")
    found = look(lab, cluster_name=lab.facts["cluster"])
    assert found.json["ready"] and found.json["vm"] is None, found.msg
    assert found.json["cluster"]["moid"] == lab.facts["cluster_moid"]
    assert found.json["cluster"]["hosts"] == 2
    assert found.json["engine"] == ("legacy" if personality == "5.0" else "smp")
    with_vm = look(lab, cluster_name=lab.facts["cluster"], name=lab.facts["vm"])
    assert {check["id"] for check in found.json["checks"]} < {check["id"] for check in with_vm.json["checks"]}


def test_a_remedy_names_the_datacenter_of_the_cluster(simulator):
    lab = simulator(personality="6.7", scenario="ha-off")
    cluster, moid = lab.facts["cluster"], lab.facts["vm_moid"]
    # A datacenter beside a moid may come from module_defaults, and is ignored.
    for target, named in (
        ({"name": lab.facts["vm"], "datacenter": "Lab"}, "Lab"),
        ({"cluster_name": cluster, "datacenter": "Lab"}, "Lab"),
        ({"moid": moid, "cluster_name": cluster, "datacenter": "Lab"}, "Lab"),
        ({"moid": moid, "datacenter": "Elsewhere"}, "Lab"),
    ):
        found = run_module("ft_readiness", connection(lab.facts) | target)
        (remedy,) = [remedy for remedy in found.json["remedies"] if remedy["module"] == "cluster_ha"]
        assert remedy["args"].get("datacenter") == named, target


def test_an_engine_that_the_hosts_do_not_have_is_unmet(healthy, simulator):
    found = look(healthy, engine="legacy")
    assert found.json["engine"] == "legacy"
    assert {"engine", "vcenter-version", "host-pair"} <= ids(found, "unmet")
    assert "6.5" in check(found, "vcenter-version")["why"]
    old = look(simulator(personality="5.0", scenario="healthy"), engine="smp")
    assert old.json["engine"] == "smp" and "engine" in ids(old, "unmet")


def test_a_protected_machine_and_its_secondary(healthy):
    done = run_module("fault_tolerance", connection(healthy.facts) | {"name": healthy.facts["vm"]})
    found = look(healthy)
    assert found.json["ready"] and "running" in check(found, "vm-role")["observed"], found.msg
    secondary = look(healthy, moid=done.json["secondary"]["moid"])
    assert "vm-role" in ids(secondary, "unmet")
    assert healthy.facts["vm_moid"] in check(secondary, "vm-role")["remedy"]["text"]


def test_an_esxi_host_is_reported_as_the_wrong_server(simulator):
    lab = simulator(personality="6.7", scenario="healthy", direct=True)
    for target in ({"name": lab.facts["vm"]}, {"cluster_name": "Cluster"}):
        result = look(lab, **target)
        assert result.kind == "unsupported" and "vCenter" in result.msg


@pytest.mark.parametrize(
    ("target", "kind"),
    [
        ({}, "invalid_arguments"),
        ({"name": "inner", "moid": "vm-63"}, "invalid_arguments"),
        ({"cluster_name": "Clustr"}, "not_found"),
        ({"name": "iner"}, "not_found"),
    ],
)
def test_targets_that_do_not_exist(target, kind, healthy):
    result = run_module("ft_readiness", connection(healthy.facts) | target)
    assert result.kind == kind
    if kind == "not_found":
        assert "inner" in result.msg or "Cluster" in result.msg


def test_nothing_is_written_and_check_mode_gives_the_same_result(simulator):
    lab = simulator(personality="5.0", scenario="bare")
    results = [look(lab), look(lab, ("--check", "--diff")), look(lab, ("--diff",))]
    assert len({str(result.json["checks"]) for result in results}) == 1
    assert len({result.msg for result in results}) == 1
    assert "diff" not in results[1].json
    assert set(lab.methods()) <= READS


def test_a_large_cluster_needs_no_more_requests(simulator):
    costs = []
    for hosts in (2, 32):
        lab = simulator(personality="6.7", scenario="healthy", hosts=hosts, vms=100)
        found = look(lab)
        assert found.json["cluster"]["hosts"] == hosts
        costs.append(len(lab.log()))
    assert costs[0] == costs[1] <= 10, costs


def test_an_expired_session_is_renewed(healthy):
    healthy.inject(method="RetrievePropertiesEx", how="expire-session", times=1)
    assert look(healthy).json["ready"]


@pytest.mark.parametrize("how", ["drop", "http500", "garbage"])
@pytest.mark.parametrize(
    "method", ["RetrieveServiceContent", "Login", "RetrievePropertiesEx", "QueryFaultToleranceCompatibilityEx"]
)
def test_a_failing_server_is_a_failure_and_no_report(method, how, healthy):
    healthy.inject(method=method, how=how, times=0)
    result = look(healthy, timeout=1)
    assert result.json["failed"] and result.changed is False
    assert result.kind == "connection", result.msg
    assert result.json["ready"] is False and result.json["checks"] == []


@pytest.mark.parametrize("method", ["RetrievePropertiesEx", "QueryFaultToleranceCompatibilityEx"])
def test_a_signal_ends_the_run(method, healthy):
    healthy.inject(method=method, how="hang", times=1)
    args = connection(healthy.facts) | {"name": healthy.facts["vm"]}
    result = interrupt_module("ft_readiness", args, lambda: method in healthy.methods())
    assert result.kind == "interrupted" and result.changed is False
