# Copyright: (c) The nested-vft authors
# SPDX-License-Identifier: Apache-2.0
"""Runs the program of the collection that is built for the task's machine."""

from __future__ import annotations

import hashlib
import os
import tempfile

from ansible import constants as C
from ansible.errors import AnsibleActionFail
from ansible.module_utils.common.text.converters import to_text
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display
from ansible_collections.nested.vft.plugins.plugin_utils import in_place, kept, launch

PROGRAMS = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", "bin"))

# The host variable that names the platform, for hosts whose `uname` reports the wrong one.
VARIABLE = "nested_vft_system"

# Systems have different names for the same processor.
MACHINES = {"amd64": "x86_64", "arm64": "aarch64"}


def kind(system, machine):
    """Returns the folder name of a platform, from the output of `uname -s` and `uname -m`."""
    machine = machine.lower()
    return f"{system.lower()}_{MACHINES.get(machine, machine)}"


def available():
    """Returns the platforms for which the collection has a program."""
    if not os.path.isdir(PROGRAMS):
        return []
    return sorted(name for name in os.listdir(PROGRAMS) if os.path.isfile(os.path.join(PROGRAMS, name, "nested_vft")))


class NativeModule(ActionBase):
    """The base class of the collection's action plugins. `module` is the name of the module, even if a task uses an alias.

    The programs are not in the modules folder, because Ansible's own tools expect text files there.
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
        if self._connection.transport == "local" and not self._connection.become and not self._task.async_val:
            result.update(self._run_in_place(os.path.join(PROGRAMS, wanted, f"{self.module}.{wanted}"), task_vars))
            return result
        host = self._host(variables)
        if kept.wanted(self, self._setting(kept.VARIABLE, variables), host):
            args = self._task.args.copy()
            self._update_module_args(self.module, args, task_vars)
            done = kept.run(self, os.path.join(PROGRAMS, wanted, "nested_vft"), args, host)
            if done is not None:
                result.update(done)
                return result
        answer = self._execute_module(
            module_name=self._program(wanted),
            module_args=self._task.args.copy(),
            task_vars=task_vars,
            wrap_async=wrap_async,
        )
        result.update(launch.explained(answer, host))
        # An async task still needs the folder, and removes it itself.
        if not wrap_async:
            self._remove_tmp_path(self._connection._shell.tmpdir)
        return result

    def _run_in_place(self, program, task_vars):
        """Runs the program directly: no temporary folder, no shell, no copy."""
        args = self._task.args.copy()
        self._update_module_args(self.module, args, task_vars)
        environment = {}
        self._compute_environment_string(environment)
        Display().vvv(f"Running {program}", host=self._play_context.remote_addr)
        try:
            return in_place.run(program, args, environment, self._loader.get_basedir())
        except OSError as problem:
            return launch.failure(program, problem.errno, str(problem))

    def _target_variables(self, task_vars):
        """Returns the variables of the host on which the task runs. With delegate_to, task_vars belong to another host."""
        if self._task.delegate_to:
            return task_vars.get("ansible_delegated_vars", {}).get(self._task.delegate_to) or {}
        return task_vars

    def _kind(self, variables):
        """Returns the platform of the machine on which the task runs."""
        said = self._setting(VARIABLE, variables)
        if said:
            return to_text(said).lower()
        if self._connection.transport == "local":
            return kind(os.uname().sysname, os.uname().machine)
        # Facts are not reliable here, because they do not say over which connection they were gathered. Plays about VMware
        # often gather the facts of the Ansible machine under the name of another host.
        return self._asked(variables)

    def _setting(self, name, variables):
        """Returns the value of a variable of the host on which the task runs, or None."""
        said = variables.get(name)
        return said and self._templar.copy_with_new_env(available_variables=variables).template(said)

    def _asked(self, variables):
        """Returns the platform that the machine reports, and asks each machine once per run.

        Ansible runs every task in its own process, so the answer is cached in a file in Ansible's local temporary folder.
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
        # A shell profile may print lines before the answer.
        lines = [line.split() for line in to_text(answer.get("stdout", "")).splitlines() if line.strip()]
        if answer.get("rc") != 0 or not lines or len(lines[-1]) != 2:
            said = " ".join(lines[-1]) if lines else to_text(answer.get("stderr", "")).strip() or "no answer"
            raise AnsibleActionFail(
                f"cannot detect the platform of {self._host(variables)}: `uname -s -m` ended with status {answer.get('rc')}:"
                f" {said}. Set the host variable {VARIABLE} to one of {', '.join(available())}."
            )
        found = kind(*lines[-1])
        os.makedirs(folder, mode=0o700, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", dir=folder, delete=False, encoding="utf-8") as file:
            file.write(found)
        os.replace(file.name, known)
        return found

    def _host(self, variables):
        """Returns the name of the host on which the task runs."""
        return self._task.delegate_to or variables.get("inventory_hostname")

    def _option(self, name):
        """Returns an option of the connection, or None if this type of connection does not have it."""
        try:
            return self._connection.get_option(name)
        except KeyError:
            return None

    def _program(self, wanted):
        """Returns the name under which Ansible finds the program for a platform as this module."""
        folder = os.path.join(PROGRAMS, wanted)
        file = f"{self.module}.{wanted}"
        # With `ansible.legacy`, Ansible searches the registered folders instead of the play's collections.
        name = f"ansible.legacy.{file}"
        loader = self._shared_loader_obj.module_loader
        loader.add_directory(folder)
        found = loader.find_plugin(name)
        if not found:
            raise AnsibleActionFail(f"the collection nested.vft is incomplete: {os.path.join(folder, file)} not found. Install it again.")
        if os.path.realpath(os.path.dirname(found)) != folder:
            raise AnsibleActionFail(f"{found} hides the program of the collection nested.vft. Rename it.")
        return name

    def _missing(self, wanted, variables):
        there = ", ".join(available()) or "none"
        detail = f"nested.vft has no program for the platform {wanted} of {self._host(variables)}; available: {there}"
        hint = (
            "Build the collection with playbooks/collection/assemble --target TRIPLE for that platform. If the platform is wrong,"
            f" set the host variable {VARIABLE}."
        )
        return {
            "changed": False,
            "failed": True,
            "msg": f"{detail}. {hint}",
            "error": {"kind": "unsupported", "detail": detail, "hint": hint},
        }
