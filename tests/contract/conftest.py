"""Shared fixtures of the contract tests."""

from __future__ import annotations

from pathlib import Path

import pytest
from lab import Simulator
from vmx_file import LINES


@pytest.fixture
def healthy(simulator) -> Simulator:
    """A 6.7 lab in which nothing fails, and in which `modules.example` changes something with every module."""
    return simulator(personality="6.7", scenario="healthy")


@pytest.fixture
def vmx(tmp_path) -> Path:
    """The .vmx file of a virtual machine, in its folder."""
    folder = tmp_path / "inner"
    folder.mkdir()
    file = folder / "inner.vmx"
    file.write_bytes(b"\r\n".join(LINES) + b"\r\n")
    return file
