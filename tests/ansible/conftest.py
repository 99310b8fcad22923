"""Runs real Ansible against simulators: the oldest supported version, the newest for Python 3.11, and the newest."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml
from lab import Simulator

from modules import ROOT, environment

HERE = Path(__file__).resolve().parent
COLLECTIONS = ROOT / "target" / "collections"


@dataclass
class Play:
    """The outcome of one ansible-playbook run."""

    exit: int
    output: str
    journal: list[dict]

    @property
    def counts(self) -> dict[str, int]:
        """The counts of the recap: ok, changed, failed, rescued, …"""
        recap = next(line for line in self.output.splitlines() if re.match(r"localhost\s+: ok=", line))
        return {name: int(count) for name, count in re.findall(r"(\w+)=(\d+)", recap)}

    @property
    def changes(self) -> list[tuple[str, object]]:
        """The tasks that changed something, each with its diff."""
        return [(entry["task"], entry["diff"]) for entry in self.journal if entry["changed"]]

    def task(self, name: str) -> dict:
        """Returns the outcome of the last task with this name."""
        return [entry for entry in self.journal if entry["task"] == name][-1]


class Ansible:
    """One version of Ansible, with its own home in the test's temporary folder."""

    def __init__(self, version: str, folder: Path):
        self.version = version
        self.commands = ROOT / "target" / "env" / f"ansible-{version}" / "bin"
        self.folder = folder
        self.collections = COLLECTIONS
        self.runs = 0

    def environment(self, extra: dict[str, str]) -> dict[str, str]:
        return environment(
            {
                "ANSIBLE_CONFIG": str(ROOT / "playbooks" / "ansible.cfg"),
                "ANSIBLE_COLLECTIONS_PATH": str(self.collections),
                "ANSIBLE_HOME": str(self.folder / "home"),
                "ANSIBLE_LOCAL_TEMP": str(self.folder / "local"),
                "ANSIBLE_REMOTE_TEMP": str(self.folder / "remote"),
                "ANSIBLE_CALLBACK_PLUGINS": str(HERE / "callback"),
                "ANSIBLE_CALLBACKS_ENABLED": "journal",
                "ANSIBLE_NOCOLOR": "1",
                "HOME": str(self.folder),
                "PATH": f"{self.commands}{os.pathsep}{os.environ['PATH']}",
            }
            | extra
        )

    def command(self, name: str, *words: str, env: dict[str, str] | None = None, until=None) -> subprocess.CompletedProcess:
        """Runs a command of Ansible to its end. With `until`, kills it and all that it started once that returns true."""
        command = [self.commands / name, *words]
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=self.environment(env or {}),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        while until and process.poll() is None:
            if until():
                os.killpg(process.pid, signal.SIGKILL)
            time.sleep(0.01)
        try:
            output, _ = process.communicate(timeout=300)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            raise
        return subprocess.CompletedProcess(command, process.returncode, output)

    def play(
        self,
        playbook: str | list,
        lab: Simulator,
        *flags: str,
        password: str = "environment",
        inventory: dict | None = None,
        env: dict[str, str] | None = None,
        until=None,
        **variables,
    ) -> Play:
        """Runs a playbook of the repository or of the collection, or the given plays, with the lab as the vCenter.

        The password comes from VMWARE_PASSWORD, with password="variable" from vcenter_password, and otherwise from nowhere.
        """
        self.runs += 1
        facts = lab.facts
        given = {
            "vcenter_hostname": facts["hostname"],
            "vcenter_port": facts["port"],
            "vcenter_username": facts["username"],
            "vcenter_thumbprint": facts["thumbprint"],
            "vm_name": facts["vm"],
            "cluster_name": facts["cluster"],
        }
        env = dict(env or {})
        if password == "environment":
            env["VMWARE_PASSWORD"] = facts["password"]
        elif password == "variable":
            given["vcenter_password"] = facts["password"]
        file = self.folder / f"variables{self.runs}.json"
        file.write_text(json.dumps(given | variables))
        journal = self.folder / f"journal{self.runs}"
        journal.touch()
        env["ANSIBLE_JOURNAL"] = str(journal)
        if isinstance(playbook, list):
            path = self.folder / f"play{self.runs}.yml"
            path.write_text(yaml.safe_dump(playbook, sort_keys=False))
        elif playbook.startswith("nested.vft."):
            path = playbook
        else:
            path = ROOT / "playbooks" / playbook
        if inventory is not None:
            hosts = self.folder / f"hosts{self.runs}.yml"
            hosts.write_text(yaml.safe_dump(inventory))
            flags += ("--inventory", str(hosts))
        ended = self.command("ansible-playbook", str(path), "--extra-vars", f"@{file}", *flags, env=env, until=until)
        entries = [json.loads(line) for line in journal.read_text().splitlines()]
        return Play(ended.returncode, ended.stdout, entries)


@pytest.fixture(params=["2.21", "2.19", "2.16"])
def ansible(request, tmp_path) -> Ansible:
    """Each supported version of Ansible in turn."""
    ansible = Ansible(request.param, tmp_path)
    if request.param == "2.21" and not ansible.commands.exists():
        pytest.skip("ansible-core 2.21 needs Python 3.12 or later, and tests/env/setup found none")
    return ansible
