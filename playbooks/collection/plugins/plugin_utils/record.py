# Copyright: (c) The nested-vft authors
# SPDX-License-Identifier: Apache-2.0
"""The record of what was changed: a JSON file with the previous values.

An entry belongs to one value of one object: `before` is the value to restore, `set` the value that was written, and `pending` a
value that may have been written, because the run that wrote it did not come to its end. Entries are in the order of their last
change.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import tempfile
import time

FORMAT = 1
MODULES = ("cluster_ha", "fault_tolerance", "host_option", "vm_power", "vmkernel_service", "vmx_option")
# Seconds to wait for another process. The lock is held while the file is read and written, never while vSphere works.
PATIENCE = 60


class BadRecord(Exception):
    """The file is no record, or the record of another server, or it cannot be written."""


class Record:
    """The entries of one file. Every change is written to the file before the next one is made.

    Ansible runs the task of each host in a process of its own, and several of them may have the same record. So each change of
    the record locks it and reads it again.
    """

    def __init__(self, path, server):
        self.path = os.path.abspath(os.path.expanduser(path))
        self.server = server
        self.entries = []
        self.exists = False
        self._load()
        if not os.access(os.path.dirname(self.path), os.W_OK):
            raise self._unwritable("its folder does not exist, or is not writable")

    def _load(self):
        """Reads the file, if there is one."""
        try:
            with open(self.path, encoding="utf-8") as file:
                content = json.load(file)
        except FileNotFoundError:
            self.entries, self.exists = [], False
            return
        except (OSError, ValueError) as problem:
            raise BadRecord(f"cannot read the record {self.path}: {problem}") from problem
        if not isinstance(content, dict) or content.get("format") != FORMAT:
            raise BadRecord(f"{self.path} is no record of nested.vft, or one of another version")
        for place, right, kind in shape(content):
            if not right:
                hint = "Correct the file. If you remove an entry, its value stays as it is."
                raise BadRecord(f"the record {self.path} is damaged: {place} is not {kind}. {hint}")
        if content["server"].lower() != self.server:
            hint = f'Set `record` to another path. If both are the same server, write "server": "{self.server}" into the file.'
            raise BadRecord(f"{self.path} is the record of the server {content['server']}, not of {self.server}. {hint}")
        self.entries, self.exists = content["entries"], True

    @contextlib.contextmanager
    def _locked(self):
        """Reads the record, and keeps other processes and threads from it until the end of the block."""
        # A file of its own, because each change replaces the record. It stays, because another process may wait for it.
        path = f"{self.path}.lock"
        try:
            lock = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as problem:
            raise self._unwritable(problem.strerror) from problem
        try:
            deadline = time.monotonic() + PATIENCE
            while not taken(lock):
                if time.monotonic() > deadline:
                    raise BadRecord(f"another process has locked {path} for {PATIENCE} seconds. Run again after it has ended.")
                time.sleep(0.01)
            self._load()
            yield
        except OSError as problem:
            raise self._unwritable(problem.strerror) from problem
        finally:
            os.close(lock)

    def _unwritable(self, reason):
        return BadRecord(f"cannot write the record {self.path}: {reason}. Set `record` to a path that this user can write.")

    def begin(self):
        """Writes a record without entries if there is none, so that a run that changes nothing can be undone too."""
        if not self.exists:
            with self._locked():
                if not self.exists:
                    self._save()

    def intend(self, module, predicted, cluster=None):
        """Notes what a call is about to change, from the result of its check run. `cluster` is that of a host, if it is known."""
        with self._locked():
            changes = [value for value in values(module, predicted) if not same(value[2], value[3])]
            for place, key, before, after in changes:
                entry = self._take(module, place, key)
                if entry is None:
                    place = place | ({"cluster": cluster} if cluster and place["type"] == "HostSystem" else {})
                    entry = {"module": module, "object": place, "key": key, "before": before}
                elif not any(same(before, entry[name]) for name in ("before", "set", "pending") if name in entry):
                    # Somebody else changed it since. Their value is the one to restore.
                    entry["before"] = before
                entry.update(set=before, pending=after)
                self.entries.append(entry)
            if changes:
                self._save()

    def finish(self, module, result):
        """Notes what a call has changed, from its result. After a failure, the values stay pending."""
        if result.get("failed"):
            return
        with self._locked():
            for place, key, _before, after in values(module, result):
                entry = self._find(module, place, key)
                if entry and "pending" in entry:
                    del entry["pending"]
                    entry["set"] = after
                    if same(after, entry["before"]):
                        self.entries.remove(entry)
            self._save()

    def forget(self, entries):
        """Removes entries."""
        with self._locked():
            self.entries = [entry for entry in self.entries if entry not in entries]
            self._save()

    def _find(self, module, place, key):
        for entry in self.entries:
            if entry["module"] == module and entry["object"]["moid"] == place["moid"] and entry["key"] == key:
                return entry
        return None

    def _take(self, module, place, key):
        entry = self._find(module, place, key)
        if entry:
            self.entries.remove(entry)
        return entry

    def _save(self):
        """Replaces the file at once, so that it is whole after any interruption."""
        content = {"format": FORMAT, "server": self.server, "entries": self.entries}
        # Previous values of VMX options may be secret. Only this user can read the file.
        scratch, new = tempfile.mkstemp(dir=os.path.dirname(self.path), prefix=f"{os.path.basename(self.path)}.")
        try:
            with open(scratch, "w", encoding="utf-8") as file:
                json.dump(content, file, indent=2)
                file.write("\n")
                file.flush()
                os.fsync(file.fileno())
            os.replace(new, self.path)
        except BaseException:
            os.unlink(new)
            raise


def shape(content):
    """Returns what a record has: the place, whether it is right, and what it must be. Nothing is read beyond a wrong place."""
    server, entries = content.get("server"), content.get("entries")
    yield "server", isinstance(server, str), "text"
    yield "entries", isinstance(entries, list), "a list"
    for number, entry in enumerate(entries):
        at = f"entries[{number}]"
        yield at, isinstance(entry, dict), "a dictionary"
        module, thing = entry.get("module"), entry.get("object")
        yield f"{at}.module", module in MODULES, f"one of {', '.join(MODULES)}"
        yield f"{at}.object", isinstance(thing, dict), "a dictionary"
        texts = [("object.type", thing.get("type")), ("object.name", thing.get("name")), ("object.moid", thing.get("moid"))]
        for name, text in [*texts, ("object.cluster", thing.get("cluster", "")), ("key", entry.get("key"))]:
            yield f"{at}.{name}", isinstance(text, str), "text"
        for name in ("before", "set", *(["pending"] if "pending" in entry else [])):
            value = entry.get(name, {})
            if module == "vmkernel_service":
                devices = isinstance(value, list) and all(isinstance(device, str) for device in value)
                yield f"{at}.{name}", devices, "a list of vmknics"
            else:
                yield f"{at}.{name}", not isinstance(value, (dict, list)), "a single value"


def taken(lock):
    """Returns true if this process now has the lock on an open file."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def same(one, other):
    """Compares two values as JSON does."""
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


def ft_state(state):
    """Returns the argument `state` that describes a state of Fault Tolerance. A secondary that is on its way is present too."""
    return {"notConfigured": "absent", "disabled": "suspended"}.get(state, "present")


def values(module, result):
    """Returns the values in the result of a module: the object, the key, the value before, and the value after."""
    vm, cluster = result.get("vm"), result.get("cluster")
    if module == "vmx_option" and vm:
        return [(named("VirtualMachine", vm), one["key"], one["before"], one["after"]) for one in result["options"]]
    if module == "vm_power" and vm:
        return [(named("VirtualMachine", vm), "power", result["power_state_before"], result["power_state"])]
    if module == "fault_tolerance" and vm and result["ft_state_before"] and result["ft_state"]:
        states = (ft_state(result["ft_state_before"]), ft_state(result["ft_state"]))
        return [(named("VirtualMachine", vm), "Fault Tolerance", *states)]
    if module == "cluster_ha" and cluster:
        place = named("ClusterComputeResource", cluster)
        keys = ("enabled", "admission_control", "host_monitoring")
        return [(place, key, result[f"{key}_before"], result[key]) for key in keys]
    if module == "host_option":
        hosts = [(named("HostSystem", host), one) for host in result["hosts"] for one in host["options"]]
        return [(place, one["key"], one["before"], one["after"]) for place, one in hosts]
    if module == "vmkernel_service":
        return list(services(result))
    return []


def services(result):
    """Returns the vmknics that carry each service. Only the diff shows all of them."""
    hosts = {host["name"]: named("HostSystem", host) for host in result["hosts"]}
    diffs = result.get("diff") or []
    for diff in diffs if isinstance(diffs, list) else [diffs]:
        place = hosts[diff["before_header"].removesuffix(" (before)")]
        for service, before in diff["before"].items():
            yield place, service, sorted(before), sorted(diff["after"][service])


def named(kind, thing):
    return {"type": kind, "name": thing["name"], "moid": thing["moid"]}
