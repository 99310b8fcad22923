"""vmx_option on a .vmx file: the host that has to read it again, others at the same time, and a run that is cut short."""

from __future__ import annotations

import json
import os
import random
import resource
import signal
import stat
import subprocess
import time
from pathlib import Path

import pytest
from vmx_file import REPLAY, options, state

from modules import ROOT, binary, environment


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


def test_runs_at_once_lose_nothing(vmx):
    def start(key: str) -> subprocess.Popen:
        run = subprocess.Popen(
            [binary("vmx_option")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment(),
        )
        run.stdin.write(json.dumps({"path": str(vmx), "options": {key: "1"}}).encode())
        run.stdin.close()
        return run

    done = 0
    for count in range(20):
        keys = [f"guestinfo.{name}{count}" for name in "abcdefgh"]
        runs = [start(key) for key in keys]
        answers = [json.loads(run.stdout.read()) for run in runs]
        for run in runs:
            run.wait(timeout=60)
        written = vmx.read_bytes()
        for key, answer in zip(keys, answers, strict=True):
            # A run either has its option in the file, or says that others were faster.
            assert answer["failed"] or f'{key} = "1"'.encode() in written, answer
            done += not answer["failed"]
    assert done >= 20 * 4, "most runs get through"


def test_killed_at_any_instant_the_file_is_the_old_one_or_the_new_one(vmx):
    chance = random.Random(7)
    # Long enough for the write to be worth interrupting.
    filler = b"".join(b'guestinfo.filler%d = "%s"\r\n' % (number, b"x" * 200) for number in range(5000))
    off = vmx.read_bytes() + filler + b'replay.allowFT = "FALSE"\r\n'
    on = off.replace(b'allowFT = "FALSE"', b'allowFT = "TRUE"')
    vmx.write_bytes(off)
    vmx.chmod(0o640)
    args = {True: vmx.parent.parent / "on.json", False: vmx.parent.parent / "off.json"}
    for wanted, path in args.items():
        path.write_text(json.dumps({"path": str(vmx), "options": {"replay.allowFT": wanted}}))

    def run(wanted: bool) -> subprocess.Popen:
        return subprocess.Popen([binary("vmx_option"), str(args[wanted])], stdout=subprocess.DEVNULL, env=environment())

    started = time.monotonic()
    assert run(True).wait(timeout=60) == 0 and vmx.read_bytes() == on
    whole = time.monotonic() - started
    seen = {"old": 0, "new": 0}
    for _ in range(300):
        old = vmx.read_bytes()
        wanted = old == off
        child = run(wanted)
        time.sleep(chance.uniform(0, whole * 1.2))
        child.kill()
        child.wait()
        now = vmx.read_bytes()
        assert now == old or now == (on if wanted else off), "half a file"
        assert stat.S_IMODE(vmx.stat().st_mode) == 0o640
        seen["old" if now == old else "new"] += 1
    assert seen["old"] and seen["new"], seen
    for wanted in (True, False):
        assert options(vmx, {"replay.allowFT": wanted}).json["failed"] is False
    assert vmx.read_bytes() == off
    # What a killed run left behind is hidden, is called after this program, and goes once it is old.
    left = [path for path in vmx.parent.iterdir() if path != vmx]
    for path in left:
        assert path.name.startswith(".inner.vmx.nested-vft-"), path
        os.utime(path, (0, 0))
    assert options(vmx, {"replay.allowFT": True}).changed
    assert [path.name for path in vmx.parent.iterdir()] == [vmx.name]
