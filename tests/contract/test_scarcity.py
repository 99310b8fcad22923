"""A result comes even if the system refuses threads and file descriptors, or a signal comes at once."""

from __future__ import annotations

import json
import os
import resource
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

import pytest

from modules import binary, environment, judge, until

NAME = "vm_power"
NOBODY = {
    "hostname": "127.0.0.1",
    "port": 1,
    "protocol": "http",
    "username": "someone",
    "password": "not-told",
    "name": "inner",
    "state": "powered_on",
}


def answer(program, how: str, args: dict, limit: int, number: int, **options):
    """Runs the program under a resource limit, with its arguments in a file, on stdin, or as a line."""
    text = json.dumps(args).encode()
    with tempfile.NamedTemporaryFile() as file:
        file.write(text)
        file.flush()
        os.chmod(file.name, 0o644)
        flags = {"file": [file.name], "stdin": [], "lines": ["--jsonl"]}[how]
        ended = subprocess.run(
            [program, *flags],
            input=text,
            capture_output=True,
            env=environment(),
            timeout=60,
            check=False,
            preexec_fn=lambda: resource.setrlimit(limit, (number, number)),
            **options,
        )
    return judge(NAME, args, ended.returncode, ended.stdout, b"", how)


every_way = pytest.mark.parametrize("how", ["file", "stdin", "lines"])


@pytest.fixture(scope="module")
def program():
    """A program that every user may run. root has no limit on threads."""
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        yield shutil.copy(binary(NAME), folder)


@every_way
@pytest.mark.parametrize(("hostname", "word"), [("127.0.0.1", "refused"), ("vcenter.invalid", "thread")])
def test_without_threads(program, how, hostname, word):
    nobody = {"user": 54321, "group": 54321, "extra_groups": []} if os.geteuid() == 0 else {}
    result = answer(program, how, NOBODY | {"hostname": hostname}, resource.RLIMIT_NPROC, 1, **nobody)
    assert result.kind == "connection" and word in result.msg


@every_way
def test_with_few_file_descriptors(how):
    # With 3, the system cannot even load the program.
    kinds = [answer(binary(NAME), how, NOBODY, resource.RLIMIT_NOFILE, number).kind for number in range(4, 16)]
    assert set(kinds) == {"io", "connection"} and kinds[-1] == "connection"


def caught(process: subprocess.Popen, number: int) -> bool:
    """Returns true if the process has a handler for this signal."""
    status = Path(f"/proc/{process.pid}/status").read_text()
    mask = next(line for line in status.splitlines() if line.startswith("SigCgt:"))
    return bool(int(mask.split()[1], 16) >> (number - 1) & 1)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT])
def test_a_signal_at_any_moment_gets_a_result(number):
    """Before the first instruction of the program there is no handler, so the signal kills it."""
    # Signals at sampled moments, and one as soon as there is a handler.
    for step in [*range(60), None]:
        process = subprocess.Popen(
            [binary(NAME)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment()
        )
        try:
            if step is None:
                until(lambda: caught(process, number), 30)
            else:
                time.sleep(step / 10_000)
            had_handler = caught(process, number)
            process.send_signal(number)
            process.wait(timeout=30)
            stdout = process.stdout.read()
        finally:
            process.kill()
            process.communicate()
        if had_handler or process.returncode != -number:
            assert judge(NAME, {}, process.returncode, stdout, b"", "stdin").kind == "interrupted"


def test_a_signal_during_the_check_of_many_arguments_gets_a_result():
    options = {f"guestinfo.a{number}": str(number) for number in range(30_000)}
    args = {key: value for key, value in NOBODY.items() if key != "state"} | {"options": options}
    for step in range(6):
        process = subprocess.Popen(
            [binary("vmx_option")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment()
        )
        try:
            process.stdin.write(json.dumps(args).encode())
            process.stdin.close()
            until(lambda: caught(process, signal.SIGTERM), 30)
            time.sleep(step / 10)
            process.send_signal(signal.SIGTERM)
            stdout = process.stdout.read()
            process.wait(timeout=30)
        finally:
            process.kill()
            process.wait()
        result = judge("vmx_option", args, process.returncode, stdout, b"", "stdin")
        # The attempt to connect may fail before the run notices the signal.
        assert result.kind in {"interrupted", "connection"}
