"""The record of the roles: hosts of a play share it, it belongs to one server, and a wrong one is refused."""

from __future__ import annotations

import yaml

from modules import ROOT


def test_hosts_of_a_play_share_a_record(ansible, simulator):
    lab = simulator(personality="5.0", scenario="healthy", vms=4)
    names = [f"vm{number:04}" for number in range(4)]
    inventory = {"all": {"hosts": dict.fromkeys(names), "vars": {"ansible_connection": "local"}}}
    said = {"vm_name": "{{ inventory_hostname }}", "record": str(ansible.folder / "lab.json"), "power_on": True}
    before = lab.dump()
    for role, state in (("protect", "running"), ("unprotect", "notConfigured")):
        play = yaml.safe_load((ROOT / "playbooks" / "undo.yml").read_text())[0] | {"hosts": "all", "roles": [f"nested.vft.{role}"]}
        done = ansible.play([play], lab, "-f", "4", inventory=inventory, **said)
        assert done.exit == 0, done.output
        assert {lab.state()[f"vm-{10000 + number}"]["ft_state"] for number in range(4)} == {state}
    assert lab.dump() == before
