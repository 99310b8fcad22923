"""Runs the module programs like Ansible or a pipeline, and checks every result against the promises of all modules."""

from __future__ import annotations

import functools
import json
import os
import pty
import re
import signal
import subprocess
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jsonschema

import lab

ROOT = Path(__file__).resolve().parent.parent
# The tarball of this version from the last run of playbooks/collection/assemble.
VERSION = re.search(r"^version: (\S+)$", (ROOT / "playbooks" / "collection" / "galaxy.yml").read_text(), re.MULTILINE)[1]
TARBALL = ROOT / "target" / f"nested-vft-{VERSION}.tar.gz"
# The folder of the programs under test. PROFILE=debug tests the output of `cargo build`, which is faster to build.
BINARIES = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / os.environ.get("PROFILE", "release")
MODULES = sorted(examples.parent.name for examples in (ROOT / "modules").glob("*/examples.yml"))
# Actions of the collection that are no program. Those in the second list connect to vSphere.
ACTIONS = sorted(file.stem for file in (ROOT / "playbooks" / "collection" / "plugins" / "modules").glob("*.py"))
CALLING_ACTIONS = ["parallel", "restore"]
# Modules that only read.
READ_ONLY = {"ft_diagnose", "ft_readiness"}
CHANGING = [name for name in MODULES if name not in READ_ONLY]
# Modules that act on every run.
IMPERATIVE = {"ft_failover"}
IDEMPOTENT = [name for name in CHANGING if name not in IMPERATIVE]

# API methods that change nothing.
READS = {
    "RetrieveServiceContent",
    "Login",
    "Logout",
    "RetrieveProperties",
    "RetrievePropertiesEx",
    "ContinueRetrievePropertiesEx",
    "CancelRetrievePropertiesEx",
    "QueryEvents",
    "QueryNetConfig",
    "QueryOptions",
    "QueryDescriptions",
    "BrowseDiagnosticLog",
    "QueryFaultToleranceCompatibility",
    "QueryFaultToleranceCompatibilityEx",
    "FindByInventoryPath",
    "FindByUuid",
    "FindAllByUuid",
    "FindByDnsName",
    "FindAllByDnsName",
    "FindChild",
    "CreateContainerView",
    "DestroyView",
    "CreatePropertyCollector",
    "DestroyPropertyCollector",
    "CreateFilter",
    "WaitForUpdatesEx",
    "CurrentTime",
    "SessionIsActive",
}

ERROR_KINDS = {
    "invalid_arguments",
    "connection",
    "tls",
    "authentication",
    "permission",
    "not_found",
    "ambiguous",
    "unsupported",
    "conflict",
    "timeout",
    "fault",
    "io",
    "interrupted",
    "internal",
}

# Keys with a meaning for Ansible, which a module must not use for its own results.
RESERVED = {"rc", "exception", "results", "skipped", "stdout", "stderr", "ansible_facts", "deprecations"}


def binary(name: str) -> str:
    """Returns the path of a module's program."""
    return str(BINARIES / name)


@functools.cache
def result_schema(name: str) -> jsonschema.protocols.Validator:
    """Returns the validator for a module's results, from the schema in the repository."""
    schema = json.loads((ROOT / "schemas" / f"{name}.result.json").read_text())
    return jsonschema.validators.validator_for(schema)(schema)


@dataclass
class Result:
    """The result of one run of a module."""

    json: dict[str, Any]
    exit: int
    stdout: bytes
    stderr: bytes
    name: str
    secrets: list[str] = field(default_factory=list, repr=False)

    @property
    def changed(self) -> bool:
        return self.json["changed"]

    @property
    def did(self) -> bool:
        """True if the run did what its example should do: change something, or, for a read-only module, succeed."""
        return not self.json["failed"] and self.changed is (self.name in CHANGING)

    @property
    def msg(self) -> str:
        return self.json["msg"]

    @property
    def kind(self) -> str | None:
        """The kind of the error, or None without an error."""
        return (self.json.get("error") or {}).get("kind")

    @property
    def told(self) -> str:
        """All text of the result about the failure, to search for words."""
        return json.dumps({key: self.json.get(key) for key in ("msg", "error", "warnings")})


def faults(fault: dict[str, Any] | None) -> list[dict[str, Any]]:
    """Yields a fault and all faults nested in it."""
    if not fault:
        return []
    return [fault] + [below for cause in fault.get("causes", []) for below in faults(cause["fault"])]


def environment(extra: dict[str, str] | None = None) -> dict[str, str]:
    """Returns an environment without any variable that modules read arguments from, including proxies."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ}
    return kept | {"LC_ALL": "C.UTF-8"} | (extra or {})


def check_promises(name: str, run: Result, via: str) -> None:
    """Asserts what modules/lib/contract promises for every run of every module."""
    text = run.stdout
    assert text.endswith(b"\n") and text.count(b"\n") == 1, f"not one line: {text!r}"
    assert text.isascii(), f"not ASCII: {text!r}"
    answer = run.json
    assert isinstance(answer, dict)
    assert isinstance(answer["changed"], bool) and isinstance(answer["failed"], bool)
    assert isinstance(answer["msg"], str) and answer["msg"].strip() and "\n" not in answer["msg"].strip()
    assert not RESERVED & answer.keys(), RESERVED & answer.keys()
    if answer["failed"]:
        assert answer["error"]["kind"] in ERROR_KINDS
        refused = answer["error"]["kind"] == "invalid_arguments" and not answer["changed"]
        assert run.exit == (2 if refused else 1), (run.exit, answer["error"])
    else:
        assert run.exit == 0
        assert not answer.get("error")
    if "warnings" in answer:
        assert answer["warnings"] and all(isinstance(warning, str) for warning in answer["warnings"])
    if via == "file":
        assert run.stderr == b"", f"over ssh, stderr is part of stdout: {run.stderr!r}"
    for secret in run.secrets:
        for stream in (run.stdout, run.stderr):
            assert secret.encode() not in stream, "the result contains a secret"
            assert json.dumps(secret)[1:-1].encode() not in stream, "the result contains an escaped secret"
    problems = [f"{problem.json_path}: {problem.message}" for problem in result_schema(name).iter_errors(answer)]
    assert not problems, f"the result does not match the schema of {name}: {problems}"


def run_module(
    name: str,
    args: dict[str, Any] | str,
    *flags: str,
    via: str = "stdin",
    env: dict[str, str] | None = None,
    timeout: float = 60,
) -> Result:
    """Runs a module with its arguments on stdin, or with via="file" in a file, like Ansible."""
    text = args if isinstance(args, str) else json.dumps(args)
    with tempfile.TemporaryDirectory() as folder:
        command = [binary(name)]
        given: dict[str, Any] = {"input": text.encode()}
        if via == "file":
            path = Path(folder) / "args"
            path.write_text(text)
            command.append(str(path))
            given = {"stdin": subprocess.DEVNULL}
        ended = subprocess.run(
            [*command, *flags], capture_output=True, env=environment(env), timeout=timeout, check=False, **given
        )
    return judge(name, args, ended.returncode, ended.stdout, ended.stderr, via)


def run_on_terminal(name: str, args: dict[str, Any], timeout: float = 60) -> Result:
    """Runs a module like Ansible over ssh: arguments in a file, stdin a terminal that never sends anything."""
    ours, theirs = pty.openpty()
    try:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "args"
            path.write_text(json.dumps(args))
            ended = subprocess.run(
                [binary(name), str(path)],
                stdin=theirs,
                capture_output=True,
                env=environment(),
                timeout=timeout,
                check=False,
            )
    finally:
        os.close(ours)
        os.close(theirs)
    return judge(name, args, ended.returncode, ended.stdout, ended.stderr, "file")


def interrupt_module(
    name: str, args: dict[str, Any], when, number: int = signal.SIGTERM, timeout: float = 60,
    env: dict[str, str] | None = None,
) -> Result:  # fmt: skip
    """Runs a module, sends it a signal as soon as `when()` is true, and waits until it ends."""
    child = subprocess.Popen(
        [binary(name)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(env),
    )
    try:
        child.stdin.write(json.dumps(args).encode())
        child.stdin.close()
        child.stdin = None
        until(when, timeout, alive=child)
        child.send_signal(number)
        stdout, stderr = child.communicate(timeout=timeout)
    finally:
        child.kill()
        child.wait()
    return judge(name, args, child.returncode, stdout, stderr, "stdin")


def until(when, timeout: float, alive: subprocess.Popen | None = None) -> None:
    """Waits until `when()` is true."""
    deadline = time.monotonic() + timeout
    while not when():
        assert alive is None or alive.poll() is None, f"the module ended too early: {alive.stdout.read()!r}"
        assert time.monotonic() < deadline, "timed out"
        time.sleep(0.01)


def judge(name: str, args: Any, exit_status: int, stdout: bytes, stderr: bytes, via: str) -> Result:
    """Returns the result of a finished run, after checking the promises."""
    try:
        answer = json.loads(stdout)
    except ValueError as problem:
        raise AssertionError(f"{name} answered {stdout!r}, stderr {stderr!r}, exit {exit_status}") from problem
    # A shorter password could appear in a result by chance.
    secrets = [
        str(value)
        for key, value in (args.items() if isinstance(args, dict) else ())
        if key == "password" and value is not None and len(str(value)) >= 6
    ]
    result = Result(answer, exit_status, stdout, stderr, name, secrets)
    check_promises(name, result, via)
    return result


def connection(facts: dict[str, Any]) -> dict[str, Any]:
    """Returns the connection arguments for a simulator, from the facts that it printed."""
    args = {name: facts[name] for name in ("hostname", "port", "username", "password")}
    if facts["protocol"] == "https":
        return args | {"thumbprint": facts["thumbprint"]}
    return args | {"protocol": "http"}


def example(name: str, facts: dict[str, Any]) -> dict[str, Any]:
    """Returns a call that changes something in a 6.7 lab with the scenario `healthy`, unless the module is read-only.

    For ft_failover, sets the virtual machine to protected first, without using the API.
    """
    if name == "ft_failover":
        lab.control(facts, "POST", "/set", {"moid": facts["vm_moid"], "state": {"ft_state": "running"}})
    change = {
        "vmx_option": {"name": facts["vm"], "options": {"guestinfo.nested": "1"}},
        "host_option": {"esxi_hostname": facts["hosts"][0], "options": {"Migrate.VMotionStreamDisable": 1}},
        "vm_power": {"name": facts["vm"], "state": "powered_off"},
        "fault_tolerance": {"name": facts["vm"], "state": "present"},
        "vmkernel_service": {"esxi_hostname": facts["hosts"][0], "device": "vmk1", "services": "vmotion"},
        "cluster_ha": {"cluster_name": facts["cluster"], "state": "disabled"},
        "ft_failover": {"name": facts["vm"], "action": "test_failover"},
        "ft_readiness": {"name": facts["vm"]},
        "ft_diagnose": {"name": facts["vm"], "host_logs": True},
    }
    assert name in change, f"add a call of {name} to `example` in tests/modules.py"
    return connection(facts) | change[name]
