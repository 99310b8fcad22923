"""Every message of playbooks/troubleshooting.md is one that a module gives."""

from __future__ import annotations

import re

import pytest

from modules import ROOT, connection, run_module

PAGE = (ROOT / "playbooks" / "troubleshooting.md").read_text()
MESSAGES = re.findall(r"^### `(.*)`$", PAGE, re.M)

ON, OFF = {"state": "powered_on"}, {"state": "powered_off"}
STREAMS = {"options": {"Migrate.VMotionStreamDisable": 1}}
# The beginning of each message: the lab, the module, and the arguments besides the connection and the virtual machine.
CASES = {
    "cannot connect to …: connection refused": ("6.7 healthy", "vm_power", ON | {"port": 1}),
    "cannot connect to …: the name": ("6.7 healthy", "vm_power", ON | {"hostname": "nowhere.invalid"}),
    "the server's certificate is not trusted": ("6.7 healthy", "vm_power", ON | {"thumbprint": None}),
    "the server's certificate is not the": ("6.7 healthy", "vm_power", ON | {"thumbprint": "AA" * 32}),
    "… refused the login": ("6.7 healthy", "vm_power", ON | {"password": "not the one"}),
    "unknown argument": ("6.7 healthy", "vm_power", ON | {"stat": "powered_on"}),
    "missing argument": ("6.7 healthy", "vm_power", {}),
    "cannot find virtual machine": ("6.7 healthy", "vm_power", ON | {"name": "iner"}),
    "virtual machine … is ambiguous": ("6.7 duplicates", "vm_power", ON | {"name": "twin"}),
    "NoPermission": ("6.7 healthy", "vm_power", OFF | {"inject": {"method": "PowerOffVM_Task", "fault": "NoPermission"}}),
    "vSphere HA is off": ("6.7 ha-off", "fault_tolerance", {"state": "present"}),
    "… but its secondary": ("6.7 article", "fault_tolerance", {"state": "present"}),
    "… did not finish": ("6.7 slow-tasks", "vm_power", OFF | {"timeout": 1}),
    "… is suspended": ("6.7 suspended", "vmx_option", {"options": {"guestinfo.a": "1"}}),
    "… takes an integer": ("6.7 healthy", "host_option", {"options": {"Migrate.VMotionStreamDisable": 7}}),
    "… has no option": ("8.0 healthy", "host_option", STREAMS),
}


def test_every_message_has_a_case():
    assert [[case for case in CASES if message.startswith(case)] for message in MESSAGES] == [[case] for case in CASES]


@pytest.mark.parametrize("message", MESSAGES)
def test_a_module_gives_the_message(message, simulator):
    (case,) = (case for case in CASES if message.startswith(case))
    where, module, more = CASES[case]
    personality, scenario = where.split()
    more = dict(more)
    slow = {"task_ms": 60_000} if scenario == "slow-tasks" else {}
    lab = simulator(personality=personality, scenario="healthy" if slow else scenario, **slow)
    if inject := more.pop("inject", None):
        lab.inject(**inject)
    target = {"cluster_name": lab.facts["cluster"]} if module == "host_option" else {"name": lab.facts["vm"]}
    args = {key: value for key, value in (connection(lab.facts) | target | more).items() if value is not None}
    told = run_module(module, args).msg
    assert re.search(".*".join(re.escape(part.strip()) for part in message.split("…")), told), told
