"""ansible-test over the collection, and ansible-lint over the playbooks."""

from __future__ import annotations

import re
import shutil
import sys

import pytest

from modules import ROOT

PLAYBOOKS = ROOT / "playbooks"
# Where tests/env/setup made the environments that ansible-test wants.
SANITY = ROOT / "target" / "env" / "sanity"


def test_the_sanity_tests_pass(installed, tools):
    # Of its own: ansible-test leaves things in it.
    shutil.copytree(installed.collection, tools.collection, symlinks=True)
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    # Left out is `changelog`, which is an older antsibull-changelog than the one of test_documentation.
    done = tools(
        "ansible-test", "sanity", "--python", version, "--skip-test", "changelog",
        cwd=tools.collection, HOME=str(SANITY),
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    ran = re.findall(r'^Running sanity test "([\w-]+)"', done.stdout, re.MULTILINE)
    assert {"action-plugin-docs", "compile", "import", "pep8", "pylint", "validate-modules", "yamllint"} <= set(ran)


@pytest.fixture
def playbooks(tmp_path):
    """A copy of the playbooks, as far as ansible-lint looks at them."""
    copy = tmp_path / "playbooks"
    shutil.copytree(PLAYBOOKS, copy, ignore=shutil.ignore_patterns("collection", "status.html"))
    return copy


def test_the_playbooks_pass_the_production_profile(installed, playbooks):
    files = sorted(path.name for path in playbooks.glob("*.yml"))
    done = installed("ansible-lint", "--nocolor", *files, cwd=playbooks)
    assert done.returncode == 0, done.stdout
    assert "Profile 'production' was required, and it passed" in done.stdout
    checked = re.search(r"in (\d+) files processed", done.stdout)
    assert int(checked[1]) > len(files), "the tasks of a file are not looked at"


def test_the_linter_knows_the_modules(installed, playbooks):
    """That it passes says something only if it would not pass with a module that is not there."""
    text = (playbooks / "prerequisites.yml").read_text()
    (playbooks / "prerequisites.yml").write_text(text.replace("nested.vft.cluster_ha:", "nested.vft.cluster_ah:"))
    done = installed("ansible-lint", "--nocolor", "prerequisites.yml", cwd=playbooks)
    assert done.returncode != 0 and "cluster_ah" in done.stdout
