"""Runs playbooks/esxi_shell.yml with real Ansible over real OpenSSH, on hosts with busybox and no Python."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
import yaml
from ssh import Ssh

from modules import ROOT, environment

PLAYBOOK = ROOT / "playbooks" / "esxi_shell.yml"
VMX = "/vmfs/volumes/datastore1/inner/inner.vmx"
STREAMS = "/Migrate/VMotionStreamDisable"


@pytest.fixture
def ssh(folder):
    keys = folder / "ssh"
    keys.mkdir()
    ssh = Ssh(keys)
    yield ssh
    ssh.close()


class Ansible:
    """One version of ansible-playbook, and an inventory of the hosts as playbooks/esxi.md describes it."""

    def __init__(self, version: str, folder: Path, hosts: dict[str, dict], ssh: Ssh, transfer: str):
        self.command = ROOT / "target" / "env" / f"ansible-{version}" / "bin" / "ansible-playbook"
        self.folder = folder
        self.inventory = folder / "hosts.yml"
        variables = ssh.variables | {
            # busybox's own uname reports the real kernel, so the inventory names the platform. tests/ansible has hosts
            # with a fake `uname` that reports ESXi.
            "nested_vft_system": "vmkernel_x86_64",
            "ansible_remote_tmp": "/tmp/.ansible",
            "ansible_ssh_transfer_method": transfer,
            "vmx_options": {"replay.supported": "true", "replay.allowFT": "true", "replay.allowBTOnly": "true"},
            "vmotion_stream_disable": 1,
        }
        self.inventory.write_text(yaml.safe_dump({"esxi": {"hosts": hosts, "vars": variables}}))

    def play(self, *flags: str) -> tuple[int, str]:
        """Runs the playbook. Returns its exit status and output."""
        env = environment(
            {
                "ANSIBLE_CONFIG": str(PLAYBOOK.with_name("ansible.cfg")),
                "ANSIBLE_COLLECTIONS_PATH": str(ROOT / "target" / "collections"),
                "ANSIBLE_HOME": str(self.folder / "home"),
                "ANSIBLE_LOCAL_TEMP": str(self.folder / "local"),
                "ANSIBLE_NOCOLOR": "1",
                "HOME": str(self.folder),
            }
        )
        ended = subprocess.run(
            [self.command, "-i", self.inventory, PLAYBOOK, *flags],
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=300,
            check=False,
        )
        return ended.returncode, ended.stdout


def changed(said: str) -> dict[str, int]:
    """Returns the number of changed tasks for each host, from the recap."""
    return {host: int(count) for host, count in re.findall(r"^(\S+)\s+: ok=\d+\s+changed=(\d+)", said, re.MULTILINE)}


@pytest.mark.parametrize(("version", "transfer"), [("2.19", "piped"), ("2.16", "sftp")])
def test_the_playbook_changes_the_hosts_once(version, transfer, esxi, ssh, tmp_path):
    # The tools of 8.0 do not know the option, like those of 7.0 Update 2.
    old, new = esxi("5.0"), esxi("8.0")
    sftp = transfer == "sftp"
    hosts = {"old": ssh.serve(old.folder, sftp) | {"inner_vmx": VMX}, "new": ssh.serve(new.folder, sftp)}
    ansible = Ansible(version, tmp_path, hosts, ssh, transfer)

    before = old.vmx.read_text()
    status, said = ansible.play("--check", "--diff")
    assert status == 0, said
    assert changed(said) == {"old": 2, "new": 0}
    assert '+replay.allowFT = "true"' in said
    assert (old.vmx.read_text(), old.option(STREAMS)) == (before, "0")

    status, said = ansible.play()
    assert status == 0, said
    assert changed(said) == {"old": 2, "new": 0}
    assert 'replay.allowFT = "true"' in old.vmx.read_text() and old.option(STREAMS) == "1"
    assert ["vmsvc/reload", "1"] in old.calls("vim-cmd")
    assert "VMotionStreamDisable" in said, "the host that has no such option is told of"

    status, said = ansible.play()
    assert status == 0, said
    assert changed(said) == {"old": 0, "new": 0}
    left = [path.name for path in old.inside("/tmp/.ansible").iterdir()]
    assert left == [], "the binaries are not left behind"


def test_a_host_keeps_its_program(esxi, ssh, tmp_path):
    """busybox has all that the verification needs."""
    host = esxi("5.0")
    ansible = Ansible("2.19", tmp_path, {"host": ssh.serve(host.folder, False) | {"inner_vmx": VMX}}, ssh, "piped")
    flags = ("-vvv", "-e", "nested_vft_keep_program=true")
    for changes, sent in ((2, 1), (0, 0)):
        status, said = ansible.play(*flags)
        assert status == 0 and "WARNING" not in said, said
        assert (changed(said), said.count("> PUT ")) == ({"host": changes}, sent)
    kept = list(host.inside("/root/.cache/nested_vft").iterdir())
    assert len(kept) == 1 and kept[0].stat().st_mode & 0o777 == 0o700 and not host.inside("/tmp/.ansible").exists()


def test_a_running_machine_stops_the_play_with_a_reason(esxi, ssh, tmp_path):
    host = esxi("6.7")
    host.vmx.with_name("inner.vmx~").touch()
    ansible = Ansible("2.19", tmp_path, {"host": ssh.serve(host.folder, False) | {"inner_vmx": VMX}}, ssh, "piped")
    status, said = ansible.play()
    assert status != 0 and "inner.vmx~ shows that the VM is running" in said
    assert changed(said) == {"host": 0} and host.option(STREAMS) == "0"
