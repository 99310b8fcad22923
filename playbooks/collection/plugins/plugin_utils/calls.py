# Copyright: (c) The nested-vft authors
# SPDX-License-Identifier: Apache-2.0
"""Runs modules of the collection on the Ansible machine, for actions that need more than one call."""

from __future__ import annotations

import os

from ansible.errors import AnsibleActionFail
from ansible_collections.nested.vft.plugins.plugin_utils import in_place, launch, native

# How a module in check mode starts the warning that the real run would fail.
FORETOLD = "A real run would fail now"


class Calls:
    """Calls modules for an action. `arguments` are those of every call, such as the connection from module_defaults."""

    def __init__(self, action, arguments, task_vars):
        self.arguments = arguments
        self.machine = native.kind(os.uname().sysname, os.uname().machine)
        if self.machine not in native.available():
            raise AnsibleActionFail(f"nested.vft has no program for the platform {self.machine} of the Ansible machine")
        self.common = {}
        action._update_module_args("", self.common, task_vars)
        self.environment = {}
        action._compute_environment_string(self.environment)
        self.folder = action._loader.get_basedir()
        self.running = set()

    @property
    def server(self):
        """The name and the port of the server that the calls reach."""
        usual = 80 if self._said("protocol", "") == "http" else 443
        return f"{self._said('hostname', 'VMWARE_HOST')}:{self._said('port', 'VMWARE_PORT') or usual}".lower()

    def _said(self, argument, variable):
        """Returns the value of an argument, or of the environment variable that stands in for it."""
        return self.arguments.get(argument) or self.environment.get(variable) or os.environ.get(variable) or ""

    def run(self, module, arguments, check):
        """Returns the result of one call. Its diff shows what changed."""
        given = self.common | self.arguments | arguments | {"_ansible_check_mode": check, "_ansible_diff": True}
        program = os.path.join(native.PROGRAMS, self.machine, f"{module}.{self.machine}")
        try:
            result = in_place.run(program, given, self.environment, self.folder, self.running)
        except OSError as problem:
            result = launch.failure(program, problem.errno, str(problem))
        result.pop("invocation", None)
        return result

    def stop(self):
        """Ends the programs that other threads are waiting for. Each closes its session."""
        for process in list(self.running):
            process.terminate()


def differences(results):
    """Returns the diffs of several results as one list."""
    found = [result["diff"] for result in results if result.get("diff")]
    return [each for diff in found for each in (diff if isinstance(diff, list) else [diff])]


def rename(answer, names):
    """Lets the messages of an answer name arguments as the user knows them."""
    for name, known in names.items():
        old, new = f"`{name}: ", f"`{known}: "
        answer["msg"] = answer.get("msg", "").replace(old, new)
        answer["warnings"] = [text.replace(old, new) for text in answer.get("warnings", [])]


def foretell(answer):
    """Makes the answer of a check run a failure if it warns that the real run would fail."""
    for text in answer.get("warnings", []):
        if text.startswith(FORETOLD) and not answer.get("failed"):
            answer.update(failed=True, changed=False, msg=text.partition(": ")[2])
            answer["warnings"].remove(text)
            return
