# Copyright: (c) The nested-vft authors
# SPDX-License-Identifier: Apache-2.0
"""Runs one of the collection's programs: the one for the kind of machine that the task is for."""

from __future__ import annotations

import hashlib
import os
import tempfile

from ansible import constants as C
from ansible.errors import AnsibleActionFail
from ansible.module_utils.common.text.converters import to_text
from ansible.plugins.action import ActionBase

PROGRAMS = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", "bin"))

# The variable of a host that says which of the programs is the one for it, where the host itself does not say it right.
VARIABLE = "nested_vft_system"

# What `uname -m` says for the same thing, depending on whom it asks.
MACHINES = {"amd64": "x86_64", "arm64": "aarch64"}


def kind(system, machine):
    """The name that the folders of the programs have, from what `uname -s` and `uname -m` print."""
    machine = machine.lower()
    return f"{system.lower()}_{MACHINES.get(machine, machine)}"


def available():
    """The kinds of machine that the collection has a program for."""
    if not os.path.isdir(PROGRAMS):
        return []
    return sorted(name for name in os.listdir(PROGRAMS) if os.path.isfile(os.path.join(PROGRAMS, name, "nested_vft")))


class NativeModule(ActionBase):
    """What every action plugin of the collection is. `module` is the name of the module, whatever the task calls it.

    The programs have no place among the modules, where Ansible's own tools take every file for text.
    """

    module = ""
    _supports_check_mode = True
    _supports_async = True

    def run(self, tmp=None, task_vars=None):
        result = super().run(tmp, task_vars)
        variables = self._target_variables(task_vars or {})
        wrap_async = self._task.async_val and not self._connection.has_native_async
        wanted = self._kind(variables)
        if wanted not in available():
            result.update(self._missing(wanted, variables))
            return result
        result.update(
            self._execute_module(
                module_name=self._program(wanted),
                module_args=self._task.args.copy(),
                task_vars=task_vars,
                wrap_async=wrap_async,
            )
        )
        # One that goes on without us removes it itself.
        if not wrap_async:
            self._remove_tmp_path(self._connection._shell.tmpdir)
        return result

    def _target_variables(self, task_vars):
        """The variables of the host that the task really runs on: those of a task are of the host that it is for."""
        if self._task.delegate_to:
            return task_vars.get("ansible_delegated_vars", {}).get(self._task.delegate_to) or {}
        return task_vars

    def _kind(self, variables):
        """What kind of machine the task runs on."""
        said = variables.get(VARIABLE)
        if said:
            templar = self._templar.copy_with_new_env(available_variables=variables)
            return to_text(templar.template(said)).lower()
        if self._connection.transport == "local":
            return kind(os.uname().sysname, os.uname().machine)
        # Not the facts, which do not say over which connection they were gathered: plays about VMware gather those of the
        # machine that Ansible runs on under the name of a host that it is not.
        return self._asked(variables)

    def _asked(self, variables):
        """What the machine itself answers.

        It is asked once a run. Ansible runs every task in a process of its own; what these share is the folder for its
        files on this side, where Ansible keeps the Python modules that it has put together too.
        """
        who = [self._connection.transport, self._host(variables), self._play_context.remote_addr]
        who += [self._option(name) for name in ("host", "port", "remote_user")]
        folder = os.path.join(C.DEFAULT_LOCAL_TMP, "nested_vft")
        known = os.path.join(folder, hashlib.sha256(repr(who).encode()).hexdigest())
        try:
            with open(known, encoding="utf-8") as file:
                return file.read()
        except OSError:
            pass
        answer = self._low_level_execute_command("uname -s -m", sudoable=False)
        # What a profile prints comes before it.
        lines = [line.split() for line in to_text(answer.get("stdout", "")).splitlines() if line.strip()]
        if answer.get("rc") != 0 or not lines or len(lines[-1]) != 2:
            said = " ".join(lines[-1]) if lines else to_text(answer.get("stderr", "")).strip() or "no answer"
            raise AnsibleActionFail(
                f"`uname -s -m` does not tell what kind of machine {self._host(variables)} is, but ends with the status"
                f" {answer.get('rc')}: {said}. Set the variable {VARIABLE} of that host to one of {', '.join(available())}."
            )
        found = kind(*lines[-1])
        os.makedirs(folder, mode=0o700, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", dir=folder, delete=False, encoding="utf-8") as file:
            file.write(found)
        os.replace(file.name, known)
        return found

    def _host(self, variables):
        """The name of the host that the task runs on; to its own variables the one that it is for is that host."""
        return self._task.delegate_to or variables.get("inventory_hostname")

    def _option(self, name):
        """An option of the connection, or None where that sort of connection has no such option."""
        try:
            return self._connection.get_option(name)
        except KeyError:
            return None

    def _program(self, wanted):
        """The name by which Ansible finds the program of that kind, as the module that it is to be."""
        folder = os.path.join(PROGRAMS, wanted)
        file = f"{self.module}.{wanted}"
        # `ansible.legacy`: it is looked for in folders that are made known, and not in the collections of the play.
        name = f"ansible.legacy.{file}"
        loader = self._shared_loader_obj.module_loader
        loader.add_directory(folder)
        found = loader.find_plugin(name)
        if not found:
            raise AnsibleActionFail(f"The collection nested.vft is not complete: {os.path.join(folder, file)} is not there.")
        if os.path.realpath(os.path.dirname(found)) != folder:
            raise AnsibleActionFail(f"{found} is in the way of the program of the collection nested.vft: rename it.")
        return name

    def _missing(self, wanted, variables):
        there = ", ".join(available()) or "none"
        detail = f"nested.vft has no program for {self._host(variables)}, which is {wanted}: it has {there}"
        hint = (
            "Assemble the collection with playbooks/collection/assemble --target TRIPLE for that kind of machine, or set"
            f" {VARIABLE} if it is one of those."
        )
        return {
            "changed": False,
            "failed": True,
            "msg": f"{detail}. {hint}",
            "error": {"kind": "unsupported", "detail": detail, "hint": hint},
        }
