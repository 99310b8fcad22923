"""The collection as somebody has it who was given the tarball, and has Ansible and nothing of this repository."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess

import pytest
import yaml

from modules import MODULES, ROOT, environment


@pytest.fixture
def user(ansible):
    """Runs Ansible's commands as that person does: defaults throughout, and no Rust on the PATH."""

    def run(folder, name: str, *words: str, password: str | None = None) -> str:
        given = {"HOME": str(ansible.folder), "PATH": f"{ansible.commands}{os.pathsep}/usr/bin{os.pathsep}/bin"}
        given |= {"ANSIBLE_NOCOLOR": "1"} | ({"VMWARE_PASSWORD": password} if password else {})
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
        assert done.returncode == 0, done.stdout
        return done.stdout

    (tarball,) = (ROOT / "target").glob("nested-vft-*.tar.gz")
    run(ansible.folder, "ansible-galaxy", "collection", "install", "--offline", str(tarball))
    return run


def variables(folder, lab, **more) -> str:
    """What that person says of the lab."""
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
    said = ["--extra-vars", variables(ansible.folder, lab)]
    first = user(copy, "ansible-playbook", "nested_vft.yml", *said, password=lab.facts["password"])
    assert changed(first) > 0 and "Fault Tolerance is running (legacy)" in first
    assert changed(user(copy, "ansible-playbook", "nested_vft.yml", *said, password=lab.facts["password"])) == 0


def test_the_playbooks_in_the_collection_run_by_their_names(user, ansible, simulator, tmp_path):
    lab = simulator(personality="6.7", scenario="bare")
    defaults = yaml.safe_load((ROOT / "playbooks" / "inventory" / "group_vars" / "all.yml").read_text())
    page = tmp_path / "status.html"
    said = variables(ansible.folder, lab, status_file=str(page))
    empty = tmp_path / "elsewhere"
    empty.mkdir()

    def play(name: str) -> str:
        words = ["--inventory", "localhost,", "--extra-vars", json.dumps(defaults), "--extra-vars", said]
        return user(empty, "ansible-playbook", f"nested.vft.{name}", *words, password=lab.facts["password"])

    # Its remedies are tasks in a file of their own, and the report has a template.
    assert "Fault Tolerance is running" in play("nested_vft")
    assert changed(play("nested_vft")) == 0
    assert changed(play("status")) == 1 and lab.facts["vm"] in page.read_text()
    assert changed(play("undo")) > 0


def test_ansible_doc_lists_every_module_and_shows_all_of_each(user, ansible):
    listed = user(ansible.folder, "ansible-doc", "--type", "module", "--list", "nested.vft").splitlines()
    # Nothing else: no warning, and none without its summary.
    assert [line.split()[0] for line in listed] == [f"nested.vft.{name}" for name in MODULES], listed
    assert all(len(line.split()) > 3 for line in listed)

    pages = user(ansible.folder, "ansible-doc", "--type", "module", *(f"nested.vft.{name}" for name in MODULES))
    assert "WARNING" not in pages
    shown = re.split(r"^> (?:MODULE )?NESTED.VFT.|^> MODULE nested.vft.", pages, flags=re.MULTILINE)[1:]
    assert len(shown) == len(MODULES)
    for page in shown:
        for heading in ("OPTIONS", "EXAMPLES", "RETURN VALUES", "ATTRIBUTES"):
            assert re.search(rf"^{heading}", page, re.MULTILINE), (heading, page)
