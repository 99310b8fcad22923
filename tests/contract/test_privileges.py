"""The privileges that the lists beside the modules name suffice, and each is needed; playbooks/privileges.md lists them.

WRITE_PRIVILEGES=1 in the environment writes the page.
"""

from __future__ import annotations

import itertools
import json
import os
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from lab import Simulator

from modules import CHANGING, MODULES, Result, connection, run_module
from privileges import PAGE, READ, Use, listed, page, role, uses

USES = {(use.module, use.name): use for use in uses()}
KINDS = [
    "Folder",
    "Datacenter",
    "ClusterComputeResource",
    "HostSystem",
    "VirtualMachine",
    "ResourcePool",
    "Datastore",
    "Network",
]
# The moids of the root folder, on vCenter Server and on ESXi.
ROOTS = ["group-d1", "ha-folder-root"]
VM = {"name": "inner"}
HOST = {"esxi_hostname": "esxi01.lab.local"}
CLUSTER = {"cluster_name": "Cluster"}
STREAMS = "Migrate.VMotionStreamDisable"


@dataclass
class Call:
    """A call of a module, and the lab that it needs."""

    args: dict[str, Any]
    personality: str = "6.7"
    scenario: str = "healthy"
    # Of the virtual machine.
    state: dict[str, Any] = field(default_factory=dict)
    prepare: Callable[[Simulator], None] = lambda lab: None
    # ("--check",) if it fails in a real run.
    flags: tuple[str, ...] = ()
    # An ESXi host, without vCenter Server.
    direct: bool = False

    def lab(self, start: Callable[..., Simulator]) -> Simulator:
        """Starts a lab for it."""
        return start(personality=self.personality, scenario=self.scenario, direct=self.direct, task_ms=2)


def replay(lab: Simulator) -> None:
    """Lets the virtual machine use record/replay, which it reads when it is powered on."""
    moid = lab.facts["vm_moid"]
    lab.touch(moid, extraConfig=dict.fromkeys(("replay.supported", "replay.allowFT", "replay.allowBTOnly"), "true"))
    lab.set(moid, power="poweredOff")
    lab.set(moid, power="poweredOn")


def streams_off(lab: Simulator) -> None:
    lab.set(lab.facts["host_moids"][0], options={STREAMS: 1})


def option_set(lab: Simulator) -> None:
    lab.touch(lab.facts["vm_moid"], extraConfig={"guestinfo.a": "1"})


def network_missing(lab: Simulator) -> None:
    lab.set(lab.facts["host_moids"][1], lacks=["network-12"])


def event(lab: Simulator) -> None:
    lab.post_event(lab.facts["vm_moid"], "VmFailedStartingSecondaryEvent", reason="migrateFailed")


# Calls for each use of each list, in the order of the list.
CALLS: dict[str, list[list[Call]]] = {
    "vm_power": [
        [Call(VM | {"state": "powered_on"}, state={"power": "poweredOff"})],
        [
            Call(VM | {"state": "powered_off"}),
            Call(VM | {"state": "powered_off"}, direct=True),
            Call(VM | {"state": "shut_down"}),
        ],
    ],
    "vmx_option": [
        [
            Call(VM | {"options": {"guestinfo.a": "1"}}),
            Call(VM | {"options": {"guestinfo.a": "1"}}, direct=True),
            Call(VM | {"options": {"guestinfo.a": None}, "state": "absent"}, prepare=option_set),
        ]
    ],
    "host_option": [
        [
            Call(HOST | {"options": {STREAMS: 1}}),
            Call(HOST | {"options": {STREAMS: 1}}, direct=True),
            Call(HOST | {"options": {STREAMS: None}, "state": "default"}, prepare=streams_off),
        ]
    ],
    "vmkernel_service": [
        [
            Call(HOST | {"device": "vmk1", "services": "vmotion"}),
            Call(HOST | {"device": "vmk1", "services": "vmotion"}, direct=True),
            Call(HOST | {"device": "vmk1", "services": "faultToleranceLogging", "state": "absent"}),
        ]
    ],
    "cluster_ha": [
        [
            Call(CLUSTER | {"state": "enabled"}, scenario="ha-off"),
            Call(CLUSTER | {"state": "disabled"}),
            Call(CLUSTER | {"admission_control": False, "host_monitoring": False}),
            Call(CLUSTER | {"advanced_options": {"das.a": "1"}}),
            Call(CLUSTER | {"vm_restart_priority": {"inner": "low"}}),
        ]
    ],
    "fault_tolerance": [
        [
            Call(VM | {"state": "present"}),
            Call(VM | {"state": "present"}, personality="5.0", prepare=replay),
            Call(VM | {"state": "present", "secondary_host": "esxi02.lab.local", "datastore": "shared01"}),
        ],
        [Call(VM | {"state": "present"}, state={"ft_state": "disabled"})],
        [Call(VM | {"state": "suspended"}, state={"ft_state": "running"})],
        [Call(VM | {"state": "suspended"})],
        [Call(VM | {"state": "absent"}, state={"ft_state": "running"})],
        [Call(VM | {"state": "present", "encryption": "required"}, personality="8.0")],
        [
            Call(VM | {"state": "present", "allow_power_cycle": True}, scenario="monitor"),
            Call(VM | {"state": "present", "allow_power_cycle": True}, scenario="monitor", personality="5.0", prepare=replay),
        ],
        [Call(VM | {"state": "present"}, scenario="snapshot", flags=("--check",))],
    ],
    "ft_failover": [
        [Call(VM | {"action": "test_failover"}, state={"ft_state": "running"})],
        [Call(VM | {"action": "restart_secondary"}, state={"ft_state": "running"})],
    ],
    "ft_readiness": [
        [Call(VM), Call(VM, personality="5.0"), Call(VM, prepare=network_missing)],
        [Call(VM | {"probe_network": True}), Call(CLUSTER | {"probe_network": True})],
    ],
    "ft_diagnose": [
        [Call(VM, prepare=event), Call(VM, prepare=event, direct=True)],
        [Call(VM | {"host_logs": True}, prepare=event), Call(VM | {"host_logs": True}, prepare=event, direct=True)],
    ],
}


def calls() -> list[Any]:
    """Returns a test parameter for each call."""
    return [
        pytest.param(use, call, id=f"{use.module}-{number}-{index}")
        for module in MODULES
        for number, (use, own) in enumerate(zip([use for use in USES.values() if use.module == module], CALLS[module], strict=True))
        for index, call in enumerate(own)
    ]


def run(lab: Simulator, module: str, call: Call, grants: dict[str, list[str]] | None, *flags: str) -> Result:
    """Makes a call in a fresh lab, by a user with these privileges."""
    lab.reset()
    call.prepare(lab)
    lab.set(lab.facts["vm_moid"], **call.state)
    lab.grant(grants)
    return run_module(module, connection(lab.facts) | call.args, *(flags or call.flags))


def grants(needs: list[tuple[str, str]]) -> dict[str, list[str]]:
    """Returns read access to everything, and these privileges on these objects."""
    given: dict[str, list[str]] = {"*": READ}
    for privilege, place in needs:
        for where in ROOTS if place == "root folder" else [place]:
            given.setdefault(where, []).append(privilege)
    return given


def content(result: Result) -> str:
    """Returns what a result says, without what differs in each run."""
    text = json.dumps({key: value for key, value in result.json.items() if key != "invocation"}, sort_keys=True)
    return re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}|\d\d:\d\d:\d\d\.\d+Z?", "", text)


@pytest.mark.parametrize(("use", "call"), calls())
def test_the_listed_privileges_suffice_and_each_is_needed(use: Use, call: Call, simulator):
    lab = call.lab(simulator)
    needs = [(privilege, place) for privilege, places in use.needs.items() for place in places]
    for flags in {("--check",), call.flags}:
        result = run(lab, use.module, call, grants(needs), *flags)
        assert result.did, result.msg
        assert not any(privilege in content(result) for privilege in use.needs), result.told
    full = content(run(lab, use.module, call, None))
    for missing in needs:
        privilege, _ = missing
        result = run(lab, use.module, call, grants([need for need in needs if need != missing]))
        if use.without:
            assert not result.json["failed"] and content(result) != full, result.told
            assert privilege in content(result)
        else:
            assert result.kind == "permission", f"without {missing}: {result.told}"
            hint = result.json["error"]["hint"]
            assert re.search(f"the privilege {privilege} on (the object |each host that failed)", hint), result.msg
            assert privilege in result.msg


@pytest.mark.parametrize("module", CHANGING)
def test_check_mode_needs_only_read_access(module, simulator):
    for own in CALLS[module]:
        lab = own[0].lab(simulator)
        result = run(lab, module, own[0], grants([]), "--check")
        assert not result.json["failed"] and result.changed, result.msg


@pytest.mark.parametrize("module", MODULES)
def test_read_access_is_needed_on_the_listed_objects_only(module, simulator):
    every = sorted({(privilege, place) for use in uses() for privilege, places in use.needs.items() for place in places})
    needed = set()
    for call in itertools.chain(*CALLS[module]):
        lab = call.lab(simulator)
        full = None
        for kind in [kind for kind in KINDS if kind not in needed]:
            full = full or content(run(lab, module, call, None))
            given = grants(every)
            del given["*"]
            for other in {*KINDS, "ComputeResource"} - {kind}:
                given[other] = [*given.get(other, []), *READ]
            result = run(lab, module, call, given)
            if content(result) != full:
                needed.add(kind)
            assert not result.json["failed"] or result.kind in {"permission", "not_found"}, f"{kind}: {result.told}"
            if result.json["failed"]:
                assert "read access" in result.msg or "System.View" in result.msg or "may see" in result.msg, result.msg
    assert needed == set(listed(module)["read"])


@pytest.mark.parametrize("allowed", [True, False])
def test_a_power_cycle_that_cannot_be_foretold_is_a_warning(allowed, simulator):
    asking = "VirtualMachine.Config.QueryFTCompatibility"
    call = Call(VM | {"state": "present", "allow_power_cycle": allowed}, scenario="monitor")
    lab = call.lab(simulator)
    foretold = run(lab, "fault_tolerance", call, grants([]), "--check")
    assert foretold.json["predicted"] and foretold.json["ft_state"] == "running"
    (told,) = [text for text in foretold.json["warnings"] if asking in text]
    assert "show only when Fault Tolerance is turned on" in told
    assert ("power it off and on again" in told) == allowed, told
    assert asking not in content(run(lab, "fault_tolerance", call, None, "--check"))


def test_a_diagnosis_without_any_source_names_the_privileges(simulator):
    lab = simulator(personality="6.7", scenario="healthy")
    lab.grant({"*": READ})
    result = run_module("ft_diagnose", connection(lab.facts) | VM | {"host_logs": True})
    assert result.kind == "permission"
    assert "Datastore.Browse" in result.msg and "Datastore.FileManagement" in result.msg


def test_the_role_suffices_for_all(simulator):
    for module in MODULES:
        for call in itertools.chain(*CALLS[module]):
            lab = call.lab(simulator)
            result = run(lab, module, call, {"*": [*READ, *role()]})
            assert result.did and "NoPermission" not in content(result), result.told


def test_the_page_is_generated_from_the_lists():
    if "WRITE_PRIVILEGES" in os.environ:
        PAGE.write_text(page())
    assert PAGE.read_text() == page(), "run this test with WRITE_PRIVILEGES=1 and commit the page"
