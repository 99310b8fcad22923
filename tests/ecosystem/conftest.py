"""Runs Ansible's own collection tools on the tarball and on the installed collection."""

from __future__ import annotations

import os
import subprocess
import tarfile
from dataclasses import dataclass
from pathlib import Path

import pytest

from modules import ROOT, TARBALL, environment

ENV = ROOT / "target" / "env" / "ecosystem" / "bin"


@dataclass
class Tools:
    """ansible-core and its tools, with their own home and collections."""

    home: Path

    @property
    def collections(self) -> Path:
        return self.home / "collections"

    @property
    def collection(self) -> Path:
        return self.collections / "ansible_collections" / "nested" / "vft"

    def __call__(self, *words: str | Path, cwd: Path | None = None, **extra: str) -> subprocess.CompletedProcess:
        """Runs a tool to its end. stdout and stderr are combined."""
        given = {
            "ANSIBLE_COLLECTIONS_PATH": str(self.collections),
            "ANSIBLE_HOME": str(self.home / "ansible"),
            "ANSIBLE_NOCOLOR": "1",
            "NO_COLOR": "1",
            "HOME": str(self.home),
            "LC_ALL": "C.UTF-8",
            "PATH": f"{ENV}{os.pathsep}{os.environ['PATH']}",
        }
        return subprocess.run(
            [ENV / words[0], *words[1:]],
            cwd=cwd or self.home,
            env=environment(given | extra),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=600,
            check=False,
        )


@pytest.fixture(scope="session")
def tarball() -> Path:
    """The tarball of the last playbooks/collection/assemble."""
    return TARBALL


@pytest.fixture(scope="session")
def contents(tarball) -> list[tarfile.TarInfo]:
    with tarfile.open(tarball) as archive:
        return archive.getmembers()


@pytest.fixture
def tools(tmp_path) -> Tools:
    """The tools, without any collection installed."""
    return Tools(tmp_path)


@pytest.fixture(scope="session")
def installed(tmp_path_factory, tarball) -> Tools:
    """The tools, with the collection installed from the tarball."""
    tools = Tools(tmp_path_factory.mktemp("installed"))
    done = tools("ansible-galaxy", "collection", "install", "--offline", str(tarball), "-p", str(tools.collections))
    assert done.returncode == 0 and "was installed successfully" in done.stdout, done.stdout
    return tools
