"""A sample of the fault matrix: a few runs of every case, chosen by a seed. `tests/faults/run --all` makes all."""

from __future__ import annotations

from faults.cases import CASES
from faults.damage import FAULTS
from faults.matrix import run, trials

SEED = 1


def test_every_result_is_true_in_spite_of_faults():
    # These runs mostly wait, so run more of them at once than there are processors.
    violations = [
        f"tests/faults/run --seed {SEED} --only {verdict.name}: {'; '.join(verdict.problems)}"
        for verdict in run(list(CASES), SEED, jobs=16, count=14)
        if verdict.problems
    ]
    assert not violations, "\n".join(violations)


def test_every_fault_is_tried_where_it_can_hit():
    requests = [("Login", False), ("RetrievePropertiesEx", True), ("Logout", False)]
    made = set(trials("any", requests))
    assert {fault for _, _, fault in made} == FAULTS.keys()
    assert {n for _, n, fault in made if FAULTS[fault].polls} == {2}
    assert {n for _, n, fault in made if FAULTS[fault].spares_logout} == {1, 2}
