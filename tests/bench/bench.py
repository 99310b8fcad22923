"""Measures sizes, start-up time, requests and run times of the modules, and curl with the same requests.

A small relay in front of a simulator without TLS records the requests of a module. curl then replays them in one process
on one connection, over TLS, against a simulator like the one for the module.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from lab import Simulator

from modules import IDEMPOTENT, MODULES, binary, environment, example, run_module, until
from relay import Request, relay

LAB = {"personality": "6.7", "scenario": "healthy", "task_ms": 1}

# Calls that undo the change of modules.example, so that it can be measured again.
UNDO = {
    "vmx_option": {"state": "absent"},
    "host_option": {"state": "default"},
    "vm_power": {"state": "powered_on"},
    "fault_tolerance": {"state": "absent"},
    "vmkernel_service": {"state": "absent"},
    "cluster_ha": {"state": "enabled"},
}


def record(name: str) -> tuple[list[Request], list[Request]]:
    """Returns the requests of a run with a change, and of the next run without one."""
    with Simulator(**LAB, http=True) as lab, relay(lab.facts["port"]) as (port, requests):
        args = example(name, lab.facts) | {"port": port}
        recorded = []
        for changes in (True, False):
            requests.clear()
            result = run_module(name, args)
            if result.json["failed"] or result.changed is not changes:
                raise SystemExit(f"{name} cannot be measured: {result.msg}")
            recorded.append(list(requests))
    return recorded[0], recorded[1]


def curl(facts: dict, requests: list[Request], folder: Path) -> str:
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
    return f"curl --disable --config {config}"


def hyperfine(runs: int, command: str, prepare: str | None = None) -> float:
    """Returns the median time of a command in milliseconds. `prepare` runs before each time and is not measured."""
    with tempfile.NamedTemporaryFile(suffix=".json") as export:
        words = ["hyperfine", "--shell", "none", "--warmup", "3", "--runs", str(runs), "--style", "none"]
        words += ["--prepare", prepare] if prepare else []
        # Suppresses hyperfine's own messages, such as those about outliers.
        subprocess.run(
            [*words, "--export-json", export.name, command], check=True, env=environment(), stderr=subprocess.DEVNULL
        )
        return json.load(export)["results"][0]["median"] * 1000


def peak_memory(lab: Simulator, command: str) -> float:
    """Returns the peak memory of a run in MB, read while the simulator delays the answer to its logout."""
    lab.clear_log()
    lab.inject(method="Logout", how="hang")
    child = subprocess.Popen(command.split(), stdout=subprocess.DEVNULL, env=environment())
    until(lambda: "Logout" in lab.methods(), 30)
    status = Path(f"/proc/{child.pid}/status").read_text()
    child.terminate()
    child.wait()
    return int(re.search(r"VmHWM:\s+(\d+) kB", status).group(1)) / 1000


def check_replay(lab: Simulator, command: str, requests: list[Request]) -> None:
    """Asserts that curl replays what the module did: as many requests, and none of them rejected."""
    lab.clear_log()
    subprocess.run(command.split(), check=True, env=environment())
    log = lab.log()
    refused = [entry for entry in log if entry.get("fault")]
    if len(log) != len(requests) or refused:
        raise SystemExit(f"the replay is not what was recorded: {len(log)} requests, refused: {refused}")


def measure(name: str, runs: int, folder: Path) -> None:
    """Prints the table rows of one module."""
    changing, unchanging = record(name)
    with Simulator(**LAB) as lab:
        args = example(name, lab.facts)
        wanted, undo = folder / f"{name}.json", folder / f"{name}-undo.json"
        wanted.write_text(json.dumps(args))
        undo.write_text(json.dumps(args | UNDO[name]))
        module, prepare = f"{binary(name)} {wanted}", f"{binary(name)} {undo}"
        replay_change = curl(lab.facts, changing, folder / f"{name}-changing")
        replay_same = curl(lab.facts, unchanging, folder / f"{name}-unchanging")
        changed = hyperfine(runs, module, prepare)
        subprocess.run(prepare.split(), check=True, stdout=subprocess.DEVNULL, env=environment())
        check_replay(lab, replay_change, changing)
        changed_curl = hyperfine(runs, replay_change, prepare)
        # A new secondary gets a new moid. After the reset, the moids match the recording.
        lab.reset()
        run_module(name, args)
        check_replay(lab, replay_same, unchanging)
        same = hyperfine(runs, module)
        same_curl = hyperfine(runs, replay_same)
        memory = peak_memory(lab, module)
    for what, count, took, reference in (
        ("no change", len(unchanging), same, same_curl),
        ("change", len(changing), changed, changed_curl),
    ):
        ratio = took / reference
        print(f"| {name} | {what} | {count} | {took:.1f} | {reference:.1f} | {ratio:.2f} | {memory:.0f} |", flush=True)


# The number of entries in the .vmx file for the comparison with sed.
ENTRIES = 5000


def measure_file(runs: int, folder: Path) -> None:
    """Measures the change of one option in a large .vmx file, and sed -i on the same line."""
    entries = [f'guestinfo.filler{number} = "value {number}"\n' for number in range(ENTRIES)]
    entries[0], entries[ENTRIES // 2] = 'config.version = "8"\n', 'replay.allowFT = "FALSE"\n'
    template, file = folder / "template.vmx", folder / "inner.vmx"
    template.write_text("".join(entries))
    args = folder / "file.json"
    args.write_text(json.dumps({"path": str(file), "options": {"replay.allowFT": "TRUE"}}))
    script = folder / "edit.sed"
    script.write_text('s/^replay\\.allowFT = .*/replay.allowFT = "TRUE"/\n')
    prepare = f"cp {template} {file}"
    module, sed = f"{binary('vmx_option')} {args}", f"sed -i -f {script} {file}"
    expected = template.read_text().replace("FALSE", "TRUE")
    rows = []
    for what, command in (("vmx_option", module), ("sed -i", sed), ("sed -i, then sync", f"sh -c '{sed} && sync {file}'")):
        took = hyperfine(runs, command, prepare)
        if file.read_text() != expected:
            raise SystemExit(f"{what} did not do what is measured")
        rows.append((what, took))
    rows.append(("vmx_option, no change", hyperfine(runs, module)))
    print(f"\n| a .vmx file of {ENTRIES} entries | ms |\n|---|---|")
    for what, took in rows:
        print(f"| {what} | {took:.1f} |", flush=True)


# The number of documents in a series.
LINES = 100


def measure_series(runs: int, folder: Path) -> None:
    """Measures many documents as lines of one process, and as one process each."""
    print(f"\n| {LINES} documents that change nothing | requests | ms |\n|---|---|---|")
    with Simulator(**LAB) as lab:
        name = "host_option"
        args = example(name, lab.facts)
        run_module(name, args)
        one, lines = folder / "one.json", folder / "lines.jsonl"
        one.write_text(json.dumps(args))
        lines.write_text(f"{json.dumps(args)}\n" * LINES)
        each = folder / "each"
        each.write_text(f"for _ in {' '.join(map(str, range(LINES)))}; do {binary(name)} {one} || exit; done\n")
        for what, command in (("a line each", f"{binary(name)} --jsonl {lines}"), ("a process each", f"sh {each}")):
            lab.clear_log()
            subprocess.run(command.split(), check=True, stdout=subprocess.DEVNULL, env=environment())
            requests = len(lab.log())
            print(f"| {what} | {requests} | {hyperfine(max(runs // 5, 3), command):.0f} |", flush=True)


def main() -> None:
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 50
    print("| module | size, MB | start-up (`--version`), ms |\n|---|---|---|")
    for name in MODULES:
        size = os.path.getsize(binary(name)) / 1e6
        print(f"| {name} | {size:.2f} | {hyperfine(runs, f'{binary(name)} --version'):.1f} |", flush=True)
    print("\n| module | run | requests | ms | curl, ms | ratio | peak memory, MB |\n|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        for name in IDEMPOTENT:
            measure(name, runs, Path(folder))
        measure_file(runs, Path(folder))
        measure_series(runs, Path(folder))


if __name__ == "__main__":
    main()
