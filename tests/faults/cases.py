"""The cases: a lab, a call of a module, and what must be true after it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from faults.judge import State

STREAMS = "Migrate.VMotionStreamDisable"
REPLAY = {"replay.supported": "TRUE", "replay.allowFT": "TRUE", "replay.allowBTOnly": "TRUE"}

# The moids of the virtual machine `inner`, the first host and the cluster in the simulator.
VM, HOST, SECOND_HOST = "vm-63", "host-20", "host-30"


@dataclass(frozen=True)
class Case:
    """One call of a module."""

    module: str
    args: dict[str, Any]
    personality: str = "6.7"
    scenario: str = "healthy"
    # State to set before the run: (moid, state).
    setup: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    # True if the state is the one that the call wants.
    wanted: Callable[[State], bool] = lambda _state: True
    # True if the run powers the virtual machine off and on again.
    cycles: bool = False
    # How long a task takes, in milliseconds.
    task_ms: int = 24


def vm(state: State) -> dict[str, Any]:
    """Returns the virtual machine that is not a secondary."""
    (found,) = [vm for vm in state["vms"].values() if vm["name"] == "inner" and vm["role"] != 2]
    return found


def power(wanted: str) -> Callable[[State], bool]:
    return lambda state: vm(state)["power"] == wanted


def protection(wanted: str) -> Callable[[State], bool]:
    return lambda state: vm(state)["ft"] == wanted


def extra(options: dict[str, str | None]) -> Callable[[State], bool]:
    return lambda state: all(vm(state)["extra"].get(key) == value for key, value in options.items())


def option(key: str, value: Any, hosts: list[str]) -> Callable[[State], bool]:
    return lambda state: all(state["hosts"][host]["options"][key] == value for host in hosts)


def carries(device: str, service: str, wanted: bool, hosts: list[str]) -> Callable[[State], bool]:
    return lambda state: all((device in state["hosts"][host]["nics"][service]) is wanted for host in hosts)


def ha(enabled: bool, **more: Any) -> Callable[[State], bool]:
    def holds(state: State) -> bool:
        (cluster,) = [cluster for cluster in state["clusters"].values() if cluster["name"] == "Cluster"]
        return all(cluster[key] == value for key, value in {"enabled": enabled, **more}.items())

    return holds


INNER = {"name": "inner"}
FIRST = {"esxi_hostname": "esxi01.lab.local"}
ALL = {"cluster_name": "Cluster"}
PREPARED = [(VM, {"extraConfig": REPLAY}), (VM, {"power": "poweredOff"}), (VM, {"power": "poweredOn"})]
RUNNING = [(VM, {"ft_state": "running"})]
STREAMS_OFF = [(HOST, {"options": {STREAMS: 1}}), (SECOND_HOST, {"options": {STREAMS: 1}})]

CASES = {
    "option-set": Case("vmx_option", INNER | {"options": {"guestinfo.a": "1"}}, wanted=extra({"guestinfo.a": "1"})),
    "options-set": Case("vmx_option", INNER | {"options": REPLAY}, "5.0", wanted=extra(REPLAY)),
    "option-removed": Case(
        "vmx_option",
        INNER | {"options": {"guestinfo.a": None}, "state": "absent"},
        "8.0",
        setup=[(VM, {"extraConfig": {"guestinfo.a": "1"}})],
        wanted=extra({"guestinfo.a": None}),
    ),
    "option-there": Case(
        "vmx_option",
        INNER | {"options": {"guestinfo.a": "1"}},
        setup=[(VM, {"extraConfig": {"guestinfo.a": "1"}})],
        wanted=extra({"guestinfo.a": "1"}),
    ),
    "host-option": Case("host_option", FIRST | {"options": {STREAMS: 1}}, wanted=option(STREAMS, 1, [HOST])),
    "host-options": Case(
        "host_option", ALL | {"options": {STREAMS: 1}}, "5.0", wanted=option(STREAMS, 1, [HOST, SECOND_HOST])
    ),
    "host-option-default": Case(
        "host_option",
        ALL | {"options": {STREAMS: None}, "state": "default"},
        setup=STREAMS_OFF,
        wanted=option(STREAMS, 0, [HOST, SECOND_HOST]),
    ),
    "host-option-there": Case(
        "host_option",
        ALL | {"options": {STREAMS: 1}},
        setup=STREAMS_OFF,
        wanted=option(STREAMS, 1, [HOST, SECOND_HOST]),
    ),
    "power-on": Case("vm_power", INNER | {"state": "powered_on"}, scenario="off", wanted=power("poweredOn")),
    "power-off": Case("vm_power", INNER | {"state": "powered_off"}, "8.0", wanted=power("poweredOff")),
    # Long enough for the server to be asked to tell the end of the task.
    "power-off-slowly": Case("vm_power", INNER | {"state": "powered_off"}, wanted=power("poweredOff"), task_ms=1000),
    "power-resume": Case(
        "vm_power", INNER | {"state": "powered_on"}, "5.0", scenario="suspended", wanted=power("poweredOn")
    ),
    "power-there": Case("vm_power", INNER | {"state": "powered_on"}, "8.0", wanted=power("poweredOn")),
    "power-shut-down": Case("vm_power", INNER | {"state": "shut_down"}, wanted=power("poweredOff")),
    "power-shut-down-forced": Case(
        "vm_power",
        INNER | {"state": "shut_down", "force": True},
        "5.0",
        setup=[(VM, {"tools": "not-running"})],
        wanted=power("poweredOff"),
    ),
    "nic-vmotion": Case(
        "vmkernel_service",
        FIRST | {"device": "vmk1", "services": "vmotion"},
        wanted=carries("vmk1", "vmotion", True, [HOST]),
    ),
    "nic-both-hosts": Case(
        "vmkernel_service",
        ALL | {"device": "vmk2", "services": ["vmotion", "faultToleranceLogging"]},
        "5.0",
        wanted=carries("vmk2", "faultToleranceLogging", True, [HOST, SECOND_HOST]),
    ),
    "nic-removed": Case(
        "vmkernel_service",
        ALL | {"device": "vmk1", "services": "faultToleranceLogging", "state": "absent"},
        "8.0",
        wanted=carries("vmk1", "faultToleranceLogging", False, [HOST, SECOND_HOST]),
    ),
    "ha-on": Case("cluster_ha", ALL | {"state": "enabled"}, scenario="ha-off", wanted=ha(True)),
    "ha-on-settings": Case(
        "cluster_ha",
        ALL | {"state": "enabled", "admission_control": False, "host_monitoring": False},
        "5.0",
        scenario="ha-off",
        wanted=ha(True, admission=False, monitoring="disabled"),
    ),
    "ha-off": Case("cluster_ha", ALL | {"state": "disabled"}, "8.0", wanted=ha(False)),
    "ha-details": Case(
        "cluster_ha",
        ALL | {"advanced_options": {"das.a": "1", "das.old": ""}, "vm_restart_priority": {"inner": "disabled"}},
        setup=[("domain-c7", {"das_options": {"das.old": "x", "das.kept": "x"}})],
        wanted=ha(True, options={"das.a": "1", "das.kept": "x"}, overrides={VM: "disabled"}),
    ),
    "ft-on-5.0": Case("fault_tolerance", INNER, "5.0", setup=PREPARED, wanted=protection("running")),
    "ft-on-6.7": Case("fault_tolerance", INNER, wanted=protection("running")),
    "ft-on-8.0": Case("fault_tolerance", INNER, "8.0", wanted=protection("running")),
    "ft-on-encrypted": Case(
        "fault_tolerance",
        INNER | {"encryption": "required"},
        "8.0",
        wanted=lambda state: protection("running")(state) and vm(state)["encryption"] == "ftEncryptionRequired",
    ),
    "ft-on-off-vm": Case("fault_tolerance", INNER, scenario="off", wanted=protection("enabled")),
    "ft-off": Case("fault_tolerance", INNER | {"state": "absent"}, setup=RUNNING, wanted=protection("notConfigured")),
    "ft-off-8.0": Case(
        "fault_tolerance", INNER | {"state": "absent"}, "8.0", setup=RUNNING, wanted=protection("notConfigured")
    ),
    "ft-suspended": Case(
        "fault_tolerance", INNER | {"state": "suspended"}, "8.0", setup=RUNNING, wanted=protection("disabled")
    ),
    "ft-resumed": Case(
        "fault_tolerance", INNER, setup=[(VM, {"ft_state": "disabled"})], wanted=protection("running")
    ),
    "ft-there": Case("fault_tolerance", INNER, setup=RUNNING, wanted=protection("running")),
    "ft-power-cycle": Case(
        "fault_tolerance",
        INNER | {"allow_power_cycle": True},
        "5.0",
        scenario="monitor",
        setup=PREPARED,
        # A rerun on a virtual machine that an earlier run left off, and said so, leaves it off.
        wanted=lambda state: protection("running" if power("poweredOn")(state) else "enabled")(state),
        cycles=True,
    ),
    "failover": Case(
        "ft_failover", INNER | {"action": "test_failover"}, setup=RUNNING, wanted=protection("running")
    ),
    "failover-5.0": Case(
        "ft_failover",
        INNER | {"action": "test_failover"},
        "5.0",
        setup=PREPARED + RUNNING,
        wanted=protection("running"),
    ),
    "restart-secondary": Case(
        "ft_failover", INNER | {"action": "restart_secondary"}, "8.0", setup=RUNNING, wanted=protection("running")
    ),
    "readiness-vm": Case("ft_readiness", INNER, scenario="bare"),
    "readiness-cluster": Case("ft_readiness", ALL, "8.0"),
    "readiness-probe": Case("ft_readiness", INNER | {"probe_network": True}),
    "diagnose": Case("ft_diagnose", INNER | {"host_logs": True}, setup=[*RUNNING, (VM, {"broken_stream": True})]),
}
