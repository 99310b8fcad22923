"""What the contract tests share."""

from __future__ import annotations

import pytest
from lab import Simulator


@pytest.fixture
def healthy(simulator) -> Simulator:
    """A 6.7 lab in which nothing fails and `modules.example` changes something with every module."""
    return simulator(personality="6.7", scenario="healthy")
