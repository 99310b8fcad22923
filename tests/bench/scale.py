"""Measures modules on many hosts, and at a distance from the server."""

from __future__ import annotations

from pathlib import Path

from lab import Simulator

from modules import IDEMPOTENT, connection, example
from relay import wire
from replay import beside_curl, peak_memory, record, write
from single import LAB, UNDO
from timing import Command, Report, interleave, span

MANY = {"host_option": {"options": {"Migrate.VMotionStreamDisable": 0}}, "ft_readiness": {}}


def hosts(report: Report, folder: Path) -> None:
    """Measures a run without a change on a small and a large cluster, and curl with the same requests."""
    sizes = (20, 200) if report.quick else (200, 2000)
    rows, growth = [], []
    for name, more in MANY.items():
        labs = [LAB | {"hosts": size} for size in sizes]
        with Simulator(**labs[0]) as small, Simulator(**labs[1]) as large:
            commands, counts, memory = [], [], []
            for size, lab, options in zip(sizes, (small, large), labs, strict=True):
                args = lambda facts, more=more: connection(facts) | {"cluster_name": facts["cluster"]} | more  # noqa: E731
                (requests,) = record(name, options, args, (False,))
                words = write(folder, name, args(lab.facts))
                commands.append(beside_curl(lab, Command(words, lab.reset), requests, folder / f"{name}-{size}"))
                counts.append(len(requests))
                memory.append(peak_memory(words))
            times = interleave([command for pair in commands for command in pair], report.few)
        for size, pair, count, peaked in zip(sizes, commands, counts, memory, strict=True):
            took, *reference = [times.pop(0) for _ in pair]
            ratio = took / reference[0] if reference else None
            rows.append([name, size, ratio, took, *(reference or [None]), count, peaked])
        (first, second) = rows[-2:]
        rows.append([name, f"{sizes[1]} : {sizes[0]}", None, second[3] / first[3], None, None, memory[1] / memory[0]])
        growth += [second[3] / first[3], memory[1] / memory[0]]
    columns = "module | hosts | ratio to curl | ms | curl, ms | requests | peak memory, MB"
    text = "Without a change. curl makes one request at a time, and `host_option` sixteen."
    report.table(f"{sizes[0]:,} and {sizes[1]:,} hosts", columns, rows, text)
    report.headline(f"{sizes[1]:,} hosts : {sizes[0]:,} hosts, in time and in memory", span(growth), "11")


# The time of a round trip, in seconds.
ROUND_TRIP = 0.02


def distance(report: Report, folder: Path) -> None:
    """Measures each module through a relay that delays every round trip, with and without a cached session."""
    rows, ratios = [], []
    kept = {"VMWARE_SESSION_CACHE": "1", "XDG_RUNTIME_DIR": str(folder)}
    for name in IDEMPOTENT:
        with Simulator(**LAB) as lab, wire(lab.facts["port"], latency=ROUND_TRIP) as port:
            far = write(folder, name, example(name, lab.facts) | {"port": port})
            undo = Command(write(folder, name, example(name, lab.facts) | UNDO[name]))
            for what, prepare in (("no change", lambda: None), ("change", undo.run)):
                commands = [Command(far, prepare), Command(far, prepare, kept)]
                counts = []
                for command in commands * 2:
                    # The first run opens the session, and makes the change if none is to be measured.
                    prepare()
                    lab.clear_log()
                    Command(far, env=command.env).run()
                    counts.append(len(lab.log()))
                first, second = interleave(commands, report.few)
                rows.append([name, what, second / first, first, second, *counts[2:]])
                if what == "no change":
                    ratios.append(second / first)
            lab.expire_sessions()
    columns = "module | run | ratio | ms | ms, with cache | requests | requests, with cache"
    text = "A new connection with TLS takes two round trips more."
    report.table("Round trips of 20 ms, with and without `session_cache`", columns, rows, text)
    report.headline("an unchanged run at 20 ms : the same without `session_cache`", span(ratios))
