"""Fixtures for the program for Windows, run with wine."""

from __future__ import annotations

import contextlib
import shutil

import modules
import pytest
from lab import Simulator
from wine import install, started


@pytest.fixture(scope="session")
def programs(tmp_path_factory):
    """The folder of the programs: nested_vft.exe under the name of each module."""
    folder = tmp_path_factory.mktemp("windows")
    if modules.BINARIES.name == "release":
        # The program of the release, from its archive.
        archive = modules.ROOT / "target" / "dist" / f"nested-vft-{modules.VERSION}-windows-x86_64.zip"
        shutil.unpack_archive(archive, folder)
        [top] = folder.iterdir()
        program = top / "bin" / "nested_vft.exe"
    else:
        program = modules.BINARIES.parent / "x86_64-pc-windows-gnu" / modules.BINARIES.name / "nested_vft.exe"
    install(program, [*modules.MODULES, "nested_vft"], folder)
    with started():
        yield folder


@pytest.fixture
def on_windows(programs):
    """Returns a context manager in which `modules` runs the programs for Windows."""

    @contextlib.contextmanager
    def enter():
        native, modules.BINARIES = modules.BINARIES, programs
        try:
            yield
        finally:
            modules.BINARIES = native

    return enter


@pytest.fixture
def windows(on_windows):
    """Makes `modules` run the programs for Windows."""
    with on_windows():
        yield


@pytest.fixture
def healthy(simulator) -> Simulator:
    """A 6.7 lab in which nothing fails."""
    return simulator(personality="6.7", scenario="healthy")
