"""Runs the module binaries as Ansible and as a pipeline do, and holds every answer to what all modules promise."""

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
# What playbooks/collection/assemble made last: of this version, whatever lies beside it.
VERSION = re.search(r"^version: (\S+)$", (ROOT / "playbooks" / "collection" / "galaxy.yml").read_text(), re.MULTILINE)[1]
TARBALL = ROOT / "target" / f"nested-vft-{VERSION}.tar.gz"
# The folder of the programs under test. PROFILE=debug tests what `cargo build` made, which is quick to build.
BINARIES = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / os.environ.get("PROFILE", "release")
MODULES = sorted(examples.parent.name for examples in (ROOT / "modules").glob("*/examples.yml"))
# What only looks, and changes nothing.
READ_ONLY = {"ft_diagnose", "ft_readiness"}
CHANGING = [name for name in MODULES if name not in READ_ONLY]
# What acts whenever it is run.
IMPERATIVE = {"ft_failover"}
IDEMPOTENT = [name for name in CHANGING if name not in IMPERATIVE]

# The calls that change nothing.
READS = {
    "RetrieveServiceContent",
    "Login",
    "Logout",
    "RetrieveProperties",
    "RetrievePropertiesEx",
    "ContinueRetrievePropertiesEx",
    "CancelRetrievePropertiesEx",
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

# Keys that mean something to Ansible, and must not be a module's own.
RESERVED = {"rc", "exception", "results", "skipped", "stdout", "stderr", "ansible_facts", "deprecations"}


def binary(name: str) -> str:
    """Returns the path of a module's program."""
    return str(BINARIES / name)


@functools.cache
def result_schema(name: str) -> jsonschema.protocols.Validator:
    """The validator of a module's results, from the schema that is in the repository."""
    schema = json.loads((ROOT / "schemas" / f"{name}.result.json").read_text())
    return jsonschema.validators.validator_for(schema)(schema)


@dataclass
class Result:
    """What one run of a module answered."""

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
        """It did what its example asks for: changed something, or looked without a failure where it only looks."""
        return not self.json["failed"] and self.changed is (self.name in CHANGING)

    @property
    def msg(self) -> str:
        return self.json["msg"]

    @property
    def kind(self) -> str | None:
        """The kind of the error, or None when there is none."""
        return (self.json.get("error") or {}).get("kind")

    @property
    def told(self) -> str:
        """Everything that the result says about the failure, as one text to look for words in."""
        return json.dumps({key: self.json.get(key) for key in ("msg", "error", "warnings")})


def faults(fault: dict[str, Any] | None) -> list[dict[str, Any]]:
    """A fault and everything under it."""
    if not fault:
        return []
    return [fault] + [below for cause in fault.get("causes", []) for below in faults(cause["fault"])]


def environment(extra: dict[str, str] | None = None) -> dict[str, str]:
    """An environment without anything that the modules take arguments from, proxies included."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ}
    return kept | {"LC_ALL": "C.UTF-8"} | (extra or {})


def check_promises(name: str, run: Result, via: str) -> None:
    """What modules/lib/contract promises of every run of every module, whatever happened in it."""
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
        assert run.stderr == b"", f"over ssh this lands in stdout: {run.stderr!r}"
    for secret in run.secrets:
        for stream in (run.stdout, run.stderr):
            assert secret.encode() not in stream, "a secret came out"
            assert json.dumps(secret)[1:-1].encode() not in stream, "a secret came out, escaped"
    problems = [f"{problem.json_path}: {problem.message}" for problem in result_schema(name).iter_errors(answer)]
    assert not problems, f"not what the schema of {name} promises: {problems}"


def run_module(
    name: str,
    args: dict[str, Any] | str,
    *flags: str,
    via: str = "stdin",
    env: dict[str, str] | None = None,
    timeout: float = 60,
) -> Result:
    """Runs a module to its end, the arguments on stdin, or in a file as Ansible passes them (via="file")."""
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
    """Runs a module as Ansible does over ssh: arguments in a file, stdin a terminal on which nothing ever comes."""
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
    name: str, args: dict[str, Any], when, number: int = signal.SIGTERM, timeout: float = 60
) -> Result:
    """Runs a module, sends it a signal as soon as `when()` is true, and waits for its end."""
    child = subprocess.Popen(
        [binary(name)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(),
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
        assert alive is None or alive.poll() is None, f"ended too early: {alive.stdout.read()!r}"
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.01)


def judge(name: str, args: Any, exit_status: int, stdout: bytes, stderr: bytes, via: str) -> Result:
    """The result of a run that ended, after it was held to the promises."""
    try:
        answer = json.loads(stdout)
    except ValueError as problem:
        raise AssertionError(f"{name} answered {stdout!r}, stderr {stderr!r}, exit {exit_status}") from problem
    # A password shorter than this could stand in a result by chance.
    secrets = [
        str(value)
        for key, value in (args.items() if isinstance(args, dict) else ())
        if key == "password" and value is not None and len(str(value)) >= 6
    ]
    result = Result(answer, exit_status, stdout, stderr, name, secrets)
    check_promises(name, result, via)
    return result


def connection(facts: dict[str, Any]) -> dict[str, Any]:
    """The connection arguments that reach a simulator, from the facts it printed."""
    args = {name: facts[name] for name in ("hostname", "port", "username", "password")}
    if facts["protocol"] == "https":
        return args | {"thumbprint": facts["thumbprint"]}
    return args | {"protocol": "http"}


def example(name: str, facts: dict[str, Any]) -> dict[str, Any]:
    """A call that changes something in a lab of the personality 6.7 and the scenario `healthy`, unless it only looks.

    Nothing fails over that is not protected: for ft_failover the lab is brought there, behind the back of the API.
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
    return connection(facts) | change[name]
