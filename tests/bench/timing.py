"""Times commands by turns, and collects the results as Markdown."""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from modules import environment


@dataclass
class Command:
    """A command to time. `prepare` runs before each time and is not measured."""

    words: Sequence[object]
    prepare: Callable[[], object] = lambda: None
    env: dict[str, str] = field(default_factory=dict)

    def run(self) -> float:
        """Runs the command once. Returns how many milliseconds it took."""
        self.prepare()
        words = [str(word) for word in self.words]
        # A file, because a pipe would need a reader on the same processors.
        with tempfile.TemporaryFile() as output:
            started = time.perf_counter()
            status = subprocess.run(
                words, check=False, stdin=subprocess.DEVNULL, stdout=output, stderr=output, env=environment(self.env)
            ).returncode
            took = time.perf_counter() - started
            if status:
                output.seek(0)
                raise SystemExit(f"{' '.join(words)} ended with status {status}: {output.read()[-3000:].decode(errors='replace')}")
        return took * 1000


def interleave(commands: Sequence[Command], runs: int) -> list[float]:
    """Returns the median of each command in milliseconds.

    The commands take turns, so that a change of the machine's speed affects all of them. The first round is not counted.
    """
    rounds = [[command.run() for command in commands] for _ in range(runs + 1)]
    return [statistics.median(times) for times in zip(*rounds[1:], strict=True)]


def span(values: Sequence[float]) -> str:
    """Returns the range of some ratios."""
    low, high = min(values), max(values)
    return f"{low:.2f}" if f"{low:.2f}" == f"{high:.2f}" else f"{low:.2f} to {high:.2f}"


class Report:
    """The headlines and tables of a run."""

    def __init__(self, runs: int, quick: bool):
        self.runs = runs
        self.quick = quick
        # Commands that take a second or more run less often.
        self.few = max(runs // 3, 1)
        self.headlines: list[tuple[str, str, str]] = []
        self.tables: list[str] = []

    def headline(self, what: str, ratio: str, bound: str = "") -> None:
        """Adds a row to the summary."""
        self.headlines.append((what, ratio, bound))

    def table(self, title: str, columns: str, rows: Sequence[Sequence[object]], text: str = "") -> None:
        """Adds a table, and shows it as progress. `columns` are separated by `|`."""
        parts = [f"### {title}", text, table(columns.split("|"), rows)]
        self.tables.append("\n\n".join(filter(None, parts)))
        print(f"{self.tables[-1]}\n", file=sys.stderr, flush=True)

    def summary(self) -> str:
        """Returns the table of the most important ratios."""
        return table(["compared", "ratio", "bound"], self.headlines)


def table(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Returns a Markdown table. Numbers have two decimals below 10, one below 100, and none above."""
    lines = [columns, ["---"] * len(columns), *[[cell(value) for value in row] for row in rows]]
    return "\n".join(f"| {' | '.join(name.strip() for name in line)} |" for line in lines)


def cell(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.{2 if value < 9.995 else 1 if value < 99.95 else 0}f}"
    return "–" if value is None else str(value)
