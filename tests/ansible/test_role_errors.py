"""Errors of the roles name their cause."""

from __future__ import annotations

import pytest


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
