"""vmx_option on a .vmx file: the reload by the host, a full disk, and concurrent writers."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import resource
import signal
import subprocess
from pathlib import Path

import pytest
from vmx_file import REPLAY, options, state

from modules import ROOT, binary, environment, judge, until


def test_an_impossible_reload_is_rejected_before_any_write(vmx):
    before = state(vmx.parent)
    result = options(vmx, REPLAY, reload=True, env={"PATH": "/nonexistent"})
    assert result.kind == "unsupported" and "vim-cmd" in result.msg
    assert state(vmx.parent) == before
    assert "vim-cmd vmsvc/reload" in options(vmx, REPLAY).json["file"]["remains"]


@pytest.fixture
def esxi(vmx, tmp_path) -> Path:
    """The state folder of a host on which the virtual machine is registered. PATH is its folder `bin`."""
    host = tmp_path / "host"
    subprocess.run([ROOT / "tests" / "esxi" / "state", "5.0", host], check=True)
    # The datastore is given by its full path, because there is no /vmfs.
    table = f"Vmid   Name   File   Guest OS   Version   Annotation\n7   inner   [{vmx.parent}] inner.vmx   other   vmx-08\n"
    (host / "vms").write_text(table)
    return host


def test_the_host_reloads_the_file_on_request(vmx, esxi):
    env = {"PATH": str(esxi / "bin")}
    assert options(vmx, REPLAY, "--check", reload=True, env=env).json["file"]["remains"] is None
    first = options(vmx, REPLAY, reload=True, env=env)
    assert first.json["file"]["reloaded"] and first.json["file"]["remains"] is None
    calls = (esxi / "calls").read_text()
    again = options(vmx, REPLAY, reload=True, env=env)
    assert not again.changed and not again.json["file"]["reloaded"]
    assert "vmsvc/reload" in calls and calls.count("reload") == (esxi / "calls").read_text().count("reload")


@pytest.mark.parametrize("first", [{"reload": True, "timeout": 1}, {}])
def test_the_next_run_makes_up_for_a_missed_reload(first, vmx, esxi):
    env = {"PATH": str(esxi / "bin")}
    assert options(vmx, {"guestinfo.other": "1"}, reload=True, env=env).changed
    (esxi / "hang").write_text("set")
    half = options(vmx, REPLAY, env=env, **first)
    assert half.changed and half.json["failed"] is bool(first)
    (esxi / "hang").unlink()
    made_up = options(vmx, REPLAY, reload=True, env=env)
    assert made_up.changed and made_up.json["file"]["reloaded"] and "read" in made_up.msg, made_up.msg
    assert not options(vmx, REPLAY, reload=True, env=env).changed


def test_an_unreachable_host_is_detected_before_any_write(vmx, esxi):
    (esxi / "vms").write_text("Failed to login: hostd is not there\n")
    before = state(vmx.parent)
    result = options(vmx, REPLAY, reload=True, env={"PATH": str(esxi / "bin")})
    assert result.kind == "fault" and "Failed to login" in result.msg
    assert state(vmx.parent) == before


def test_a_full_disk_leaves_only_the_old_file(vmx):
    def small_files():
        # Ignore the signal, so that a write past the limit fails with EFBIG instead of ending the process.
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (64, 64))

    before = state(vmx.parent)
    run = subprocess.run(
        [binary("vmx_option")],
        input=json.dumps({"path": str(vmx), "options": REPLAY}).encode(),
        stdout=subprocess.PIPE,
        env=environment(),
        preexec_fn=small_files,
        check=False,
        timeout=60,
    )
    answer = json.loads(run.stdout)
    assert answer["error"]["kind"] == "io" and not answer["changed"], answer
    assert state(vmx.parent) == before


@contextlib.contextmanager
def locked(folder: Path):
    """Holds the lock that a run takes before it writes."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def start(args: dict, log: Path) -> subprocess.Popen:
    """Starts vmx_option. Its attempts to take a lock go to `log`."""
    # With -D, the program is the child, and strace is not.
    command = ["strace", "-D", "-o", str(log), "-e", "trace=flock", binary("vmx_option")]
    run = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment())
    run.stdin.write(json.dumps(args).encode())
    run.stdin.close()
    run.stdin = None
    return run


def waits(log: Path) -> bool:
    """True if the run has read the file and found the folder locked."""
    return log.exists() and "EAGAIN" in log.read_text()


@pytest.mark.parametrize("keys", [[f"guestinfo.n{number}" for number in range(40)], ["guestinfo.n"] * 20])
def test_concurrent_writers_all_succeed_and_each_change_is_reported_once(keys, vmx, tmp_path):
    """Once, only four fifths of forty succeeded: the others gave up after five retries."""
    logs = [tmp_path / f"strace{number}.log" for number in range(len(keys))]
    with locked(vmx.parent):
        runs = [start({"path": str(vmx), "options": {key: "1"}, "timeout": 60}, log) for key, log in zip(keys, logs, strict=True)]
        # Each of them has read the file by then, so that all but one must read it again.
        until(lambda: all(map(waits, logs)), 50)
    answers = [json.loads(run.stdout.read()) for run in runs]
    assert [run.wait(timeout=60) for run in runs] == [0] * len(runs), answers
    assert sum(answer["changed"] for answer in answers) == len(set(keys))
    written = vmx.read_text(encoding="shift_jis").splitlines()
    assert sorted(line for line in written if line.startswith("guestinfo.")) == sorted(f'{key} = "1"' for key in set(keys))
    assert [path.name for path in vmx.parent.iterdir()] == [vmx.name]


def test_a_run_waits_for_a_locked_folder_until_its_timeout_or_a_signal(vmx, tmp_path):
    before = state(vmx.parent)
    args = {"path": str(vmx), "options": REPLAY, "timeout": 60}
    with locked(vmx.parent):
        late = options(vmx, REPLAY, timeout=1)
        assert late.kind == "timeout" and "lock" in late.msg and not late.changed, late.msg
        run = start(args, log := tmp_path / "strace.log")
        until(lambda: waits(log), 30, alive=run)
        run.terminate()
        stdout, _ = run.communicate(timeout=30)
        cut = judge("vmx_option", args, run.returncode, stdout, b"", "stdin")
        assert cut.kind == "interrupted" and not cut.changed, cut.msg
        assert not options(vmx, {"memsize": "1024"}).json["failed"], "without a change, no lock is needed"
    assert state(vmx.parent) == before
