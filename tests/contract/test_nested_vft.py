"""nested_vft, the program with all modules."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from modules import MODULES, binary, environment


def run(program: str | Path, *words: str, stdin: bytes = b"") -> subprocess.CompletedProcess:
    return subprocess.run(
        [program, *words], input=stdin, capture_output=True, env=environment(), timeout=30, check=False
    )


def test_it_lists_its_modules():
    assert run(binary("nested_vft"), "--list").stdout.decode().split() == MODULES


def test_help_goes_to_stdout():
    for words in (["--help"], ["-h"], ["sessions", "--help"], ["sessions", "-h"]):
        ended = run(binary("nested_vft"), *words)
        assert (ended.returncode, ended.stderr) == (0, b"") and b"sessions [--close]" in ended.stdout, words


@pytest.mark.parametrize("name", MODULES)
def test_the_module_is_selected_by_program_name_or_first_word(name, tmp_path):
    linked = tmp_path / f"AnsiballZ_{name}.linux_x86_64"
    linked.symlink_to(binary("nested_vft"))
    arguments = b'{"nonsense": 1}'
    theirs = run(binary(name), "--check", stdin=arguments)
    assert theirs.returncode == 2 and b"nonsense" in theirs.stdout
    for ended in (run(linked, "--check", stdin=arguments), run(binary("nested_vft"), name, "--check", stdin=arguments)):
        assert (ended.returncode, ended.stdout) == (theirs.returncode, theirs.stdout)
    assert run(linked, "--doc").stdout == run(binary(name), "--doc").stdout


def test_an_unknown_module_is_rejected_like_invalid_arguments():
    ended = run(binary("nested_vft"), "host_optoin", "args.json")
    answer = json.loads(ended.stdout)
    assert ended.returncode == 2 and answer["failed"] and not answer["changed"]
    assert answer["error"]["kind"] == "invalid_arguments" and "did you mean `host_option`" in answer["msg"]
    nothing = run(binary("nested_vft"))
    assert nothing.returncode == 2 and nothing.stdout == b"" and b"Usage: nested_vft MODULE" in nothing.stderr
