"""What the tests against the simulator share: simulators that have no session left when a test ends."""

from __future__ import annotations

import contextlib

import pytest
from lab import Simulator


@pytest.fixture
def simulator():
    """Starts simulators; each must have no session left in the end, whatever the test did to it."""
    with contextlib.ExitStack() as stack:
        started = []

        def start(**options) -> Simulator:
            lab = stack.enter_context(Simulator(**options))
            started.append(lab)
            return lab

        yield start
        for lab in started:
            assert lab.sessions()["live"] == 0, "a module left its session open"
