# Copyright: (c) The nested-vft authors
# SPDX-License-Identifier: Apache-2.0
"""Reads the virtual machines that a user names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ansible.errors import AnsibleFilterError

DOCUMENTATION = r"""
name: vms
short_description: Reads the virtual machines that a user names
description:
  - Returns the variable C(vms) of the roles as a list, which fits O(nested.vft.parallel#module:calls). Without C(vms), the list has only the
    virtual machine of C(vm_name) and C(vm_folder), if there is one.
  - Leaves out empty texts. Fails if another item names no virtual machine, and says which item it is.
version_added: 0.1.0
author: the nested-vft authors (@nested-vft)
options:
  _input:
    description:
      - A list of names and of dictionaries, or one text with names that are separated by commas. A dictionary has C(name), C(moid) or
        C(uuid), and may have C(use_instance_uuid), C(folder), C(datacenter), C(secondary_host), C(datastore) and C(encryption).
      - If this is V(none), O(name) and O(folder) name the only virtual machine.
    type: raw
    required: true
  name:
    description: The name of the only virtual machine. Ignored unless the input is V(none).
    type: str
  folder:
    description: The folder of O(name), if several virtual machines have that name.
    type: str
"""

EXAMPLES = r"""
- name: Power the virtual machines on
  nested.vft.parallel:
    module: vm_power
    calls: "{{ vms | default(none) | nested.vft.vms(vm_name | default(none), vm_folder | default(none)) }}"
    arguments:
      state: powered_on
  vars:
    vms: inner, other
"""

RETURN = r"""
_value:
  description: The names and the dictionaries.
  type: list
  elements: raw
  sample: [inner, {name: web, folder: nested}]
"""

IDENTITY = ("name", "moid", "uuid")
# A dictionary has no other argument: `state`, for example, would override that of the role.
KEYS = (*IDENTITY, "use_instance_uuid", "folder", "datacenter", "secondary_host", "datastore", "encryption")


def kind(value):
    """Describes a value for a message."""
    if value is None:
        return "empty"
    if isinstance(value, bool):
        return "a truth value"
    if isinstance(value, (int, float)):
        return f"the number {value}"
    return "a dictionary" if isinstance(value, Mapping) else "a list" if isinstance(value, Sequence) else type(value).__name__


def checked(number, item):
    """Returns an item of the list if it names a virtual machine."""
    if isinstance(item, Mapping):
        if not any(item.get(key) for key in IDENTITY):
            raise AnsibleFilterError(f"item {number} of `vms` has none of `name`, `moid` and `uuid`. Set one of them.")
        wrong = [f"`{key}`" for key in item if key not in KEYS]
        if wrong:
            allowed = ", ".join(f"`{key}`" for key in KEYS)
            raise AnsibleFilterError(f"item {number} of `vms` has {', '.join(wrong)}. It may only have {allowed}.")
    elif not isinstance(item, str):
        wanted = "a dictionary with `name`, `moid` or `uuid`, or a name; quote a name that looks like a number"
        raise AnsibleFilterError(f"item {number} of `vms` is {kind(item)}. It must be {wanted}.")
    return item


def vms(given, name=None, folder=None):
    """Returns a list of names and dictionaries."""
    if given is None:
        given = [{"name": name, "folder": folder} if folder else name] if name else []
    elif isinstance(given, str):
        given = [part.strip() for part in given.split(",")]
    elif isinstance(given, Mapping) or not isinstance(given, Sequence):
        raise AnsibleFilterError(f"`vms` is {kind(given)}. It must be a list, or a text with names that are separated by commas.")
    return [checked(number, item) for number, item in enumerate(given, 1) if item != ""]


class FilterModule:
    """Registers the filter."""

    def filters(self):
        return {"vms": vms}
