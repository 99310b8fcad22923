"""Errors of the roles name their cause."""

from __future__ import annotations

import pytest

from .test_roles import written

# 2.19 has the templating of 2.21. The roles run on it in test_playbooks.py.
pytestmark = pytest.mark.parametrize("ansible", ["2.21", "2.16"], indirect=True)


@pytest.mark.parametrize(
    ("playbook", "said", "task", "why"),
    [
        ("prerequisites.yml", {"cluster_name": "Nope"}, "Check the hosts", "cannot find cluster `Nope`"),
        ("prerequisites.yml", {}, "Turn vSphere HA on", "privilege"),
        ("undo.yml", {"vms": [{"name": "innner"}]}, "Find the virtual machines", "innner"),
    ],
)
def test_a_task_that_fails_names_the_cause(ansible, simulator, playbook, said, task, why):
    lab = simulator(personality="8.0", scenario="ha-off")
    record = ansible.folder / "lab.json"
    lab.inject(method="ReconfigureComputeResource_Task", fault="NoPermission")
    play = ansible.play(playbook, lab, record=str(record), **said)
    assert play.exit != 0 and why in play.task(task)["msg"], play.output


@pytest.mark.parametrize(
    ("said", "task", "why"),
    [
        ({"vmotion_device": ["vmk9"]}, "Check the vmknics", "`vmotion_device` must be a device, or a map of host names to devices."),
        ({"ft_logging_device": {"esxi01.lab.local": 1}}, "Check the vmknics", "`ft_logging_device` must be a device, or a map"),
        (
            {"ft_logging_device": {"esxi02.lab.local": "vmk1", "esxi01": "vmk1"}},
            "Check the hosts that",
            "`ft_logging_device` names hosts that are not in Cluster: esxi01. Its hosts are esxi01.lab.local, esxi02.lab.local.",
        ),
        # The user named it, so nothing asks for a name.
        ({"vmotion_device": "vmk9"}, "Stop before", "host esxi01.lab.local has no vmknic vmk9 that can carry vmotion. Its candidates are"),
    ],
    ids=["list", "number", "host", "device"],
)
def test_a_vmknic_that_does_not_exist_stops_the_play_before_any_change(ansible, simulator, said, task, why):
    lab = simulator(personality="8.0", scenario="bare")
    play = ansible.play("prerequisites.yml", lab, choose_vmknics=True, **said)
    failed = [entry for entry in play.journal if entry["outcome"] == "failed"][0]
    assert play.exit != 0 and failed["task"].startswith(task), play.output
    # Each item of a loop has a message.
    said = failed["result"].get("results", [failed["result"]])
    assert any(one.get("msg", "").startswith(why) for one in said), said
    assert written(lab) == 0
