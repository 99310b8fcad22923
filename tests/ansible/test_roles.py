"""The roles of the collection: several virtual machines, the user's decisions, and the complete undo."""

from __future__ import annotations

import json
import random

import pytest

from modules import READS, connection, run_module

from .test_playbooks import ALLOWED, outcome, protect

# 2.19 has the templating of 2.21. The roles run on it in test_playbooks.py.
pytestmark = pytest.mark.parametrize("ansible", ["2.21", "2.16"], indirect=True)

KEYS = ["replay.supported", "replay.allowFT", "replay.allowBTOnly"]


def undo(ansible, lab, *flags: str, **variables):
    return ansible.play("undo.yml", lab, *flags, **variables)


def written(lab) -> int:
    """Returns the number of calls that may have changed something."""
    return sum(method not in READS and method != "GET" for method in lab.methods())


def started(play, task: str) -> dict:
    """Returns the result of the first task with this name."""
    return next(entry["result"] for entry in play.journal if entry["task"] == task)


def test_each_of_three_machines_ends_with_its_own_verdict(ansible, simulator):
    lab = simulator(personality="5.0", scenario="article", vms=1, task_ms=150)
    # `other` is off and needs no remedy; `inner` runs; a snapshot stops vm0000, and no module removes it.
    lab.set("vm-10000", snapshots=["before"])
    vms = ["other", {"name": "inner", "folder": "nested"}, "vm0000"]
    foretold = protect(ansible, lab, "--check", vms=vms)
    done = protect(ansible, lab, vms=vms)
    assert done.exit != 0 and done.counts["rescued"] == 0
    verdicts = outcome(done).splitlines()
    assert [line.split("  ")[0].strip() for line in verdicts] == ["other", "nested/inner", "vm0000"]
    assert "  protected  " in verdicts[0] and "remedy" not in verdicts[0]
    assert "  protected  " in verdicts[1] and "after this remedy: Disable vMotion streams" in verdicts[1]
    assert "  not protected  " in verdicts[2] and "napshot" in verdicts[2]
    assert done.task("Fail if a virtual machine is not protected")["msg"] == "1 of 3 are not protected: vm0000"
    states = {vm["name"]: vm["ft_state"] for vm in lab.state().values() if not vm["secondary"]}
    assert states == {"inner": "running", "other": "running", "vm0000": "notConfigured", "template01": "notConfigured"}

    # Check mode predicts everything but failures and their remedies.
    until = [entry["task"] for entry in done.journal].index("Help those whose secondary did not start")
    changed = [entry["task"] for entry in done.journal[:until] if entry["changed"]]
    assert changed == [entry["task"] for entry in foretold.journal if entry["changed"] and entry["task"] != "Power on"]
    again = protect(ansible, lab, vms=vms)
    assert again.exit != 0 and again.counts["changed"] == 0, again.output
    assert [line.split("  ")[0] for line in outcome(again).splitlines()] == [line.split("  ")[0] for line in verdicts]


def test_secondaries_start_at_the_same_time(ansible, simulator):
    lab = simulator(personality="8.0", scenario="healthy", vms=3, task_ms=1500)
    names = [f"vm{number:04}" for number in range(3)]
    for number in range(3):
        lab.set(f"vm-{10000 + number}", power="poweredOn")
    assert protect(ansible, lab, vms=names).exit == 0
    # vSphere got all requests before the first one ended.
    starts = [line["ms"] for line in lab.log() if line["method"] == "CreateSecondaryVMEx_Task"]
    assert len(starts) == 3 and max(starts) - min(starts) < 1500


@pytest.mark.parametrize(("playbook", "scenario"), [("nested_vft.yml", "bare"), ("prerequisites.yml", "bare")])
def test_a_host_with_several_candidates_stops_the_play_before_any_change(ansible, simulator, playbook, scenario):
    lab = simulator(personality="6.7", scenario=scenario)
    play = ansible.play(playbook, lab, apply_remedies=True)
    told = play.task("Stop before any change if it is not clear which vmknics to use")["msg"]
    assert play.exit != 0 and "choose_vmknics" in told
    for host in range(2):
        assert f"vmk1 (FT, 172.30.{host}.90), vmk2 (Lab, 172.30.{host}.100)" in told
    assert written(lab) == 0


@pytest.mark.parametrize(
    ("said", "carried"),
    [
        ({"vmotion_device": "vmk0", "ft_logging_device": "vmk2"}, [("vmk0", "vmk2")] * 2),
        ({"vmotion_portgroup": "FT", "ft_logging_portgroup": "Lab"}, [("vmk1", "vmk2")] * 2),
        (
            {"vmotion_device": {"esxi01.lab.local": "vmk1", "esxi02.lab.local": "vmk2"}, "ft_logging_device": "vmk0"},
            [("vmk1", "vmk0"), ("vmk2", "vmk0")],
        ),
        # A device counts more than a port group.
        (
            {
                "vmotion_device": {"esxi01.lab.local": "vmk1", "esxi02.lab.local": "vmk2"},
                "vmotion_portgroup": "Management Network",
                "ft_logging_device": "vmk1",
                "ft_logging_portgroup": "Lab",
            },
            [("vmk1", "vmk1"), ("vmk2", "vmk1")],
        ),
        # The user's choice binds the remedies; what the user leaves open is chosen.
        ({"vmotion_device": "vmk0", "choose_vmknics": True}, [("vmk0", "vmk1")] * 2),
    ],
    ids=["device", "portgroup", "map", "both", "one"],
)
@pytest.mark.parametrize("playbook", ["nested_vft.yml", "prerequisites.yml"])
def test_the_user_chooses_the_vmknics(ansible, simulator, playbook, said, carried):
    lab = simulator(personality="6.7", scenario="bare")
    play = ansible.play(playbook, lab, apply_remedies=True, **said)
    assert play.exit == 0, play.output
    services = [dict(host["services"]) for host in lab.dump()["hosts"].values()]
    assert [(one["vmotion"], one["faultToleranceLogging"]) for one in services] == carried


@pytest.mark.parametrize(
    ("said", "vmotion", "ft_logging"),
    [
        ({}, "vmk2", "vmk1"),
        ({"vmotion_device": "vmk1", "ft_logging_portgroup": "Lab"}, "vmk1", "the vmknic of the port group Lab"),
        (
            {"vmotion_device": {"esxi01.lab.local": "vmk0"}, "vmotion_portgroup": "Lab"},
            "the vmknics that `vmotion_device` names",
            "vmk1",
        ),
    ],
    ids=["none", "both", "map"],
)
def test_fixes_name_the_vmknics_of_the_user(ansible, simulator, said, vmotion, ft_logging):
    lab = simulator(personality="6.7", scenario="bare")
    play = ansible.play("nested_vft.yml", lab, "--check", **said)
    shown = "\n".join(play.task("Show unmet requirements")["msg"])
    for text in (f"Let {vmotion} carry vMotion", f"Let {ft_logging} carry Fault Tolerance logging"):
        assert f"Fix: {text}." in shown and text in outcome(play)
    assert shown.count("carry vMotion") == shown.count("carry Fault Tolerance logging") == 1


def test_a_guest_is_shut_down_and_only_with_permission_powered_off(ansible, simulator):
    lab = simulator(personality="5.0", scenario="healthy")
    lab.set(lab.facts["vm_moid"], tools="not-running")
    play = protect(ansible, lab)
    assert play.exit != 0 and "VMware Tools" in outcome(play)
    assert "`force_power_off: true`" in outcome(play) and "`force: true`" not in play.output
    assert "PowerOffVM_Task" not in lab.methods()
    assert protect(ansible, lab, force_power_off=True).exit == 0
    assert "PowerOffVM_Task" in lab.methods()

    lab = simulator(personality="5.0", scenario="healthy")
    assert protect(ansible, lab).exit == 0
    assert "ShutdownGuest" in lab.methods() and "PowerOffVM_Task" not in lab.methods()


@pytest.mark.parametrize("personality", ["5.0", "6.7", "8.0"])
def test_unprotect_restores_everything_that_protect_changed(ansible, simulator, personality):
    lab = simulator(personality=personality, scenario="bare")
    said = {"record": str(ansible.folder / "lab.json"), "vms": ["inner", "other"]}
    before = lab.dump()
    assert protect(ansible, lab, **said).exit == 0
    assert lab.dump() != before

    lab.clear_log()
    foretold = undo(ansible, lab, "--check", "--diff", **said)
    assert foretold.exit == 0 and written(lab) == 0
    done = undo(ansible, lab, "--diff", **said)
    assert done.exit == 0, done.output
    assert lab.dump() == before
    assert outcome(done) == outcome(foretold)
    assert done.changes == foretold.changes != []
    again = undo(ansible, lab, **said)
    assert again.exit == 0 and again.counts["changed"] == 0 and "nothing to restore" in outcome(again)


@pytest.mark.parametrize("personality", ["5.0", "8.0"])
def test_the_preparation_of_a_cluster_is_undone_too(ansible, simulator, personality):
    lab = simulator(personality=personality, scenario="no-ft-nic")
    record = str(ansible.folder / "lab.json")
    before = lab.dump()
    # FT logging moves from vmk1 on releases where only one vmknic may carry it.
    assert ansible.play("prerequisites.yml", lab, ft_logging_device="vmk2", vmotion_device="vmk2", record=record).exit == 0
    assert lab.dump() != before
    assert undo(ansible, lab, record=record).exit == 0
    assert lab.dump() == before


def change_an_option(lab) -> dict:
    lab.touch(lab.facts["vm_moid"], extraConfig={"replay.allowFT": "FALSE"})
    return {"inner: replay.allowFT stays FALSE": lambda now: now["vms"]["vm-63"]["extraConfig"].pop("replay.allowFT")}


def move_vmotion(lab) -> dict:
    host = {"esxi_hostname": lab.facts["hosts"][:1], "services": ["vmotion"]}
    for device, state in (("vmk0", "present"), ("vmk2", "absent")):
        assert run_module("vmkernel_service", connection(lab.facts) | host | {"device": device, "state": state}).json["changed"]
    return {"": lambda now: now["hosts"]["host-20"]["services"].remove(["vmotion", "vmk0"])}


def change_another_setting(lab) -> dict:
    lab.set(lab.facts["cluster_moid"], admission_control=False)
    return {"": lambda now: now["clusters"]["domain-c7"].update(admission_control=True)}


@pytest.mark.parametrize(
    ("personality", "change"),
    [("5.0", change_an_option), ("6.7", move_vmotion), ("8.0", change_another_setting)],
    ids=["option", "vmknic", "another"],
)
def test_what_somebody_else_changed_since_stays(ansible, simulator, personality, change):
    lab = simulator(personality=personality, scenario="bare")
    record = str(ansible.folder / "lab.json")
    before = lab.dump()
    assert protect(ansible, lab, record=record).exit == 0
    (told, back), = change(lab).items()
    foretold = undo(ansible, lab, "--check", record=record)
    done = undo(ansible, lab, record=record)
    assert done.exit == 0, done.output
    assert told in outcome(done) and outcome(done) == outcome(foretold)
    assert undo(ansible, lab, record=record).counts["changed"] == 0
    now = lab.dump()
    assert now != before
    back(now)
    assert now == before


def test_a_pair_that_somebody_else_suspended_stays_with_all_that_it_needs(ansible, simulator):
    lab = simulator(personality="8.0", scenario="bare")
    record = str(ansible.folder / "lab.json")
    assert protect(ansible, lab, record=record).exit == 0
    assert run_module("fault_tolerance", connection(lab.facts) | {"name": "inner", "state": "suspended"}).json["changed"]
    now = lab.dump()
    done = undo(ansible, lab, record=record)
    assert done.exit == 0 and done.counts["changed"] == 0
    assert "inner: Fault Tolerance stays suspended" in outcome(done)
    assert "Cluster: enabled stays, because Fault Tolerance still protects inner" in outcome(done)
    assert lab.dump() == now


def test_the_cluster_stays_prepared_while_another_machine_needs_it(ansible, simulator):
    lab = simulator(personality="8.0", scenario="bare")
    record = str(ansible.folder / "lab.json")
    before = lab.dump()
    assert protect(ansible, lab, record=record, vms=["inner", "other"]).exit == 0
    first = undo(ansible, lab, record=record, vms=["inner"])
    assert first.exit == 0 and "Fault Tolerance still protects other" in outcome(first)
    now = lab.dump()
    assert now["clusters"] != before["clusters"] and now["vms"]["vm-63"] == before["vms"]["vm-63"]
    assert undo(ansible, lab, record=record, vms=["other"]).exit == 0
    assert lab.dump() == before


def test_without_a_record_the_roles_say_what_is_left(ansible, simulator):
    lab = simulator(personality="5.0", scenario="bare")
    play = protect(ansible, lab)
    assert play.exit == 0 and "There is no record" in play.output
    done = undo(ansible, lab)
    assert done.exit == 0 and "vSphere HA of Cluster" in done.task("Show what is left")["msg"]


@pytest.mark.parametrize(
    ("flags", "changed"),
    [
        (["--tags", "requirements"], set()),
        (["--tags", "options"], {"ReconfigVM_Task", "ShutdownGuest", "PowerOnVM_Task"}),
        (["--skip-tags", "fault_tolerance"], {"ReconfigVM_Task", "ShutdownGuest", "PowerOnVM_Task"}),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_tags_select_parts_of_the_work(ansible, simulator, flags, changed):
    lab = simulator(personality="5.0", scenario="healthy")
    play = protect(ansible, lab, *flags, power_on=False)
    assert play.exit == 0 and outcome(play) == "inner  not changed    Fault Tolerance is notConfigured.", play.output
    assert set(lab.methods()) - READS - {"GET"} == changed


@pytest.mark.parametrize(("personality", "seed"), [("5.0", 1), ("5.0", 2), ("8.0", 3)])
def test_a_run_after_kills_continues_in_both_directions(ansible, simulator, personality, seed):
    chance = random.Random(f"{ansible.version} {personality} {seed}")
    lab = simulator(personality=personality, scenario="bare", task_ms=60)
    record = ansible.folder / "lab.json"
    said = ALLOWED | {"power_on": False, "record": str(record), "vms": ["inner", "other"]}
    before = lab.dump()

    def killed(playbook: str) -> None:
        """Runs a playbook, and kills it some time after a random number of writes."""
        lab.clear_log()
        writes = chance.randint(1, 12)
        play = ansible.play(playbook, lab, until=lambda: written(lab) >= writes, **said)
        print(f"{playbook}: status {play.exit} at {written(lab)} writes")
        lab.settle()
        lab.expire_sessions()
        if record.exists():
            json.loads(record.read_text())

    for _ in range(2):
        killed("nested_vft.yml")
    if chance.random() < 0.7:
        done = ansible.play("nested_vft.yml", lab, **said)
        assert done.exit == 0, done.output
        assert lab.state()[lab.facts["vm_moid"]]["ft_state"] == "running"
    for _ in range(2):
        killed("undo.yml")
    undone = undo(ansible, lab, **said)
    assert undone.exit == 0, undone.output
    assert lab.dump() == before


def test_what_a_pair_needs_stays_if_it_cannot_be_read_whether_there_is_one(ansible, simulator):
    lab = simulator(personality="8.0", scenario="ha-off")
    record = str(ansible.folder / "lab.json")
    assert ansible.play("prerequisites.yml", lab, record=record).exit == 0
    assert protect(ansible, lab).exit == 0
    now = lab.dump()
    lab.inject(method="RetrievePropertiesEx", fault="NoPermission")
    done = undo(ansible, lab, record=record, vm_name="")
    assert done.exit != 0 and "cannot read what Fault Tolerance protects" in outcome(done)
    assert lab.dump() == now


def test_host_services_stay_while_a_pair_of_another_run_needs_them(ansible, simulator):
    lab = simulator(personality="8.0", scenario="no-ft-nic")
    record = str(ansible.folder / "lab.json")
    assert ansible.play("prerequisites.yml", lab, record=record, choose_vmknics=True).exit == 0
    assert protect(ansible, lab).exit == 0
    now = lab.dump()
    done = undo(ansible, lab, record=record, vm_name="")
    assert done.exit == 0 and "because Fault Tolerance still protects inner" in outcome(done)
    assert lab.dump() == now


@pytest.mark.parametrize("by", ["uuid", "folder"])
def test_undo_finds_machines_by_all_that_describes_them(ansible, simulator, by):
    lab = simulator(personality="8.0", scenario="healthy")
    record = str(ansible.folder / "lab.json")
    assert protect(ansible, lab, vms=["inner", "other"], record=record).exit == 0
    vm = run_module("vm_power", connection(lab.facts) | {"name": "inner", "state": "powered_on"}, "--check").json["vm"]
    place = {"uuid": vm["instance_uuid"], "use_instance_uuid": True} if by == "uuid" else {"name": "inner", "folder": "nested"}
    assert undo(ansible, lab, record=record, vms=[place]).exit == 0
    states = {vm["name"]: vm["ft_state"] for vm in lab.state().values() if not vm["secondary"]}
    assert (states["inner"], states["other"]) == ("notConfigured", "running")
    assert undo(ansible, lab, record=record, vms=[{"name": "inner", "folder": "nowhere"}]).exit != 0


def test_a_machine_that_cannot_be_powered_on_again_is_a_failure(ansible, simulator):
    lab = simulator(personality="5.0", scenario="healthy")
    lab.inject(method="PowerOnVM_Task", fault="NoPermission")
    play = protect(ansible, lab)
    assert play.exit != 0 and "  not protected  " in outcome(play)


@pytest.mark.parametrize("scenario", ["healthy", "snapshot"])
def test_requirements_that_cannot_be_read_stop_no_machine(ansible, simulator, scenario):
    lab = simulator(personality="8.0", scenario=scenario)
    # After the state of both was read, with two calls each.
    lab.inject(method="RetrievePropertiesEx", fault="NoPermission", after=4)
    play = protect(ansible, lab, vms=["inner", "other"])
    assert len(started(play, "Check the requirements of Fault Tolerance")["failures"]) == 1
    verdicts = [line.split("  ")[1:] for line in outcome(play).splitlines()]
    assert [words[0].strip() for words in verdicts] == ["protected" if scenario == "healthy" else "not protected", "protected"]


def test_names_in_one_text_are_several_machines(ansible, simulator):
    lab = simulator(personality="8.0", scenario="healthy")
    play = protect(ansible, lab, "--check", "-e", "vms=inner,other")
    assert [line.split("  ")[0] for line in outcome(play).splitlines()] == ["inner", "other"], play.output


FULL = dict.fromkeys(["name", "use_instance_uuid", "folder", "datacenter", "secondary_host", "datastore", "encryption"], "one")
WRONG = [
    (5, "`vms` is the number 5"),
    (True, "`vms` is a truth value"),
    ({"name": "inner"}, "`vms` is a dictionary"),
    (["inner", 5], "item 2 of `vms` is the number 5. It must be a dictionary with `name`, `moid` or `uuid`, or a name; quote"),
    ([["inner"]], "item 1 of `vms` is a list"),
    (["inner", None], "item 2 of `vms` is empty"),
    ([{"folder": "nested"}], "item 1 of `vms` has none of `name`, `moid` and `uuid`"),
    (["inner", {"name": "web", "state": "absent", "esxi_hostname": "a"}], "item 2 of `vms` has `state`, `esxi_hostname`. It may only"),
    ([{"name": ""}], "item 1 of `vms` has none of `name`, `moid` and `uuid`"),
]
RIGHT = [
    ("inner, other,", ["inner", "other"]),
    (["a, b", {"moid": "vm-63"}, ""], ["a, b", {"moid": "vm-63"}]),
    ([FULL], [FULL]),
    ([], []),
    (None, ["one"]),
]


def test_the_filter_reads_what_users_write_and_says_what_is_wrong(ansible, simulator):
    lab = simulator(personality="8.0", scenario="healthy")
    cases = WRONG + RIGHT
    tasks = [
        {
            "name": f"Case {number}",
            "ansible.builtin.debug": {"msg": "{{ cases[" + str(number) + "] | nested.vft.vms('one') }}"},
            "ignore_errors": True,
        }
        for number in range(len(cases))
    ]
    play = {"name": "Filter", "hosts": "localhost", "gather_facts": False, "tasks": tasks}
    done = ansible.play([play], lab, cases=[given for given, _ in cases])
    for number, (given, expected) in enumerate(cases):
        msg = done.task(f"Case {number}")["msg"]
        assert expected in msg if isinstance(expected, str) else msg == expected, given


@pytest.mark.parametrize("playbook", ["nested_vft.yml", "undo.yml", "status.yml"])
@pytest.mark.parametrize(
    ("vm", "message"),
    [
        ({"folder": "nested"}, "item 1 of `vms` has none of `name`, `moid` and `uuid`"),
        ({"name": "inner", "state": "absent"}, "item 1 of `vms` has `state`"),
    ],
    ids=["unnamed", "state"],
)
def test_vms_that_cannot_be_read_stop_a_play_before_any_change(ansible, simulator, playbook, vm, message):
    lab = simulator(personality="8.0", scenario="healthy")
    play = ansible.play(playbook, lab, vms=[vm], status_file=str(ansible.folder / "status.html"))
    assert play.exit != 0 and message in play.output
    assert written(lab) == 0
