"""Runs the benchmarks, and prints the results as Markdown: first the most important ratios, then every table."""

from __future__ import annotations

import argparse
import datetime
import os
import shlex
import sys
import tempfile
from pathlib import Path

import plays
import scale
import single

from modules import ROOT
from timing import Report

PARTS = {
    "start_up": single.start_up,
    "curl": single.beside,
    "file": single.file,
    "series": single.series,
    "tasks": plays.local,
    "distance": scale.distance,
    "hosts": scale.hosts,
    "ssh": plays.over_ssh,
}
# The places of the results: a file, and the names of the parts between whose marks they go.
PLACES = {ROOT / "README.md": ["ratios"], ROOT / "tests" / "bench" / "README.md": ["ratios", "tables"]}


def filled(results: dict[str, str]) -> dict[Path, str]:
    """Returns the text of each file with these results."""
    texts = {}
    for file, names in PLACES.items():
        texts[file] = file.read_text()
        for name in names:
            start, end = f"<!-- {name}: written by tests/bench/run --write -->", f"<!-- end of {name} -->"
            before, found, rest = texts[file].partition(start)
            _, found_end, after = rest.partition(end)
            if not (found and found_end):
                raise SystemExit(f"{file} lacks the marks {start} and {end}")
            texts[file] = f"{before}{start}\n\n{results[name]}\n\n{end}{after}"
    return texts


def main() -> None:
    parser = argparse.ArgumentParser(prog="tests/bench/run", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"measure only these: {' '.join(PARTS)}")
    parser.add_argument("--runs", type=int, default=30, help="how often to run short commands; long ones run a third as often")
    parser.add_argument("--quick", action="store_true", help="check that everything works: one run, and fewer hosts")
    parser.add_argument("--write", action="store_true", help="also write the results to README.md and tests/bench/README.md")
    options = parser.parse_args()
    if unknown := set(options.parts) - PARTS.keys():
        parser.error(f"no part is called {' '.join(sorted(unknown))}; there are: {' '.join(PARTS)}")
    if options.write and (options.parts or options.quick):
        parser.error("--write needs all parts, and not --quick")
    if options.write:
        # A missing mark must not show only after the measurements.
        filled({"ratios": "", "tables": ""})

    report = Report(1 if options.quick else options.runs, options.quick)
    command = shlex.join(["tests/bench/run", *sys.argv[1:]])
    when = f"Measured on {datetime.date.today()} with `{command}`, on {os.cpu_count()} processors."
    try:
        for name in options.parts or PARTS:
            with tempfile.TemporaryDirectory() as folder:
                PARTS[name](report, Path(folder))
    finally:
        # A failure must not cost the results before it.
        ratios, tables = report.summary(), "\n\n".join([when, *report.tables])
        print(f"{ratios}\n\n{tables}")
    if options.write:
        for file, text in filled({"ratios": ratios, "tables": tables}).items():
            file.write_text(text)


if __name__ == "__main__":
    main()
