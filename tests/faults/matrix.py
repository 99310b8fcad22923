"""The fault matrix: every fault at every request of every case, spread over several processes."""

from __future__ import annotations

import argparse
import contextlib
import functools
import json
import multiprocessing
import os
import random
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from faults.cases import CASES
from faults.damage import FAULTS
from faults.judge import CACHE, Judge, Verdict

# A trial: case, number of the request, fault.
Trial = tuple[str, int, str]

_judge: Judge | None = None


def _start_judge() -> None:
    """Gives each process its own judge."""
    global _judge
    _judge = Judge(CASES)


def _rehearse(case: str) -> list[tuple[str, bool]]:
    return _judge.rehearse(case)


def _judge_trial(trial: Trial, seed: int) -> Verdict:
    return _judge.judge(*trial, seed)


def trials(case: str, requests: list[tuple[str, bool]]) -> Iterator[Trial]:
    """Returns every combination of a fault with a request that it can hit."""
    for n, (method, is_poll) in enumerate(requests, 1):
        for name, fault in FAULTS.items():
            if (is_poll or not fault.polls) and not (method == "Logout" and fault.spares_logout):
                yield case, n, name


def sample(case: str, requests: list[tuple[str, bool]], count: int, seed: int) -> list[Trial]:
    """Selects some quick trials of a case, and one slow trial. The seed selects which."""
    rng = random.Random(f"{seed}:{case}")
    every = list(trials(case, requests))
    quick = [trial for trial in every if not FAULTS[trial[2]].slow]
    slow = [trial for trial in every if FAULTS[trial[2]].slow]
    return [*rng.sample(quick, count), rng.choice(slow)]


def run(
    cases: list[str], seed: int, jobs: int, count: int | None = None, chosen: list[Trial] | None = None
) -> Iterator[Verdict]:
    """Runs the given trials, or a sample of `count` trials per case, or all trials."""
    # The test runner has threads, and a forked copy of a process with threads may hang.
    with ProcessPoolExecutor(jobs, multiprocessing.get_context("spawn"), _start_judge) as pool:
        if chosen is None:
            rehearsed = zip(cases, pool.map(_rehearse, cases), strict=True)
            pick = trials if count is None else functools.partial(sample, count=count, seed=seed)
            chosen = [trial for case, requests in rehearsed for trial in pick(case, requests)]
            # Mixes the trials that mostly wait with the others.
            random.Random(seed).shuffle(chosen)
        futures = [pool.submit(_judge_trial, trial, seed) for trial in chosen]
        for done, future in enumerate(futures, 1):
            yield future.result()
            if sys.stderr.isatty() or done % 1000 == 0:
                print(f"{done}/{len(futures)}", end="\r" if sys.stderr.isatty() else "\n", file=sys.stderr)


def table(verdicts: list[Verdict]) -> str:
    """Returns one line per case: runs, successes in spite of the fault, violations, conservative `changed: true`."""
    columns = ("case", "runs", "succeeded", "violations", "conservative", "not reached")
    rows: dict[str, Counter] = {}
    for verdict in verdicts:
        row, total = rows.setdefault(verdict.case, Counter()), rows.setdefault("total", Counter())
        for counter in (row, total):
            if not verdict.hit:
                counter["not reached"] += 1
            else:
                counter["runs"] += 1
                counter["succeeded"] += not verdict.failed
                counter["conservative"] += verdict.conservative
            counter["violations"] += bool(verdict.problems)
    names = [*(name for name in CASES if name in rows), *(["total"] if len(rows) > 2 else [])]
    lines = [columns, *((name, *(str(rows[name][column]) for column in columns[1:])) for name in names)]
    widths = [max(len(line[place]) for line in lines) for place in range(len(columns))]
    return "\n".join(
        "  ".join([line[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(line[1:], widths[1:]))])
        for line in lines
    )


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="tests/faults/run", description="Damages requests of module runs and judges what the modules report."
    )
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--all", action="store_true", help="every fault at every request of every case")
    what.add_argument("--case", action="append", metavar="CASE", help="every fault at every request of this case")
    what.add_argument("--only", action="append", metavar="CASE:N:FAULT", help="only this run, as printed for a violation")
    what.add_argument("--list", action="store_true", help="print the cases and the faults")
    parser.add_argument("--session-cache", action="store_true", help="let the runs go on with a kept session")
    parser.add_argument("--seed", type=int, default=1, help="decides where replies are cut (default: 1)")
    parser.add_argument("--jobs", type=int, default=32, help="number of processes, most of which wait (default: 32)")
    parser.add_argument("--log", type=Path, metavar="FILE", help="write one JSON line for each run")
    return parser.parse_args()


def main() -> int:
    args = arguments()
    if args.list:
        print("cases:", *CASES, "\nfaults:", *FAULTS, sep="\n  ")
        return 0
    if args.session_cache:
        os.environ[CACHE] = "1"
    chosen = None
    if args.only:
        chosen = [(case, int(n), fault) for case, n, fault in (name.split(":") for name in args.only)]
    began = time.monotonic()
    verdicts = []
    with args.log.open("w", buffering=1) if args.log else contextlib.nullcontext() as log:
        for verdict in run(args.case or list(CASES), args.seed, args.jobs, chosen=chosen):
            verdicts.append(verdict)
            if args.only:
                print(json.dumps(verdict.as_dict(), indent=2))
            if log:
                log.write(json.dumps(verdict.as_dict()) + "\n")
    bad = sorted((verdict for verdict in verdicts if verdict.problems), key=lambda verdict: verdict.name)
    for verdict in bad:
        print(f"tests/faults/run --seed {args.seed} --only {verdict.name}")
        hit = ", ".join(f"{count} {method}" for method, count in Counter(verdict.hit).items())
        print(*(f"    {hit}: {problem}" for problem in verdict.problems), sep="\n")
    print(table(verdicts))
    runs = sum(bool(verdict.hit) for verdict in verdicts)
    print(f"{runs} runs, {len(bad)} violations, seed {args.seed}, {time.monotonic() - began:.0f} s")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.stdout.reconfigure(line_buffering=True)
    sys.exit(main())
