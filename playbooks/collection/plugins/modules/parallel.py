# Copyright: (c) The nested-vft authors
# SPDX-License-Identifier: Apache-2.0
"""The documentation of parallel. The action plugin of this name does the work."""

from __future__ import annotations

DOCUMENTATION = r"""
module: parallel
short_description: Calls one module of this collection several times at once
description:
  - Calls a module once for each of several virtual machines, hosts or clusters, up to 16 at a time, and waits for all.
  - A call that fails stops no other one, and fails the task only with O(strict). Look at RV(failures).
  - With O(record), a file keeps the previous values of VMX options, host options, vmknics, vSphere HA, power and Fault Tolerance, and
    M(nested.vft.restore) restores them. It does not keep the encryption of Fault Tolerance, advanced options of vSphere HA and restart
    priorities. The file is
    written before and after each change, so that it is whole after any interruption.
  - The programs run on the Ansible machine, whatever the connection of the play.
  - The arguments of the connection come from C(module_defaults) for C(group/nested.vft.vsphere), from O(arguments), or from the
    environment.
version_added: 0.1.0
author:
  - the nested-vft authors (@nested-vft)
options:
  module:
    description: The module to call, such as V(vm_power).
    type: str
    required: true
  calls:
    description:
      - The arguments of each call. A dictionary maps names, which you choose, to arguments.
      - In a list, an item is a dictionary of arguments, or a string, which is the value of the argument that O(key) names. Then each call
        has the name of its object.
    type: raw
    required: true
  key:
    description: The argument that a string in O(calls) is the value of.
    type: str
    default: name
  only:
    description: The names of the calls to make. Without it, all calls are made.
    type: list
    elements: str
  without:
    description: Arguments to drop from each call, because this module does not have them.
    type: list
    elements: str
    default: []
  arguments:
    description: Arguments of every call.
    type: dict
    default: {}
  record:
    description: The file for the previous values, on the Ansible machine. It is extended if it exists.
    type: path
  quiet:
    description: Leave out the warnings of calls that did not fail.
    type: bool
    default: false
  names:
    description:
      - Maps arguments of the module to the variables that the user sets them with. Messages then name the variables.
    type: dict
    default: {}
  predict_failures:
    description:
      - In check mode, a module only warns if the real run would fail now, because another task of the play may come first and fix that.
        With this, such a call counts as failed.
    type: bool
    default: false
  strict:
    description: Fail the task after all calls if one of them failed. Its message has the messages of these calls.
    type: bool
    default: false
  cluster:
    description: The cluster of the hosts in O(calls), for the record.
    type: str
attributes:
  check_mode:
    support: full
    description: Calls the module in check mode, and writes no record.
  diff_mode:
    support: full
    description: Shows the differences of all calls.
"""

EXAMPLES = r"""
- name: Power two virtual machines on
  nested.vft.parallel:
    module: vm_power
    calls: [inner, other]
    arguments:
      state: powered_on
    record: lab.json
    strict: true
"""

RETURN = r"""
answers:
  description: The result of each call, by its name.
  returned: success
  type: dict
  sample:
    inner: {changed: true, failed: false, power_state: poweredOn}
failures:
  description: The error messages of the calls that failed, by name.
  returned: success
  type: dict
  sample: {}
"""
