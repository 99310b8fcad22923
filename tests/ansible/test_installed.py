"""The collection installed from the tarball, by a user who has Ansible and nothing of this repository."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from modules import ACTIONS, MODULES, ROOT, TARBALL, environment


@pytest.fixture
def user(ansible):
    """Runs Ansible's commands as that user: default settings, and no Rust on the PATH."""

    def run(folder, name: str, *words: str, password: str | None = None, fails: bool = False) -> str:
        given = {"HOME": str(ansible.folder), "PATH": f"{ansible.commands}{os.pathsep}/usr/bin{os.pathsep}/bin"}
        # Without __pycache__, which `ansible-galaxy collection verify` would report as a modification.
        given |= {"ANSIBLE_NOCOLOR": "1", "PYTHONDONTWRITEBYTECODE": "1"} | ({"VMWARE_PASSWORD": password} if password else {})
        done = subprocess.run(
            [ansible.commands / name, *words],
            cwd=folder,
            env=environment(given),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=300,
            check=False,
        )
        assert (done.returncode != 0) is fails, done.stdout
        return done.stdout

    run(ansible.folder, "ansible-galaxy", "collection", "install", "--offline", str(TARBALL))
    return run


def variables(folder, lab, **more) -> str:
    """Writes the user's variables for the lab."""
    facts = lab.facts
    said = {
        "vcenter_hostname": facts["hostname"],
        "vcenter_port": facts["port"],
        "vcenter_username": facts["username"],
        "vcenter_thumbprint": facts["thumbprint"],
        "vm_name": facts["vm"],
        "cluster_name": facts["cluster"],
    }
    file = folder / "lab.json"
    file.write_text(json.dumps(said | more))
    return f"@{file}"


def changed(output: str) -> int:
    return int(re.search(r"^localhost .*\bchanged=(\d+)", output, re.MULTILINE)[1])


def test_a_copy_of_the_playbooks_runs_with_the_installed_collection(user, ansible, simulator):
    lab = simulator(personality="5.0", scenario="article")
    copy = ansible.folder / "lab" / "playbooks"
    shutil.copytree(ROOT / "playbooks", copy, ignore=shutil.ignore_patterns("collection"))
    said = ["--extra-vars", variables(ansible.folder, lab, apply_remedies=True, power_cycle=True)]
    first = user(copy, "ansible-playbook", "nested_vft.yml", *said, password=lab.facts["password"])
    assert changed(first) > 0 and "Fault Tolerance is running (legacy)" in first
    assert changed(user(copy, "ansible-playbook", "nested_vft.yml", *said, password=lab.facts["password"])) == 0


@pytest.fixture
def play(user, ansible, tmp_path):
    """Runs a playbook of the collection by its name, from an empty folder and with only these variables."""
    here = tmp_path / "here"
    here.mkdir()

    def play(name: str, lab, fails: bool = False, **said) -> str:
        words = ["--inventory", "localhost,", "--extra-vars", variables(ansible.folder, lab, **said)]
        return user(here, "ansible-playbook", name, *words, password=lab.facts["password"], fails=fails)

    play.here = here
    return play


def test_the_playbooks_of_the_collection_run_by_name(user, play, simulator):
    lab = simulator(personality="6.7", scenario="bare")
    leave = {"apply_remedies": True, "choose_vmknics": True, "power_on": True}
    # This needs tasks in a file of their own, and the report needs a template.
    assert "Fault Tolerance is running" in play("nested.vft.nested_vft", lab, **leave)
    site = play.here / "site.yml"
    site.write_text("- ansible.builtin.import_playbook: nested.vft.nested_vft\n")
    assert changed(play("site.yml", lab, **leave)) == 0
    site.unlink()
    status = play("nested.vft.status", lab)
    (page,) = play.here.iterdir()
    assert page.name == "status.html" and f"{page}: " in status
    assert changed(status) == 1 and lab.facts["vm"] in page.read_text()
    assert changed(play("nested.vft.undo", lab)) > 0
    # The playbooks wrote nothing into the collection.
    assert "Successfully verified" in user(play.here, "ansible-galaxy", "collection", "verify", "--offline", "nested.vft")


def test_the_report_is_written_to_status_file(play, simulator, ansible):
    lab = simulator(personality="6.7", scenario="healthy")
    wanted = {"reports/ft.html": play.here, "~/ft.html": ansible.folder, str(ansible.folder / "whole.html"): None}
    (play.here / "reports").mkdir()
    for said, folder in wanted.items():
        play("nested.vft.status", lab, status_file=said)
        page = folder / said.removeprefix("~/") if folder else Path(said)
        assert lab.facts["vm"] in page.read_text()


def test_without_permission_nothing_is_powered_on_or_off_or_fixed(play, simulator):
    lab = simulator(personality="5.0", scenario="off")
    moid = lab.facts["vm_moid"]
    assert "Fault Tolerance is enabled" in play("nested.vft.nested_vft", lab)
    state = lab.state()[moid]
    assert state["power"] == "poweredOff" and state["extraConfig"]["replay.supported"] == "true"
    assert changed(play("nested.vft.undo", lab)) == 2
    assert "replay.supported" not in lab.state()[moid]["extraConfig"]

    lab = simulator(personality="5.0", scenario="bare")
    assert "not protected" in play("nested.vft.nested_vft", lab, fails=True)
    assert lab.state()[lab.facts["vm_moid"]]["power"] == "poweredOn"
    assert not {"PowerOffVM_Task", "SelectVnicForNicType", "ReconfigureComputeResource_Task"} & set(lab.methods())


@pytest.mark.parametrize(
    ("name", "needed"),
    [
        ("nested_vft", ["vm_name"]),
        ("prerequisites", ["cluster_name"]),
        ("status", ["cluster_name"]),
        ("undo", ["vm_name", "cluster_name"]),
    ],
)
def test_required_variables_are_checked_first(play, simulator, name, needed):
    lab = simulator(personality="6.7", scenario="healthy")
    for missing in needed:
        told = play(f"nested.vft.{name}", lab, fails=True, **{missing: ""})
        assert re.search(rf"\bSet (vm_name, .* and )?{missing}, the ", told) and "variables.md" in told, told
    assert lab.sessions()["logins"] == 0


def test_ansible_doc_lists_every_module_with_complete_documentation(user, ansible):
    listed = user(ansible.folder, "ansible-doc", "--type", "module", "--list", "nested.vft").splitlines()
    # The list has no warning, and every module has a summary.
    assert [line.split()[0] for line in listed] == [f"nested.vft.{name}" for name in sorted(MODULES + ACTIONS)], listed
    assert all(len(line.split()) > 3 for line in listed)

    pages = user(ansible.folder, "ansible-doc", "--type", "module", *(f"nested.vft.{name}" for name in MODULES))
    assert "WARNING" not in pages
    shown = re.split(r"^> (?:MODULE )?NESTED.VFT.|^> MODULE nested.vft.", pages, flags=re.MULTILINE)[1:]
    assert len(shown) == len(MODULES)
    for page in shown:
        for heading in ("OPTIONS", "EXAMPLES", "RETURN VALUES", "ATTRIBUTES"):
            assert re.search(rf"^{heading}", page, re.MULTILINE), (heading, page)
