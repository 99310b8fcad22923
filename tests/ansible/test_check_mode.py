"""A check run of each role predicts the real run."""

from __future__ import annotations

import re

import pytest

from .test_playbooks import ALLOWED, outcome

# 2.19 has the templating of 2.21. The roles run on it in test_playbooks.py.
pytestmark = pytest.mark.parametrize("ansible", ["2.21", "2.16"], indirect=True)

HELP = "Help those whose secondary did not start"
BOTH = {"vms": ["inner", "other"]}
# Scenarios of this file: that of the simulator, an object, and its change.
OWN = {
    # Only a person can repair the HA agent of a host.
    "no-agent": ("healthy", "host-30", {"agent": "initializationError"}),
    "no-tools": ("healthy", "vm-63", {"tools": "not-running"}),
}


def effects(play) -> list[tuple[str, object, list[str]]]:
    """Returns the tasks that changed something, each with its diff and the names of what it changed.

    Leaves out what check mode cannot know: that a secondary does not start, and which remedy helps.
    """
    found, helped = [], False
    for entry in play.journal:
        helped |= entry["task"] == HELP and entry["outcome"] != "skipped"
        if not entry["changed"] or (helped and re.search(r"/(rescue|remedy)\.yml:", entry["path"])):
            continue
        answers = entry["result"].get("answers") or {}
        changed = sorted(name for name, answer in answers.items() if answer.get("changed"))
        # In check mode the guests are still on, so only the task knows that it would power them on.
        known = changed if not entry["task"].startswith("Power on") else []
        found.append((entry["task"], entry["diff"] if entry["task"] != "Turn Fault Tolerance on" else None, known))
    return found


def verdicts(play) -> list[tuple[str, str]]:
    """Returns the name and the verdict of each virtual machine, without the reason."""
    return [re.match(r"(\S+) +(\S+(?: \S+)*)", line).groups() for line in outcome(play).splitlines()]


@pytest.mark.parametrize(
    ("personality", "scenario", "said"),
    [
        ("5.0", "healthy", BOTH),
        ("5.0", "off", BOTH | {"power_on": False}),
        ("5.0", "bare", BOTH),
        ("6.7", "bare", BOTH),
        ("8.0", "bare", BOTH),
        ("8.0", "no-ft-nic", BOTH | {"ft_logging_device": "vmk2"}),
        # Requirements that the role may not or cannot meet.
        ("8.0", "ha-off", BOTH | {"apply_remedies": False}),
        ("8.0", "snapshot", BOTH),
        ("8.0", "no-agent", BOTH),
        ("5.0", "healthy", BOTH | {"power_cycle": False}),
        ("5.0", "suspended", BOTH),
        ("6.7", "suspended", BOTH),
        ("5.0", "no-tools", BOTH),
        ("8.0", "bare", {"choose_vmknics": False}),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, dict) else value,
)
def test_protect_and_its_undo(ansible, simulator, personality, scenario, said):
    scenario, moid, change = OWN.get(scenario, (scenario, "vm-63", {}))
    lab = simulator(personality=personality, scenario=scenario)
    lab.set(moid, **change)
    said = ALLOWED | {"record": str(ansible.folder / "lab.json"), "ft_timeout": 20} | said
    foretold = ansible.play("nested_vft.yml", lab, "--check", "--diff", **said)
    done = ansible.play("nested_vft.yml", lab, "--diff", **said)
    assert done.exit == foretold.exit, done.output
    assert effects(done) == effects(foretold)
    if said["choose_vmknics"]:
        assert verdicts(done) == verdicts(foretold)

    foretold = ansible.play("undo.yml", lab, "--check", "--diff", **said)
    done = ansible.play("undo.yml", lab, "--diff", **said)
    # A run that stops before any change writes no record.
    recorded = (ansible.folder / "lab.json").exists()
    assert (done.exit == 0) == (foretold.exit == 0) == recorded, done.output
    assert effects(done) == effects(foretold)
    assert not recorded or outcome(done) == outcome(foretold)


@pytest.mark.parametrize(
    ("personality", "scenario", "flags", "ends"),
    [
        ("8.0", "snapshot", ["--tags", "options"], "not changed"),
        # Nothing fixes the cluster or sets the options.
        ("5.0", "bare", ["--tags", "fault_tolerance"], "not protected"),
        ("8.0", "bare", ["--skip-tags", "requirements"], "not protected"),
        ("8.0", "healthy", ["--skip-tags", "requirements"], "protected"),
        ("5.0", "healthy", ["--skip-tags", "options"], "not protected"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else value,
)
def test_protect_with_some_tags(ansible, simulator, personality, scenario, flags, ends):
    lab = simulator(personality=personality, scenario=scenario)
    foretold = ansible.play("nested_vft.yml", lab, "--check", *flags, **ALLOWED)
    done = ansible.play("nested_vft.yml", lab, *flags, **ALLOWED)
    assert done.exit == foretold.exit, foretold.output
    assert verdicts(done) == verdicts(foretold) == [("inner", ends)]
    assert effects(done) == effects(foretold)


@pytest.mark.parametrize(("personality", "scenario"), [("5.0", "bare"), ("6.7", "monitor"), ("5.0", "snapshot")])
def test_protect_after_a_run_without_permissions(ansible, simulator, personality, scenario):
    lab = simulator(personality=personality, scenario=scenario)
    said = {"choose_vmknics": True, "apply_remedies": True, "ft_timeout": 20}
    assert ansible.play("nested_vft.yml", lab, **said).exit != 0
    foretold = ansible.play("nested_vft.yml", lab, "--check", "--diff", **said, power_cycle=True)
    done = ansible.play("nested_vft.yml", lab, "--diff", **said, power_cycle=True)
    assert done.exit == foretold.exit, done.output
    assert effects(done) == effects(foretold)
    assert verdicts(done) == verdicts(foretold)


@pytest.mark.parametrize("personality", ["5.0", "8.0"])
def test_unprotect_without_a_record(ansible, simulator, personality):
    lab = simulator(personality=personality, scenario="healthy")
    assert ansible.play("nested_vft.yml", lab, **ALLOWED, **BOTH).exit == 0
    foretold = ansible.play("undo.yml", lab, "--check", "--diff", **BOTH)
    done = ansible.play("undo.yml", lab, "--diff", **BOTH)
    assert done.exit == foretold.exit == 0, done.output
    assert effects(done) == effects(foretold) != []


@pytest.mark.parametrize(
    ("personality", "scenario", "said"),
    [
        ("6.7", "bare", {"choose_vmknics": True}),
        ("8.0", "no-ft-nic", {"ft_logging_device": "vmk2"}),
        # On 5.0 only one vmknic carries vMotion, so this one moves.
        ("5.0", "healthy", {"vmotion_device": "vmk2"}),
        ("8.0", "bare", {}),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, dict) else value,
)
def test_prepare_cluster(ansible, simulator, personality, scenario, said):
    lab = simulator(personality=personality, scenario=scenario)
    foretold = ansible.play("prerequisites.yml", lab, "--check", "--diff", **said)
    done = ansible.play("prerequisites.yml", lab, "--diff", **said)
    assert done.exit == foretold.exit, done.output
    assert effects(done) == effects(foretold)
    assert bool(effects(done)) is bool(said)
