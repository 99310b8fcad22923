"""Task keywords and the choice of the program, with every version of Ansible, on this machine and over real ssh.

The tests have no machines with other processors. Servers with a fake `uname` stand in for them.
"""

from __future__ import annotations

import getpass
import os
import pwd
import re
import shlex
import shutil
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import pytest
from ssh import Ssh

from modules import binary

from .conftest import COLLECTIONS

DEFAULTS = {
    "group/nested.vft.vsphere": {
        "hostname": "{{ vcenter_hostname }}",
        "port": "{{ vcenter_port }}",
        "username": "{{ vcenter_username }}",
        "thumbprint": "{{ vcenter_thumbprint }}",
        # The remote machine does not see this machine's environment.
        "password": "{{ vcenter_password | default(omit) }}",
    }
}
VMX = 'config.version = "8"\nvirtualHW.version = "8"\n'
# Makes a machine look like one without Python.
NO_PYTHON = "/nonexistent/python"


@dataclass
class Machine:
    """A machine that tasks run on: its inventory variables, and the log of its `uname` calls."""

    variables: dict[str, object]
    uname: Path | None = None

    @property
    def asked(self) -> int:
        return self.uname.read_text().count("-s -m") if self.uname else 0


class Machines:
    """Creates machines, and keeps what their tasks leave behind."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.ssh = Ssh(folder)
        self.common = self.ssh.variables | {
            "ansible_async_dir": str(folder / "jobs"),
            "ansible_python_interpreter": sys.executable,
        }

    def here(self, **variables) -> Machine:
        """Returns this machine."""
        return Machine(self.common | {"ansible_connection": "local"} | variables)

    def remote(self, says: str | None = None, **variables) -> Machine:
        """Returns a machine that is reached by ssh. `says` is the output of its `uname -s -m`."""
        tools = Path(tempfile.mkdtemp(prefix="bin", dir=self.folder))
        tools.chmod(0o755)
        log = tools / "asked"
        log.touch()
        log.chmod(0o666)
        answer = f"echo {shlex.quote(says)}" if says else 'exec /bin/uname "$@"'
        uname = tools / "uname"
        uname.write_text(f'#!/bin/sh\necho "$*" >>{log}\n{answer}\n')
        uname.chmod(0o755)
        reached = self.ssh.serve(path=f"{tools}:/usr/local/bin:/usr/bin:/bin")
        return Machine(self.common | reached | variables, log)

    def vmx(self) -> Path:
        """Returns a .vmx file in a folder that every user may write to."""
        folder = Path(tempfile.mkdtemp(prefix="vm", dir=self.folder))
        folder.chmod(0o777)
        file = folder / "inner.vmx"
        file.write_text(VMX)
        file.chmod(0o666)
        return file


@pytest.fixture
def machines():
    # The test's own folder does not work: its path is too long for sockets, and other users cannot enter it.
    with tempfile.TemporaryDirectory(prefix="nested-vft-") as folder:
        os.chmod(folder, 0o755)
        made = Machines(Path(folder))
        yield made
        made.ssh.close()


@pytest.fixture(params=["local", "ssh"])
def machine(request, machines) -> Machine:
    """This machine, then one that is reached by ssh."""
    return machines.here() if request.param == "local" else machines.remote()


@pytest.fixture
def spoiled_collection(tmp_path):
    """A copy of the collection, with the program for this machine as a file that a test may change."""
    collections = tmp_path / "collections"
    shutil.copytree(COLLECTIONS, collections, symlinks=True)
    return collections, collections / "ansible_collections/nested/vft/plugins/bin/linux_x86_64/nested_vft"


def play_on(
    ansible, lab, tasks: list[dict], *flags: str, hosts="target", facts=False, password="variable", given=None, **machines
):
    """Runs the tasks on the machine `target`, or on the given hosts, of these machines."""
    inventory = {"all": {"hosts": {name: machine.variables for name, machine in machines.items()}}}
    plays = [
        {
            "name": "Test",
            "hosts": hosts,
            "gather_facts": facts,
            "module_defaults": DEFAULTS,
            "tasks": tasks,
        }
    ]
    return ansible.play(plays, lab, *flags, password=password, inventory=inventory, **(given or {}))


def ran(output: str) -> list[str]:
    """Returns the platforms of the programs that Ansible ran, from its -vvv output."""
    return re.findall(r"(?:Using module file|Running) \S+/plugins/bin/(\w+)/\w+\.\1", output)


def test_check_and_diff_of_one_task(ansible, machines, machine, simulator):
    lab = simulator(personality="6.7", scenario="healthy")
    vmx = machines.vmx()
    task = {
        "name": "Look",
        "nested.vft.vmx_option": {"path": str(vmx), "options": {"replay.allowFT": True}},
        "check_mode": True,
        "diff": True,
    }
    run = play_on(ansible, lab, [task], target=machine)
    assert run.exit == 0, run.output
    assert run.task("Look")["changed"] and '+replay.allowFT = "TRUE"' in run.output
    assert vmx.read_text() == VMX


def test_the_result_of_an_unpolled_async_task_can_be_fetched_later(ansible, machine, simulator):
    lab = simulator(personality="6.7", scenario="healthy")
    tasks = [
        {
            "name": "Start",
            "nested.vft.vm_power": {"name": "inner", "state": "powered_off"},
            "async": 120,
            "poll": 0,
            "register": "started",
        },
        {
            "name": "Ask",
            "ansible.builtin.async_status": {"jid": "{{ started.ansible_job_id }}"},
            "register": "job",
            "until": "job is finished",
            "retries": 100,
            "delay": 1,
        },
        {
            "name": "Wait",
            "nested.vft.vm_power": {"name": "inner", "state": "powered_on"},
            "async": 120,
            "poll": 1,
        },
    ]
    run = play_on(ansible, lab, tasks, target=machine)
    assert run.exit == 0, run.output
    for name, state in (("Ask", "poweredOff"), ("Wait", "poweredOn")):
        ended = run.task(name)
        assert ended["changed"] and ended["result"]["power_state"] == state, ended
    assert "power_state" not in run.task("Start")["result"]


def test_check_mode_works_in_the_background_where_ansible_supports_it(ansible, machine, simulator):
    lab = simulator(personality="6.7", scenario="healthy")
    task = {"name": "Off", "nested.vft.vm_power": {"name": "inner", "state": "powered_off"}, "async": 120, "poll": 1}
    run = play_on(ansible, lab, [task], "--check", target=machine)
    ended = run.task("Off")
    if ansible.version == "2.16":
        assert run.exit != 0 and ended["msg"] == "check mode and async cannot be used on same task."
    else:
        assert run.exit == 0 and ended["changed"], run.output
    assert "PowerOffVM_Task" not in lab.methods()


def test_loops_and_retries_run_the_module_again(ansible, machine, simulator):
    lab = simulator(personality="6.7", scenario="healthy")
    lab.inject(method="PowerOffVM_Task", how="task-error", fault="SystemError", times=1)
    tasks = [
        {
            "name": "Loop",
            "nested.vft.vmx_option": {"name": "inner", "options": "{{ {'guestinfo.' ~ item: item} }}"},
            "loop": ["a", "b"],
        },
        {
            "name": "Until",
            "nested.vft.vm_power": {"name": "inner", "state": "powered_off"},
            "register": "power",
            "until": "power is succeeded",
            "retries": 3,
            "delay": 1,
        },
    ]
    run = play_on(ansible, lab, tasks, target=machine)
    assert run.exit == 0, run.output
    assert [entry["outcome"] for entry in run.journal if entry["task"] == "Loop"].count("item") == 2
    state = lab.state()[lab.facts["vm_moid"]]
    assert state["extraConfig"]["guestinfo.a"] == "a" and state["extraConfig"]["guestinfo.b"] == "b"
    assert run.task("Until")["result"]["attempts"] == 2


def test_the_environment_of_a_task_reaches_the_module(ansible, machine, simulator):
    lab = simulator(personality="6.7", scenario="healthy")
    look = {"nested.vft.vm_power": {"name": "inner", "state": "powered_on"}}
    tasks = [
        {"name": "Without", **look, "ignore_errors": True},
        {"name": "With", **look, "environment": {"VMWARE_PASSWORD": "{{ secret }}"}},
    ]
    run = play_on(ansible, lab, tasks, password=None, given={"secret": lab.facts["password"]}, target=machine)
    assert run.exit == 0, run.output
    assert "password" in run.task("Without")["msg"] and run.task("Without")["outcome"] == "failed"
    assert run.task("With")["result"]["power_state"] == "poweredOn"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root becomes somebody else without being asked for a password")
def test_become_runs_the_module_as_that_user(ansible, machines, machine, simulator):
    lab = simulator(personality="6.7", scenario="healthy")
    vmx = machines.vmx()
    edit = {"nested.vft.vmx_option": {"path": str(vmx), "options": {"replay.allowFT": True}}}
    # The login shell of this user rejects everybody.
    nobody = {"become": True, "become_method": "su", "become_user": "nobody", "become_flags": "-s /bin/sh"}
    tasks = [{"name": "As nobody", **edit, **nobody, "ignore_errors": True}, {"name": "As root", **edit}]
    run = play_on(ansible, lab, tasks, target=machine)
    assert run.exit == 0, run.output
    refused = run.task("As nobody")["result"]
    # Every user may write there, but only root may create a file that root owns.
    assert refused["error"]["kind"] == "permission" and "the old owner" in refused["msg"], refused
    assert run.task("As root")["changed"]


def test_nothing_of_a_task_is_left_on_the_machine(ansible, machines, machine, simulator):
    lab = simulator(personality="6.7", scenario="healthy")
    machine.variables["ansible_remote_tmp"] = str(machines.folder / "remote")
    machine.variables["ansible_python_interpreter"] = NO_PYTHON
    task = {"name": "Off", "nested.vft.vm_power": {"name": "inner", "state": "powered_off"}}
    failing = {"name": "Typo", "nested.vft.vm_power": {"nam": "inner"}, "ignore_errors": True}
    run = play_on(ansible, lab, [task, failing], target=machine)
    assert run.exit == 0, run.output
    assert run.task("Off")["changed"], "the module needs no Python"
    folder = machines.folder / "remote"
    assert not folder.exists() or list(folder.iterdir()) == []


def test_each_machine_gets_the_program_for_its_platform(ansible, machines, simulator):
    """With delegate_to, facts describe the original host, not the machine on which the task runs."""
    lab = simulator(personality="6.7", scenario="healthy")
    esxi = machines.remote("VMkernel x86_64")
    strange = machines.remote("Linux riscv64")
    told = machines.here(nested_vft_system="{{ which }}", which="VMkernel_x86_64")
    look = {"nested.vft.vm_power": {"name": "inner", "state": "powered_on"}}
    tasks = [
        {"name": "Here", **look},
        {"name": "Delegated", **look, "delegate_to": "{{ item }}", "loop": ["esxi", "told", "linux"]},
        {"name": "In vain", **look, "delegate_to": "strange", "ignore_errors": True},
    ]
    hosts = {"linux": machines.here(), "esxi": esxi, "strange": strange, "told": told}
    run = play_on(ansible, lab, tasks, "-vvv", hosts="linux", facts=True, **hosts)
    assert run.exit == 0, run.output
    assert ran(run.output) == ["linux_x86_64", "vmkernel_x86_64", "vmkernel_x86_64", "linux_x86_64"]
    refused = run.task("In vain")
    assert refused["outcome"] == "failed" and refused["result"]["error"]["kind"] == "unsupported"
    reason = "no program for the platform linux_riscv64 of strange; available: linux_x86_64, vmkernel_x86_64. Build the"
    assert reason in refused["msg"]

    # The reverse: a host without a program delegates its tasks to a machine with one.
    there = {"name": "There", **look, "delegate_to": "{{ item }}", "loop": ["esxi", "localhost"]}
    run = play_on(ansible, lab, [there], "-vvv", hosts="strange", **hosts)
    assert run.exit == 0 and ran(run.output) == ["vmkernel_x86_64", "linux_x86_64"], run.output


def test_each_machine_is_asked_for_its_platform_once_per_run(ansible, machines, simulator):
    lab = simulator(personality="6.7", scenario="healthy")
    one, other = machines.remote(), machines.remote("Linux amd64")
    look = {"name": "Look", "nested.vft.vm_power": {"name": "inner", "state": "powered_on"}}
    run = play_on(ansible, lab, [look | {"loop": [1, 2]}, look], hosts="all", one=one, other=other)
    assert run.exit == 0, run.output
    assert (one.asked, other.asked) == (1, 1)


def test_facts_of_another_connection_do_not_choose_the_program(ansible, machines, simulator):
    """Plays about VMware often gather the facts of a host on the Ansible machine."""
    lab = simulator(personality="6.7", scenario="healthy")
    tasks = [
        {"name": "Facts", "ansible.builtin.setup": {"gather_subset": "min"}, "connection": "local"},
        {"name": "Look", "nested.vft.vm_power": {"name": "inner", "state": "powered_on"}},
    ]
    run = play_on(ansible, lab, tasks, "-vvv", target=machines.remote("VMkernel x86_64"))
    assert run.exit == 0, run.output
    assert ran(run.output) == ["vmkernel_x86_64"]


def test_a_variable_names_the_platform_if_uname_does_not(ansible, machines, simulator):
    lab = simulator(personality="6.7", scenario="healthy")
    silent = machines.remote("I am not telling you")
    look = {"name": "Look", "nested.vft.vm_power": {"name": "inner", "state": "powered_on"}}
    run = play_on(ansible, lab, [look], target=silent)
    told = run.task("Look")["msg"]
    assert run.exit != 0 and "the platform of target" in told and ": I am not telling you. Set the host variable" in told
    silent.variables["nested_vft_system"] = "linux_x86_64"
    run = play_on(ansible, lab, [look], target=silent)
    assert run.exit == 0, run.output


def test_a_missing_machine_is_unreachable_and_not_failed(ansible, machines, simulator):
    lab = simulator(personality="6.7", scenario="healthy")
    gone = machines.remote()
    machines.ssh.close()
    look = {"name": "Look", "nested.vft.vm_power": {"name": "inner", "state": "powered_on"}}
    run = play_on(ansible, lab, [look], target=gone)
    assert run.exit == 4 and re.search(r"^target +: ok=0 .* unreachable=1 +failed=0 ", run.output, re.MULTILINE), run.output


def test_a_module_with_the_same_name_beside_the_playbook_is_not_used(ansible, machines, simulator):
    lab = simulator(personality="6.7", scenario="healthy")
    library = ansible.folder / "library"
    library.mkdir()
    other = '#!/bin/sh\n# WANT_JSON\necho \'{"msg": "the other one"}\'\n'
    look = {"name": "Look", "nested.vft.vm_power": {"name": "inner", "state": "powered_on"}}
    (library / "vm_power").write_text(other)
    run = play_on(ansible, lab, [look], target=machines.here())
    assert run.exit == 0 and run.task("Look")["result"]["power_state"] == "poweredOn", run.output

    (library / "vm_power.linux_x86_64").write_text(other)
    run = play_on(ansible, lab, [look], target=machines.here())
    assert run.exit == 0 and run.task("Look")["result"]["power_state"] == "poweredOn", "nothing is looked for here"
    run = play_on(ansible, lab, [look], target=machines.remote("Linux x86_64"))
    assert run.exit != 0 and f"{library}/vm_power.linux_x86_64 hides" in run.task("Look")["msg"]


def test_a_local_task_runs_in_place(ansible, machines, simulator):
    """No copy, no temporary folder, no shell: and no difference that a task would notice."""
    lab = simulator(personality="6.7", scenario="healthy")
    here = machines.here(ansible_remote_tmp=str(machines.folder / "remote"))
    look = {"nested.vft.vm_power": {"name": "inner", "state": "powered_on"}}
    vmx = ansible.folder / "here.vmx"
    vmx.write_text(VMX)
    tasks = [
        {"name": "Plain", **look},
        {"name": "Hidden", **look, "no_log": True},
        {"name": "Relative", "nested.vft.vmx_option": {"path": "here.vmx", "options": {"a.b": "1"}}},
    ]
    run = play_on(ansible, lab, tasks, "-vvv", target=here)
    assert run.exit == 0, run.output
    assert ran(run.output) == ["linux_x86_64"] * 3
    assert not (machines.folder / "remote").exists() and "EXEC" not in run.output and "PUT" not in run.output
    assert 'a.b = "1"' in vmx.read_text(), "the folder is that of the playbook, as for a copied module"
    assert lab.facts["password"] not in run.output


def test_the_timeout_of_a_local_task_stops_the_module(ansible, machines, simulator):
    lab = simulator(personality="6.7", scenario="healthy")
    lab.inject(method="RetrievePropertiesEx", how="hang", times=0)
    look = {"name": "Look", "nested.vft.vm_power": {"name": "inner", "state": "powered_on"}, "timeout": 2}
    run = play_on(ansible, lab, [look], target=machines.here())
    assert run.exit != 0 and re.search("timed out|expected time frame", run.output, re.IGNORECASE), run.output
    assert lab.sessions()["live"] == 0, "the module closed its session"


def lose_execute_permission(program: Path) -> None:
    program.chmod(0o644)


def be_for_another_processor(program: Path) -> None:
    image = bytearray(program.read_bytes()[:4096])
    image[18:20] = (183).to_bytes(2, "little")  # e_machine: AArch64
    program.write_bytes(image)


def lack_its_c_library(program: Path) -> None:
    # The program of the collection may be static.
    image = Path(binary("nested_vft")).read_bytes()
    assert image.count(b"/lib64/ld-linux-x86-64.so.2") == 1
    program.write_bytes(image.replace(b"/lib64/ld-linux-x86-64.so.2", b"/lib64/ld-missing-here.so.2"))


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lose_execute_permission, "may not be executed"),
        (be_for_another_processor, "another processor"),
        (lack_its_c_library, "C library"),
    ],
)
def test_a_program_that_cannot_start_is_explained(spoil, says, ansible, machine, simulator, spoiled_collection):
    lab = simulator(personality="6.7", scenario="healthy")
    collections, program = spoiled_collection
    spoil(program)
    ansible.collections = collections
    # The file of a copied program is made executable again: only the other faults can be seen there.
    remote = machine.variables.get("ansible_connection") != "local"
    look = {"name": "Look", "nested.vft.vm_power": {"name": "inner", "state": "powered_on"}}
    run = play_on(ansible, lab, [look], target=machine)
    if remote and spoil is lose_execute_permission:
        assert run.exit == 0, run.output
        return
    told = run.task("Look")["msg"]
    assert run.exit != 0 and "cannot be started" in told and says in told, run.output
    assert ("-p FOLDER" in told) is (spoil is lose_execute_permission) and "ansible_remote_tmp" not in told
