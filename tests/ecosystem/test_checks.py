"""Runs ansible-test on the collection, and ansible-lint on its playbooks and examples."""

from __future__ import annotations

import ast
import re
import shutil
import sys

import pytest

from modules import ACTIONS, MODULES, ROOT

PLAYBOOKS = ROOT / "playbooks"
# tests/env/setup puts the environments for ansible-test there.
SANITY = ROOT / "target" / "env" / "sanity"
# The newest release of ansible-core. Raise it for a new release: there the sanity tests fail without an ignore file.
NEWEST = 21


def test_every_supported_version_has_an_ignore_file():
    collection = PLAYBOOKS / "collection"
    runtime = (collection / "meta" / "runtime.yml").read_text()
    oldest = re.search(r'^requires_ansible: ">=2\.(\d+)\.0"$', runtime, re.MULTILINE)[1]
    files = {file.name: file.read_text() for file in (collection / "tests" / "sanity").iterdir()}
    assert sorted(files) == [f"ignore-2.{minor}.txt" for minor in range(int(oldest), NEWEST + 1)]
    assert len(set(files.values())) == 1


def test_the_sanity_tests_pass(installed, tools):
    # ansible-test writes into the collection, so it gets a copy.
    shutil.copytree(installed.collection, tools.collection, symlinks=True)
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    # `changelog` is skipped because it uses an older antsibull-changelog than test_documentation.
    done = tools(
        "ansible-test", "sanity", "--python", version, "--skip-test", "changelog",
        cwd=tools.collection, HOME=str(SANITY),
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    ran = re.findall(r'^Running sanity test "([\w-]+)"', done.stdout, re.MULTILINE)
    assert {"action-plugin-docs", "compile", "import", "pep8", "pylint", "validate-modules", "yamllint"} <= set(ran)


@pytest.fixture
def linted(installed, tools):
    """The collection with the playbooks, their inventory and the modules' examples, for ansible-lint."""
    shutil.copytree(installed.collection, tools.collection, symlinks=True)
    playbooks = tools.collection / "playbooks"
    shutil.copytree(PLAYBOOKS / "inventory", playbooks / "inventory")
    shutil.copyfile(PLAYBOOKS / ".ansible-lint", tools.collection / ".ansible-lint")
    shutil.copyfile(PLAYBOOKS / "collection" / "galaxy.yml", tools.collection / "galaxy.yml")
    (playbooks / "tasks").mkdir()
    for module in sorted(MODULES + ACTIONS):
        source = (tools.collection / "plugins" / "modules" / f"{module}.py").read_text()
        texts = {node.targets[0].id: node.value.value for node in ast.parse(source).body if isinstance(node, ast.Assign)}
        (playbooks / "tasks" / f"examples_of_{module}.yml").write_text(f"---\n{texts['EXAMPLES'].strip()}\n")
    return tools


def test_playbooks_and_examples_pass_the_production_profile(linted):
    done = linted("ansible-lint", "--nocolor", cwd=linted.collection)
    assert done.returncode == 0, done.stdout
    assert "Profile 'production' was required, and it passed" in done.stdout


def test_the_linter_finds_mistakes_in_playbooks_and_examples(linted):
    """Without this test, ansible-lint could pass because it skips the files."""
    mistakes = {
        "status.yml": ("nested.vft.ft_readiness:", "nested.vft.ft_raediness:", "unknown-module"),
        "tasks/examples_of_vm_power.yml": ("- name: Power", "- name: power", "name[casing]"),
    }
    for name, (right, wrong, _) in mistakes.items():
        file = linted.collection / "playbooks" / name
        assert right in file.read_text()
        file.write_text(file.read_text().replace(right, wrong))
    done = linted("ansible-lint", "--nocolor", *(f"playbooks/{name}" for name in mistakes), cwd=linted.collection)
    assert done.returncode != 0
    for name, (_, _, rule) in mistakes.items():
        assert name in done.stdout and rule in done.stdout, done.stdout
