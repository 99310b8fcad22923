"""Finds and builds the programs of the collection."""

from __future__ import annotations

import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
TARGET = ROOT / (os.environ.get("CARGO_TARGET_DIR") or "target")

# ESXi calls itself VMkernel. modules/static builds a program that runs there, and on any Linux with the same processor.
ESXI = "vmkernel_x86_64"
# The output of `uname -m` for processors that have another name in Rust.
MACHINES = {
    "arm": "armv6l",
    "armv7": "armv7l",
    "i586": "i686",
    "powerpc64": "ppc64",
    "powerpc64le": "ppc64le",
    "riscv64gc": "riscv64",
}


class Failure(Exception):
    """The reason why the collection could not be built."""


@dataclass
class Program:
    """A program with all modules, and the Rust target that it was built for."""

    path: Path
    triple: str

    def libc(self) -> str:
        """Describes the C library that the program needs."""
        content = self.path.read_bytes()
        if b"/ld-" not in content[:4096]:
            return "none"
        versions = {tuple(map(int, found)) for found in re.findall(rb"GLIBC_(\d+)\.(\d+)", content)}
        return f"glibc {'.'.join(map(str, max(versions)))} or later" if versions else "that of the system"

    def runs(self) -> bool:
        """Returns true if the program runs on this machine."""
        try:
            return subprocess.run([self.path, "--list"], stdout=subprocess.DEVNULL, check=False).returncode == 0
        except OSError:
            return False


def run(*command: str | Path) -> str:
    """Runs a command and returns its standard output."""
    try:
        return subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout
    except (OSError, subprocess.CalledProcessError) as problem:
        raise Failure(f"{Path(command[0]).name}: {problem}") from problem


def kind(triple: str) -> str:
    """Returns the folder name for a Rust target: `uname -s` and `uname -m` of that platform, in lower case."""
    processor, *rest = triple.split("-")
    system = next((name for name in ("linux", "freebsd", "netbsd", "openbsd", "darwin") if name in rest), None)
    if system is None:
        raise Failure(f"{triple} is not supported: Ansible cannot copy programs to that platform")
    return f"{system}_{MACHINES.get(processor, processor)}"


def built(triple: str, build: bool, features: list[str], host: str) -> Program:
    """Returns the program for a Rust target, built by cargo."""
    folder = TARGET / "release" if triple == host else TARGET / triple / "release"
    if build:
        elsewhere = [] if triple == host else ["--target", triple]
        # With --workspace, cargo reuses the dependencies of a build of all programs.
        run("cargo", "build", "--release", "--locked", "--workspace", "--bin", "nested_vft", *elsewhere, *features)
    return Program(folder / "nested_vft", triple)


def built_static(build: bool, features: list[str]) -> Program:
    """Returns the program that modules/static builds."""
    if build:
        run("modules/static", *features, "nested_vft")
    said = TARGET / "static" / "nested_vft.target"
    return Program(TARGET / "static" / "nested_vft", said.read_text().strip() if said.exists() else "")


def programs(targets: list[str], build: bool, features: list[str], only_here: bool) -> dict[str, Program]:
    """Returns the programs of the collection by platform."""
    host = re.search(r"^host: (\S+)$", run("rustc", "-vV"), re.MULTILINE)[1]
    found = {}
    if host.startswith("x86_64-") and "linux" in host and not only_here:
        static = built_static(build, features)
        found[ESXI] = static
        # A dynamically linked glibc build would need at least the glibc version of this machine.
        found[kind(host)] = static if static.triple.endswith("-musl") else built(host, build, features, host)
    else:
        found[kind(host)] = built(host, build, features, host)
    for triple in targets:
        found[kind(triple)] = built(triple, build, features, host)
    for program in found.values():
        if not program.path.exists():
            raise Failure(f"{program.path} not found: run this command without --no-build")
    return found
