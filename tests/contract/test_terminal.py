"""What a person at a terminal sees besides the result."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import termios

import pytest

from modules import binary, connection, environment, example, run_module


def on_terminal(name: str, args: dict, *flags: str, path=None, term="xterm") -> tuple[dict, str]:
    """Runs a module with a terminal as standard error. Returns the result and the text on the terminal."""
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(ours, (24, 100))
    if path:
        path.write_text(json.dumps(args))
        flags = (str(path), *flags)
    try:
        child = subprocess.Popen(
            [binary(name), *flags], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=theirs, env=environment({"TERM": term})
        )
        os.close(theirs)
        child.stdin.write(b"" if path else json.dumps(args).encode())
        child.stdin.close()
        shown = b""
        while True:
            try:
                shown += os.read(ours, 65536)
            except OSError:
                # The module has closed the other end.
                break
        answer = json.loads(child.stdout.read())
        child.wait(timeout=60)
    finally:
        os.close(ours)
    return answer, re.sub(r"\x1b\[[0-9;]*[A-Za-z]", "", shown.decode())


@pytest.mark.parametrize("source", ["standard input", "a file", "a file of Ansible"])
def test_a_wait_counts_seconds(source, simulator, tmp_path):
    lab = simulator(personality="6.7", scenario="healthy", task_ms=2500)
    args = example("vm_power", lab.facts) | {"timeout": 90}
    if source == "a file of Ansible":
        # Over ssh, Ansible takes all that is on the terminal for the result.
        args["_ansible_verbosity"] = 0
    answer, shown = on_terminal("vm_power", args, path=None if source == "standard input" else tmp_path / "args")
    assert answer["changed"]
    if source == "a file of Ansible":
        assert shown == ""
    else:
        assert {"1s of 90s", "2s of 90s"} <= set(re.findall(r"\ds of 90s", shown)), shown


def test_a_difference_is_shown_in_lines(simulator):
    lab = simulator(personality="6.7", scenario="healthy")
    args = connection(lab.facts) | {"esxi_hostname": lab.facts["hosts"][0], "options": {"Migrate.NetTimeout": 45}}
    answer, shown = on_terminal("host_option", args, "--check", "--diff")
    assert answer["changed"] and f"{lab.facts['hosts'][0]}\r\n  Migrate.NetTimeout: 20 -> 45\r\n" in shown
    # A program that reads standard error gets none.
    assert b"->" not in run_module("host_option", args, "--check", "--diff").stderr


@pytest.mark.parametrize("term", ["xterm", "dumb", None])
def test_requests_are_shown_with_their_times(term, healthy):
    args = example("vm_power", healthy.facts)
    if term:
        shown = on_terminal("vm_power", args, "--check", "-v", term=term)[1].splitlines()
    else:
        shown = run_module("vm_power", args, "--check", "-v").stderr.decode().splitlines()
    names = [found[1] for line in shown if (found := re.search(r"(\w+) \d+\.\d ms\s*$", line))]
    assert names[:2] == ["RetrieveServiceContent", "Login"] and names[-1] == "Logout"


def test_a_trace_has_all_messages_and_no_secret(healthy, tmp_path):
    path = tmp_path / "trace.txt"
    args = connection(healthy.facts) | {"name": healthy.facts["vm"], "options": {"monitor.a": "one & two"}}
    assert run_module("vmx_option", args, "--trace", str(path)).changed
    text = path.read_text()
    assert path.stat().st_mode & 0o777 == 0o600
    names = re.findall(r"^# (\w+) \d+\.\d ms$", text, re.M)
    assert {"Login", "ReconfigVM_Task", "Logout"} <= set(names)
    assert "one &amp; two" in text and "<RetrieveServiceContentResponse" in text
    assert args["password"] not in text and "<Login" not in text and "<UserSession" not in text
    refused = run_module("vmx_option", args, "--trace", str(path))
    assert refused.kind == "invalid_arguments" and "trace" in refused.msg and path.read_text() == text


def test_a_trace_has_no_secret_of_the_lab_and_none_of_the_session(healthy, tmp_path):
    names = ["RemoteDisplay.vnc.password", "RemoteDisplay.vnc.key", "guestinfo.ovfEnv", "my.pwd", "my.apikey", "my.passphrase"]
    secrets = {name: f"hunter{number}hunter" for number, name in enumerate(names)}
    healthy.touch(vm=healthy.facts["vm_moid"], extraConfig=secrets | {"replay.plain": "in clear"})
    path, args = tmp_path / "trace.txt", example("ft_readiness", healthy.facts) | {"session_cache": True}
    assert run_module("ft_readiness", args, "--trace", str(path), env={"XDG_RUNTIME_DIR": str(tmp_path)}).did
    text = path.read_text()
    assert "in clear" in text and not any(secret in text for secret in secrets.values())
    (kept,) = (tmp_path / "nested_vft").glob("*.json")
    cookie = re.search(r'vmware_soap_session=\W*([\w-]+)', kept.read_text())[1]
    assert len(cookie) > 10 and cookie not in text
    healthy.expire_sessions()


def test_a_call_without_messages_leaves_no_trace(healthy, tmp_path):
    path = tmp_path / "trace.txt"
    assert run_module("vm_power", {"nam": "inner"}, "--trace", str(path)).kind == "invalid_arguments"
    assert not path.exists()


def test_a_trace_shows_why_a_login_was_refused(healthy, tmp_path):
    path = tmp_path / "trace.txt"
    args = example("vm_power", healthy.facts) | {"password": "not the one"}
    assert run_module("vm_power", args, "--trace", str(path)).kind == "authentication"
    assert "InvalidLogin" in path.read_text() and "not the one" not in path.read_text()
