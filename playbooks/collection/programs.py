"""The programs of the collection: which there are, and how they are built."""

from __future__ import annotations

import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
TARGET = ROOT / (os.environ.get("CARGO_TARGET_DIR") or "target")

# ESXi calls itself VMkernel. modules/static makes what runs there, and on any Linux of that processor.
ESXI = "vmkernel_x86_64"
# What `uname -m` says where Rust's name of the processor is another.
MACHINES = {
    "arm": "armv6l",
    "armv7": "armv7l",
    "i586": "i686",
    "powerpc64": "ppc64",
    "powerpc64le": "ppc64le",
    "riscv64gc": "riscv64",
}


class Failure(Exception):
    """Why there is no collection."""


@dataclass
class Program:
    """A program that has all modules, and for what it was built."""

    path: Path
    triple: str

    def libc(self) -> str:
        """Which C library it wants."""
        content = self.path.read_bytes()
        if b"/ld-" not in content[:4096]:
            return "none"
        versions = {tuple(map(int, found)) for found in re.findall(rb"GLIBC_(\d+)\.(\d+)", content)}
        return f"glibc {'.'.join(map(str, max(versions)))} or later" if versions else "that of the system"

    def runs(self) -> bool:
        """Whether the program runs on this machine."""
        try:
            return subprocess.run([self.path, "--list"], stdout=subprocess.DEVNULL, check=False).returncode == 0
        except OSError:
            return False


def run(*command: str | Path) -> str:
    """The standard output of a command."""
    try:
        return subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout
    except (OSError, subprocess.CalledProcessError) as problem:
        raise Failure(f"{Path(command[0]).name}: {problem}") from problem


def kind(triple: str) -> str:
    """The folder of the program for a target of Rust: what `uname -s` and `uname -m` say there, in small letters."""
    processor, *rest = triple.split("-")
    system = next((name for name in ("linux", "freebsd", "netbsd", "openbsd", "darwin") if name in rest), None)
    if system is None:
        raise Failure(f"{triple} is no target that Ansible copies programs to")
    return f"{system}_{MACHINES.get(processor, processor)}"


def built(triple: str, build: bool, features: list[str], host: str) -> Program:
    """The program for that target, as cargo builds it."""
    folder = TARGET / "release" if triple == host else TARGET / triple / "release"
    if build:
        elsewhere = [] if triple == host else ["--target", triple]
        # All of the workspace, of which one program: so it shares its dependencies with a build of all of them.
        run("cargo", "build", "--release", "--locked", "--workspace", "--bin", "nested_vft", *elsewhere, *features)
    return Program(folder / "nested_vft", triple)


def built_static(build: bool, features: list[str]) -> Program:
    """The program that modules/static builds."""
    if build:
        run("modules/static", *features, "nested_vft")
    said = TARGET / "static" / "nested_vft.target"
    return Program(TARGET / "static" / "nested_vft", said.read_text().strip() if said.exists() else "")


def programs(targets: list[str], build: bool, features: list[str], only_here: bool) -> dict[str, Program]:
    """The programs of the collection, by the kind of machine that each is for."""
    host = re.search(r"^host: (\S+)$", run("rustc", "-vV"), re.MULTILINE)[1]
    found = {}
    if host.startswith("x86_64-") and "linux" in host and not only_here:
        static = built_static(build, features)
        found[ESXI] = static
        # Everywhere a glibc build wants at least the glibc of where it was built.
        found[kind(host)] = static if static.triple.endswith("-musl") else built(host, build, features, host)
    else:
        found[kind(host)] = built(host, build, features, host)
    for triple in targets:
        found[kind(triple)] = built(triple, build, features, host)
    for program in found.values():
        if not program.path.exists():
            raise Failure(f"{program.path} is not there: run this without --no-build")
    return found
