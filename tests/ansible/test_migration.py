"""The migration page: runs all of its nested.vft tasks in order."""

from __future__ import annotations

import re

import pytest
import yaml

from modules import ROOT, example, run_module

PAGE = ROOT / "playbooks" / "migration.md"
CONNECTION = {
    "hostname": "{{ vcenter_hostname }}",
    "port": "{{ vcenter_port }}",
    "username": "{{ vcenter_username }}",
    "thumbprint": "{{ vcenter_thumbprint }}",
}


def shown() -> list[dict]:
    """Returns every task on the page, of nested.vft and of others."""
    blocks = re.findall(r"^```yaml\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    return [task for block in blocks for task in yaml.safe_load(block)]


OURS = [task for task in shown() if any(word.startswith("nested.vft.") for word in task)]


def test_every_task_of_the_page_is_found():
    text = PAGE.read_text()
    assert len(OURS) == len(re.findall(r"^ +nested\.vft\.\w+:$", text, re.MULTILINE)) >= 10
    assert len({task["name"] for task in OURS}) == len(OURS)
    theirs = [task for task in shown() if task not in OURS]
    assert all(any(word.startswith(("community.vmware.", "vmware.vmware.")) for word in task) for task in theirs)


# The labs start with some of the state that the page sets up.
BEFORE = [
    {
        "name": "Take Fault Tolerance logging off",
        "nested.vft.vmkernel_service": {
            "cluster_name": "{{ cluster_name }}",
            "portgroup": "FT",
            "services": "faultToleranceLogging",
            "state": "absent",
        },
    },
    {"name": "Turn vSphere HA off", "nested.vft.cluster_ha": {"cluster_name": "{{ cluster_name }}", "state": "disabled"}},
]


def test_every_task_changes_something_the_first_time_only(ansible, simulator):
    lab = simulator(personality="6.7", scenario="healthy")
    (ansible.folder / "hosts.txt").write_text("# The lab's\nesxi01.lab.local\nesxi02.lab.local  # the other\n")
    again = [task | {"name": f"{task['name']} (again)"} for task in OURS]
    play = {
        "name": "Migrate",
        "hosts": "localhost",
        "connection": "local",
        "gather_facts": False,
        "module_defaults": {"group/nested.vft.vsphere": CONNECTION},
        "tasks": [*BEFORE, *(step for pair in zip(OURS, again, strict=True) for step in pair)],
    }
    run = ansible.play([play], lab)
    assert run.exit == 0, run.output
    for task in OURS:
        assert run.task(task["name"])["changed"], task["name"]
        assert not run.task(f"{task['name']} (again)")["changed"], task["name"]


@pytest.mark.parametrize("name", ["host_option", "vmx_option"])
def test_a_run_without_change_needs_as_many_requests_as_the_page_says(name, simulator):
    said = re.search(rf"\| {name} \|(?:.*\n)*?\| requests in a run without a change \| [^|]* \| (\d+)", PAGE.read_text())
    lab = simulator(personality="6.7", scenario="healthy")
    args = example(name, lab.facts)
    assert run_module(name, args).changed
    lab.clear_log()
    assert not run_module(name, args).changed
    assert len(lab.log()) == int(said[1])
