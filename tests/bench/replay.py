"""Records the requests of a module, and replays them with curl.

A relay in front of a simulator without TLS records the requests. curl replays them in one process on one connection, one
after another, over TLS, against a simulator in the same state.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from lab import Simulator

from modules import binary, environment, run_module
from relay import Request, relay
from timing import Command


def record(name: str, lab: dict, args, changes: Sequence[bool]) -> list[list[Request]]:
    """Returns the requests of consecutive runs of a module on a fresh simulator: one for each value of `changes`.

    `args` returns the arguments for the facts of the simulator.
    """
    recorded = []
    with Simulator(**lab, http=True) as plain, relay(plain.facts["port"]) as (port, requests):
        for change in changes:
            requests.clear()
            result = run_module(name, args(plain.facts) | {"port": port})
            if result.json["failed"] or result.changed is not change:
                raise SystemExit(f"{name} cannot be measured: {result.msg}")
            recorded.append(list(requests))
    return recorded


def curl(facts: dict, requests: list[Request], folder: Path) -> list[object]:
    """Returns a curl command that makes these requests against the simulator of `facts`."""
    folder.mkdir()
    steps = []
    for number, request in enumerate(requests):
        # The virtual machine has a new changeVersion since the recording. With the old one, vSphere would reject the change.
        # The password in the recording is the one of another simulator.
        body = re.sub(rb"<changeVersion>[^<]*</changeVersion>", b"", request.body)
        body = re.sub(rb"(<password[^>]*>)[^<]*", lambda found: found.group(1) + facts["password"].encode(), body)
        path = folder / f"{number}.xml"
        path.write_bytes(body)
        action = request.action.replace('"', '\\"')
        steps.append(
            f'url = "https://{facts["hostname"]}:{facts["port"]}/sdk"\n'
            f'data-binary = "@{path}"\n'
            'header = "Content-Type: text/xml; charset=utf-8"\n'
            f'header = "SOAPAction: {action}"\n'
            'header = "Expect:"\n'
            'cookie = ""\ninsecure\nsilent\noutput = "/dev/null"\n'
        )
    config = folder / "config"
    config.write_text("next\n".join(steps))
    return ["curl", "--disable", "--config", config]


def same(lab: Simulator, command: Command, requests: list[Request]) -> bool:
    """True if curl replays what the module did: as many requests, and none of them rejected."""
    command.prepare()
    lab.clear_log()
    subprocess.run(command.words, check=True, env=environment())
    log = lab.log()
    refused = [entry for entry in log if entry.get("fault")]
    if len(log) != len(requests) or refused:
        print(f"curl cannot replay this: {len(log)} of {len(requests)} requests, refused: {refused}", file=sys.stderr)
        return False
    return True


def beside_curl(lab: Simulator, module: Command, requests: list[Request], folder: Path) -> list[Command]:
    """Returns the module's command and that of curl, or only the first if curl cannot make the same requests."""
    replay = Command(curl(lab.facts, requests, folder), module.prepare)
    return [module, replay] if same(lab, replay, requests) else [module]


def write(folder: Path, name: str, args: dict, *flags: str) -> list[object]:
    """Writes the arguments of a module to a file. Returns the command that runs it."""
    file = folder / f"{name}-{len(list(folder.iterdir()))}.json"
    file.write_text(json.dumps(args))
    return [binary(name), *flags, file]


def peak_memory(words: Sequence[object]) -> float:
    """Returns the peak memory of a command in MB."""
    # For a child of Python itself, the system would report at least the memory of Python.
    with tempfile.NamedTemporaryFile("r") as report:
        Command(["/usr/bin/time", "--format", "%M", "--output", report.name, *words]).run()
        return int(report.read()) * 1024 / 1e6
