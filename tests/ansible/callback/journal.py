"""An Ansible callback that writes what each task did to the file named by ANSIBLE_JOURNAL, one JSON object a line."""

from __future__ import annotations

import json
import os
import time

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
name: journal
type: aggregate
short_description: what each task did, as JSON lines
description: Writes the name, the outcome and the difference of every task to a file.
"""


class CallbackModule(CallbackBase):
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "journal"
    CALLBACK_NEEDS_ENABLED = True

    def write(self, outcome, task_result):
        # ansible-core 2.19 renamed both, and 2.16 knows only the names with an underscore.
        result = task_result.result if hasattr(task_result, "result") else task_result._result
        task = task_result.task if hasattr(task_result, "task") else task_result._task
        host = task_result.host if hasattr(task_result, "host") else task_result._host
        entry = {
            # Without the name of the role.
            "task": task.name or task.get_name(),
            "host": host.get_name(),
            "action": task.action,
            "path": task.get_path() or "",
            "outcome": outcome,
            "ended": time.time(),
            "changed": bool(result.get("changed")),
            "diff": result.get("diff"),
            "msg": result.get("msg"),
            "result": {key: value for key, value in result.items() if not key.startswith("_")},
        }
        with open(os.environ["ANSIBLE_JOURNAL"], "a", encoding="utf-8") as file:
            file.write(json.dumps(entry, default=str) + "\n")

    def v2_runner_on_ok(self, result):
        self.write("ok", result)

    def v2_runner_on_failed(self, result, ignore_errors=False):
        self.write("failed", result)

    def v2_runner_on_skipped(self, result):
        self.write("skipped", result)

    def v2_runner_item_on_ok(self, result):
        self.write("item", result)
