"""Builds the program of a release for each target."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
TARGET = ROOT / (os.environ.get("CARGO_TARGET_DIR") or "target")
ENV = ROOT / "target" / "env"


class Failure(Exception):
    """The reason why the release could not be built."""


@dataclass
class Target:
    """A platform for which a release has an archive."""

    triple: str
    # The name of the platform in file names: `uname -s` and `uname -m`, in lower case.
    name: str
    # What tests/env/system must find to build for it.
    needs: tuple[str, ...]
    # The licences of what is linked in besides crates: files of the packages that hold it.
    runtime: tuple[str, ...] = ()
    # macOS programs can be built only on macOS, so only --only builds them.
    usual: bool = True

    @property
    def linux(self) -> bool:
        return "linux" in self.triple

    @property
    def suffix(self) -> str:
        return ".exe" if "windows" in self.triple else ""

    @property
    def archive(self) -> str:
        return ".zip" if "windows" in self.triple else ".tar.gz"


MUSL = "/usr/share/doc/musl/copyright"
MINGW = "/usr/share/doc/mingw-w64-common/copyright"
TARGETS = [
    Target("x86_64-unknown-linux-musl", "linux-x86_64", ("musl",), (MUSL,)),
    Target("aarch64-unknown-linux-musl", "linux-aarch64", ("arm64", "musl"), (MUSL,)),
    Target("x86_64-pc-windows-gnu", "windows-x86_64", ("mingw",), (MINGW,)),
    Target("aarch64-apple-darwin", "darwin-arm64", (), usual=False),
    Target("x86_64-apple-darwin", "darwin-x86_64", (), usual=False),
]


def run(*command: str | Path, cwd: Path = ROOT, **env: str) -> str:
    """Runs a command and returns its standard output. The tools of a release are on its PATH."""
    # These would change the bytes of a program.
    changing = ("RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS", "CARGO_PROFILE_", "CARGO_BUILD_", "CFLAGS")
    clean = {name: value for name, value in os.environ.items() if not name.startswith(changing)}
    path = os.pathsep.join([str(ENV / "cargo" / "bin"), str(ENV / "dist" / "bin"), env.pop("PATH", os.environ["PATH"])])
    try:
        ended = subprocess.run(
            command, cwd=cwd, env=clean | {"PATH": path} | env, check=True, stdout=subprocess.PIPE, text=True
        )
    except (OSError, subprocess.CalledProcessError) as problem:
        raise Failure(f"{Path(command[0]).name}: {problem}") from problem
    return ended.stdout


def say(text: str) -> None:
    print(f"dist: {text}", file=sys.stderr, flush=True)


def flags(target: Target) -> list[str]:
    """Returns the flags of rustc for a target that modules/static does not build for."""
    home = os.environ.get("CARGO_HOME") or Path.home() / ".cargo"
    # Programs contain paths of source files. These are the same on every machine.
    found = [f"--remap-path-prefix={home}=/cargo", f"--remap-path-prefix={ROOT}=/nested-vft"]
    if "windows" in target.triple:
        # The linker writes the time of the build into programs for Windows.
        found += ["-C", "link-arg=-Wl,--no-insert-timestamp"]
    return found


def program(target: Target) -> Path:
    """Builds the program with all modules for a target."""
    say(f"building for {target.triple}")
    built = TARGET / target.triple / "release" / f"nested_vft{target.suffix}"
    if target.linux:
        # The collection takes the program for x86-64, which runs on ESXi too, from the default folder of modules/static.
        folder = {} if target.triple.startswith("x86_64") else {"OUTPUT": str(TARGET / "static" / target.name)}
        command = "build" if target.triple.startswith("x86_64") else "zigbuild"
        run(ROOT / "modules" / "static", "--target", target.triple, "nested_vft", BUILD=command, **folder)
    else:
        words = ["cargo-auditable", "auditable", "build", "--release", "--locked", "--target", target.triple, "--package", "nested_vft"]
        here = ROOT / "modules" / "release"
        # By its name alone, because cargo may hash a path into the program.
        linker = {"CARGO_TARGET_X86_64_PC_WINDOWS_GNU_LINKER": "linker", "PATH": f"{here / 'windows'}{os.pathsep}{os.environ['PATH']}"}
        linker = linker if "windows" in target.triple else {}
        run(*words, CARGO=str(here / "cargo"), CARGO_ENCODED_RUSTFLAGS="\x1f".join(flags(target)), **linker)
    return built


def pages(folder: Path) -> None:
    """Writes the manual pages and the completions."""
    say("writing manual pages and completions")
    # The features of the whole workspace, so that this shares its dependencies with a build of all tests.
    run("cargo", "build", "--locked", "--workspace", "--example", "pages")
    run(TARGET / "debug" / "examples" / "pages", folder)
