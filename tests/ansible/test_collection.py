"""The collection from the view of its users: documentation, defaults, failures, and Ansible's features around a module."""

from __future__ import annotations

import json
import posixpath
import re
import subprocess
import sys
import tarfile

import pytest
import yaml

from modules import ACTIONS, CALLING_ACTIONS, MODULES, READ_ONLY, ROOT, TARBALL, VERSION

DEFAULTS = {
    "group/nested.vft.vsphere": {
        "hostname": "{{ vcenter_hostname }}",
        "port": "{{ vcenter_port }}",
        "username": "{{ vcenter_username }}",
        "thumbprint": "{{ vcenter_thumbprint }}",
    }
}


def play(*tasks: dict) -> list[dict]:
    return [
        {
            "name": "Test",
            "hosts": "localhost",
            "connection": "local",
            "gather_facts": False,
            "module_defaults": DEFAULTS,
            "tasks": list(tasks),
        }
    ]


def test_the_action_group_contains_every_module():
    runtime = yaml.safe_load((ROOT / "playbooks" / "collection" / "meta" / "runtime.yml").read_text())
    assert sorted(runtime["action_groups"]["vsphere"]) == sorted(MODULES + CALLING_ACTIONS)


def test_the_same_sources_give_the_same_tarball(tmp_path):
    """The time, the folder and the umask do not matter."""
    made = []
    for umask in ("022", "077"):
        output = tmp_path / umask
        command = f"umask {umask}; exec {sys.executable} playbooks/collection/assemble --no-build --output {output}"
        subprocess.run(["sh", "-c", command], cwd=ROOT, check=True, capture_output=True, timeout=300)
        made.append((output / TARBALL.name).read_bytes())
    assert made[0] == made[1]


@pytest.mark.parametrize("page", ["collection/execution-environment.yml", "awx.md"])
def test_pages_name_the_tarball_of_this_version(page):
    named = re.findall(r"nested-vft-[\w.-]*\.tar\.gz", (ROOT / "playbooks" / page).read_text())
    assert set(named) == {TARBALL.name}, f"galaxy.yml says {VERSION}"


def test_links_stay_within_the_collection():
    with tarfile.open(TARBALL) as archive:
        names = set(archive.getnames())
        pages = {name: archive.extractfile(name).read().decode() for name in names if name.endswith(".md")}
    links = [(name, link) for name, text in pages.items() for link in re.findall(r"\]\(([^)#]+)", text) if ":" not in link]
    assert ("docs/awx.md", "variables.md") in links
    lost = [(page, to) for page, to in links if posixpath.normpath(f"{posixpath.dirname(page)}/{to}") not in names]
    assert lost == []
    # The README names every page.
    assert [name for name in pages if name.startswith("docs/") and name not in pages["README.md"]] == []


@pytest.mark.parametrize("name", MODULES)
def test_ansible_doc_shows_the_module(ansible, name):
    shown = ansible.command("ansible-doc", "--json", f"nested.vft.{name}")
    text = shown.stdout
    doc = json.loads(text[text.index("{") : text.rindex("}") + 1])[f"nested.vft.{name}"]
    assert doc["doc"]["short_description"] and doc["doc"]["options"]["hostname"]
    assert f"nested.vft.{name}" in doc["examples"] and doc["return"]
    # Read-only modules have no diff.
    support = {"check_mode": "full", "diff_mode": "N/A" if name in READ_ONLY else "full"}
    assert {mode: said["support"] for mode, said in doc["doc"]["attributes"].items()} == support


def test_ansible_doc_shows_the_filter(ansible):
    shown = ansible.command("ansible-doc", "--json", "--type", "filter", "nested.vft.vms")
    text = shown.stdout
    doc = json.loads(text[text.index("{") : text.rindex("}") + 1])["nested.vft.vms"]
    assert doc["doc"]["options"].keys() == {"_input", "name", "folder"}
    assert "nested.vft.vms" in doc["examples"] and doc["return"]


def test_ansible_doc_shows_links_in_actions_as_text(ansible):
    shown = ansible.command("ansible-doc", *(f"nested.vft.{name}" for name in ACTIONS))
    assert shown.returncode == 0 and "[[" not in shown.stdout


def test_a_misspelt_argument_fails_with_a_suggestion(ansible, simulator):
    lab = simulator(personality="6.7", scenario="healthy")
    task = {"name": "Typo", "nested.vft.vm_power": {"nam": "inner", "state": "powered_on"}}
    run = ansible.play(play(task), lab)
    assert run.exit != 0
    assert "nam" in run.task("Typo")["msg"] and "did you mean" in run.task("Typo")["msg"]


def test_values_computed_by_templates_are_understood(ansible, simulator):
    """ansible-core 2.16 passes computed values as strings, 2.19 as numbers. Both must mean the same."""
    lab = simulator(personality="6.7", scenario="healthy")
    task = {
        "name": "Computed",
        "nested.vft.host_option": {
            "esxi_hostname": "{{ hosts }}",
            "options": {"Migrate.NetTimeout": "{{ base + 1 }}", "Migrate.VMotionStreamDisable": "{{ flag | int }}"},
            "missing": "{{ none_at_all | default(omit) }}",
        },
    }
    for changed in (1, 0):
        run = ansible.play(play(task), lab, hosts=lab.facts["hosts"], base=29, flag=True)
        assert run.exit == 0, run.output
        assert run.counts["changed"] == changed


def test_a_default_datacenter_does_not_disturb_a_remedy_by_moid(ansible, simulator):
    lab = simulator(personality="5.0", scenario="healthy")
    tasks = [
        {
            "name": "See",
            "nested.vft.ft_readiness": {"moid": "{{ moid }}"},
            "register": "readiness",
        },
        {
            "name": "Mend",
            "ansible.builtin.include_role": {"name": "nested.vft.prepare_cluster", "tasks_from": "remedy"},
            "loop": "{{ readiness.remedies | selectattr('module', 'eq', 'vmx_option') | list }}",
            "loop_control": {"loop_var": "remedy"},
        },
        {
            "name": "Power",
            "nested.vft.vm_power": {"moid": "{{ moid }}", "state": "powered_off"},
        },
    ]
    given = play(*tasks)
    given[0]["module_defaults"] = {"group/nested.vft.vsphere": DEFAULTS["group/nested.vft.vsphere"] | {"datacenter": "{{ place }}"}}
    # The datacenter is right in the first run and wrong in the second. A default must not restrict the search.
    for place, changed in (("Lab", 2), ("Elsewhere", 0)):
        run = ansible.play(given, lab, moid=lab.facts["vm_moid"], place=place)
        assert run.exit == 0, run.output
        assert len(run.changes) == changed, run.output
    assert lab.state()[lab.facts["vm_moid"]]["extraConfig"]["replay.supported"]


def test_loops_conditions_retries_and_check_mode_of_one_task(ansible, simulator):
    lab = simulator(personality="6.7", scenario="healthy")
    tasks = [
        {
            "name": "Loop",
            "nested.vft.vmx_option": {"name": "inner", "options": "{{ {'guestinfo.' ~ item: item} }}"},
            "loop": ["a", "b"],
            "register": "looped",
        },
        {
            "name": "Only a look",
            "nested.vft.vm_power": {"name": "inner", "state": "powered_off"},
            "check_mode": True,
            "register": "look",
        },
        {
            "name": "Until",
            "nested.vft.vm_power": {"name": "inner", "state": "powered_on"},
            "register": "power",
            "until": "power.power_state == 'poweredOn'",
            "retries": 2,
            "delay": 1,
        },
        {
            "name": "Judge",
            "ansible.builtin.assert": {
                "that": ["looped is changed", "look is changed", "power is not changed", "looped.results | length == 2"]
            },
        },
    ]
    run = ansible.play(play(*tasks), lab)
    assert run.exit == 0, run.output
    assert [entry["outcome"] for entry in run.journal if entry["task"] == "Loop"].count("item") == 2


def test_no_log_hides_everything_and_a_failure_shows_no_secret(ansible, simulator):
    lab = simulator(personality="6.7", scenario="healthy")
    secret = "S3CR3T-that-is-wrong"
    tasks = [
        {
            "name": "Hidden",
            "nested.vft.vm_power": {"name": "inner", "state": "powered_on", "password": "{{ wrong }}"},
            "no_log": True,
        }
    ]
    run = ansible.play(play(*tasks), lab, "-vvv", wrong=secret)
    assert run.exit != 0
    assert secret not in run.output
