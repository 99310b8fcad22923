"""OpenSSH servers on this machine with their own keys, for any user who runs the tests."""

from __future__ import annotations

import getpass
import os
import pwd
import shutil
import socket
import subprocess
from contextlib import closing
from pathlib import Path

from modules import until

SSHD = """\
ListenAddress 127.0.0.1:{port}
HostKey {folder}/host_key
AuthorizedKeysFile {folder}/key.pub
Subsystem {subsystem}
PidFile none
UsePAM no
StrictModes no
PermitRootLogin prohibit-password
PasswordAuthentication no
KbdInteractiveAuthentication no
"""


class Ssh:
    """The ssh servers of one test. `folder` needs a short path, for sockets. Uses none of the user's own files."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.daemons: list[subprocess.Popen] = []
        for name in ("host_key", "key"):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / name], check=True)
        if os.geteuid() == 0:
            # sshd needs this folder, which the init system creates on a normal start.
            Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)

    def serve(self, root: Path | None = None, sftp: bool = True, path: str | None = None) -> dict[str, object]:
        """Starts an sshd. Returns the inventory variables of that machine.

        `root` confines its users to that folder. `path` sets their PATH.
        """
        with closing(socket.socket()) as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        subsystem = "sftp internal-sftp" if sftp else "sftp /bin/false"
        lines = SSHD.format(port=port, folder=self.folder, subsystem=subsystem)
        if root is not None:
            lines += f"ChrootDirectory {root}\n"
            # sshd reads root's shell from this machine's user database, and looks for it in the chroot.
            shell = root / pwd.getpwuid(0).pw_shell.lstrip("/")
            if not shell.exists():
                shell.parent.mkdir(parents=True, exist_ok=True)
                shell.write_text('#!/bin/sh\nexec /bin/sh "$@"\n')
                shell.chmod(0o755)
        if path is not None:
            lines += f"SetEnv PATH={path}\n"
        config = self.folder / f"sshd_config.{port}"
        config.write_text(lines)
        log = self.folder / f"sshd.{port}"
        command = shutil.which("sshd", path=f"{os.environ['PATH']}:/usr/sbin")
        with log.open("w") as stderr:
            self.daemons.append(subprocess.Popen([command, "-D", "-e", "-f", config], stderr=stderr))
        until(lambda: "listening" in log.read_text() or self.daemons[-1].poll() is not None, 30)
        assert self.daemons[-1].poll() is None, log.read_text()
        with (self.folder / "known_hosts").open("a") as known:
            known.write(f"[127.0.0.1]:{port} {(self.folder / 'host_key.pub').read_text()}")
        return {"ansible_host": "127.0.0.1", "ansible_port": port}

    @property
    def variables(self) -> dict[str, str]:
        """Inventory variables for all servers.

        These are Ansible's own ssh arguments, without compression and with short-lived connections. They also keep ssh away
        from the user's own configuration, keys and agent.
        """
        options = {
            "ControlMaster": "auto",
            "ControlPersist": "5s",
            "UserKnownHostsFile": self.folder / "known_hosts",
            "GlobalKnownHostsFile": "/dev/null",
            "StrictHostKeyChecking": "yes",
            "IdentityFile": self.folder / "key",
            "IdentitiesOnly": "yes",
            "IdentityAgent": "none",
        }
        return {
            "ansible_user": getpass.getuser(),
            "ansible_ssh_args": " ".join(["-F /dev/null", *(f"-o {name}={value}" for name, value in options.items())]),
            "ansible_control_path_dir": str(self.folder),
        }

    def close(self) -> None:
        for daemon in self.daemons:
            daemon.terminate()
            daemon.wait()
