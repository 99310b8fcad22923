"""Shared fixtures of the tests against the simulator."""

from __future__ import annotations

import contextlib
import signal

import pytest
from lab import Simulator

# A run under nohup or in a shell's background ignores these signals, and so would every program under test.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)
signal.signal(signal.SIGQUIT, signal.SIG_DFL)


@pytest.fixture
def simulator():
    """Starts simulators. After the test, asserts that each has no session left."""
    with contextlib.ExitStack() as stack:
        started = []

        def start(**options) -> Simulator:
            lab = stack.enter_context(Simulator(**options))
            started.append(lab)
            return lab

        yield start
        for lab in started:
            assert lab.sessions()["live"] == 0, "a module left its session open"
