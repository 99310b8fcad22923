"""Programs that stay on a machine that is reached by ssh: nested_vft_keep_program and remove_kept_programs."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from .conftest import COLLECTIONS
# pytest finds the fixtures `machines` and `spoiled_collection` by these names.
from .test_dispatch import (
    NO_PYTHON,
    VMX,
    Machine,
    be_for_another_processor,
    lack_its_c_library,
    machines,
    play_on,
    spoiled_collection,
)

PROGRAM = COLLECTIONS / "ansible_collections/nested/vft/plugins/bin/linux_x86_64/nested_vft"
LOOK = {"nested.vft.vm_power": {"name": "inner", "state": "powered_on"}}
REMOVE = {"nested.vft.remove_kept_programs": None}


@dataclass
class Kept:
    """A machine without Python that keeps its programs in a cache folder of the test."""

    machine: Machine
    cache: Path
    remote_tmp: Path

    @property
    def folder(self) -> Path:
        return self.cache / "nested_vft"

    @property
    def file(self) -> Path:
        return self.folder / hashlib.sha256(PROGRAM.read_bytes()).hexdigest()

    def play(self, ansible, lab, tasks, *flags, **given):
        environment = {"environment": {"XDG_CACHE_HOME": str(self.cache)}}
        tasks = [{"name": f"Task {number}", **environment, **task} for number, task in enumerate(tasks, 1)]
        return play_on(ansible, lab, tasks, "-vvv", *flags, **({"target": self.machine} | given))

    def is_whole(self) -> bool:
        """True if the folder holds the program, which only its user can reach, and nothing else."""
        return (
            [path.name for path in self.folder.iterdir()] == [self.file.name]
            and self.file.read_bytes() == PROGRAM.read_bytes()
            and not self.file.is_symlink()
            and [path.stat().st_mode & 0o777 for path in (self.folder, self.file)] == [0o700, 0o700]
        )


@pytest.fixture
def host(machines) -> Kept:
    remote_tmp = machines.folder / "remote"
    machine = machines.remote(
        nested_vft_keep_program=True, ansible_python_interpreter=NO_PYTHON, ansible_remote_tmp=str(remote_tmp)
    )
    return Kept(machine, machines.folder / "the user's cache", remote_tmp)


def sent(output: str) -> list[str]:
    """Returns the names of the files that Ansible sent, from its -vvv output."""
    return [Path(path.strip("'\"")).name for path in re.findall(r"> PUT .* TO (.*)", output)]


def commands(output: str) -> int:
    """Counts the commands on the target, from the -vvv output."""
    return len(re.findall(r"SSH: EXEC ssh ", output))


def test_the_program_is_sent_once(ansible, host, machines, simulator):
    lab = simulator(personality="6.7", scenario="healthy")
    vmx = machines.vmx()
    tasks = [
        # More than a pipe holds: the first command reads it all, although it runs nothing.
        {"nested.vft.ft_diagnose": {"text": "a line of a log\n" * 20_000}},
        {"nested.vft.vmx_option": {"path": str(vmx), "options": {"a.b": "1"}}, "check_mode": True, "diff": True},
        {**LOOK, "no_log": True},
        {"nested.vft.vm_power": {"nam": "inner"}, "ignore_errors": True},
    ]
    run = host.play(ansible, lab, tasks)
    assert run.exit == 0, run.output
    assert len(sent(run.output)) == 1 and host.is_whole()
    assert run.task("Task 2")["changed"] and '+a.b = "1"' in run.output and vmx.read_text() == VMX
    assert "did you mean" in run.task("Task 4")["msg"]

    run = host.play(ansible, lab, tasks[1:3] + [{**LOOK, "environment": {"HOME": str(machines.folder)}}])
    assert run.exit == 0, run.output
    # One command asks for the platform. The last task looks into ~/.cache, where no program is.
    assert commands(run.output) == 1 + 1 + 1 + 2 and len(sent(run.output)) == 1
    assert (machines.folder / ".cache/nested_vft" / host.file.name).is_file()
    assert not host.remote_tmp.exists() and "WARNING" not in run.output
    assert lab.facts["password"] not in run.output


def test_no_process_shows_a_password(ansible, host, simulator):
    lab = simulator(personality="6.7", scenario="healthy")
    seen = host.machine.uname.with_name("seen")
    spy = host.machine.uname.with_name("sha256sum")
    spy.write_text(f'#!/bin/sh\ncat /proc/[0-9]*/cmdline 2>/dev/null | tr "\\0" " " >>{seen}\nexec /usr/bin/sha256sum\n')
    spy.chmod(0o755)
    run = host.play(ansible, lab, [LOOK, LOOK])
    assert run.exit == 0, run.output
    assert seen.read_text().count(host.file.name) > 2 and lab.facts["password"] not in seen.read_text()


def replace_the_file(file: Path) -> None:
    file.write_text("#!/bin/sh\ntouch {}/ran\n".format(file.parent))


def cut_the_file(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-1])


def open_the_file(file: Path) -> None:
    file.chmod(0o720)


def link_the_file(file: Path) -> None:
    elsewhere = file.parent.with_name("elsewhere")
    file.rename(elsewhere)
    file.symlink_to(elsewhere)


def link_a_folder(file: Path) -> None:
    file.unlink()
    elsewhere = file.parent.with_name("elsewhere")
    elsewhere.mkdir()
    file.symlink_to(elsewhere)


@pytest.mark.parametrize("spoil", [replace_the_file, cut_the_file, open_the_file, link_the_file, link_a_folder])
def test_a_file_that_is_not_the_program_is_replaced(spoil, ansible, host, simulator):
    lab = simulator(personality="6.7", scenario="healthy")
    host.folder.mkdir(parents=True, mode=0o700)
    shutil.copy(PROGRAM, host.file)
    host.file.chmod(0o700)
    spoil(host.file)
    run = host.play(ansible, lab, [LOOK, LOOK])
    assert run.exit == 0, run.output
    assert "sending the program again" in " ".join(run.output.split()) and len(sent(run.output)) == 1
    assert host.is_whole()
    elsewhere = host.cache / "elsewhere"
    assert not elsewhere.is_dir() or list(elsewhere.iterdir()) == []


def open_the_folder(folder: Path) -> None:
    folder.mkdir(parents=True)
    folder.chmod(0o755)


def link_the_folder(folder: Path) -> None:
    (folder.parent / "elsewhere").mkdir(parents=True, mode=0o700)
    folder.symlink_to("elsewhere")


def give_the_folder_away(folder: Path) -> None:
    folder.mkdir(parents=True, mode=0o700)
    os.chown(folder, 65534, 65534)


def block_the_folder(folder: Path) -> None:
    folder.parent.mkdir()
    folder.write_text("")


def block_the_file(folder: Path) -> None:
    folder.mkdir(parents=True, mode=0o700)
    (folder / hashlib.sha256(PROGRAM.read_bytes()).hexdigest()).mkdir()


@pytest.mark.parametrize("spoil", [open_the_folder, link_the_folder, give_the_folder_away, block_the_folder, block_the_file])
def test_a_folder_that_is_not_private_is_not_used(spoil, ansible, host, simulator):
    if spoil is give_the_folder_away and os.geteuid() != 0:
        pytest.skip("only root can give a folder away")
    lab = simulator(personality="6.7", scenario="healthy")
    spoil(host.folder)
    before = sorted(host.cache.rglob("*"))
    run = host.play(ansible, lab, [LOOK])
    assert run.exit == 0, run.output
    assert "sending the program for this task only" in " ".join(run.output.split())
    assert "AnsiballZ_vm_power.linux_x86_64" in sent(run.output) and sorted(host.cache.rglob("*")) == before


@pytest.mark.parametrize("tool", ["shasum", "openssl", None])
def test_a_host_without_sha256sum_verifies_with_another_tool_or_keeps_nothing(tool, ansible, host, simulator):
    lab = simulator(personality="6.7", scenario="healthy")
    tools = host.machine.uname.with_name("tools")
    tools.mkdir()
    for name in ("cat", "ls", "mkdir", "chmod", "mv", "rm", "sleep", tool):
        if name and not shutil.which(name):
            pytest.skip(f"this machine has no {name}")
        if name:
            (tools / name).symlink_to(shutil.which(name))
    run = host.play(ansible, lab, [{**LOOK, "environment": {"XDG_CACHE_HOME": str(host.cache), "PATH": str(tools)}}] * 2)
    assert run.exit == 0, run.output
    if tool:
        assert len(sent(run.output)) == 1 and host.is_whole() and "WARNING" not in run.output
    else:
        assert "none of sha256sum" in " ".join(run.output.split()) and not host.file.exists()


@pytest.mark.parametrize(("spoil", "says"), [(lack_its_c_library, "C library"), (be_for_another_processor, "another processor")])
def test_a_kept_program_that_cannot_start_is_explained(spoil, says, ansible, host, simulator, spoiled_collection):
    lab = simulator(personality="6.7", scenario="healthy")
    ansible.collections, program = spoiled_collection
    spoil(program)
    run = host.play(ansible, lab, [LOOK])
    assert run.exit != 0 and "the kept one cannot be started" in " ".join(run.output.split()), run.output
    assert says in run.task("Task 1")["msg"]


def test_tasks_at_the_same_time_share_one_program(ansible, host, simulator):
    lab = simulator(personality="6.7", scenario="healthy")
    hosts = {f"host{number}": host.machine for number in range(4)}
    run = host.play(ansible, lab, [LOOK, LOOK], "--forks", "4", hosts="all", target=host.machine, **hosts)
    assert run.exit == 0, run.output
    assert host.is_whole() and "WARNING" not in run.output


@pytest.mark.skipif(os.geteuid() != 0, reason="only root becomes somebody else without being asked for a password")
def test_become_and_async_send_the_program_as_usual(ansible, host, simulator):
    lab = simulator(personality="6.7", scenario="healthy")
    # async needs Python.
    host.machine.variables["ansible_python_interpreter"] = sys.executable
    nobody = {"become": True, "become_method": "su", "become_user": "nobody", "become_flags": "-s /bin/sh"}
    run = host.play(ansible, lab, [{**LOOK, **nobody}, {**LOOK, "async": 60, "poll": 1}])
    assert run.exit == 0, run.output
    assert sent(run.output).count("AnsiballZ_vm_power.linux_x86_64") == 2 and not host.folder.exists()


def test_the_variable_must_be_a_boolean(ansible, host, simulator):
    lab = simulator(personality="6.7", scenario="healthy")
    host.machine.variables["nested_vft_keep_program"] = "sometimes"
    run = host.play(ansible, lab, [LOOK])
    assert run.exit != 0 and "nested_vft_keep_program of target: The value 'sometimes'" in run.task("Task 1")["msg"]


def test_a_task_removes_kept_programs_and_nothing_else(ansible, host, simulator):
    lab = simulator(personality="6.7", scenario="healthy")
    assert host.play(ansible, lab, [LOOK]).exit == 0
    others = [host.folder / "a.session", host.folder / ".lock", host.folder / f"{'0' * 64}.bak"]
    for other in others:
        other.touch()
    half = host.folder / f".{host.file.name}.0123456789abcdef"
    half.touch()

    check, real, again, wrong = REMOVE | {"check_mode": True}, REMOVE, REMOVE, {"nested.vft.remove_kept_programs": {"all": True}}
    run = host.play(ansible, lab, [check])
    assert run.exit == 0, run.output
    assert run.task("Task 1")["changed"] and host.file.exists() and half.exists()
    assert run.task("Task 1")["result"]["removed"] == [str(half), str(host.file)]

    run = host.play(ansible, lab, [real, again, check, wrong | {"ignore_errors": True}])
    assert run.exit == 0, run.output
    assert [run.task(f"Task {number}")["changed"] for number in (1, 2, 3)] == [True, False, False], run.output
    assert sorted(host.folder.iterdir()) == sorted(others)
    assert "nsupported" in run.task("Task 4")["msg"]

    # Nothing of this collection is left if nobody else uses the folder.
    for other in others:
        other.unlink()
    run = host.play(ansible, lab, [LOOK, REMOVE, REMOVE])
    assert run.exit == 0 and not host.folder.exists(), run.output
