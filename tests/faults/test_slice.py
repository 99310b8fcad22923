"""A slice of the fault matrix: a few runs of every case, chosen by a seed. `tests/faults/run --all` makes all."""

from __future__ import annotations

import pytest

from faults.cases import CASES
from faults.damage import FAULTS
from faults.judge import Court
from faults.matrix import sample, trials

SEED = 1
RUNS = 14


@pytest.fixture(scope="module")
def court():
    with Court(CASES) as court:
        yield court


@pytest.mark.parametrize("case", CASES)
def test_no_fault_makes_a_result_lie(case, court):
    violations = []
    for trial in sample(case, court.rehearse(case), RUNS, SEED):
        verdict = court.try_(*trial, SEED)
        if verdict.problems:
            violations.append(f"tests/faults/run --seed {SEED} --only {verdict.name}: {'; '.join(verdict.problems)}")
    assert not violations, "\n".join(violations)


def test_every_fault_hits_a_request_and_only_polls_are_hit_by_faults_of_polls(court):
    every = list(trials("option-set", requests := court.rehearse("option-set")))
    polls = {n for n, (_, is_poll) in enumerate(requests, 1) if is_poll}
    assert {name for _, _, name in every} == FAULTS.keys()
    assert {n for _, n, name in every if FAULTS[name].polls} == polls
