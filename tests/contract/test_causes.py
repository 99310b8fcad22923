"""The table in modules/ft_diagnose/CAUSES.md is what runs say about each cause, and its remedies turn Fault Tolerance on."""

from __future__ import annotations

import os
import re
from typing import Any, NamedTuple

import pytest
from readiness import apply, ids, look, put, steps

from modules import ROOT, connection, run_module

from .test_ft_diagnose import REPLAY, diagnose
from .test_ft_diagnose import ids as findings
from .test_ft_diagnose_events import NO_LOGS, inner, refuse

PAGE = ROOT / "modules/ft_diagnose/CAUSES.md"
HEAD = "| cause | vSphere | `fault_tolerance` says | events | logs | `ft_readiness` | its probe | remedy |"
NO_EVENTS = [("QueryEvents", "System.View")]


class Row(NamedTuple):
    """A cause. The other cells of the table come from the run."""

    cause: str
    release: str
    scenario: str
    says: str
    # The change of the simulator that stands for what a person does. Empty if modules apply every remedy.
    by_hand: dict[str, dict[str, Any]] = {}
    # The change that makes a healthy lab fail.
    broken: dict[str, dict[str, Any]] = {}
    # An event that a vCenter posts, and the simulator does not.
    event: str | None = None


# The simulator has no way to add a host or CPUs while it runs: the scenario ends instead.
ENDS = {"cluster": {"scenario": "healthy"}}
ROWS = [
    Row("the nested VM has no options for record and replay", "5.0", "healthy", "recordReplayNotSupported"),
    Row("the same, and the VM is off", "5.0", "off", "recordReplayNotSupported"),
    Row("vMotion streams break between nested hosts (the article)", "5.0", "article", "failed to read stream keepalive"),
    Row("the same with SMP-FT", "6.7", "article", "failed to read stream keepalive"),
    Row("the VM is suspended", "6.7", "suspended", "is suspended"),
    Row("vSphere HA is off", "8.0", "ha-off", "vSphere HA is off"),
    Row("nothing is prepared: no HA, no vmknic for vMotion or FT logging", "8.0", "bare", "vSphere HA is off"),
    Row("a host has no vmknic for FT logging", "8.0", "no-ft-nic", "NoHostSuitableForFtSecondary"),
    Row("no host suits, for a reason that the API does not show", "5.0", "no-host", "NoHostSuitableForFtSecondary", ENDS),
    Row("the other host is in maintenance mode", "8.0", "healthy", "NoHostSuitableForFtSecondary",
        {"host": {"maintenance": False}}, {"host": {"maintenance": True}}),
    Row("the HA agent of the other host failed", "8.0", "healthy", "NoHostSuitableForFtSecondary",
        {"host": {"agent": None}}, {"host": {"agent": "initializationError"}}),
    Row("the other host cannot reach the VM's datastore", "5.0", "healthy", "NoHostSuitableForFtSecondary",
        {"host": {"lacks": []}}, {"host": {"lacks": ["datastore-11"]}}),
    Row("DRS waits for a person", "5.0", "drs-manual", "before a DRS recommendation is applied", {"cluster": {"drs_level": "fullyAutomated"}}),
    Row("the secondary starts too slowly", "8.0", "slow", "is still starting after", ENDS, event="VmTimedoutStartingSecondaryEvent"),
    Row("the monitor mode of the running VM", "5.0", "monitor", "VmMonitorIncompatibleForFaultTolerance"),
    Row("the disk is thin, and the VM runs", "5.0", "thin-disk", "thinDisk"),
    Row("the VM nests VMs itself", "8.0", "nested-hv", "hasNestedHVConfiguration", {"vm": {"power": "poweredOff", "nested_hv": False}}),
    Row("the VM has a snapshot", "6.7", "snapshot", "hasSnapshots", {"vm": {"snapshots": []}}),
    Row("the VM is a linked clone", "8.0", "healthy", "hasLinkedCloneDisk",
        {"vm": {"disk": {"linked": False}}}, {"vm": {"disk": {"linked": True}}}),
    Row("the datastore is local", "8.0", "healthy", "hasLocalDisk",
        {"datastore": {"shared": True}}, {"datastore": {"shared": False}}),
    Row("the outer port group drops everything", "6.7", "outer-blocked", "failed to read stream keepalive", {"host": {"outer_mtu": 9000}}),
    Row("the outer network has a smaller MTU", "8.0", "outer-mtu", "failed to read stream keepalive", {"host": {"outer_mtu": 9000}}),
]  # fmt: skip


def start(row: Row, simulator):
    """Starts a lab in which Fault Tolerance fails only for this cause."""
    lab = simulator(personality=row.release, scenario=row.scenario)
    for what, state in row.broken.items():
        put(lab, what, state)
    if row.release == "5.0" and "recordReplay" not in row.says:
        lab.set(lab.facts["vm_moid"], power="poweredOff", extraConfig=REPLAY)
        lab.set(lab.facts["vm_moid"], power="poweredOn")
    return lab


def turn_on(lab, **more):
    return run_module("fault_tolerance", inner(lab, state="present", **more))


def diagnosed_without(lab, sources) -> list[str]:
    """Returns the causes that ft_diagnose finds while it may not read these sources."""
    refuse(lab, *sources)
    result = diagnose(inner(lab, host_logs=True))
    lab.clear_injections()
    # If no log can be read, a lack of events proves nothing, and the run fails.
    assert not result.json["failed"] or sources == NO_LOGS, result.msg
    return findings(result)


def remedies(lab, failed, causes, found) -> list[dict]:
    """Returns the first remedies offered: by ft_readiness, by ft_diagnose, or by the failure."""
    if steps(found):
        return steps(found)
    if not causes:
        return [{"module": None, "text": failed.json["error"]["hint"]}]
    step = causes[0]["remedies"][0]
    if step["module"] == "ft_readiness":
        return run_module("ft_readiness", connection(lab.facts) | step["args"]).json["remedies"]
    return [step]


def act(lab, row: Row) -> None:
    """Does what the remedies leave to a person, on all hosts."""
    for what, state in row.by_hand.items():
        for moid in lab.facts["host_moids"] if what == "host" else [None]:
            lab.set(moid, **state) if moid else put(lab, what, state)


def short(step: dict) -> str:
    """Returns a remedy for a cell: who applies it, and its first clause."""
    text = re.split(r"[.:;] |\.$| \(", step["text"])[0]
    return f"`{step['module']}`: {text}" if step["module"] else f"by hand: {text}"


def cell(names) -> str:
    return ", ".join(f"`{name}`" for name in sorted(names)) or "nothing"


@pytest.mark.parametrize("number", range(len(ROWS)), ids=[f"{row.scenario}-{row.says}" for row in ROWS])
def test_the_remedy_of_each_cause_turns_fault_tolerance_on(number, simulator):
    row = ROWS[number]
    lab = start(row, simulator)
    failed = turn_on(lab, **({"timeout": 2} if row.event else {}))
    assert failed.json["failed"] and row.says in failed.msg, failed.msg
    if row.event:
        lab.post_event(lab.facts["vm_moid"], row.event)
    events, logs = diagnosed_without(lab, NO_LOGS), diagnosed_without(lab, NO_EVENTS)
    unmet = ids(look(lab), "unmet")
    found = look(lab, probe_network=True)
    lost = ids(found, "unmet") - unmet
    causes = diagnose(inner(lab, host_logs=True)).json["findings"]
    probes = [step["args"] for cause in causes for step in cause["remedies"] if step["module"] == "ft_readiness"]
    assert not lost or any(args.get("probe_network") for args in probes), "ft_diagnose does not offer the probe"
    offered = remedies(lab, failed, causes, found)

    for step in offered:
        if step["module"]:
            apply(lab, step)
    assert bool(row.by_hand) == any(step["module"] is None for step in offered), offered
    act(lab, row)
    if "`state: suspended`" in failed.msg:
        assert not run_module("fault_tolerance", inner(lab, state="suspended")).json["failed"]
    done = turn_on(lab)
    if done.json.get("ft_state") == "enabled":
        apply(lab, {"module": "vm_power", "args": inner(lab, state="powered_on")})
        done = turn_on(lab)
    assert done.json["ft_state"] == "running" and not done.json["failed"], done.msg

    says = [row.cause, row.release, row.says, cell(events), cell(logs), cell(unmet), cell(lost)]
    line = f"| {' | '.join([*says, '<br>'.join(map(short, offered))])} |"
    page = PAGE.read_text().splitlines()
    place = page.index(HEAD) + 2 + number
    # WRITE_CAUSES=1 in the environment, with -n 0, rewrites the table.
    if "WRITE_CAUSES" in os.environ:
        page[place : place + 1] = [line]
        PAGE.write_text("\n".join(page) + "\n")
    assert page[place : place + 1] == [line]


def test_every_scenario_is_a_row():
    page = PAGE.read_text().splitlines()
    assert len(page) == page.index(HEAD) + 2 + len(ROWS)
    table = (ROOT / "tests/simulator/README.md").read_text().split("| scenario |")[1].split("\n\n")[0]
    scenarios = {name for line in table.splitlines() for name in re.findall(r"`([\w-]+)`", line.split("|")[1])}
    # `duplicates` is about names.
    assert {row.scenario for row in ROWS} == scenarios - {"duplicates"}
