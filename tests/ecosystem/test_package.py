"""The tarball with ansible-galaxy and ansible-builder."""

from __future__ import annotations

import gzip
import json
import re
import shutil
import subprocess
import tarfile

import yaml

from modules import MODULES, ROOT

COLLECTION = ROOT / "playbooks" / "collection"


def test_the_installed_files_are_the_packed_ones(installed):
    done = installed("ansible-galaxy", "collection", "verify", "--offline", "nested.vft")
    assert done.returncode == 0 and "Successfully verified" in done.stdout, done.stdout
    (installed.collection / "extra").write_text("")
    try:
        spoiled = installed("ansible-galaxy", "collection", "verify", "--offline", "nested.vft")
    finally:
        (installed.collection / "extra").unlink()
    assert spoiled.returncode != 0


def test_ansible_galaxy_packs_the_same_files(tools, contents, tmp_path):
    """assemble does not use ansible-galaxy, but the tarball must have the same content."""
    assembled = ROOT / "target" / "collections" / "ansible_collections" / "nested" / "vft"
    done = tools("ansible-galaxy", "collection", "build", str(assembled), "--output-path", str(tmp_path / "built"))
    assert done.returncode == 0, done.stdout
    (built,) = (tmp_path / "built").iterdir()
    shutil.unpack_archive(built, tmp_path / "theirs", "gztar", filter="tar")
    theirs = json.loads((tmp_path / "theirs" / "FILES.json").read_text())["files"]
    names = {entry["name"] for entry in theirs} - {"."}
    assert names == {entry.name for entry in contents} - {"MANIFEST.json", "FILES.json"}
    manifest = json.loads((tmp_path / "theirs" / "MANIFEST.json").read_text())
    ours = json.loads((assembled / "MANIFEST.json").read_text())
    assert manifest["collection_info"] == ours["collection_info"]


def test_the_tarball_has_room_for_programs_of_two_processors(tarball):
    with tarfile.open(tarball) as archive:
        programs = [entry for entry in archive.getmembers() if entry.isfile() and entry.name.endswith("/nested_vft")]
        packed = [len(gzip.compress(archive.extractfile(entry).read())) for entry in programs]
    # If the program for Linux is static, ESXi uses the same one, so the tarball contains only one.
    another = 0 if len(packed) > 1 else packed[0]
    # Ansible Galaxy accepts 20 MB.
    assert tarball.stat().st_size + another < 10_000_000


def test_it_contains_the_generated_files_and_no_stray_ones(contents):
    listed = subprocess.run(
        ["git", "ls-files", "playbooks"], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True
    ).stdout.splitlines()
    ours = {name.removeprefix("playbooks/") for name in listed}
    names = {entry.name for entry in contents if not entry.isdir()} - {"MANIFEST.json", "FILES.json", "LICENSE"}
    made = re.compile(r"plugins/(modules|action)/\w+\.py|plugins/bin/(README\.md|\w+/[\w.]+)")
    copied = {name for name in names if not made.fullmatch(name)}
    sources = {re.sub(r"^(playbooks|docs)/", "", name) for name in copied if name.startswith(("playbooks/", "docs/"))}
    sources |= {f"collection/{name}" for name in copied if not name.startswith(("playbooks/", "docs/"))}
    assert sources <= ours
    # Every playbook must be part of the collection.
    assert {name for name in ours if re.fullmatch(r"\w+\.yml|(tasks|templates)/.+", name)} <= sources
    for module in MODULES:
        assert {f"plugins/modules/{module}.py", f"plugins/action/{module}.py"} <= names


def test_an_execution_environment_installs_only_the_collection(tools, tarball, tmp_path):
    context = tmp_path / "context"
    definition = COLLECTION / "execution-environment.yml"
    done = tools(
        "ansible-builder", "create", "-f", str(definition), "-c", str(context), "--output-filename", "Containerfile"
    )
    assert done.returncode == 0, done.stdout
    build = context / "_build"
    (packed,) = (build / "collections").iterdir()
    assert packed.read_bytes() == tarball.read_bytes()
    assert not (build / "bindep.txt").exists() and not (build / "requirements.txt").exists()

    containerfile = (context / "Containerfile").read_text()
    said = yaml.safe_load(definition.read_text())
    assert f'ARG EE_BASE_IMAGE="{said["images"]["base_image"]["name"]}"' in containerfile
    assert said["dependencies"]["ansible_core"]["package_pip"] in containerfile
    # These are the steps of the stage `galaxy`, without a container.
    assert re.search(r"^COPY _build /build\nWORKDIR /build$", containerfile, re.MULTILINE)
    (step,) = re.findall(r"^RUN .*(ansible-galaxy collection install .*-r requirements\.yml)", containerfile, re.MULTILINE)
    words = [word for word in step.split() if not word.startswith("$")]
    done = tools(*words, "--offline", "--collections-path", str(tools.collections), cwd=build)
    assert done.returncode == 0, done.stdout
    assert (tools.collection / "plugins" / "modules" / "fault_tolerance.py").exists()


def test_the_collection_has_no_further_dependencies(installed):
    """ansible-builder searches collections for dependency files. This one has none."""
    for name in ("requirements.txt", "bindep.txt", "meta/execution-environment.yml"):
        assert not (installed.collection / name).exists()
