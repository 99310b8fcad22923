# Copyright: (c) The nested-vft authors
# SPDX-License-Identifier: Apache-2.0
"""Removes the programs that nested_vft_keep_program left on a host."""

from __future__ import annotations

import shlex

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase
from ansible_collections.nested.vft.plugins.plugin_utils import kept

# Kept sessions may be in the same folder. A folder of somebody else holds no program of this collection.
LIST = '[ ! -d "$d" ] || [ -L "$d" ] || [ ! -O "$d" ] || { echo "$d" && ls -A "$d"; }'


class ActionModule(ActionBase):
    _supports_check_mode = True

    def run(self, tmp=None, task_vars=None):
        result = super().run(tmp, task_vars)
        self.validate_argument_spec({})
        folder, *names = self._lines(LIST) or [""]
        found = sorted(name for name in names if kept.NAME.fullmatch(name))
        if found and not self._task.check_mode:
            quoted = " ".join(shlex.quote(name) for name in found)
            self._lines(f'cd "$d" && rm -f {quoted} && {{ rmdir "$d" 2>/dev/null || :; }}')
        result.update(changed=bool(found), removed=[f"{folder}/{name}" for name in found])
        return result

    def _lines(self, text):
        """Runs a command as the user of the connection, whose programs these are, and returns the lines that it prints."""
        command = kept.command(self._compute_environment_string(), text)
        answer = self._low_level_execute_command(command, sudoable=False)
        if answer["rc"] != 0:
            raise AnsibleActionFail(f"kept programs cannot be removed: {answer['stderr'].strip() or answer['stdout'].strip()}")
        return answer["stdout"].splitlines()
