"""vmx_option on a .vmx file: the run is killed, or a system call fails, at every relevant call."""

from __future__ import annotations

import collections
import json
import stat
import subprocess
from pathlib import Path

import pytest
from vmx_file import options

from modules import binary, environment

# The system calls that change the disk, and the end of the run. `?` allows a call that the machine does not have.
CALLS = "openat,write,fchmod,fchown,flock,fsync,?rename,?renameat,?renameat2,?unlink,?unlinkat,exit_group"
WANTED = {"replay.allowFT": "TRUE"}
OLD = b'config.version = "8"\nreplay.allowFT = "FALSE"\n'
STALE = ".inner.vmx.nested-vft-1-0"
NEW = OLD.replace(b"FALSE", b"TRUE")


class Folder:
    """The folder of a virtual machine, with a temporary file that a killed earlier run left behind."""

    def __init__(self, folder: Path):
        self.folder = folder / "inner"
        self.folder.mkdir()
        self.vmx = self.folder / "inner.vmx"
        self.args = folder / "args.json"
        self.args.write_text(json.dumps({"path": str(self.vmx), "options": WANTED, "backup": True}))
        self.log = folder / "strace.log"

    def reset(self) -> None:
        for path in self.folder.iterdir():
            path.unlink()
        self.vmx.write_bytes(OLD)
        self.vmx.chmod(0o640)
        (self.folder / STALE).write_bytes(OLD[:9])

    def run(self, *words: str) -> subprocess.CompletedProcess:
        self.reset()
        # Without -f, strace only counts and disturbs the main thread, which does all work on files.
        command = ["strace", "-y", "-o", str(self.log), *words, binary("vmx_option"), str(self.args)]
        return subprocess.run(command, capture_output=True, env=environment(), timeout=60, check=False)

    def points(self) -> list[tuple[str, int, bool]]:
        """Returns every call of an undisturbed run, from the first one that names the folder.

        Each has its name, its number among the calls of that name, and whether it concerns the folder.
        """
        assert self.run("-e", f"trace={CALLS}").returncode == 0
        counts, points = collections.Counter(), []
        for line in self.log.read_text().splitlines():
            call = line.partition("(")[0]
            counts[call] += 1
            inside = str(self.folder) in line
            if inside or points:
                points.append((call, counts[call], inside))
        return [point for point in points if not point[0].startswith("+")]

    def names(self) -> set[str]:
        return {path.name for path in self.folder.iterdir()}

    def check(self, point: str) -> bytes:
        """Asserts that nothing unfinished is left that the next run would not remove. Returns the content of the file."""
        now = self.vmx.read_bytes()
        assert now in (OLD, NEW), point
        assert stat.S_IMODE(self.vmx.stat().st_mode) == 0o640, point
        for backup in self.folder.glob("*.bak"):
            assert backup.read_bytes() == OLD and stat.S_IMODE(backup.stat().st_mode) == 0o640, point
        return now


@pytest.fixture
def folder(tmp_path) -> Folder:
    return Folder(tmp_path)


def test_a_killed_run_leaves_the_old_or_the_new_file_and_the_next_run_cleans_up(folder):
    seen = set()
    for call, number, _ in folder.points():
        point = f"{call} {number}"
        killed = folder.run("-e", f"trace={call}", "-e", f"inject={call}:signal=SIGKILL:when={number}")
        assert killed.returncode == -9, point
        now = folder.check(point)
        seen.add(now)
        assert now == OLD or any(folder.folder.glob("*.bak")), f"{point}: replaced without a backup"
        again = options(folder.vmx, WANTED)
        assert not again.json["failed"] and again.changed == (now == OLD), point
        assert folder.check(point) == NEW
        assert not any(name.startswith(".") for name in folder.names()), point
    assert seen == {OLD, NEW}


def test_a_run_with_a_failing_call_reports_whether_the_file_changed_and_leaves_nothing(folder):
    failed = set()
    for call, number, inside in folder.points():
        if not inside:
            continue
        point = f"{call} {number}"
        run = folder.run("-e", f"trace={call}", "-e", f"inject={call}:error=EIO:when={number}")
        answer = json.loads(run.stdout)
        now = folder.check(point)
        assert answer["changed"] == (now == NEW), f"{point}: {answer}"
        assert answer["failed"] or now == NEW, f"{point}: {answer}"
        if answer["failed"]:
            failed.add(call)
            assert answer["error"]["kind"] in ("io", "conflict"), f"{point}: {answer}"
        assert {name for name in folder.names() if name.startswith(".")} <= {STALE}, point
    assert {"openat", "write", "fsync"} <= failed
