"""The files of a release in target/dist, unpacked, and the means to run the program of each."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import tarfile
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from modules import ROOT, VERSION, Result, judge

DIST = ROOT / "target" / "dist"
ENV = ROOT / "target" / "env"
# The emulator for the programs of each platform, inside the chroot. Programs for Windows run under wine, in tests/windows.
PLATFORMS = {"linux-x86_64": None, "linux-aarch64": "qemu-aarch64-static", "windows-x86_64": None}
# Only root may use chroot; others are root in a namespace of their own.
CHROOT = ([] if os.geteuid() == 0 else ["unshare", "--map-root-user"]) + ["/usr/sbin/chroot"]


def path_of(platform: str, end: str = "") -> Path:
    """Returns the path of a platform's archive, or of another file of it."""
    return DIST / f"nested-vft-{VERSION}-{platform}{end or ('.zip' if 'windows' in platform else '.tar.gz')}"


def built(platform: str) -> str:
    """Returns the platform, or skips the test if modules/dist --only left it out."""
    if not path_of(platform).exists():
        pytest.skip(f"target/dist has no archive for {platform}")
    return platform


@dataclass
class Archive:
    """An unpacked archive."""

    platform: str
    top: Path

    def read(self, name: str) -> str:
        return (self.top / name).read_text(encoding="utf-8")

    def names(self) -> set[str]:
        """Returns the names of all files and links."""
        return {path.relative_to(self.top).as_posix() for path in self.top.rglob("*") if path.is_symlink() or path.is_file()}

    @property
    def suffix(self) -> str:
        return ".exe" if "windows" in self.platform else ""

    @property
    def program(self) -> Path:
        return self.top / "bin" / f"nested_vft{self.suffix}"

    @property
    def bill(self) -> dict[str, Any]:
        return json.loads(self.read("sbom.cdx.json"))


@dataclass
class Bare(Archive):
    """An archive in a chroot with nothing else in it: no libc, no shell, no /dev and no /proc."""

    root: Path

    def command(self, name: str, *words: str) -> subprocess.CompletedProcess:
        """Runs a program of the archive."""
        emulator = PLATFORMS[self.platform]
        under = [f"/{emulator}"] if emulator else []
        inside = f"/{self.top.relative_to(self.root)}/bin/{name}"
        return subprocess.run(
            [*CHROOT, self.root, *under, inside, *words],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            env={"SSL_CERT_FILE": "/ca.pem"},
            timeout=120,
            check=False,
        )

    def run(self, name: str, args: dict[str, Any], *flags: str) -> Result:
        """Runs a module like Ansible, with its arguments in a file."""
        (self.root / "args.json").write_text(json.dumps(args))
        ended = self.command(name, "/args.json", *flags)
        return judge(name, args, ended.returncode, ended.stdout, ended.stderr, "file")


def unpack(platform: str, folder: Path) -> Path:
    """Unpacks an archive and returns the folder in it."""
    path = path_of(platform)
    if path.suffix == ".zip":
        with zipfile.ZipFile(path) as archive:
            archive.extractall(folder)
    else:
        with tarfile.open(path) as archive:
            archive.extractall(folder, filter="tar")
    [top] = folder.iterdir()
    return top


@pytest.fixture(params=PLATFORMS)
def archive(request, tmp_path) -> Archive:
    """Each archive in turn."""
    platform = built(request.param)
    return Archive(platform, unpack(platform, tmp_path))


@pytest.fixture(params=[platform for platform in PLATFORMS if "linux" in platform])
def bare(request) -> Bare:
    """Each archive for Linux in turn, in a chroot of its own outside /tmp, which may forbid programs."""
    platform = built(request.param)
    with tempfile.TemporaryDirectory(prefix="nested-vft-", dir=ROOT / "target") as folder:
        root = Path(folder)
        top = unpack(platform, root)
        if PLATFORMS[platform]:
            shutil.copy(shutil.which(PLATFORMS[platform]), root)
        yield Bare(platform, top, root)


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
