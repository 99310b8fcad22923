"""Runs programs for Windows with wine.

Rust programs need `bcryptprimitives.dll`, which Windows has since version 10, and wine since 8.11. Debian 12 has wine 8.0, so
`install` builds a small one beside the program.

Wine 8.0 needs fixed addresses. Where Linux chooses addresses by chance, one start of 5,000 finds its own taken and ends with no
output and status 66 or 1. `setarch -R` takes chance out.
"""

from __future__ import annotations

import contextlib
import fcntl
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path

from modules import ROOT, environment

WINE = ["setarch", "-R", "wine"]
PREFIX = ROOT / "target" / "wine"
# Without the last one, wine looks for Mono and Gecko, and offers to download them.
SETTINGS = {"WINEPREFIX": str(PREFIX), "WINEDEBUG": "-all", "WINEDLLOVERRIDES": "mscoree,mshtml="}
LIBRARY = """
#include <windows.h>
BOOLEAN NTAPI SystemFunction036(PVOID, ULONG);
__declspec(dllexport) BOOL WINAPI ProcessPrng(PBYTE bytes, SIZE_T count) {
    return SystemFunction036(bytes, (ULONG)count);
}
"""


def wine(*words: str, cwd: Path | None = None, env: dict[str, str] | None = None) -> subprocess.CompletedProcess:
    """Runs one of wine's own programs."""
    env = environment(SETTINGS | (env or {}))
    return subprocess.run([*WINE, *words], cwd=cwd, env=env, capture_output=True, timeout=120, check=True)


@contextlib.contextmanager
def started() -> Iterator[None]:
    """Keeps wine's own services running: whatever starts them waits for them, and so would a program under test."""
    with PREFIX.with_suffix(".lock").open("w") as lock:
        # Of several workers, one sets wine up.
        fcntl.flock(lock, fcntl.LOCK_EX)
        shell = subprocess.Popen(
            [*WINE, "cmd", "/k", "echo ready"],
            env=environment(SETTINGS),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        while line := shell.stdout.readline():
            if b"ready" in line:
                break
    try:
        yield
    finally:
        shell.stdin.close()
        shell.wait(timeout=30)


def install(program: Path, names: Iterable[str], folder: Path) -> None:
    """Makes a script in `folder` for each name, which runs the program with wine under that name."""
    compile = ["x86_64-w64-mingw32-gcc", "-shared", "-x", "c", "-", "-ladvapi32"]
    subprocess.run([*compile, "-o", folder / "bcryptprimitives.dll"], input=LIBRARY.encode(), check=True)
    command = " ".join([*(f"{name}='{value}'" for name, value in SETTINGS.items()), "exec", *WINE])
    for name in names:
        (folder / f"{name}.exe").symlink_to(program.resolve(strict=True))
        script = folder / name
        script.write_text(f'#!/bin/sh\n{command} "{folder}/{name}.exe" "$@"\n')
        script.chmod(0o755)
