# Copyright: (c) The nested-vft authors
# SPDX-License-Identifier: Apache-2.0
"""Restores the previous values in a record, and keeps what somebody else changed since."""

from __future__ import annotations

from ansible.errors import AnsibleActionFail
from ansible.module_utils.parsing.convert_bool import boolean
from ansible.plugins.action import ActionBase
from ansible_collections.nested.vft.plugins.plugin_utils.calls import Calls, foretell, rename
from ansible_collections.nested.vft.plugins.plugin_utils.record import BadRecord, Record, same, values

OWN = ("record", "vms", "force_power_off", "ft_timeout")
# A virtual machine that Fault Tolerance still protects needs these.
SHARED = ("cluster_ha", "vmkernel_service", "host_option")


class ActionModule(ActionBase):
    _supports_check_mode = True

    def run(self, tmp=None, task_vars=None):
        result = super().run(tmp, task_vars)
        own = {name: self._task.args.get(name) for name in OWN}
        connection = {name: value for name, value in self._task.args.items() if name not in OWN}
        if not own["record"]:
            raise AnsibleActionFail("`record` is required: the file that was written when the values were changed")
        self.calls = Calls(self, connection, task_vars)
        # Limits that the user sets, by module.
        self.own = {
            "vm_power": {"force": True} if boolean(own["force_power_off"] or False) else {},
            "fault_tolerance": {"timeout": own["ft_timeout"]} if own["ft_timeout"] else {},
        }
        self.absent = set()
        try:
            self.record = Record(own["record"], self.calls.server)
        except BadRecord as problem:
            raise AnsibleActionFail(str(problem)) from problem
        if not self.record.exists:
            hint = "Check `record`. The roles protect and prepare_cluster write it when they change something."
            raise AnsibleActionFail(f"the record {self.record.path} does not exist. {hint}")
        chosen = own["vms"]
        if isinstance(chosen, str):
            chosen = [name.strip() for name in chosen.split(",")]
        unknown = self._unknown(chosen or [])
        if unknown:
            raise AnsibleActionFail(f"nothing was restored, because the record {self.record.path} has no entry of {'; '.join(unknown)}")
        told = {"restored": [], "kept": [], "failures": []}
        diff = {"before": {}, "after": {}}
        protected = None
        # Restored entries leave the record, and still tell which clusters it is about.
        self.places = list(self.record.entries)
        groups = grouped(self.record.entries, chosen)
        others = [group for group in grouped(self.record.entries) if group not in groups]
        told["others"] = [f"{group[0]['object']['name']}: {', '.join(entry['key'] for entry in group)}" for group in others]
        # What the virtual machines share comes last, whenever it was changed.
        for group in sorted(groups, key=lambda group: group[0]["module"] in SHARED):
            place = group[0]["object"]
            if group[0]["module"] in SHARED:
                protected, failure = (protected, None) if protected is not None else self._protected()
                if failure:
                    told["failures"].append(f"{place['name']}: {failure}")
                    continue
                if protected:
                    reason = f"Fault Tolerance still protects {', '.join(protected)}"
                    told["kept"] += [f"{place['name']}: {entry['key']} stays, because {reason}" for entry in group]
                    continue
            self._restore(group, told, diff)
        result.update(told, changed=bool(told["restored"]), left=len(self.record.entries))
        result["msg"] = f"Restored: {len(told['restored'])}. Kept: {len(told['kept'])}. Failed: {len(told['failures'])}."
        if self._task.diff and result["changed"]:
            result["diff"] = diff | {"before_header": "present", "after_header": "restored"}
        return result

    def _unknown(self, names):
        """Returns the names that are neither in the record nor in vSphere, each with why. Restored entries leave the record, so a
        name that is not in the record may still be right."""
        places = [entry["object"] for entry in self.record.entries if entry["object"]["type"] == "VirtualMachine"]
        known = {place[part] for place in places for part in ("name", "moid")}
        unknown = []
        for name in names:
            if known and name not in known:
                by_name = self.calls.run("vm_power", {"name": name, "state": "powered_on"}, check=True)
                if (by_name.get("error") or {}).get("kind") == "not_found":
                    by_id = self.calls.run("vm_power", {"moid": name, "state": "powered_on"}, check=True)
                    unknown += [f"{name}: {by_name['msg']}"] if by_id.get("failed") else []
        return unknown

    def _restore(self, group, told, diff):
        """Restores the values of one object that nobody else has changed."""
        place, check = group[0]["object"], self._task.check_mode
        present, failure = self._present(group)
        if failure:
            told["failures"].append(f"{place['name']}: {failure}")
            return
        over = [entry for entry in group if same(present[entry["key"]], wanted(entry))]
        ours = [entry for entry in group if entry not in over and any(same(present[entry["key"]], one) for one in written(entry))]
        for entry in group:
            if entry not in over and entry not in ours:
                value = shown(present[entry["key"]])
                told["kept"].append(f"{place['name']}: {entry['key']} stays {value}: somebody else changed it since")
        failure = self._write(ours) if ours and not check else None
        if failure:
            told["failures"].append(f"{place['name']}: {failure}")
            ours = []
        for entry in ours:
            now, before = present[entry["key"]], wanted(entry)
            told["restored"].append(f"{place['name']}: {entry['key']}: {shown(now)} -> {shown(before)}")
            diff["before"].setdefault(place["name"], {})[entry["key"]] = now
            diff["after"].setdefault(place["name"], {})[entry["key"]] = before
            if entry["module"] == "fault_tolerance" and before == "absent":
                self.absent.add(place["moid"])
        if not check and over + ours:
            try:
                self.record.forget(over + ours)
            except BadRecord as problem:
                told["failures"].append(f"{place['name']}: {problem}")

    def _present(self, group):
        """Returns the present values of a group by key, or why they cannot be read."""
        place, present = group[0]["object"], {entry["key"]: [] for entry in group if isinstance(entry["before"], list)}
        for entry, arguments in restoring(group, self.own):
            answer = self._call(entry["module"], arguments, check=True)
            if answer.get("failed"):
                return {}, answer["msg"]
            found = answer.get("vm") or answer.get("cluster") or answer["hosts"][0]
            if found["moid"] != place["moid"]:
                return {}, f"its name now belongs to another object, {found['moid']}"
            if entry["module"] == "vmkernel_service":
                carried = entry["key"] in found["services_before"]
                present[entry["key"]] = sorted(present[entry["key"]] + [arguments["device"]] * carried)
            else:
                present.update({key: before for _place, key, before, _after in values(entry["module"], answer)})
        return present, None

    def _write(self, entries):
        """Writes the previous values. Returns why that failed."""
        for entry, arguments in restoring(entries, self.own):
            answer = self._call(entry["module"], arguments, check=False)
            if answer.get("failed"):
                return answer["msg"]
        return None

    def _call(self, module, arguments, check):
        """Returns the result of one call, in the user's words."""
        answer = self.calls.run(module, arguments, check)
        rename(answer, {"force": "force_power_off"})
        # What else would fail now, such as a virtual machine that still runs, is what an earlier step of a real run changes.
        if self._task.check_mode and module == "vm_power":
            foretell(answer)
        return answer

    def _protected(self):
        """Returns the names of the virtual machines that Fault Tolerance protects in the clusters of the record, or why they
        cannot be read."""
        names, seen = set(), set()
        places = [entry["object"] for entry in self.places]
        clusters = {place.get("cluster") or place["name"] for place in places if place.get("cluster") or "Cluster" in place["type"]}
        machines = [place["moid"] for place in places if place["type"] == "VirtualMachine"]
        for arguments in [{"cluster_name": name} for name in sorted(clusters)] + [{"moid": moid} for moid in machines]:
            if arguments.get("moid") in seen:
                continue
            answer = self.calls.run("ft_readiness", arguments, check=False)
            if answer.get("failed"):
                return None, f"cannot read what Fault Tolerance protects: {answer['msg']}"
            listed = answer["vms"]
            seen |= {vm["moid"] for vm in listed}
            primaries = [vm for vm in listed if vm["role"] != "secondary" and vm["ft_state"] not in (None, "notConfigured")]
            names |= {vm["name"] for vm in primaries if vm["moid"] not in self.absent}
        return sorted(names), None


def grouped(entries, names=None):
    """Returns the entries by module and object, the last change first. `names` limits those of virtual machines, and may have ids too."""
    groups = {}
    for entry in reversed(entries):
        place = entry["object"]
        if place["type"] != "VirtualMachine" or names is None or {place["name"], place["moid"]} & set(names):
            groups.setdefault((entry["module"], place["moid"]), []).append(entry)
    return list(groups.values())


def wanted(entry):
    """Returns the previous value. Of vmknics, only those count that the change concerned."""
    before = entry["before"]
    return [device for device in before if device in concerned(entry)] if isinstance(before, list) else before


def written(entry):
    """Returns the values that the present one may have if nobody else changed it."""
    found = [entry[name] for name in ("set", "pending") if name in entry]
    return [[one for one in value if one in concerned(entry)] if isinstance(value, list) else value for value in found]


def concerned(entry):
    """Returns the vmknics that a change added or removed."""
    sets = [set(entry[name]) for name in ("set", "pending") if name in entry]
    return set().union(*(set(entry["before"]) ^ one for one in sets))


def restoring(entries, own):
    """Returns the arguments of the calls that restore entries of one object, each with an entry that it is for. `own` has arguments
    of the user by module."""
    module, place = entries[0]["module"], entries[0]["object"]
    before = {entry["key"]: entry["before"] for entry in entries}
    if module == "vmx_option":
        there = {key: value for key, value in before.items() if value is not None}
        gone = {key: "" for key, value in before.items() if value is None}
        calls = [{"options": there, "state": "present"}] if there else []
        calls += [{"options": gone, "state": "absent"}] if gone else []
        return [(entries[0], {"moid": place["moid"]} | call) for call in calls]
    if module == "host_option":
        return [(entries[0], {"esxi_hostname": [place["name"]], "options": before})]
    if module == "vm_power":
        state = "shut_down" if before["power"] == "poweredOff" else "powered_on"
        return [(entries[0], {"moid": place["moid"], "state": state} | own[module])]
    if module == "fault_tolerance":
        return [(entries[0], {"moid": place["moid"], "state": before["Fault Tolerance"]} | own[module])]
    if module == "cluster_ha":
        enabled = before.pop("enabled", True)
        return [(entries[0], {"cluster_name": place["name"], "state": "enabled" if enabled else "disabled"} | before)]
    calls = []
    for entry in entries:
        # Where only one vmknic may carry a service, selecting one takes it from another.
        for device in sorted(concerned(entry), key=lambda device: device not in entry["before"]):
            state = "present" if device in entry["before"] else "absent"
            arguments = {"esxi_hostname": [place["name"]], "device": device, "services": [entry["key"]], "state": state}
            calls.append((entry, arguments))
    return calls


def shown(value):
    """Returns a value for people."""
    if value is None:
        return "not set"
    return (", ".join(value) or "none") if isinstance(value, list) else str(value)
