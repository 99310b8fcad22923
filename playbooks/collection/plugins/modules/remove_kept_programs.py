# Copyright: (c) The nested-vft authors
# SPDX-License-Identifier: Apache-2.0
"""The documentation of remove_kept_programs. The action plugin of this name does the work."""

from __future__ import annotations

DOCUMENTATION = r"""
module: remove_kept_programs
short_description: Removes the programs that nested_vft_keep_program left on a host
description:
  - With the variable C(nested_vft_keep_program), tasks of this collection keep their program on the host, in the cache folder of
    the user of the connection. This action removes the programs of all versions of the collection, and copies that were not
    completed.
  - It removes no other file. A kept session in the same folder stays.
  - It looks in C($XDG_CACHE_HOME/nested_vft), or else in C(~/.cache/nested_vft). If the tasks set C(XDG_CACHE_HOME) with the
    keyword C(environment), this task needs the same.
  - It ignores C(become), as the tasks do that keep a program.
  - It needs no Python on the host.
version_added: 0.1.0
author:
  - the nested-vft authors (@nested-vft)
options: {}
attributes:
  check_mode:
    support: full
    description: Reports what it would remove, and changes nothing.
  diff_mode:
    support: none
    description: Shows a difference in diff mode.
"""

EXAMPLES = r"""
- name: Remove the kept programs
  nested.vft.remove_kept_programs:
"""

RETURN = r"""
removed:
  description: The removed files. In check mode, the files that would be removed.
  returned: success
  type: list
  elements: str
  sample:
    - /root/.cache/nested_vft/563f3ea4a0620ebb504ac9c6aa55cc755757c507b990a30ff90c5968a6527415
"""
