"""Measures single runs of the modules: size, start-up, and a run beside curl, sed or a series."""

from __future__ import annotations

import json
import os
from pathlib import Path

from lab import Simulator

from modules import IDEMPOTENT, MODULES, binary, example, run_module
from replay import beside_curl, peak_memory, record, write
from timing import Command, Report, interleave, span

LAB = {"personality": "6.7", "scenario": "healthy", "task_ms": 1}

# Arguments that undo the change of modules.example. On a fresh simulator they change nothing.
UNDO = {
    "vmx_option": {"state": "absent"},
    "host_option": {"state": "default"},
    "vm_power": {"state": "powered_on"},
    "fault_tolerance": {"state": "absent"},
    "vmkernel_service": {"state": "absent"},
    "cluster_ha": {"state": "enabled"},
}


def start_up(report: Report, _folder: Path) -> None:
    names = [*MODULES, "nested_vft"]
    times = interleave([Command([binary(name), "--version"]) for name in names], report.runs)
    rows = [[name, os.path.getsize(binary(name)) / 1e6, took] for name, took in zip(names, times, strict=True)]
    report.table("Size and start-up", "program | size, MB | `--version`, ms", rows)


def beside(report: Report, folder: Path) -> None:
    """Measures each module with and without a change, and curl with the same requests."""
    rows, ratios = [], []
    for name in IDEMPOTENT:
        recorded = record(name, LAB, lambda facts, name=name: example(name, facts), (True, False))
        with Simulator(**LAB) as lab:
            words = write(folder, name, example(name, lab.facts))
            # curl repeats identifiers of the recording, which the simulator gives out in the same order after a reset.
            change = beside_curl(lab, Command(words, lab.reset), recorded[0], folder / f"{name}-change")
            no_change = beside_curl(lab, Command(words, change[0].run), recorded[1], folder / f"{name}-no-change")
            memory = peak_memory(words)
            for what, commands, requests in (("no change", no_change, recorded[1]), ("change", change, recorded[0])):
                took, *reference = interleave(commands, report.runs)
                ratio = took / reference[0] if reference else None
                rows.append([name, what, ratio, took, *(reference or [None]), len(requests), f"{memory:.0f}"])
                if what == "no change" and ratio:
                    ratios.append(ratio)
    columns = "module | run | ratio to curl | ms | curl, ms | requests | peak memory, MB"
    report.table("A run beside curl", columns, rows, "Over TLS on loopback, with a login and a logout.")
    report.headline("an unchanged run : curl with the same requests", span(ratios), "0.50")


# The number of entries in the .vmx file for the comparison with sed.
ENTRIES = 5000


def file(report: Report, folder: Path) -> None:
    """Measures the change of one option in a large .vmx file, and sed -i on the same line."""
    entries = [f'guestinfo.filler{number} = "value {number}"\n' for number in range(ENTRIES)]
    entries[0], entries[ENTRIES // 2] = 'config.version = "8"\n', 'replay.allowFT = "FALSE"\n'
    text = "".join(entries)
    path = folder / "inner.vmx"
    path.write_text(text)
    script = folder / "edit.sed"
    script.write_text('s/^replay\\.allowFT = .*/replay.allowFT = "TRUE"/\n')
    module = write(folder, "vmx_option", {"path": str(path), "options": {"replay.allowFT": "TRUE"}})
    sed = f"sed -i -f {script} {path} && sync {path}"
    wanted = text.replace("FALSE", "TRUE")
    commands = {
        "sed -i, then sync": Command(["sh", "-c", sed], lambda: path.write_text(text)),
        "vmx_option": Command(module, lambda: path.write_text(text)),
        "vmx_option, no change": Command(module, lambda: path.write_text(wanted)),
    }
    for what, command in commands.items():
        command.run()
        if path.read_text() != wanted:
            raise SystemExit(f"{what} did not do what is measured")
    times = interleave(list(commands.values()), report.runs)
    rows = [[what, took / times[0], took] for what, took in zip(commands, times, strict=True)]
    text = f"One option of {ENTRIES}. sed does not check that the virtual machine is off."
    report.table("A change of a .vmx file", "command | ratio to sed | ms", rows, text)


# The number of documents in a series.
LINES = 100


def series(report: Report, folder: Path) -> None:
    """Measures many documents as lines of one process, and as one process each."""
    name = "host_option"
    with Simulator(**LAB) as lab:
        args = example(name, lab.facts)
        run_module(name, args)
        lines, each = folder / "lines.jsonl", folder / "each"
        lines.write_text(f"{json.dumps(args)}\n" * LINES)
        one = " ".join(map(str, write(folder, name, args)))
        each.write_text(f"for _ in {' '.join(map(str, range(LINES)))}; do {one} || exit; done\n")
        commands = {"a process each": Command(["sh", each]), "a line each": Command([binary(name), "--jsonl", lines])}
        counts = []
        for command in commands.values():
            lab.clear_log()
            command.run()
            counts.append(len(lab.log()))
        times = interleave(list(commands.values()), report.few)
    rows = [[what, took / times[0], took, count] for what, took, count in zip(commands, times, counts, strict=True)]
    report.table(f"{LINES} documents that change nothing", "how | ratio | ms | requests", rows)
