"""The record of the roles: hosts of a play share it, it belongs to one server, and a wrong one is refused."""

from __future__ import annotations

import json
import time

import pytest
import yaml

from modules import ROOT

from .test_playbooks import outcome, protect
from .test_roles import undo, written

# 2.19 has the templating of 2.21. The roles run on it in test_playbooks.py.
pytestmark = pytest.mark.parametrize("ansible", ["2.21", "2.16"], indirect=True)


def test_a_record_belongs_to_one_server(ansible, simulator):
    lab, other = simulator(personality="8.0", scenario="healthy"), simulator(personality="8.0", scenario="healthy")
    record = str(ansible.folder / "lab.json")
    assert protect(ansible, other, record=record).exit == 0
    servers = [f"127.0.0.1:{one.facts['port']}" for one in (other, lab)]
    for play in (protect(ansible, lab, record=record), undo(ansible, lab, record=record)):
        assert play.exit != 0 and "the record of the server {}, not of {}.".format(*servers) in play.output
    assert written(lab) == 0
    assert undo(ansible, other, record=record).counts["changed"] == 1


@pytest.mark.parametrize("flaw", ["lock", "entry"])
def test_nothing_changes_without_a_record_of_it(ansible, simulator, flaw):
    lab = simulator(personality="5.0", scenario="bare")
    record = ansible.folder / "lab.json"
    if flaw == "lock":
        (ansible.folder / "lab.json.lock").mkdir()
        why = f"cannot write the record {record}: Is a directory. Set `record` to a path"
    else:
        server = f"{lab.facts['hostname']}:{lab.facts['port']}"
        record.write_text(json.dumps({"format": 1, "server": server, "entries": [{"module": "vm_power"}]}))
        why = f"the record {record} is damaged: entries[0].object is not a dictionary"
        assert why in undo(ansible, lab, record=str(record)).output
    play = protect(ansible, lab, record=str(record))
    assert play.exit != 0 and why in play.output
    assert written(lab) == 0


SERVERS = [
    ({"hostname": "VC.lab", "port": 8443}, "vc.lab:8443", True),
    ({"hostname": "vc.lab", "protocol": "http"}, "vc.lab:80", True),
    # From VMWARE_HOST.
    ({}, "VC.example:443", True),
    ({"port": "444"}, "vc.example:443", False),
    # No port is a port that nobody knows.
    ({}, "vc.example", False),
]


def test_a_record_names_the_host_and_the_port(ansible, simulator):
    lab = simulator(personality="8.0", scenario="healthy")
    tasks = []
    for number, (arguments, server, _) in enumerate(SERVERS):
        record = ansible.folder / f"{number}.json"
        record.write_text(json.dumps({"format": 1, "server": server, "entries": []}))
        restore = {"nested.vft.restore": arguments | {"record": str(record)}}
        tasks.append({"name": f"Case {number}", "ignore_errors": True} | restore)
    done = ansible.play([{"hosts": "localhost", "gather_facts": False, "tasks": tasks}], lab, env={"VMWARE_HOST": "vc.example"})
    for number, (_, server, accepted) in enumerate(SERVERS):
        task = done.task(f"Case {number}")
        assert (task["outcome"] == "ok") == accepted and (accepted or f"the record of the server {server}, not" in task["msg"]), task


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


def test_a_check_run_of_unprotect_foretells_that_the_guest_cannot_shut_down(ansible, simulator):
    lab = simulator(personality="8.0", scenario="healthy")
    record = str(ansible.folder / "lab.json")
    [moid] = [moid for moid, thing in lab.state().items() if thing.get("name") == "other"]
    assert protect(ansible, lab, vms=["other"], record=record, power_on=True).exit == 0
    lab.set(moid, tools="not-running")
    foretold, done = (undo(ansible, lab, *flags, record=record, vms=["other"]) for flags in (["--check"], []))
    assert foretold.exit == done.exit != 0
    assert outcome(foretold) == outcome(done)
    assert "VMware Tools" in outcome(done) and "`force_power_off: true`" in outcome(done), outcome(done)


def test_a_run_that_changes_nothing_can_be_undone(ansible, simulator):
    lab = simulator(personality="8.0", scenario="healthy")
    assert protect(ansible, lab).exit == 0
    for play in (protect, undo):
        done = play(ansible, lab, record=str(ansible.folder / "lab.json"))
        assert done.exit == 0 and done.counts["changed"] == 0, done.output


@pytest.mark.parametrize("said", [{"record": "lab.json"}, {}], ids=["record", "no record"])
def test_the_user_limits_how_long_unprotect_waits(ansible, simulator, said):
    lab = simulator(personality="6.7", scenario="slow")
    said = {name: str(ansible.folder / value) for name, value in said.items()} | {"ft_timeout": 2}
    assert protect(ansible, lab, **said).exit != 0
    begin = time.monotonic()
    done = undo(ansible, lab, **said)
    assert done.exit != 0 and "after 2 s" in done.output, done.output
    assert time.monotonic() - begin < 60


def test_a_wrong_record_or_name_is_not_taken_for_a_complete_undo(ansible, simulator):
    lab = simulator(personality="8.0", scenario="healthy")
    record, typo = str(ansible.folder / "lab.json"), str(ansible.folder / "typo.json")
    assert protect(ansible, lab, vms=["inner", "other"], record=record).exit == 0
    now = lab.dump()
    for said, why in [
        ({"record": typo}, f"the record {typo} does not exist. Check `record`"),
        ({"record": record, "vms": ["inner", "innner"]}, f"the record {record} has no entry of innner: "),
    ]:
        play = undo(ansible, lab, **said)
        assert play.exit != 0 and why in play.output, play.output
    assert lab.dump() == now
    # The second run changes nothing, and also shows what belongs to others.
    for changed in (1, 0):
        done = undo(ansible, lab, record=record, vms=["inner"])
        assert done.exit == 0 and done.counts["changed"] == changed, done.output
        assert "names other virtual machines:\nother: power\nother: Fault Tolerance" in outcome(done)
    # An id is as good as a name, and vSphere knows the virtual machine although the record does not any more.
    assert undo(ansible, lab, record=record, vms=[{"moid": lab.facts["vm_moid"]}]).exit == 0
