# Copyright: (c) The nested-vft authors
# SPDX-License-Identifier: Apache-2.0
"""The documentation of restore. The action plugin of this name does the work."""

from __future__ import annotations

DOCUMENTATION = r"""
module: restore
short_description: Restores the values in a record of earlier changes
description:
  - Reads a record that M(nested.vft.parallel) or the role C(nested.vft.protect) wrote, and restores the previous values, the last change
    first. What several virtual machines share comes last.
  - A value that somebody else changed since stays as it is, and RV(kept) names it.
  - vSphere HA, the services of vmknics and host options stay as long as Fault Tolerance protects a virtual machine of the cluster.
  - A restored value is removed from the record. So a second run changes nothing, and a run after an interruption continues.
  - A value that cannot be restored does not fail the task. Look at RV(failures).
version_added: 0.1.0
author:
  - the nested-vft authors (@nested-vft)
options:
  record:
    description: The file, on the Ansible machine. The task fails if it does not exist.
    type: path
    required: true
  vms:
    description:
      - The names or managed object ids of the virtual machines to restore. Without it, all are restored.
      - The task fails before any change if one of them is neither in the record nor in vSphere, unless the record has no virtual machine.
    type: list
    elements: str
  force_power_off:
    description: Whether a virtual machine whose guest cannot be shut down may be powered off.
    type: bool
    default: false
  ft_timeout:
    description: Seconds to wait until a virtual machine has its previous state of Fault Tolerance. They limit each virtual machine.
    type: int
    default: 900
attributes:
  check_mode:
    support: full
    description: Predicts what would be restored, and changes neither vSphere nor the record.
  diff_mode:
    support: full
    description: Shows the present and the restored values.
"""

EXAMPLES = r"""
- name: Restore the lab
  nested.vft.restore:
    record: lab.json
"""

RETURN = r"""
restored:
  description: One line for each value that was restored.
  returned: success
  type: list
  elements: str
  sample: ["inner: replay.allowFT: true -> not set"]
kept:
  description: One line for each value that stays as it is, and why.
  returned: success
  type: list
  elements: str
  sample: []
failures:
  description: One line for each object that could not be restored, and why.
  returned: success
  type: list
  elements: str
  sample: []
others:
  description: One line for each object that stays as it is, because O(vms) does not name it.
  returned: success
  type: list
  elements: str
  sample: ["other: power"]
left:
  description: The number of values that are still in the record.
  returned: success
  type: int
  sample: 0
"""
