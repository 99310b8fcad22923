"""JSON lines: one document per line in, one result per line out, over one session.

The `simulator` fixture checks after every test that no session is left.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import signal
import subprocess

import pytest

from modules import (
    CHANGING,
    MODULES,
    Result,
    binary,
    check_promises,
    connection,
    environment,
    example,
    until,
)


class Series:
    """A module that reads lines, as a co-process."""

    def __init__(self, name: str, *flags: str):
        self.name = name
        self.process = subprocess.Popen(
            [binary(name), "--jsonl", *flags],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment(),
        )

    def write(self, *documents) -> None:
        for document in documents:
            text = document if isinstance(document, bytes) else json.dumps(document).encode()
            self.process.stdin.write(text + b"\n")
        self.process.stdin.flush()

    def read(self) -> dict:
        """Returns the next result, after checking the promises."""
        line = self.process.stdout.readline()
        answer = json.loads(line)
        kind = (answer.get("error") or {}).get("kind")
        status = 0 if kind is None else 2 if kind == "invalid_arguments" and not answer["changed"] else 1
        check_promises(self.name, Result(answer, status, line, b"", self.name), "stdin")
        return answer

    def ask(self, document) -> dict:
        """Sends one line and returns its result."""
        self.write(document)
        return self.read()

    def end(self) -> int:
        """Closes the input and returns the exit status."""
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()
        assert self.process.stdout.closed or self.process.stdout.read() == b""
        return self.process.wait(timeout=60)

    def __enter__(self) -> Series:
        return self

    def __exit__(self, *_) -> None:
        self.process.kill()
        self.process.wait()
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()
        self.process.stdout.close()


@pytest.mark.parametrize("name", MODULES)
def test_lines_are_answered_one_by_one_over_one_session(name, healthy):
    args = example(name, healthy.facts)
    with Series(name) as series:
        predicted = series.ask(args | {"_ansible_check_mode": True})
        done = series.ask(args)
        # One session is open, and stays open between lines.
        assert healthy.sessions()["live"] == 1
        assert done["changed"] is predicted["changed"] is (name in CHANGING)
        assert not done["failed"] and not predicted["failed"]
        assert series.end() == 0
    assert healthy.sessions()["logins"] == healthy.sessions()["logouts"] == 1


def host_options(lab, value, **more) -> dict:
    hosts = {"esxi_hostname": lab.facts["hosts"][0], "options": {"Migrate.VMotionStreamDisable": value}}
    return connection(lab.facts) | hosts | more


def test_many_lines_are_answered_in_order_with_two_requests_each(healthy):
    values = [0, 1, 1, 0, 9, 1] * 10
    with Series("host_option") as series:
        series.write(*(host_options(healthy, value, _ansible_check_mode=True) for value in values))
        answers = [series.read() for _ in values]
        assert series.end() == 2, "9 is out of range, and nothing else failed"
    assert [answer["failed"] for answer in answers] == [value == 9 for value in values]
    assert [answer["changed"] for answer in answers] == [value == 1 for value in values]

    healthy.clear_log()
    with Series("host_option") as series:
        series.write(*[host_options(healthy, 0)] * 20)
        assert not any(series.read()["changed"] for _ in range(20))
        series.end()
    assert len(healthy.methods()) == 20 * 2 + 3


def test_the_flags_apply_to_every_line(healthy):
    with Series("host_option", "--check", "--diff") as series:
        answers = [series.ask(host_options(healthy, 1)) for _ in range(2)]
        series.end()
    assert all(answer["changed"] and answer["diff"]["after"] for answer in answers)


BAD = [b"", b"   ", b"{", b"[]", b"{}", b"\xff", b'{"no": 1}', b'{"options": {"a.b": NaN}}']


def test_a_bad_line_is_one_failed_result_and_the_next_line_runs(healthy):
    with Series("host_option") as series:
        for line in BAD:
            answer = series.ask(line)
            assert answer["failed"] and answer["error"]["kind"] == "invalid_arguments", line
            assert not series.ask(host_options(healthy, 0))["failed"]
        assert series.end() == 2


def test_another_failure_sets_the_exit_status_to_1(healthy):
    with Series("host_option") as series:
        assert series.ask(b"{}")["error"]["kind"] == "invalid_arguments"
        assert series.ask(host_options(healthy, 0, esxi_hostname="nowhere"))["error"]["kind"] == "not_found"
        assert not series.ask(host_options(healthy, 0))["failed"]
        assert series.end() == 1


def test_an_endless_line_is_skipped(healthy):
    with Series("host_option") as series:
        answer = series.ask(b'{"a": "' + b"x" * (16 * 1024 * 1024) + b'"}')
        assert answer["error"]["kind"] == "invalid_arguments" and "more than" in answer["msg"]
        assert not series.ask(host_options(healthy, 0))["failed"]
        assert series.end() == 2


def test_the_last_line_needs_no_newline(healthy):
    with Series("host_option") as series:
        series.process.stdin.write(json.dumps(host_options(healthy, 0)).encode())
        series.process.stdin.close()
        assert not series.read()["failed"]
        assert series.process.wait(timeout=60) == 0


def test_no_lines_are_a_success():
    with Series("host_option") as series:
        assert series.end() == 0


def test_lines_can_be_in_a_file(healthy, tmp_path):
    path = tmp_path / "lines"
    path.write_text("".join(json.dumps(host_options(healthy, value)) + "\n" for value in (1, 1)))
    ended = subprocess.run(
        [binary("host_option"), "--jsonl", str(path)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        env=environment(),
        timeout=60,
        check=True,
    )
    assert [json.loads(line)["changed"] for line in ended.stdout.splitlines()] == [True, False]
    assert ended.stderr == b""
    assert healthy.sessions()["logins"] == 1

    ended = subprocess.run(
        [binary("host_option"), "--jsonl", str(tmp_path / "nowhere")], capture_output=True, timeout=60, check=False
    )
    assert ended.returncode == 2 and "nowhere" in json.loads(ended.stdout)["msg"]


def test_another_connection_is_another_session(healthy):
    with Series("host_option") as series:
        for more in ({}, {"hostname": "localhost"}, {}, {"timeout": 7}, {"hostname": "localhost"}):
            assert not series.ask(host_options(healthy, 0, **more))["failed"]
        # A line with a wrong password must not use the session of a line with the correct one.
        assert series.ask(host_options(healthy, 0, password="wrong"))["error"]["kind"] == "authentication"
        assert healthy.sessions()["live"] == 2
        assert series.end() == 1


def test_each_line_reports_its_own_requests(healthy):
    with Series("host_option") as series:
        loud = [series.ask(host_options(healthy, 0, _ansible_verbosity=3))["invocation"] for _ in range(2)]
        quiet = series.ask(host_options(healthy, 0))["invocation"]
        series.end()
    assert [len(invocation["trace"]) for invocation in loud] == [4, 2]
    assert "trace" not in quiet


@pytest.mark.parametrize("wanted", [0, 1])
def test_an_expired_session_is_renewed(wanted, healthy):
    with Series("host_option") as series:
        assert not series.ask(host_options(healthy, 0))["failed"]
        healthy.inject(method="UpdateOptions" if wanted else "RetrievePropertiesEx", fault="NotAuthenticated")
        answer = series.ask(host_options(healthy, wanted))
        assert not answer["failed"] and answer["changed"] is bool(wanted)
        assert healthy.sessions()["logins"] == 2
        # The injected fault did not really drop the session, so the simulator still counts it as live.
        healthy.reset()
        assert not series.ask(host_options(healthy, 0))["failed"]
        assert series.end() == 0


@pytest.mark.parametrize("how", ["drop", "http500", "garbage"])
def test_a_server_failure_fails_only_that_line(how, healthy):
    with Series("host_option") as series:
        assert not series.ask(host_options(healthy, 0))["failed"]
        healthy.inject(method="UpdateOptions", how=how, times=0)
        assert series.ask(host_options(healthy, 1))["failed"]
        healthy.clear_injections()
        assert not series.ask(host_options(healthy, 1))["failed"]
        assert series.end() == 1


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT])
def test_a_signal_between_lines_logs_out(number, healthy):
    with Series("host_option") as series:
        assert not series.ask(host_options(healthy, 0))["failed"]
        assert healthy.sessions()["live"] == 1
        series.process.send_signal(number)
        assert series.process.wait(timeout=60) == 1
        assert series.process.stdout.read() == b""


def test_a_signal_within_a_line_gives_a_last_result(simulator):
    lab = simulator(personality="6.7", scenario="healthy", task_ms=60_000)
    args = example("vm_power", lab.facts)
    with Series("vm_power") as series:
        series.write(args, args)
        until(lambda: "PowerOffVM_Task" in lab.methods(), 60, alive=series.process)
        series.process.send_signal(signal.SIGTERM)
        answer = series.read()
        assert answer["error"]["kind"] == "interrupted" and answer["changed"] is True
        assert series.process.wait(timeout=60) == 1
        assert series.process.stdout.read() == b""


def test_the_output_pipe_is_closed(healthy):
    with Series("host_option") as series:
        assert not series.ask(host_options(healthy, 0))["failed"]
        series.process.stdout.close()
        with contextlib.suppress(BrokenPipeError):
            series.write(*[host_options(healthy, 0)] * 3)
        assert series.process.wait(timeout=60) == 1


def test_a_reader_that_stopped_reading_does_not_block_a_signal(healthy):
    with Series("host_option") as series:
        # The pipe has room for a few results.
        fcntl.fcntl(series.process.stdout, fcntl.F_SETPIPE_SZ, 4096)
        series.write(*[host_options(healthy, 0)] * 50)
        seen = []

        def stuck() -> bool:
            seen.append(len(healthy.log()))
            return len(seen) > 20 and seen[-1] > 4 and seen[-1] == seen[-20]

        until(stuck, 60, alive=series.process)
        series.process.send_signal(signal.SIGTERM)
        assert series.process.wait(timeout=60) == 1
