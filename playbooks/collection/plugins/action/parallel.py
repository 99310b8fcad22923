# Copyright: (c) The nested-vft authors
# SPDX-License-Identifier: Apache-2.0
"""Calls one module several times at once, and keeps a record of the previous values."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from ansible.errors import AnsibleActionFail
from ansible.module_utils.parsing.convert_bool import boolean
from ansible.plugins.action import ActionBase
from ansible_collections.nested.vft.plugins.plugin_utils.calls import Calls, differences, foretell, rename
from ansible_collections.nested.vft.plugins.plugin_utils.record import BadRecord, Record

# As many as a module has requests at once.
AT_ONCE = 16
# The arguments that name an object.
NAMES = ("name", "moid", "uuid", "esxi_hostname")
OWN = (
    "module",
    "calls",
    "key",
    "only",
    "without",
    "arguments",
    "record",
    "cluster",
    "quiet",
    "strict",
    "predict_failures",
    "names",
)


class ActionModule(ActionBase):
    _supports_check_mode = True

    def run(self, tmp=None, task_vars=None):
        result = super().run(tmp, task_vars)
        own = {name: self._task.args[name] for name in OWN if self._task.args.get(name) is not None}
        connection = {name: value for name, value in self._task.args.items() if name not in OWN}
        if "module" not in own or "calls" not in own:
            raise AnsibleActionFail("`module` and `calls` are required")
        self.module, self.cluster = own["module"], own.get("cluster")
        self.calls = Calls(self, connection | own.get("arguments", {}), task_vars)
        asked = named(own["calls"], own.get("key", "name"), own.get("without", []))
        asked = {name: arguments for name, arguments in asked.items() if name in own.get("only", asked)}
        try:
            self.record = Record(own["record"], self.calls.server) if own.get("record") else None
            if self.record and not self._task.check_mode:
                self.record.begin()
        except BadRecord as problem:
            raise AnsibleActionFail(str(problem)) from problem
        with ThreadPoolExecutor(max(1, min(len(asked), AT_ONCE))) as pool:
            try:
                answers = dict(zip(asked, pool.map(self._call, asked.values())))
            except BaseException:
                # Such as the end of the task's `timeout`, which only this thread hears of.
                pool.shutdown(wait=False, cancel_futures=True)
                self.calls.stop()
                raise
        for answer in answers.values():
            rename(answer, own.get("names", {}))
            if own.get("predict_failures"):
                foretell(answer)
        failed = {name: answer["msg"] for name, answer in answers.items() if answer.get("failed")}
        warnings = [f"{name}: {text}" for name, answer in answers.items() for text in answer.pop("warnings", [])]
        strict = bool(failed) and boolean(own.get("strict", False))
        result.update(
            changed=any(answer.get("changed") for answer in answers.values()),
            answers=answers,
            failures=failed,
            warnings=([] if own.get("quiet") else warnings)
            + ([] if strict else [f"{name} failed: {text}" for name, text in failed.items()]),
        )
        if strict:
            result.update(failed=True, msg=" ".join(failed.values()))
        diff = differences(answer for answer in answers.values() if answer.get("changed"))
        for answer in answers.values():
            answer.pop("diff", None)
        if self._task.diff and diff:
            result["diff"] = diff
        return result

    def _call(self, arguments):
        """Runs the module once. The record gets the previous values before they change."""
        check = self._task.check_mode
        if self.record is None or check:
            return self.calls.run(self.module, arguments, check)
        predicted = self.calls.run(self.module, arguments, check=True)
        if predicted.get("failed"):
            return predicted
        # Templates read the keys of failed results too.
        answer = dict.fromkeys(predicted) | {"changed": False, "warnings": []}
        try:
            self.record.intend(self.module, predicted, arguments.get("cluster_name") or self.cluster)
            answer = self.calls.run(self.module, arguments, check=False)
            self.record.finish(self.module, answer)
        except BadRecord as problem:
            return answer | {"failed": True, "msg": str(problem)}
        return answer


def named(calls, key, without):
    """Returns the arguments of each call by its name. A string in a list of calls is the value of the argument `key`."""
    if not isinstance(calls, dict):
        calls = [call if isinstance(call, dict) else {key: call} for call in calls]
        calls = {"/".join(str(call[part]) for part in ("datacenter", "folder", *NAMES) if call.get(part)): call for call in calls}
    return {name: {part: value for part, value in call.items() if part not in without} for name, call in calls.items()}
