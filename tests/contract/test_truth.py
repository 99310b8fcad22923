"""Check mode, diff and `changed` tell the truth, and cost few requests."""

from __future__ import annotations

import pytest

from modules import CHANGING, IDEMPOTENT, MODULES, READS, connection, example, run_module

every_module = pytest.mark.parametrize("name", MODULES)
every_changing_module = pytest.mark.parametrize("name", CHANGING)
every_idempotent_module = pytest.mark.parametrize("name", IDEMPOTENT)


def state_of(result) -> dict:
    """Returns the part of a result about the target, without the part about the run itself."""
    return {key: value for key, value in result.json.items() if key not in ("invocation", "msg", "changed", "warnings")}


@every_changing_module
def test_check_mode_writes_nothing_and_predicts_the_real_run(name, healthy):
    args = example(name, healthy.facts)
    foretold = run_module(name, args, "--check", "--diff")
    assert foretold.changed
    assert set(healthy.methods()) <= READS

    done = run_module(name, args, "--diff")
    assert done.changed
    assert set(healthy.methods()) - READS
    assert done.json["diff"] == foretold.json["diff"]
    assert done.json["diff"]


@every_idempotent_module
def test_a_second_run_changes_nothing_and_writes_nothing(name, healthy):
    args = example(name, healthy.facts)
    assert run_module(name, args).changed
    healthy.clear_log()
    again = run_module(name, args, "--diff")
    assert not again.changed and not again.json["failed"]
    assert set(healthy.methods()) <= READS
    assert "diff" not in again.json


@every_idempotent_module
def test_a_run_without_change_costs_at_most_five_requests(name, healthy):
    args = example(name, healthy.facts)
    run_module(name, args)
    healthy.clear_log()
    assert not run_module(name, args).changed
    assert len(healthy.methods()) <= 5, healthy.methods()


@every_changing_module
def test_a_diff_is_only_returned_on_request(name, healthy):
    args = example(name, healthy.facts)
    assert "diff" not in run_module(name, args, "--check").json
    assert run_module(name, args | {"_ansible_diff": True, "_ansible_check_mode": True}).json["diff"]


@every_module
@pytest.mark.parametrize("personality", ["5.0", "6.7", "8.0"])
@pytest.mark.parametrize("http", [False, True], ids=["https", "http"])
def test_every_module_works_with_every_personality(name, personality, http, simulator):
    lab = simulator(personality=personality, scenario="healthy", http=http)
    args = example(name, lab.facts) | ({"missing": "skip"} if name == "host_option" else {})
    result = run_module(name, args, "--check")
    assert not result.json["failed"], result.msg


def test_each_further_host_costs_one_request(simulator):
    costs = []
    for hosts in (2, 7):
        lab = simulator(personality="6.7", scenario="healthy", hosts=hosts)
        args = connection(lab.facts) | {
            "cluster_name": lab.facts["cluster"],
            "options": {"Migrate.VMotionStreamDisable": 0},
        }
        result = run_module("host_option", args)
        assert not result.changed and len(result.json["hosts"]) == hosts
        costs.append(len(lab.methods()))
    assert costs[1] - costs[0] == 5, costs


def test_results_have_the_same_keys_in_every_state(healthy):
    """The keys are the same whether a module changed something, found nothing to do, or ran in check mode."""
    for name in MODULES:
        args = example(name, healthy.facts)
        runs = [run_module(name, args, "--check"), run_module(name, args), run_module(name, args)]
        assert len({frozenset(state_of(run)) for run in runs}) == 1, name
        # The next module needs the lab that its example expects.
        healthy.reset()
