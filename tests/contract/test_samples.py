"""The samples in the documentation are results of real runs.

    WRITE_SAMPLES=1 … pytest tests/contract/test_samples.py     writes modules/NAME/sample.json
"""

from __future__ import annotations

import json
import os
import re

import pytest

from modules import MODULES, ROOT, example, run_module

COMMON = {"changed", "failed", "msg", "predicted", "invocation", "warnings", "error"}
# What differs from run to run, and what stands for it: times, ids of migrations.
FIXED = {
    r"20\d\d-\d\d-\d\dT[\d:.]+Z": "2011-07-31T17:35:02Z",
    r"\b1\d{15}\b": "1312133702562144",
}


def cut(value):
    """Cuts a list of more than two: a sample shows the form."""
    if isinstance(value, list):
        return [cut(item) for item in value[:2]]
    return {key: cut(item) for key, item in value.items()} if isinstance(value, dict) else value


@pytest.mark.parametrize("name", MODULES)
def test_the_sample_is_a_result(name, simulator):
    lab = simulator(personality="6.7", scenario="article" if name == "ft_diagnose" else "healthy")
    if name == "ft_diagnose":
        assert run_module("fault_tolerance", example("fault_tolerance", lab.facts)).json["failed"]
    result = run_module(name, example(name, lab.facts)).json
    sample = json.dumps(cut({key: value for key, value in result.items() if key not in COMMON}), indent=2) + "\n"
    for changing, fixed in FIXED.items():
        sample = re.sub(changing, fixed, sample)
    random = dict.fromkeys(re.findall(r"[0-9a-f]{8}-[0-9a-f-]{22}[0-9a-f]{5}", sample))
    for number, uuid in enumerate(random, 63):
        sample = sample.replace(uuid, f"5011b3f0-2c4d-1e5f-8a6b-{number:012x}")
    path = ROOT / "modules" / name / "sample.json"
    if os.environ.get("WRITE_SAMPLES"):
        path.write_text(sample)
    assert path.read_text() == sample
