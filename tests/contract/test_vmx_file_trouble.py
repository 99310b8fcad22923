"""vmx_option on a .vmx file: the host that has to read it again, a full disk, and others at the same time."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import resource
import signal
import subprocess
import time
from pathlib import Path

import pytest
from vmx_file import REPLAY, options, state

from modules import ROOT, binary, environment, interrupt_module


def test_a_reload_that_is_not_possible_is_refused_before_anything_is_written(vmx):
    before = state(vmx.parent)
    result = options(vmx, REPLAY, reload=True, env={"PATH": "/nonexistent"})
    assert result.kind == "unsupported" and "vim-cmd" in result.msg
    assert state(vmx.parent) == before
    assert "vim-cmd vmsvc/reload" in options(vmx, REPLAY).json["file"]["remains"]


@pytest.fixture
def esxi(vmx, tmp_path) -> Path:
    """A host on which the virtual machine is registered: its folder of state. PATH is its folder `bin`."""
    host = tmp_path / "host"
    subprocess.run([ROOT / "tests" / "esxi" / "state", "5.0", host], check=True)
    # A datastore by its whole path, which leads there without /vmfs.
    table = f"Vmid   Name   File   Guest OS   Version   Annotation\n7   inner   [{vmx.parent}] inner.vmx   other   vmx-08\n"
    (host / "vms").write_text(table)
    return host


def test_the_host_reads_the_file_again_when_that_is_asked_for(vmx, esxi):
    env = {"PATH": str(esxi / "bin")}
    assert options(vmx, REPLAY, "--check", reload=True, env=env).json["file"]["remains"] is None
    first = options(vmx, REPLAY, reload=True, env=env)
    assert first.json["file"]["reloaded"] and first.json["file"]["remains"] is None
    calls = (esxi / "calls").read_text()
    again = options(vmx, REPLAY, reload=True, env=env)
    assert not again.changed and not again.json["file"]["reloaded"]
    assert "vmsvc/reload" in calls and calls.count("reload") == (esxi / "calls").read_text().count("reload")


@pytest.mark.parametrize("first", [{"reload": True, "timeout": 1}, {}])
def test_a_host_that_still_knows_the_old_options_is_made_up_for_by_the_next_run(first, vmx, esxi):
    env = {"PATH": str(esxi / "bin")}
    assert options(vmx, {"guestinfo.other": "1"}, reload=True, env=env).changed
    (esxi / "hang").write_text("set")
    half = options(vmx, REPLAY, env=env, **first)
    assert half.changed and half.json["failed"] is bool(first)
    (esxi / "hang").unlink()
    made_up = options(vmx, REPLAY, reload=True, env=env)
    assert made_up.changed and made_up.json["file"]["reloaded"] and "read" in made_up.msg, made_up.msg
    assert not options(vmx, REPLAY, reload=True, env=env).changed


def test_a_host_that_cannot_be_asked_is_found_out_before_anything_is_written(vmx, esxi):
    (esxi / "vms").write_text("Failed to login: hostd is not there\n")
    before = state(vmx.parent)
    result = options(vmx, REPLAY, reload=True, env={"PATH": str(esxi / "bin")})
    assert result.kind == "fault" and "Failed to login" in result.msg
    assert state(vmx.parent) == before


def test_a_disk_that_is_full_leaves_the_old_file_and_nothing_else(vmx):
    def small_files():
        # A write past the limit fails with EFBIG, unless its signal ends the process first.
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


@pytest.mark.parametrize("keys", [[f"guestinfo.n{number}" for number in range(40)], ["guestinfo.n"] * 20])
def test_writers_at_once_all_succeed_and_each_change_is_reported_once(keys, vmx):
    """Four fifths of forty got through: the others gave up when they had been overtaken five times."""

    def start(key: str) -> subprocess.Popen:
        run = subprocess.Popen([binary("vmx_option")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment())
        run.stdin.write(json.dumps({"path": str(vmx), "options": {key: "1"}, "timeout": 60}).encode())
        run.stdin.close()
        return run

    with locked(vmx.parent):
        runs = [start(key) for key in keys]
        # By then most of them have read the file, so that all but one are overtaken.
        time.sleep(1)
    answers = [json.loads(run.stdout.read()) for run in runs]
    assert [run.wait(timeout=60) for run in runs] == [0] * len(runs), answers
    assert sum(answer["changed"] for answer in answers) == len(set(keys))
    written = vmx.read_text(encoding="shift_jis").splitlines()
    assert sorted(line for line in written if line.startswith("guestinfo.")) == sorted(f'{key} = "1"' for key in set(keys))
    assert [path.name for path in vmx.parent.iterdir()] == [vmx.name]


def test_a_folder_that_stays_locked_is_waited_for_until_the_timeout_and_signals_are_heard_meanwhile(vmx):
    before = state(vmx.parent)
    args = {"path": str(vmx), "options": REPLAY}
    with locked(vmx.parent):
        late = options(vmx, REPLAY, timeout=1)
        assert late.kind == "timeout" and "lock" in late.msg and not late.changed, late.msg
        started = time.monotonic()
        cut = interrupt_module("vmx_option", args, lambda: time.monotonic() > started + 0.5, timeout=30)
        assert cut.kind == "interrupted" and not cut.changed, cut.msg
        assert not options(vmx, {"memsize": "1024"}).json["failed"], "nothing to do needs no lock"
    assert state(vmx.parent) == before
