"""Stand-ins for an ESXi host: chroots in which a program finds only what the ESXi shell has."""

from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from modules import BINARIES, Result, judge

HERE = Path(__file__).resolve().parent
STATIC = BINARIES.parent / "static"

# The datastore. Its real name is a UUID; the usual name is a link to it.
VOLUME = "/vmfs/volumes/4f0c8d2a-6b1e2c3d-9a7f-005056012345"
VMX = """\
.encoding = "UTF-8"
config.version = "8"
virtualHW.version = "8"
displayName = "inner"
memsize = "512"
guestOS = "other"
"""


@dataclass
class Root:
    """A folder that is the root file system for the programs in it."""

    folder: Path

    def inside(self, path: str) -> Path:
        """Returns the outside path of a path in the chroot."""
        return self.folder / path.lstrip("/")

    def write(self, path: str, text: str) -> None:
        file = self.inside(path)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def run(self, name: str, args: dict[str, Any], *flags: str, under: tuple[str, ...] = ()) -> Result:
        """Runs the static program as this module in the chroot, like Ansible. `under` is a command that runs the program."""
        shutil.copy(STATIC / "nested_vft", self.folder / name)
        self.write("args.json", json.dumps(args))
        ended = subprocess.run(
            [*under, shutil.which("chroot"), self.folder, f"/{name}", "/args.json", *flags],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            env={"PATH": "/bin:/sbin"},
            timeout=60,
            check=False,
        )
        return judge(name, args, ended.returncode, ended.stdout, ended.stderr, "file")


@dataclass
class Esxi(Root):
    """An ESXi of one version, as far as the modules see it: the shell's tools, and a datastore with one machine."""

    version: str

    def __post_init__(self) -> None:
        for folder in ("bin", "sbin", "dev", "tmp", "root"):
            self.inside(folder).mkdir()
        self.inside("/tmp").chmod(0o1777)
        # ESXi has urandom too. Programs need it where getrandom(2) is missing.
        for name, minor in (("null", 3), ("urandom", 9)):
            device = self.inside(f"/dev/{name}")
            os.mknod(device, stat.S_IFCHR, os.makedev(1, minor))
            # The umask reduces the mode that mknod sets.
            device.chmod(0o666)
        self.write("/etc/passwd", "root:x:0:0:Administrator:/:/bin/sh\n")

        busybox = shutil.which("busybox")
        shutil.copy(busybox, self.inside("/bin/busybox"))
        applets = subprocess.run([busybox, "--list"], capture_output=True, text=True, check=True).stdout.split()
        for applet in set(applets) - {"busybox"}:
            self.inside(f"/bin/{applet}").symlink_to("busybox")

        for tool in (HERE / "bin").iterdir():
            shutil.copy(tool, self.inside("/sbin"))
        subprocess.run([HERE / "state", self.version, self.state], check=True)

        self.vmx.parent.mkdir(parents=True)
        self.vmx.write_text(VMX)
        self.inside("/vmfs/volumes/datastore1").symlink_to(Path(VOLUME).name)

    @property
    def state(self) -> Path:
        """The state folder of the stand-in tools. README.md describes it."""
        return self.inside("/var/lib/esxi-standin")

    def option(self, path: str) -> str:
        """Returns the value of an advanced option."""
        return (self.state / "options" / path.lstrip("/") / "value").read_text()

    def calls(self, tool: str) -> list[list[str]]:
        """Returns the arguments of every call of a tool."""
        lines = [line.split("\t") for line in (self.state / "calls").read_text().splitlines()]
        return [words for name, *words in lines if name == tool]

    @property
    def vmx(self) -> Path:
        """The .vmx file of the machine. In the chroot it is also /vmfs/volumes/datastore1/inner/inner.vmx."""
        return self.inside(f"{VOLUME}/inner/inner.vmx")


@pytest.fixture
def folder():
    """An empty folder outside /tmp, which may forbid programs, and outside the checkout.

    sshd requires that root owns every folder above a chroot.
    """
    with tempfile.TemporaryDirectory(prefix="nested-vft-", dir="/var/lib") as path:
        os.chmod(path, 0o755)
        yield Path(path)


@pytest.fixture
def esxi(folder):
    """Makes stand-in hosts: esxi("6.7")."""

    def make(version: str) -> Esxi:
        root = folder / f"esxi-{version}"
        root.mkdir()
        return Esxi(root, version)

    return make


@pytest.fixture
def nothing(folder) -> Root:
    """A root file system with only a .vmx file: no libc, no shell, no /dev and no /proc."""
    root = Root(folder / "nothing")
    root.write("/inner.vmx", VMX)
    return root
