"""The judge: runs a module against a damaged server and compares its result with what pyvmomi reads."""

from __future__ import annotations

import os
import random
import re
import subprocess
import tempfile
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pyVim.connect import Disconnect, SmartConnect
from pyVmomi import vim, vmodl

import lab
from faults.damage import FAULTS
from faults.proxy import Proxy, Run
from modules import IMPERATIVE, READ_ONLY, Result, connection, run_module

if TYPE_CHECKING:
    from faults.cases import Case

State = dict[str, dict[str, Any]]

# The environment variable that turns on kept sessions (session_cache).
CACHE = "FAULTS_SESSION_CACHE"
TIMEOUT = 4
# A run must end at most 5 s after its timeout. The rest is slack for a busy machine.
LATEST = TIMEOUT + 5 + 3
# Without a fault, a run takes a fraction of a second.
CLEAN_TIMEOUT = 20
UNKNOWN = re.compile(r"unknown|not known|may have|may still")
PATHS = {
    vim.VirtualMachine: ["name", "runtime", "config"],
    vim.HostSystem: ["name", "config.option", "config.virtualNicManagerInfo.netConfig"],
    vim.ClusterComputeResource: ["name", "configurationEx"],
}


@dataclass
class Verdict:
    """The judge's findings about one run."""

    case: str
    n: int
    fault: str
    seed: int
    # The methods of the damaged requests. Empty if the run had fewer requests.
    hit: list[str] = field(default_factory=list)
    failed: bool = False
    # True if `changed` is true although nothing changed. This is allowed if the outcome is unknown.
    conservative: bool = False
    seconds: float = 0
    msg: str = ""
    problems: list[str] = field(default_factory=list)

    @property
    def name(self) -> str:
        return f"{self.case}:{self.n}:{self.fault}"

    as_dict = asdict


def read_state(facts: dict[str, Any]) -> State:
    """Reads with pyvmomi everything that a module can change. Boot times show restarts."""
    service = SmartConnect(
        host=facts["hostname"],
        port=facts["port"],
        user=facts["username"],
        pwd=facts["password"],
        protocol=facts["protocol"],
    )
    try:
        content = service.content
        view = content.viewManager.CreateContainerView(content.rootFolder, list(PATHS), True)
        collect = vmodl.query.PropertyCollector
        select = collect.TraversalSpec(name="view", path="view", skip=False, type=vim.view.ContainerView)
        spec = collect.FilterSpec(
            objectSet=[collect.ObjectSpec(obj=view, skip=True, selectSet=[select])],
            propSet=[collect.PropertySpec(type=kind, pathSet=paths) for kind, paths in PATHS.items()],
        )
        found = content.propertyCollector.RetrieveContents([spec])
    finally:
        Disconnect(service)
    state: State = {"vms": {}, "hosts": {}, "clusters": {}}
    for each in found:
        values = {prop.name: prop.val for prop in each.propSet}
        if isinstance(each.obj, vim.VirtualMachine):
            state["vms"][each.obj._moId] = vm_state(values)
        elif isinstance(each.obj, vim.HostSystem):
            state["hosts"][each.obj._moId] = host_state(values)
        else:
            config = values["configurationEx"]
            ha = config.dasConfig
            state["clusters"][each.obj._moId] = {
                "name": values["name"],
                "enabled": ha.enabled,
                "admission": ha.admissionControlEnabled,
                "monitoring": ha.hostMonitoring,
                "options": {option.key: option.value for option in ha.option},
                "overrides": {one.key._moId: one.dasSettings.restartPriority for one in config.dasVmConfig},
            }
    return state


def vm_state(values: dict[str, Any]) -> dict[str, Any]:
    runtime, config = values["runtime"], values["config"]
    ft = config.ftInfo
    return {
        "name": values["name"],
        "power": runtime.powerState,
        "boot": runtime.bootTime,
        "host": runtime.host._moId,
        "ft": runtime.faultToleranceState,
        "role": ft.role if ft else None,
        "extra": {option.key: option.value for option in config.extraConfig},
        "encryption": config.ftEncryptionMode,
    }


def host_state(values: dict[str, Any]) -> dict[str, Any]:
    return {
        "options": {option.key: option.value for option in values["config.option"]},
        "nics": {
            net.nicType: sorted(key.rpartition("-")[2] for key in net.selectedVnic)
            for net in values["config.virtualNicManagerInfo.netConfig"]
        },
    }


class Judge:
    """Makes the runs of one process, with its own proxy and simulators. They end with the process."""

    def __init__(self, cases: dict[str, Case]):
        self._cases = cases
        self._proxy = Proxy()
        self._labs: dict[tuple[str, str, int], lab.Simulator] = {}
        # With kept sessions, the folder of their files.
        self._kept = tempfile.TemporaryDirectory() if os.environ.get(CACHE) else None
        # The result of each read-only case without a fault.
        self._answers: dict[str, dict[str, str]] = {}

    def _lab(self, case: Case) -> lab.Simulator:
        """Returns the simulator of the case, in the case's initial state."""
        key = (case.personality, case.scenario, case.task_ms)
        if key not in self._labs:
            started = lab.Simulator(personality=key[0], scenario=key[1], http=True, task_ms=key[2]).start()
            self._labs[key] = started
        simulator = self._labs[key]
        simulator.reset()
        for file in self._kept_files():
            file.unlink()
        for moid, state in case.setup:
            simulator.set(moid, **state)
        return simulator

    def _kept_files(self) -> list[Path]:
        return list((Path(self._kept.name) / "nested_vft").glob("*.json")) if self._kept else []

    def _call(
        self, case: Case, simulator: lab.Simulator, timeout: int, port: int | None = None, flags: tuple[str, ...] = ()
    ) -> Result:
        facts = simulator.facts | ({"port": port} if port else {})
        env = {"XDG_RUNTIME_DIR": self._kept.name, "VMWARE_SESSION_CACHE": "yes"} if self._kept else None
        return run_module(case.module, connection(facts) | case.args | {"timeout": timeout}, *flags, env=env)

    def _log_in(self, case: Case, simulator: lab.Simulator) -> None:
        """With kept sessions, makes one for the run that follows."""
        if self._kept:
            self._proxy.start(Run(simulator.facts["port"]))
            self._call(case, simulator, CLEAN_TIMEOUT, self._proxy.port, ("--check",))
            assert self._kept_files(), "the session was not kept"

    def rehearse(self, name: str) -> list[tuple[str, bool]]:
        """Runs the case without a fault. Returns the method of each request, and whether it reads a task."""
        case = self._cases[name]
        simulator = self._lab(case)
        self._log_in(case, simulator)
        run = self._proxy.start(Run(simulator.facts["port"]))
        result = self._call(case, simulator, CLEAN_TIMEOUT, self._proxy.port)
        assert not result.json["failed"], f"{name} fails without a fault: {result.msg}"
        simulator.settle()
        assert case.wanted(read_state(simulator.facts)), f"{name} does not do what it is meant to"
        self._answers[name] = answer(result)
        return [(request.method, request.is_poll) for request in run.requests]

    def judge(self, name: str, n: int, fault: str, seed: int) -> Verdict:
        """Runs the case with one fault and judges it."""
        case, kind = self._cases[name], FAULTS[fault]
        if case.module in READ_ONLY and name not in self._answers:
            self.rehearse(name)
        simulator = self._lab(case)
        verdict = Verdict(name, n, fault, seed)
        before = read_state(simulator.facts)
        self._log_in(case, simulator)
        simulator.clear_log()
        run = Run(
            simulator.facts["port"],
            kind.hits(n),
            kind.handle,
            simulator.expire_sessions,
            random.Random(f"{seed}:{verdict.name}"),
        )
        self._proxy.start(run)
        began = time.monotonic()
        try:
            result = self._call(case, simulator, TIMEOUT, self._proxy.port)
        except (AssertionError, subprocess.TimeoutExpired) as broken:
            verdict.problems.append(f"broken promise: {str(broken)[:300]}")
            return verdict
        finally:
            verdict.seconds = time.monotonic() - began
            verdict.hit = [request.method for request in run.damaged]
        simulator.settle()
        live = simulator.sessions()["live"]
        after = read_state(simulator.facts)
        verdict.failed, verdict.msg = result.json["failed"], result.msg
        # A module cannot end a session if it never received the cookie, or if all its requests are lost.
        excused = run.lost_cookies + len(self._kept_files())
        if kind.times is None and not (kind.spares_logout or kind.polls):
            excused = live
        if live > excused:
            verdict.problems.append(f"{live} session left open")
        if verdict.seconds > LATEST:
            verdict.problems.append(f"late: {verdict.seconds:.1f} s with a timeout of {TIMEOUT} s")
        if kind.harmless and verdict.failed:
            verdict.problems.append(f"failed for no reason: {result.msg}")
        self._judge_change(case, verdict, result, before, after)
        # Log text can contain anything, so nobody can detect the damage.
        if case.module in READ_ONLY and not verdict.failed and "GET" not in verdict.hit:
            clean, now = self._answers[name], answer(result)
            wrong = {key for key in clean.keys() | now.keys() if now.get(key) not in (clean.get(key), "unknown")}
            if wrong and not result.json.get("warnings"):
                verdict.problems.append(f"answers wrongly about {', '.join(sorted(wrong))}: {result.msg}")
        self._judge_rerun(case, verdict, simulator)
        return verdict

    def _judge_change(self, case: Case, verdict: Verdict, result: Result, before: State, after: State) -> None:
        problems = verdict.problems
        happened = before != after
        if result.kind == "internal":
            problems.append(f"an internal error: {result.msg}")
        if happened and not result.changed:
            problems.append(f"hides a change: {difference(before, after)}: {result.msg}")
        if result.changed and not happened:
            if not verdict.failed or case.module in READ_ONLY:
                problems.append(f"claims a change that was not made: {result.msg}")
            elif not UNKNOWN.search(result.msg):
                problems.append(f"claims a change and does not say that it is not known: {result.msg}")
            else:
                verdict.conservative = True
        if not verdict.failed and not case.wanted(after):
            problems.append(f"claims success: {result.msg}")
        if case.cycles:
            power = after["vms"]["vm-63"]["power"]
            if power != "poweredOn" and not (verdict.failed and re.search(r"powered off|is off", result.msg)):
                problems.append(f"leaves the virtual machine {power} and does not say so: {result.msg}")

    def _judge_rerun(self, case: Case, verdict: Verdict, simulator: lab.Simulator) -> None:
        try:
            again = [self._call(case, simulator, CLEAN_TIMEOUT)]
            if case.module not in IMPERATIVE | READ_ONLY:
                again.append(self._call(case, simulator, CLEAN_TIMEOUT))
        except (AssertionError, subprocess.TimeoutExpired) as broken:
            verdict.problems.append(f"broken promise of the run after: {str(broken)[:300]}")
            return
        simulator.settle()
        failed = [result.msg for result in again if result.json["failed"]]
        if failed:
            verdict.problems.append(f"does not converge: {failed[0]}")
        elif not case.wanted(read_state(simulator.facts)):
            verdict.problems.append(f"converges to the wrong state: {again[-1].msg}")
        elif len(again) == 2 and again[1].changed:
            verdict.problems.append(f"never finds it done: {again[1].msg}")


def answer(result: Result) -> dict[str, str]:
    """Returns the status of each check, or how often each failure was found."""
    checks = {f"{it['id']} of {it['object']['name']}": it["status"] for it in result.json.get("checks", [])}
    return checks | {it["id"]: str(it["count"]) for it in result.json.get("findings", [])}


def difference(before: State, after: State) -> str:
    """Returns the names of the objects that differ, and their properties."""
    told = []
    for kind in before:
        for moid in sorted(before[kind].keys() | after[kind].keys()):
            old, new = before[kind].get(moid, {}), after[kind].get(moid, {})
            names = [name for name in sorted(old.keys() | new.keys()) if old.get(name) != new.get(name)]
            if names:
                told.append(f"{moid} {'+'.join(names)}")
    return ", ".join(told)
