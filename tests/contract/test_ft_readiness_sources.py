"""ft_readiness finds what the documentation lists: overrides, networks, memory, disks, datastores, media. It fails on request."""

from __future__ import annotations

import pytest
from readiness import USUAL, check, ids, look, put, steps

from modules import connection, run_module

# The release, what is changed without the API, the checks that find it, and whether Fault Tolerance can still be turned on.
FOUND = [
    ("6.7", "cluster", {"vm_overrides": {"vm-63": "disabled"}}, {"ha-override"}, False),
    ("5.0", "cluster", {"vm_overrides": {"vm-63": "disabled"}}, {"ha-override"}, False),
    ("6.7", "host", {"mtus": {"vmk0": 9000}}, {"vmotion-mtu", "host-pair"}, False),
    ("5.0", "host", {"mtus": {"vmk0": 9000}}, {"vmotion-mtu", "host-pair"}, False),
    ("8.0", "host", {"stacks": {"vmk0": "vmotion"}}, {"vmotion-stack", "host-pair"}, False),
    ("8.0", "host", {"addresses": {"vmk0": "10.0.0.80"}}, {"vmotion-subnet"}, True),
    ("8.0", "host", {"mtus": {"vmk1": 9000}}, {"ft-logging-mtu"}, True),
    ("8.0", "host", {"stacks": {"vmk1": "ft"}}, {"ft-logging-stack"}, True),
    ("6.7", "host", {"addresses": {"vmk1": "10.0.0.90"}}, {"ft-logging-subnet"}, True),
    ("6.7", "host", {"link_speed": 1000}, {"ft-logging-speed"}, True),
    ("8.0", "host", {"link_speed": None}, {"ft-logging-speed"}, True),
    ("6.7", "cluster", {"pool_memory": 1000}, {"pool-memory"}, False),
    ("5.0", "cluster", {"pool_memory": 500}, {"pool-memory"}, False),
    ("8.0", "host", {"memory": 1024}, {"host-memory", "host-pair"}, False),
    ("6.7", "vm", {"disk": {"size": 3 << 30}}, {"disk-size"}, False),
    ("6.7", "vm", {"disk": {"linked": True}}, {"linked-clone"}, False),
    ("6.7", "vm", {"disk": {"filters": ["VMW_spm_1.0.0"]}}, {"io-filter"}, False),
    ("6.7", "datastore", {"type": "VVOL"}, {"vvol"}, False),
    ("6.7", "vm", {"policy": "gold"}, {"storage-policy"}, False),
    ("6.7", "vm", {"npiv": True}, {"npiv"}, False),
    ("5.0", "vm", {"npiv": True}, {"npiv"}, False),
    ("6.7", "vm", {"cdrom_connected": True}, {"media"}, True),
    # What is fine.
    ("8.0", "vm", {"added_devices": ["VirtualTPM"]}, set(), True),
    ("6.7", "datastore", {"type": "vsan"}, set(), True),
    ("6.7", "vm", {"cdrom": "iso", "cdrom_connected": True}, set(), True),
    ("6.7", "vm", {"disk": {"size": 2 << 30, "more": 16}}, set(), True),
    ("6.7", "host", {"used_memory": 3000}, set(), True),
]


def title(value) -> str:
    """Names a case alike in every process."""
    return " ".join(sorted(value)) if isinstance(value, set) else str(value)


@pytest.fixture
def lab(simulator, request):
    """A lab of a release in which everything is met, except for the usual advice."""
    lab = simulator(personality=request.param, scenario="healthy")
    if request.param == "5.0":
        options = {"replay.supported": "TRUE", "replay.allowFT": "TRUE", "replay.allowBTOnly": "TRUE"}
        lab.set(lab.facts["vm_moid"], power="poweredOff", extraConfig=options)
    assert ids(look(lab), "unmet") == set()
    return lab


@pytest.mark.parametrize(("lab", "what", "state", "unmet", "ready"), FOUND, indirect=["lab"], ids=title)
def test_each_state_is_found_with_its_remedy(lab, what, state, unmet, ready):
    put(lab, what, state)
    found = look(lab)
    assert ids(found, "unmet", {"third-host"}) == unmet, found.msg
    assert found.json["ready"] is ready
    for name in unmet - {"host-pair", "storage-policy"}:
        assert check(found, name)["remedy"], name
    # Advice is a warning; what keeps Fault Tolerance off is not.
    advice = [one for one in found.json["checks"] if one["status"] == "unmet" and not one["decisive"]]
    warned = {one["observed"] for one in advice if one["id"] in unmet | USUAL and ready}
    assert all(any(text in warning for warning in found.json["warnings"]) for text in warned)


def test_media_that_a_failover_may_lose_are_advice(healthy):
    vm = healthy.facts["vm_moid"]
    assert check(look(healthy), "media")["status"] == "unknown"
    healthy.set(vm, cdrom="iso", cdrom_store="local01", cdrom_connected=True)
    healthy.set("datastore-12", shared=False)
    found = look(healthy)
    assert check(found, "media")["status"] == "unmet" and "local01" in check(found, "media")["observed"]
    assert found.json["ready"] and check(found, "vsan-mixed")["observed"] == "shared01 (VMFS)"


def test_a_virtual_machine_is_on_vsan_as_a_whole(healthy):
    healthy.set(healthy.facts["vm_moid"], disk_store="vsan01")
    assert ids(look(healthy), "unmet") == set()
    healthy.set("datastore-12", type="vsan")
    found = look(healthy)
    assert ids(found, "unmet") == {"vsan-mixed"} and "vsan01 (vsan)" in check(found, "vsan-mixed")["observed"]


def test_reservations_of_others_count(healthy):
    other, first = "vm-64", healthy.facts["host_moids"][0]
    healthy.set(other, power="poweredOn", reserved=6800)
    found = look(healthy)
    assert ids(found, "unmet") == {"host-memory", "host-pair"}, found.msg
    assert healthy.facts["hosts"][0] in check(found, "host-memory")["observed"]
    healthy.set(other, power="poweredOff")
    assert ids(look(healthy), "unmet") == set()
    healthy.set(first, used_memory=8000)
    found = look(healthy)
    assert {"host-memory", "host-pair"} <= ids(found, "unknown") and "No blocker" in found.msg


def test_the_remedy_for_an_override_names_the_virtual_machine_by_its_id(healthy):
    put(healthy, "cluster", {"vm_overrides": {"vm-63": "disabled", "vm-64": "high"}})
    (step,) = steps(look(healthy))
    assert step["module"] == "cluster_ha"
    assert step["args"] == {
        "cluster_name": "Cluster",
        "datacenter": "Lab",
        "state": "enabled",
        "vm_restart_priority": {"vm-63": "cluster"},
    }


@pytest.mark.parametrize(
    ("scenario", "ready", "state"),
    [("ha-off", False, "vSphere HA"), ("healthy", True, "No blocker"), ("no-ft-nic", False, "host-pair")],
)
def test_it_fails_on_request_with_the_whole_report(scenario, ready, state, simulator):
    lab = simulator(personality="6.7", scenario=scenario)
    args = connection(lab.facts) | {"name": lab.facts["vm"]}
    plain = run_module("ft_readiness", args)
    asked = run_module("ft_readiness", args | {"fail_unless_ready": True})
    assert not plain.json["failed"] and asked.json["failed"] is not ready
    assert asked.exit == (0 if ready else 1)
    keys = ("ready", "engine", "vm", "cluster", "checks", "counts", "remedies", "vms", "warnings")
    assert [asked.json.get(key) for key in keys] == [plain.json.get(key) for key in keys]
    if not ready:
        assert asked.kind == "conflict" and plain.msg.rstrip(".") in asked.msg and "remedies" in asked.msg


def test_a_protected_virtual_machine_is_ready(healthy):
    vm = healthy.facts["vm_moid"]
    healthy.set(vm, ft_state="running", snapshots=["of a backup"])
    args = connection(healthy.facts) | {"name": healthy.facts["vm"], "fail_unless_ready": True}
    found = run_module("ft_readiness", args)
    assert found.json["ready"] and "already protected" in found.msg and "not" not in found.msg, found.msg
    healthy.set(vm, ft_state="needSecondary")
    found = run_module("ft_readiness", args)
    assert not found.json["ready"] and "already on (needSecondary)" in found.msg, found.msg


@pytest.mark.parametrize("last", [False, True])
def test_the_last_of_several_options_with_one_name_counts(last, simulator):
    lab = simulator(personality="5.0", scenario="healthy")
    options = {"replay.supported": "TRUE", "replay.allowFT": "TRUE", "replay.allowBTOnly": "TRUE"}
    lab.set(lab.facts["vm_moid"], power="poweredOff", extraConfig=options)
    lab.set(lab.facts["vm_moid"], duplicate={"Replay.allowFT": str(last).upper()})
    assert (check(look(lab), "replay-options")["status"] == "met") is last
    args = connection(lab.facts) | {"name": lab.facts["vm"], "options": options}
    assert run_module("vmx_option", args, "--check").changed is not last
